// What of a recording session is kept in its folder, so that a recorder that died can go on: dialog, description, streams,
// metadata. Keys of SRTP are never kept: a session that has any is ended, and its client comes back with fresh ones.

import type { Clock } from '#kernel'
import type { KeptDescription } from '#sdp'
import type { DialogSnapshot } from '#sip'
import type { Manifest } from '#store'
import type { KeptMetadata } from './session-metadata.ts'
import type { HerePause } from './session-pause.ts'
import type { KeptStreams } from './session-streams.ts'

const FORMAT = 1

/** Contents of a recording's session file. */
export interface KeptSession {
  readonly format: typeof FORMAT
  readonly dialog: DialogSnapshot
  /** Absent where the session cannot go on without its keys. */
  readonly media?: { readonly description: KeptDescription; readonly streams: KeptStreams }
  readonly metadata: KeptMetadata
}

/** A recording that a dead recorder left open. */
export interface LeftRecording {
  readonly folder: string
  /** Undefined if it cannot be read. */
  readonly manifest: Manifest | undefined
  /** What the session file holds. */
  readonly session: unknown
  /** When it was written last, ms since 1970. */
  readonly touchedAtMs: number
}

/** A session that can be taken up, or at least be ended. */
export interface KeptRecording extends LeftRecording {
  readonly manifest: Manifest
  readonly session: KeptSession
  /** The pause of the recorder itself that stands, as the media side found it. */
  readonly pause?: HerePause
}

/** Those of the recordings left whose client may still be there: written less than `withinMs` ago. */
export function keptRecordings(left: readonly LeftRecording[], withinMs: number, clock: Clock): KeptRecording[] {
  const isRecent = ({ touchedAtMs }: LeftRecording): boolean => clock.wallMs() - touchedAtMs < withinMs
  return left.filter(isRecent).filter(isKept)
}

/** The contents of a session file. */
export function keptSession(parts: Omit<KeptSession, 'format'>): KeptSession {
  return { format: FORMAT, ...parts }
}

function isKept(left: LeftRecording): left is KeptRecording {
  const session = left.session as Partial<KeptSession> | null | undefined
  return (
    left.manifest !== undefined &&
    session?.format === FORMAT &&
    typeof session.dialog === 'object' &&
    typeof session.metadata === 'object'
  )
}
