// A recording server as others see it: what it is made of, and what it does.

import type { Clock, Ids, Listeners, Logger, Result } from '#kernel'
import type { SrtpSuite } from '#rtp'
import type { RequestOutcome, SipCore, SipCoreHandlers } from '#sip'
import type { Catalogue, ClosedFolder, MediaKind, RecordingStore } from '#store'
import type { InviteProblem } from './client-invitation.ts'
import type { ClientPolicy } from './client-policy.ts'
import type { LeftRecording } from './kept-session.ts'
import type { LiveListener } from './live-listeners.ts'
import type { RecordMedia } from './record-media.ts'
import type { DiskState } from './record-messages.ts'
import type { RefusedInvitations } from './refused-invitations.ts'
import type { LiveSession, RecordingServerEvent } from './server-events.ts'
import type { PauseOrder, PauseResult } from './session-pause.ts'

/** What of SRTP a recording server takes (RFC 4568). */
export interface RecorderSrtp {
  readonly suites: readonly SrtpSuite[]
  /** Keys are exchanged with clients whose signalling is not TLS, too. */
  readonly keysWithoutTls: boolean
  /** Keys may be kept with the recordings under way, so that a restarted recorder goes on with them; false unless told. */
  readonly keepsKeys?: boolean
}

/** What a recording server is made of. */
export interface RecordingServerOptions {
  readonly media: RecordMedia
  /** IP literal that SDP gives as the address of our media. */
  readonly address: string
  readonly store: RecordingStore
  readonly catalogue: Catalogue
  readonly clock: Clock
  readonly ids: Ids
  readonly log: Logger
  /** What is expected of the clients of an address; everybody is recorded unless told. */
  readonly policyFor?: (source: string) => ClientPolicy
  /** Takes the reasons of refusals. */
  readonly refusals?: RefusedInvitations
  /** SRTP with keys in SDP; plain RTP only unless told. */
  readonly srtp?: RecorderSrtp
  /** Media types that are kept, others are refused; all that can be unless told. */
  readonly kinds?: readonly MediaKind[]
  /** Keep metadata documents as they came, not only their merged state (SRS-51); true unless told. */
  readonly keepRawMetadata?: boolean
  /** Sessions at a time, 2000 unless told; above it 503. */
  readonly maxSessions?: number
  /** Sessions at a time from one address; above it 486. No limit unless told. */
  readonly maxSessionsPerSource?: number
}

/** A recording server; its SIP core is given `handlers`, and then attached. */
export interface RecordingServer {
  readonly handlers: SipCoreHandlers
  readonly events: Listeners<RecordingServerEvent>
  /** False while draining or full. */
  readonly isAvailable: boolean
  /** How the disk was within the last second; undefined before. */
  readonly diskState: DiskState | undefined
  /** Sessions since the start by what their clients did against the RFCs, by code. */
  deviations(): Readonly<Record<string, number>>
  /**
   * Goes on with recordings that a dead recorder left open: takes their ports and files now, their dialogs with `attach`.
   * Gives the folders that it leaves to recovery; clients of sessions that cannot go on get a BYE, so that they come back.
   */
  resume(left: readonly LeftRecording[], withinMs: number): Promise<readonly ClosedFolder[]>
  /** Alarms raised since the start, by code. */
  alarms(): Readonly<Record<string, number>>
  /** Gives the server its SIP core, which `invite` needs; once. */
  attach(core: SipCore): void
  /** Asks a client to be recorded (RFC 7866 section 7.2); gives the recording's id once the session is up. */
  invite(uri: string): Promise<Result<string, InviteProblem>>
  /** Sessions under way, with the counters of their streams. */
  sessions(): Promise<readonly LiveSession[]>
  /** Hears what is received until the returned function is called; undefined for an unknown session. */
  listen(recordingId: string, listener: LiveListener): (() => void) | undefined
  /** Keeps nothing of a session from now on; undefined for an unknown session. Rejects with what the media side rejects. */
  pauseHere(recordingId: string, order: PauseOrder): Promise<PauseResult | undefined>
  /** Ends what `pauseHere` began; undefined for an unknown session. */
  resumeHere(recordingId: string): Promise<PauseResult | undefined>
  /** Removes a stream of a session by an offer of ours; undefined for an unknown session. */
  dropStream(recordingId: string, channel: number): Promise<RequestOutcome | undefined>
  /** Refuses new sessions from now on; resolves when none is left. */
  drain(): Promise<void>
  /** Ends every session and publishes what it holds; resolves when all is on disk. */
  stop(): Promise<void>
}
