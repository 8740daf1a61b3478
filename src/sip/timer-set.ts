// The running timers of one machine, by name.

import type { Clock, Timer } from '#kernel'

/** Named timers; setting a name again replaces it. */
export class TimerSet<Name extends string> {
  readonly #clock: Clock
  readonly #fire: (name: Name) => void
  readonly #running = new Map<Name, Timer>()

  constructor(clock: Clock, fire: (name: Name) => void) {
    this.#clock = clock
    this.#fire = fire
  }

  set(name: Name, afterMs: number): void {
    this.#running.get(name)?.cancel()
    const timer = this.#clock.after(afterMs, name, () => {
      this.#running.delete(name)
      this.#fire(name)
    })
    this.#running.set(name, timer)
  }

  clear(name: Name): void {
    this.#running.get(name)?.cancel()
    this.#running.delete(name)
  }

  clearAll(): void {
    for (const timer of this.#running.values()) timer.cancel()
    this.#running.clear()
  }
}
