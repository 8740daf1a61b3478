// A clock that knows which of its timers still run, so that the core can count them and stop them all.

import type { Clock, Timer } from '#kernel'

/** Clock of one core; `close` cancels what is pending and makes later timers void. */
export class OwnedClock implements Clock {
  readonly #clock: Clock
  readonly #running = new Set<Timer>()
  #closed = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get running(): number {
    return this.#running.size
  }

  nowMs(): number {
    return this.#clock.nowMs()
  }

  wallMs(): number {
    return this.#clock.wallMs()
  }

  after(delayMs: number, name: string, fire: () => void): Timer {
    if (this.#closed) return { cancel: () => {} }
    const inner = this.#clock.after(delayMs, name, () => {
      this.#running.delete(timer)
      fire()
    })
    const timer: Timer = {
      cancel: () => {
        if (this.#running.delete(timer)) inner.cancel()
      },
    }
    this.#running.add(timer)
    return timer
  }

  close(): void {
    this.#closed = true
    for (const timer of [...this.#running]) timer.cancel()
  }
}
