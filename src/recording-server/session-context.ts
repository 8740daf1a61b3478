// What every session of a recording server shares, and what is known of a client when its session begins.

import type { Clock, Ids, Logger } from '#kernel'
import type { Finding } from '#lint'
import type { SrtpSuite } from '#rtp'
import type { Catalogue, MediaKind, RecordingStore } from '#store'
import type { ClientPolicy } from './client-policy.ts'
import type { RecordMedia } from './record-media.ts'
import type { RequestBodies } from './recording-request.ts'
import type { RecordingServerEvent } from './server-events.ts'
import type { SessionOpening } from './session-opening.ts'

/** What every session of a server shares. */
export interface SessionContext {
  readonly media: RecordMedia
  readonly store: RecordingStore
  readonly catalogue: Catalogue
  readonly clock: Clock
  readonly ids: Ids
  readonly log: Logger
  /** Address literal for SDP. */
  readonly address: string
  readonly keepRawMetadata: boolean
  /** Media types that are kept. */
  readonly kinds: readonly MediaKind[]
  /** Suites for which keys may be exchanged with a client whose signalling comes that way. */
  readonly suitesOver: (transport: string) => readonly SrtpSuite[]
  /** Whether keys of SRTP may be kept for another process. */
  readonly keepsKeys: boolean
  readonly emit: (event: RecordingServerEvent) => void
  /** Rejects an opening, and says so. */
  readonly refuse: (opening: SessionOpening, status: number, reason: string) => void
  /** Deviations that a client had not shown in its session before. */
  readonly onDeviations: (codes: readonly string[]) => void
  readonly onClosed: (recordingId: string) => void
}

/** What is known of a client by its opening. */
export interface Judgement {
  readonly bodies: RequestBodies
  /** What its message lacks of RFC 7866 section 6. */
  readonly marks: readonly string[]
  readonly policy: ClientPolicy
  readonly isPlain: boolean
  readonly findings: readonly Finding[]
}
