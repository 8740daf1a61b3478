// OPTIONS to the configured recorders (RFC 3261 section 11), so that a dead one is known before a call needs it.

import type { DestinationPolicy } from '#call'
import type { Clock, Ids, Logger, Timer } from '#kernel'
import { parseSipUri, type SipCore, type SipUri } from '#sip'
import { hopOf } from '../recorder-profile.ts'
import { type AttemptOutcome, attemptOutcome, type RecorderDirectory } from './recorder-directory.ts'

/** What probing needs. */
export interface RecorderProbesOptions {
  readonly core: Pick<SipCore, 'request'>
  readonly recorders: Pick<RecorderDirectory, 'profileOf'> & { probed(uri: string, outcome: AttemptOutcome): void }
  /** URIs to probe. */
  readonly uris: readonly string[]
  /** From one probe of a recorder to the next. */
  readonly intervalMs: number
  /** Silence that counts as a failure. */
  readonly timeoutMs: number
  /** From, as name-addr. */
  readonly from: string
  readonly destinations: DestinationPolicy
  readonly clock: Clock
  readonly ids: Ids
  readonly log: Logger
}

/** Probes until closed; a recorder whose URI is not allowed as destination of recordings is left alone. */
export class RecorderProbes {
  readonly #options: RecorderProbesOptions
  readonly #due = new Set<Timer>()
  #isClosed = false

  constructor(options: RecorderProbesOptions) {
    this.#options = options
    for (const uri of options.uris) {
      const target = parseSipUri(uri)
      if (target.ok && options.destinations.allows(target.value)) {
        // Not all at the same time, but all soon.
        this.#after(options.ids.integer(Math.min(options.intervalMs, 1_000)), uri, target.value)
      } else options.log.warn('recorder is not probed: recordings may not go there', { recorder: uri })
    }
  }

  /** Sends no more; what is under way is not waited for. */
  close(): void {
    this.#isClosed = true
    for (const timer of this.#due) timer.cancel()
    this.#due.clear()
  }

  #after(delayMs: number, uri: string, target: SipUri): void {
    const timer: Timer = this.#options.clock.after(delayMs, 'recorder probe', () => {
      this.#due.delete(timer)
      void this.#probe(uri, target)
    })
    this.#due.add(timer)
  }

  async #probe(uri: string, target: SipUri): Promise<void> {
    const { core, recorders, from, timeoutMs, intervalMs } = this.#options
    const hop = hopOf(recorders.profileOf(target))
    const answer = await core.request('OPTIONS', { uri, from, ...hop, firstResponseTimeoutMs: timeoutMs })
    if (this.#isClosed) return
    recorders.probed(uri, attemptOutcome(answer))
    this.#after(intervalMs, uri, target)
  }
}
