// A call as the recording client and the control layer see it: who takes part, what happens, where its media is.

import type { MediaCall, SrtpSuite } from '#engine'
import type { RecordPreference, RecordState } from '#sdp'
import type { Capability } from './capabilities.ts'

/** A party of a call. */
export interface CallParty {
  /** 16 bytes of a version 4 UUID, stable for the life of the call. */
  readonly participantId: Uint8Array
  /** Leg of the media call. */
  readonly leg: string
  /** The seat: who is transferred into the caller's place is the caller from then on. */
  readonly role: 'caller' | 'callee' | 'automaton'
  /** URIs with scheme, P-Asserted-Identity first, else From/To; never empty. */
  readonly aors: readonly string[]
  readonly displayName?: string
  /** The party asked that only trusted peers are told who it is (RFC 3323, RFC 3325). */
  readonly isPrivate?: boolean
  readonly sipCallId: string
  readonly joinedAtMs: number
  readonly leftAtMs?: number
  /** Direction of the party's own media by its last SDP: `sendonly`: it holds us. */
  readonly hold: 'none' | 'sendonly' | 'inactive'
  /** The party's user agent shows the state of recording by itself: option tag `record-aware` (RFC 7866 section 6.1.2). */
  readonly isRecordAware?: boolean
  /** What the party last asked for by `a=recordpref` (RFC 7866 section 7.1.3). */
  readonly recordPreference?: RecordPreference
  /** What somebody further on tells the party's phone, and so us, of its own recording; information, never a command. */
  readonly recordingElsewhere?: RecordState
  /** What its user agent last said that it can, or is, as a conference focus; absent: nothing. */
  readonly capabilities?: readonly Capability[]
  /** Leg of the media call that carries the party's video, if any. */
  readonly videoLeg?: string
}

/** A communication session that this call was before a transfer gave it a new one of the same group (RFC 8068 section 3.2.3). */
export interface EarlierSession {
  /** 16 bytes. */
  readonly sessionId: Uint8Array
  readonly sipSessionIds?: readonly string[]
  readonly startedAtMs: number
  readonly endedAtMs: number
  /** Participants of it. */
  readonly participantIds: readonly Uint8Array[]
}

/** Facts of a call at one moment. */
export interface CallSnapshot {
  readonly callId: string
  /** 16 bytes, the CS's session_id. */
  readonly sessionId: Uint8Array
  /** Session-ID of each pair of dialogs, `uuid;remote=uuid` (RFC 7989). */
  readonly sipSessionIds?: readonly string[]
  /** 16 bytes. */
  readonly groupId: Uint8Array
  readonly direction: 'inbound' | 'outbound'
  readonly state: 'ringing' | 'answered' | 'ended'
  readonly startedAtMs: number
  readonly answeredAtMs?: number
  readonly endedAtMs?: number
  /** Why it ended, if the peer said (RFC 3326). */
  readonly endReason?: { readonly protocol: string; readonly cause: number; readonly text: string }
  /** Everyone who took part, leavers included. The last `caller` is on the near side; an automaton (the flow) stands in while there is no callee. */
  readonly parties: readonly CallParty[]
  /** Encodings in use on the caller's leg, best first, e.g. `PCMU/8000`, `TELEPHONE-EVENT/8000`. */
  readonly encodings: readonly string[]
  /** The same of video, if any leg has it. */
  readonly videoEncodings?: readonly string[]
  /** Weakest protection of any leg (SEC-06); absent counts as none. */
  readonly protection?: { readonly signalling: 'none' | 'tls'; readonly media: SrtpSuite | 'none' }
  /** Oldest first; absent when there was none. */
  readonly earlierSessions?: readonly EarlierSession[]
  /** Further facts that the caller's INVITE brought, for the extension data of the metadata: name to text (History-Info, Identity…). */
  readonly facts?: Readonly<Record<string, string>>
}

/** What happens to a call. Each comes after the snapshot has changed. */
export type CallEvent =
  | { readonly type: 'answered' }
  | { readonly type: 'party-joined'; readonly participantId: Uint8Array }
  | { readonly type: 'party-left'; readonly participantId: Uint8Array }
  | { readonly type: 'hold-changed'; readonly participantId: Uint8Array }
  | { readonly type: 'codec-changed' }
  | { readonly type: 'capabilities-changed'; readonly participantId: Uint8Array }
  /** `protection` of the snapshot is another, by what a party has negotiated anew. */
  | { readonly type: 'protection-changed' }
  /** After a transfer: `sessionId` of the snapshot is new, the old one is among `earlierSessions`. */
  | { readonly type: 'session-replaced' }
  | { readonly type: 'recording-elsewhere'; readonly participantId: Uint8Array; readonly state: RecordState }
  | { readonly type: 'record-preference'; readonly participantId: Uint8Array; readonly preference: RecordPreference }
  | { readonly type: 'ended' }

/** The call as handed to the recording client. */
export interface RecordableCall {
  readonly callId: string
  readonly media: MediaCall
  snapshot(): CallSnapshot
  onEvent(listener: (event: CallEvent) => void): () => void
  /** Refuses a caller who was not answered; ends an answered call. */
  refuse(status: number): void
  /** Ends the call, as a policy may want; `reason` is told to the parties as text. */
  hangup(reason?: string): void
}
