// The catalogue: an index of recordings that can be thrown away and rebuilt from the folders.

import { msOfIsoTime } from '../iso-time.ts'
import type { Manifest, NoAudioCause, ParticipantFacts, RecordingFacts, RecordingState } from '../manifest.ts'

/** Where the copy of a recording in object storage stands; `failed` is tried again, `none` is said only to search. */
export type UploadState = 'none' | 'waiting' | 'uploading' | 'failed' | 'verified' | 'local-removed'

/** Who did something to a recording, when and why. */
export interface Act {
  readonly reason: string
  /** A user, a token's name, or a rule of retention. */
  readonly actor: string
  readonly atMs: number
}

/** What was decided about a recording after it was made; kept beside the recording, in `notes.json`. */
export interface RecordingNotes {
  /** Lower-case, in order, each once. */
  readonly tags?: readonly string[]
  /** Legal holds in force: while there is one, nothing deletes the recording. */
  readonly holds?: readonly Act[]
  readonly uploadState?: UploadState
  /** The recording is deleted; of its row only ids and times are left. */
  readonly deletion?: Act
}

/** One recording as the catalogue knows it. */
export interface CatalogueRow extends RecordingNotes {
  readonly recordingId: string
  /** Name of the store that holds the folder, where several share a database. */
  readonly store?: string
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
  /** The same, name and AOR of each together; absent in rows of before. */
  readonly parties?: readonly ParticipantFacts[]
  /** Name or number of the participant that called, where the metadata tells. */
  readonly caller?: string
  /** Names or numbers of the others, where it is known who called. */
  readonly called?: readonly string[]
  /** Codecs of what was received, each once; absent while receiving, and in rows of before. */
  readonly codecs?: readonly string[]
  /** Whether there is audio that can be played; absent while receiving, and in rows of before. */
  readonly hasAudio?: boolean
  readonly streams: number
  readonly packets: number
  readonly warnings: number
  /** Bytes of all files of the folder. */
  readonly sizeBytes?: number
  /** Which vendor's client sent it. */
  readonly vendor?: string
  /** Outcome of looking at the session as a whole, one word. */
  readonly verdict?: string
  /** Name and value pairs out of the metadata's extension data. */
  readonly custom?: Readonly<Record<string, string>>
}

/** Place in a list: what follows it is asked for with `after`. */
export interface Cursor {
  readonly startedAtMs: number
  readonly rowNo: number
}

/** What recordings to look for; every condition given must hold. Texts are compared without regard to case. */
export interface CatalogueFilter {
  /** Words, or phrases in double quotes: each is somewhere in parties, URIs, ids, custom values or metadata documents. */
  readonly text?: string
  /** Part of a participant's name, AOR or number. */
  readonly party?: string
  /** A recording id, Recording ID of the flow, Call-ID, session id or group id, whole. */
  readonly id?: string
  /** The recording began at this time or later. */
  readonly fromMs?: number
  /** The recording began before this time. */
  readonly toMs?: number
  readonly minDurationMs?: number
  readonly maxDurationMs?: number
  readonly state?: RecordingState
  readonly cause?: NoAudioCause
  readonly tags?: readonly string[]
  readonly uploadState?: UploadState
  readonly isHeld?: boolean
  readonly vendor?: string
  readonly verdict?: string
  readonly custom?: Readonly<Record<string, string>>
  readonly store?: string
  /** Name or number of the participant that called, whole. */
  readonly caller?: string
  /** Name or number of one that was called, whole. */
  readonly called?: string
  readonly codec?: string
  /** Deleted recordings are left out unless asked for. */
  readonly deleted?: 'without' | 'only' | 'with'
}

/** What to list; newest first. */
export interface CatalogueQuery extends CatalogueFilter {
  /** At most this many, 1 to 1000. */
  readonly limit: number
  readonly offset?: number
  readonly after?: Cursor
}

/** A page of a list. */
export interface CataloguePage {
  readonly rows: readonly CatalogueRow[]
  /** Absent on the last page. */
  readonly next?: Cursor
}

/** A value that recordings have, as it was written last, and how many have it. */
export interface FacetValue {
  readonly value: string
  readonly count: number
}

/** A name that values of the metadata's extension data have. */
export interface FacetField {
  readonly name: string
  readonly count: number
  /** The most frequent ones. */
  readonly values: readonly FacetValue[]
}

/** What the recordings that match have in common, by kind; most frequent first, days newest first. */
export interface Facets {
  /** Recordings that were counted. */
  readonly counted: number
  /** False: only the newest of those that match were counted. */
  readonly isComplete: boolean
  readonly kinds: Readonly<Record<FacetKind, readonly FacetValue[]>>
  readonly fields: readonly FacetField[]
}

/** By what recordings are counted; `state` is with its cause, as in `no-audio.no-rtp`, `day` in UTC. */
export type FacetKind =
  | 'state'
  | 'store'
  | 'vendor'
  | 'verdict'
  | 'codec'
  | 'tag'
  | 'upload'
  | 'held'
  | 'day'
  | 'caller'
  | 'called'

/** Port of the catalogue. Rejections are AppError with code `store.catalogue`. */
export interface Catalogue {
  /** Writes the facts of a recording; notes that the catalogue has already stay as they are. */
  put(row: CatalogueRow): Promise<void>
  get(recordingId: string): Promise<CatalogueRow | undefined>
  list(query: CatalogueQuery): Promise<CatalogueRow[]>
  /** How many there are; counting ends at `most`. */
  count(filter: CatalogueFilter, most?: number): Promise<number>
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
    hasAudio: manifest.audioFile !== undefined,
    ...factsPart(facts),
    streams: streams.length,
    packets: streams.reduce((sum, stream) => sum + stream.totals.packets, 0),
    codecs: [...new Set(streams.flatMap(({ runs }) => runs.map(({ encoding }) => encoding.split('/', 1)[0]!)))],
  }
}

type FactsPart = Pick<
  CatalogueRow,
  | 'sipCallId'
  | 'parties'
  | 'caller'
  | 'called'
  | 'fromUri'
  | 'toUri'
  | 'reference'
  | 'sessionIds'
  | 'groupIds'
  | 'participants'
  | 'warnings'
  | 'custom'
  | 'vendor'
  | 'verdict'
>

function factsPart(facts: RecordingFacts): FactsPart {
  const caller = facts.participants.find(({ participantId }) => participantId === facts.callerId)
  const others = facts.participants.filter((one) => one !== caller).map(partyName)
  return {
    ...(caller && { caller: partyName(caller), called: [...new Set(others)] }),
    sipCallId: facts.sip.callId,
    fromUri: facts.sip.fromUri,
    toUri: facts.sip.toUri,
    ...(facts.recordingReference !== undefined && { reference: facts.recordingReference }),
    sessionIds: facts.sessionIds,
    groupIds: facts.groupIds,
    parties: facts.participants,
    participants: facts.participants.flatMap(({ name, aor }) => [name, aor].filter((text) => text !== undefined)),
    warnings: facts.warnings.length,
    ...(facts.custom && { custom: facts.custom }),
    ...(facts.verdict && { vendor: facts.verdict.vendor, verdict: facts.verdict.outcome }),
  }
}

/** A name, else the number or user of the address. */
function partyName({ name, aor, participantId }: ParticipantFacts): string {
  return name ?? /^(?:sips?|tel):([^@;]+)/i.exec(aor ?? '')?.[1] ?? aor ?? participantId
}
