// A pause that ends by itself, so that a forgotten resumption loses no more than was meant.

import type { Clock, Timer } from '#kernel'
import type { PauseLimit } from './command.ts'

/** The deadline of the pause under way, if it has one. */
export class PauseDeadline {
  readonly #clock: Clock
  readonly #onExpired: (next: PauseLimit['next']) => void
  #timer: Timer | undefined

  constructor(clock: Clock, onExpired: (next: PauseLimit['next']) => void) {
    this.#clock = clock
    this.#onExpired = onExpired
  }

  /** The latest word counts: a pause without a limit lasts until it is resumed. */
  set(limit: PauseLimit | undefined): void {
    this.#timer?.cancel()
    this.#timer =
      limit === undefined
        ? undefined
        : this.#clock.after(limit.maxSeconds * 1_000, 'recording pause deadline', () => this.#onExpired(limit.next))
  }
}
