// The catalogue: an index of recordings that can be thrown away and rebuilt from the folders.

import { msOfIsoTime } from './iso-time.ts'
import type { Manifest, NoAudioCause, RecordingFacts, RecordingState } from './manifest.ts'

/** One recording as the catalogue knows it. */
export interface CatalogueRow {
  readonly recordingId: string
  readonly state: RecordingState
  readonly cause?: NoAudioCause
  readonly recovered: boolean
  readonly startedAtMs: number
  readonly endedAtMs?: number
  readonly durationMs: number
  /** Path of the folder below the store's root; absent while receiving. */
  readonly folder?: string
  readonly sipCallId: string
  readonly fromUri: string
  readonly toUri: string
  /** Recording ID given by the call flow. */
  readonly reference?: string
  readonly sessionIds: readonly string[]
  readonly groupIds: readonly string[]
  /** Names and AORs of the participants. */
  readonly participants: readonly string[]
  readonly streams: number
  readonly packets: number
  readonly warnings: number
}

/** What to list; newest first. */
export interface CatalogueQuery {
  /** Case-insensitive substring of participants, URIs, reference, session ids or Call-ID. */
  readonly text?: string
  readonly fromMs?: number
  readonly toMs?: number
  readonly state?: RecordingState
  /** At most this many, 1 to 1000. */
  readonly limit: number
  readonly offset?: number
}

/** Port of the catalogue. Rejections are AppError with code `store.catalogue`. */
export interface Catalogue {
  put(row: CatalogueRow): Promise<void>
  get(recordingId: string): Promise<CatalogueRow | undefined>
  list(query: CatalogueQuery): Promise<CatalogueRow[]>
  count(query: Omit<CatalogueQuery, 'limit' | 'offset'>): Promise<number>
  remove(recordingId: string): Promise<void>
  close(): Promise<void>
}

/** The row of a recording that is being received. */
export function openRow(
  recordingId: string,
  startedAtMs: number,
  facts: RecordingFacts,
  streams: number,
): CatalogueRow {
  const base = { recordingId, state: 'receiving', recovered: false, startedAtMs, durationMs: 0 } as const
  return { ...base, ...factsPart(facts), streams, packets: 0 }
}

/** The row of a manifest; `folder` is relative to the store's root. */
export function rowOf(manifest: Manifest, folder: string): CatalogueRow {
  const { recordingId, state, cause, recovered, startedAt, endedAt, durationMs, facts, streams } = manifest
  return {
    recordingId,
    state,
    ...(cause && { cause }),
    recovered,
    startedAtMs: msOfIsoTime(startedAt),
    ...(endedAt !== undefined && { endedAtMs: msOfIsoTime(endedAt) }),
    durationMs,
    folder,
    ...factsPart(facts),
    streams: streams.length,
    packets: streams.reduce((sum, stream) => sum + stream.totals.packets, 0),
  }
}

function factsPart(
  facts: RecordingFacts,
): Pick<
  CatalogueRow,
  'sipCallId' | 'fromUri' | 'toUri' | 'reference' | 'sessionIds' | 'groupIds' | 'participants' | 'warnings'
> {
  return {
    sipCallId: facts.sip.callId,
    fromUri: facts.sip.fromUri,
    toUri: facts.sip.toUri,
    ...(facts.recordingReference !== undefined && { reference: facts.recordingReference }),
    sessionIds: facts.sessionIds,
    groupIds: facts.groupIds,
    participants: facts.participants.flatMap(({ name, aor }) => [name, aor].filter((text) => text !== undefined)),
    warnings: facts.warnings.length,
  }
}
