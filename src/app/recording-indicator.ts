// Tells each call what its recording does, for its parties to know (RFC 7866 section 7.1.2), and obeys what they ask for.

import type { Call, CallParty, CallService } from '#call'
import { type Clock, type Logger, messageOf, type Timer } from '#kernel'
import type { RecordingClient } from '#recording-client'
import type { RecordPreference, RecordState } from '#sdp'

/** What the indicator works with. */
export interface IndicatorOptions {
  readonly service: CallService
  readonly client: RecordingClient
  readonly clock: Clock
  readonly log: Logger
  /** Whether `a=recordpref` is obeyed. */
  readonly honoursPreferences: boolean
}

/** A recording that found another recorder within this time was not off for the parties. */
const failoverGraceMs = 2_000

/** What a party that is in the call asks for, the most private wish first. */
export function preferenceOf(parties: readonly CallParty[]): RecordPreference | undefined {
  const asked = parties.filter(({ leftAtMs }) => leftAtMs === undefined).map(({ recordPreference }) => recordPreference)
  return (['off', 'pause', 'on'] as const).find((preference) => asked.includes(preference))
}

/** Links the recording client to the calls. */
export class RecordingIndicator {
  readonly #options: IndicatorOptions
  readonly #waiting = new Map<string, Timer>()
  readonly #stop: () => void

  constructor(options: IndicatorOptions) {
    this.#options = options
    const stopEvents = options.client.events.add(({ callId }) => this.#update(callId))
    const stopCalls = options.service.onCall(({ type, call }) => {
      if (type === 'call-ended') this.#forget(call.callId)
      else {
        call.onEvent((event) => {
          if (event.type === 'record-preference') this.#onPreference(call, event.preference)
          if (event.type === 'recording-elsewhere') this.#tellElsewhere(call, event.state)
        })
      }
    })
    this.#stop = () => {
      stopEvents()
      stopCalls()
    }
  }

  close(): void {
    this.#stop()
    for (const timer of this.#waiting.values()) timer.cancel()
    this.#waiting.clear()
  }

  #update(callId: string): void {
    const { service, clock } = this.#options
    const call = service.call(callId)
    if (call === undefined) return
    const state = this.#stateOf(callId)
    if (state !== 'unsure') {
      this.#forget(callId)
      call.showRecording(state)
    } else if (!this.#waiting.has(callId)) {
      this.#waiting.set(
        callId,
        clock.after(failoverGraceMs, 'recording indication', () => {
          this.#waiting.delete(callId)
          const later = this.#stateOf(callId)
          this.#options.service.call(callId)?.showRecording(later === 'unsure' ? 'off' : later)
        }),
      )
    }
  }

  /** `unsure`: a recording goes on, but with no recorder at this moment. */
  #stateOf(callId: string): RecordState | 'unsure' {
    const { client } = this.#options
    const reported = client.stateOf(callId)
    if (reported === 'none' || reported === 'starting' || reported === 'stopping') return 'off'
    const sessions = client.recordingsOf(callId).at(-1)?.sessions ?? []
    if (!sessions.some(({ state }) => state === 'active' || state === 'gated')) return 'unsure'
    return reported === 'recording' ? 'on' : 'paused'
  }

  /** The media is cut when this returns, so that the answer to the asking party already says so. */
  #onPreference(call: Call, preference: RecordPreference): void {
    const { client, log, honoursPreferences } = this.#options
    log.info('party asks about recording', { callId: call.callId, preference, honoured: honoursPreferences })
    if (!honoursPreferences || client.stateOf(call.callId) === 'none') return
    const command =
      preference === 'off'
        ? client.stop(call, 'party')
        : preference === 'pause'
          ? client.pause(call, { origin: 'party' })
          : // What another party of the call asks for is not over with that.
            preferenceOf(call.snapshot().parties) === 'on'
            ? client.resume(call, 'party')
            : undefined
    command?.catch((fault: unknown) => log.error('preference of a party failed', { fault: messageOf(fault) }))
    this.#update(call.callId)
  }

  /** Shown to whoever reads the log; what another recorder does never moves ours (UA-08). */
  #tellElsewhere(call: Call, state: RecordState): void {
    this.#options.log.info('call is recorded elsewhere', { callId: call.callId, state })
  }

  #forget(callId: string): void {
    this.#waiting.get(callId)?.cancel()
    this.#waiting.delete(callId)
  }
}
