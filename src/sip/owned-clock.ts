// A clock that knows which of its timers still run, so that the core can count them and stop them all.

import type { Clock, Timer } from '#kernel'

/** Clock of one core; `close` cancels what is pending and makes later timers void. What a timer throws goes to `onFault`. */
export class OwnedClock implements Clock {
  readonly #clock: Clock
  readonly #onFault: (fault: unknown) => void
  readonly #running = new Set<Timer>()
  #closed = false

  constructor(clock: Clock, onFault: (fault: unknown) => void) {
    this.#clock = clock
    this.#onFault = onFault
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
      try {
        fire()
      } catch (fault) {
        this.#onFault(fault)
      }
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
