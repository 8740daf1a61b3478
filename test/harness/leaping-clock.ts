// The system's clock, except that a test may leap ahead: a program on real sockets comes to the end of its timers at once.

import type { Clock, Timer } from '#kernel'
import { systemClock } from '#net'

interface Pending {
  readonly dueMs: number
  readonly name: string
  readonly fire: () => void
  armed: Timer | undefined
}

/** A clock that runs, and leaps when told. */
export class LeapingClock implements Clock {
  #aheadMs = 0
  readonly #pending = new Set<Pending>()

  nowMs(): number {
    return systemClock.nowMs() + this.#aheadMs
  }

  wallMs(): number {
    return systemClock.wallMs() + this.#aheadMs
  }

  after(delayMs: number, name: string, fire: () => void): Timer {
    const pending: Pending = { dueMs: this.nowMs() + delayMs, name, fire, armed: undefined }
    this.#pending.add(pending)
    this.#arm(pending)
    return {
      cancel: () => {
        this.#pending.delete(pending)
        pending.armed?.cancel()
      },
    }
  }

  /** What is due within these milliseconds fires as soon as the test waits, in its order. */
  leap(ms: number): void {
    this.#aheadMs += ms
    for (const pending of [...this.#pending].sort((a, b) => a.dueMs - b.dueMs)) {
      pending.armed?.cancel()
      this.#arm(pending)
    }
  }

  /** Timers that are set. */
  get pending(): number {
    return this.#pending.size
  }

  #arm(pending: Pending): void {
    pending.armed = systemClock.after(Math.max(0, pending.dueMs - this.nowMs()), pending.name, () => {
      this.#pending.delete(pending)
      pending.fire()
    })
  }
}
