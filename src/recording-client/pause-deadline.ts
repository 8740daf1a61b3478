// A pause that ends by itself, so that a forgotten resumption loses no more than was meant.

import type { Clock, Timer } from '#kernel'
import type { PauseEnd, PauseLimit } from './command.ts'

/** The deadline of the pause under way, if it has one. */
export class PauseDeadline {
  readonly #clock: Clock
  readonly #onExpired: (next: PauseLimit['next']) => void
  #timer: Timer | undefined
  #end: PauseEnd | undefined

  constructor(clock: Clock, onExpired: (next: PauseLimit['next']) => void) {
    this.#clock = clock
    this.#onExpired = onExpired
  }

  /** Undefined where the pause has none, or it is over. */
  get end(): PauseEnd | undefined {
    return this.#end
  }

  /** The latest word counts: a pause without a limit lasts until it is resumed. */
  set(limit: PauseLimit | undefined): void {
    this.#timer?.cancel()
    this.#timer = undefined
    this.#end = undefined
    if (limit === undefined) return
    const { maxSeconds, next } = limit
    const ms = maxSeconds * 1_000
    this.#end = { atMs: this.#clock.wallMs() + ms, next }
    this.#timer = this.#clock.after(ms, 'recording pause deadline', () => {
      this.#end = undefined
      this.#onExpired(next)
    })
  }
}
