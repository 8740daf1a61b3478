// The machine's clock, which can be moved on: what lingers for RFC 3261's half minutes need not be waited for.

import type { Clock, Timer } from '#kernel'
import { systemClock } from '#net'

interface Pending {
  readonly dueMs: number
  readonly timer: Timer
  readonly fire: () => void
}

/** The real clock plus what `forward` has added. */
export class ForwardClock implements Clock {
  #aheadMs = 0
  readonly #pending = new Set<Pending>()

  nowMs(): number {
    return systemClock.nowMs() + this.#aheadMs
  }

  wallMs(): number {
    return systemClock.wallMs() + this.#aheadMs
  }

  after(delayMs: number, name: string, fire: () => void): Timer {
    const timer = systemClock.after(delayMs, name, () => {
      this.#pending.delete(entry)
      fire()
    })
    const entry: Pending = { dueMs: this.nowMs() + Math.max(0, delayMs), timer, fire }
    this.#pending.add(entry)
    return {
      cancel: () => {
        timer.cancel()
        this.#pending.delete(entry)
      },
    }
  }

  /** Moves on by `ms` at once and fires what is due, in order; what that sets anew counts from then. */
  forward(ms: number): void {
    this.#aheadMs += ms
    const nowMs = this.nowMs()
    const due = [...this.#pending].filter(({ dueMs }) => dueMs <= nowMs).sort((a, b) => a.dueMs - b.dueMs)
    for (const entry of due) {
      // One that fired before it may have cancelled it.
      if (!this.#pending.delete(entry)) continue
      entry.timer.cancel()
      entry.fire()
    }
  }

  /** Timers that are set. */
  get pending(): number {
    return this.#pending.size
  }
}
