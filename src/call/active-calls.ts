// The quota of calls. The count is derived from the calls that live, so it cannot drift from them.

import type { Call } from './call.ts'

/** The calls that exist, and how many of them count. */
export class ActiveCalls {
  readonly #limit: number
  readonly #calls = new Map<string, Call>()

  /** `limit` is the largest number of calls at the same time. */
  constructor(limit: number) {
    this.#limit = limit
  }

  /** Calls that are not ended; an ended call still being cleaned up does not count. */
  get active(): Call[] {
    return [...this.#calls.values()].filter((call) => !call.ended)
  }

  /** All calls, those being cleaned up included. */
  get size(): number {
    return this.#calls.size
  }

  get isFull(): boolean {
    return this.active.length >= this.#limit
  }

  get(callId: string): Call | undefined {
    const call = this.#calls.get(callId)
    return call?.ended === false ? call : undefined
  }

  add(call: Call): void {
    this.#calls.set(call.callId, call)
  }

  remove(call: Call): void {
    this.#calls.delete(call.callId)
  }
}
