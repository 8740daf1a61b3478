// Calls by what the application of a feature server calls them.

import type { Call } from '#call'

/** The sids that trusted peers have told by INFO (`X-Call-Sid`), while their calls last. */
export class CallSids {
  readonly #calls = new Map<string, Call>()

  /** The last call to be called so has the name. */
  learn(sid: string, call: Call): void {
    if (call.ended || this.#calls.get(sid) === call) return
    this.#calls.set(sid, call)
    call.onEnded(() => {
      if (this.#calls.get(sid) === call) this.#calls.delete(sid)
    })
  }

  /** Undefined when no call under way is called so. */
  find(sid: string): Call | undefined {
    return this.#calls.get(sid)
  }
}
