// The calls of the gateway and whom they count for. Counts are derived from the calls that live, so they cannot drift from them.

import type { Call } from './call.ts'
import type { CallOwner } from './call-quotas.ts'

interface Entry {
  readonly call: Call
  readonly owner: CallOwner
}

/** The calls that exist; an ended call that is still being cleaned up does not count. */
export class ActiveCalls {
  readonly #calls = new Map<string, Entry>()

  get active(): Call[] {
    return this.#living().map(({ call }) => call)
  }

  /** Whom each active call counts for. */
  get owners(): CallOwner[] {
    return this.#living().map(({ owner }) => owner)
  }

  /** All calls, those being cleaned up included. */
  get size(): number {
    return this.#calls.size
  }

  get(callId: string): Call | undefined {
    const call = this.#calls.get(callId)?.call
    return call?.ended === false ? call : undefined
  }

  add(call: Call, owner: CallOwner): void {
    this.#calls.set(call.callId, { call, owner })
  }

  remove(call: Call): void {
    this.#calls.delete(call.callId)
  }

  #living(): Entry[] {
    return [...this.#calls.values()].filter(({ call }) => !call.ended)
  }
}
