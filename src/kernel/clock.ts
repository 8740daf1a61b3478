// Time as a port: protocol code never asks the machine what time it is.

import { settle } from './settle.ts'

/** A pending timer; cancelling twice, or after it fired, is harmless. */
export interface Timer {
  cancel(): void
}

/** The clock and alarm that a component is given. */
export interface Clock {
  /** Monotonic milliseconds, fractional, from an arbitrary origin. */
  nowMs(): number
  /** Milliseconds since 1970-01-01 UTC, fractional. */
  wallMs(): number
  /** Calls `fire` once after `delayMs`; `name` is for diagnostics. */
  after(delayMs: number, name: string, fire: () => void): Timer
}

interface Pending {
  readonly dueMs: number
  readonly order: number
  readonly name: string
  readonly fire: () => void
}

/** In-memory clock for tests: time stands still until `advance` is called. */
export class ManualClock implements Clock {
  #nowMs = 0
  #order = 0
  readonly #epochMs: number
  readonly #pending = new Set<Pending>()

  constructor(epochMs = 1_767_603_600_000) {
    this.#epochMs = epochMs
  }

  nowMs(): number {
    return this.#nowMs
  }

  wallMs(): number {
    return this.#epochMs + this.#nowMs
  }

  after(delayMs: number, name: string, fire: () => void): Timer {
    const entry: Pending = { dueMs: this.#nowMs + Math.max(0, delayMs), order: this.#order++, name, fire }
    this.#pending.add(entry)
    return { cancel: () => void this.#pending.delete(entry) }
  }

  /** Names of the timers still pending, in order of their due time. */
  pendingNames(): string[] {
    return this.#sorted().map((entry) => entry.name)
  }

  /** Moves time forward, firing what falls due in order, timers set meanwhile included. */
  advance(ms: number): void {
    const endMs = this.#nowMs + ms
    for (;;) {
      const next = this.#sorted()[0]
      if (next === undefined || next.dueMs > endMs) break
      this.#pending.delete(next)
      this.#nowMs = next.dueMs
      next.fire()
    }
    this.#nowMs = endMs
  }

  /** As `advance`, but lets promise continuations run after each timer. */
  async advanceAsync(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms
    for (;;) {
      await settle()
      const next = this.#sorted()[0]
      if (next === undefined || next.dueMs > endMs) break
      this.#pending.delete(next)
      this.#nowMs = next.dueMs
      next.fire()
    }
    this.#nowMs = endMs
    await settle()
  }

  #sorted(): Pending[] {
    return [...this.#pending].sort((a, b) => a.dueMs - b.dueMs || a.order - b.order)
  }
}
