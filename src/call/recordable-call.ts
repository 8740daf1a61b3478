// A call as the recording client and the control layer see it: who takes part, what happens, where its media is.

import type { MediaCall } from '#engine'

/** A party of a call. */
export interface CallParty {
  /** 16 bytes of a version 4 UUID, stable for the life of the call. */
  readonly participantId: Uint8Array
  /** Leg of the media call. */
  readonly leg: string
  readonly role: 'caller' | 'callee' | 'automaton'
  /** URIs with scheme, P-Asserted-Identity first, else From/To; never empty. */
  readonly aors: readonly string[]
  readonly displayName?: string
  readonly sipCallId: string
  readonly joinedAtMs: number
  readonly leftAtMs?: number
  /** Direction of the party's own media by its last SDP: `sendonly`: it holds us. */
  readonly hold: 'none' | 'sendonly' | 'inactive'
}

/** Facts of a call at one moment. */
export interface CallSnapshot {
  readonly callId: string
  /** 16 bytes, the CS's session_id. */
  readonly sessionId: Uint8Array
  /** 16 bytes. */
  readonly groupId: Uint8Array
  readonly direction: 'inbound' | 'outbound'
  readonly state: 'ringing' | 'answered' | 'ended'
  readonly startedAtMs: number
  readonly answeredAtMs?: number
  readonly endedAtMs?: number
  /** Why it ended, if the peer said (RFC 3326). */
  readonly endReason?: { readonly protocol: string; readonly cause: number; readonly text: string }
  /** Everyone who took part, leavers included. The first is the caller; an automaton (the flow) stands in while there is no callee. */
  readonly parties: readonly CallParty[]
  /** Encodings in use on the caller's leg, best first, e.g. `PCMU/8000`, `TELEPHONE-EVENT/8000`. */
  readonly encodings: readonly string[]
}

/** What happens to a call. Each comes after the snapshot has changed. */
export type CallEvent =
  | { readonly type: 'answered' }
  | { readonly type: 'party-joined'; readonly participantId: Uint8Array }
  | { readonly type: 'party-left'; readonly participantId: Uint8Array }
  | { readonly type: 'hold-changed'; readonly participantId: Uint8Array }
  | { readonly type: 'codec-changed' }
  | { readonly type: 'ended' }

/** The call as handed to the recording client. */
export interface RecordableCall {
  readonly callId: string
  readonly media: MediaCall
  snapshot(): CallSnapshot
  onEvent(listener: (event: CallEvent) => void): () => void
}
