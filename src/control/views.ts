// What the HTTP API needs from the rest of the program; implemented in app.

import type { Readable } from 'node:stream'
import type { Static } from 'typebox'
import type { JoinOutcome, RecordingCommand, RecordingResult } from '#flow'
import type { Result } from '#kernel'
import type { CatalogueFilter, CataloguePage, CatalogueQuery, Facets, Refusal } from '#store'
import type { CallView, Readiness, RecorderView, recordingResult, SpooledRecording } from './contract.ts'
import type { HistoryView, LedgerView } from './recordings/document-contract.ts'
import type { EvidenceView, ProofView } from './recordings/evidence-contract.ts'
import type { LogicalRecordingView, SessionGroupView } from './recordings/logical-recording-contract.ts'
import type { AudioQuery, PeaksQuery, RecordingSummary, RecordingView } from './recordings/recording-contract.ts'
import type { VconView } from './recordings/vcon-contract.ts'

/** What became of a recording command, with the proof of a pause. */
export type CommandResult = RecordingResult & Pick<Static<typeof recordingResult>, 'receipts'>

/** The calls under way and command over their recording. */
export interface CallsView {
  list(): readonly CallView[]
  get(callId: string): Promise<CallView | undefined>
  /** Calls a further party into a call; undefined when there is no such call. Never rejects. */
  join(
    callId: string,
    options: { readonly target: string; readonly timeoutMs: number },
  ): Promise<JoinOutcome> | undefined
  /** Lets a party go; false when there is no such party. */
  leave(callId: string, leg: string): boolean
  /** Runs a recording command on the call of that id, or of that sid of its feature server; undefined when there is no such call. Never rejects for what the network does. */
  record(callId: string, command: RecordingCommand): Promise<CommandResult> | undefined
  /** A recording command on that call was refused before it was asked; nothing if there is no such call. */
  refused(callId: string, refusal: CommandRefusal): void
}

/** A recording command that was refused before a call was asked. */
export interface CommandRefusal {
  readonly activity: RecordingCommand['activity'] | 'unknown'
  /** Of HTTP. */
  readonly status: number
  readonly text: string
}

/** The audio of a recording. */
export interface AudioFile {
  readonly mediaType: string
  /** Of the file's name. */
  readonly extension: string
  readonly sizeBytes: number
  /** Strong validator, without quotes; changes whenever the bytes do. */
  readonly etag: string
  /** The bytes from `start` to `end`, both included. */
  open(start: number, end: number): Readable
}

/** A wave form; see the contract's `peaksView`. */
interface Peaks {
  readonly channels: number
  readonly fromMs: number
  readonly toMs: number
  readonly values: readonly (readonly number[])[]
}

/** Who does something to a recording, and why. */
interface Doing {
  readonly actor: string
  readonly reason: string
}

/** What became of a recording, or why it was left as it is. */
export type Curated = Promise<Result<RecordingSummary, Refusal>>

/** How audio goes into a vCon. */
export interface VconOptions {
  /** Where the audio can be had. */
  readonly audioUrl: string
  /** The audio itself is part of the vCon. */
  readonly isInline: boolean
}

/** A file of an archive. */
export interface ArchivePart {
  /** Path within the folder of the recording. */
  readonly name: string
  /** Exact: an archive says it before the content. */
  readonly sizeBytes: number
  readonly modifiedMs?: number
  open(): AsyncIterable<Uint8Array>
}

/** A recording for an archive. */
interface RecordingArchive {
  readonly recording: RecordingSummary
  /** False: it is encrypted, and stays so. */
  readonly isInClear: boolean
  /** Rejects when a file cannot be read. */
  parts(): AsyncIterable<ArchivePart>
}

/** How a recording goes into an archive. */
interface ArchiveWish {
  readonly mayDecrypt: boolean
  /** Where the audio can be had, for the vCon. */
  readonly audioUrl: string
}

/** The recordings of the recorder's store; everything but audio rejects with AppError `store.catalogue` while the database is away. */
export interface RecordingsView {
  /** Newest first. */
  search(query: CatalogueQuery): Promise<{ readonly items: readonly RecordingSummary[] } & Pick<CataloguePage, 'next'>>
  /** Counting ends at `most`. */
  count(filter: CatalogueFilter, most: number): Promise<number>
  /** What those that match have in common. */
  facets(filter: CatalogueFilter): Promise<Facets>
  get(recordingId: string): Promise<RecordingView | undefined>
  /** All recordings of one communication session; undefined where there is none. */
  session(sessionId: string): Promise<LogicalRecordingView | undefined>
  /** The communication sessions of a group; undefined where there is none. */
  group(groupId: string): Promise<SessionGroupView | undefined>
  tag(recordingId: string, change: { readonly add: readonly string[]; readonly remove: readonly string[] }): Curated
  hold(recordingId: string, doing: Doing): Curated
  release(recordingId: string, doing: Doing): Curated
  delete(recordingId: string, doing: Doing): Curated
  /** Undefined while there is no published audio, and where there is none of that format or channel. */
  audio(recordingId: string, query: AudioQuery): Promise<AudioFile | undefined>
  /** What was typed, a line each with its time; undefined where no stream is of text, or its file is not here. */
  text(recordingId: string): Promise<string | undefined>
  /** A metadata document as it came: by its number, else the last. */
  metadata(recordingId: string, number?: number): Promise<Uint8Array | undefined>
  metadataHistory(recordingId: string): Promise<HistoryView | undefined>
  ledger(recordingId: string): Promise<LedgerView | undefined>
  manifest(recordingId: string): Promise<Record<string, unknown> | undefined>
  /** The recording as a vCon; undefined while it is received. */
  vcon(recordingId: string, options: VconOptions): Promise<VconView | 'too-large' | undefined>
  /** All that belongs to a recording; undefined where it is not published, or not here. */
  archive(recordingId: string, wish: ArchiveWish): Promise<RecordingArchive | undefined>
  /** What vouches for a recording; undefined where nothing does. */
  evidence(recordingId: string): Promise<EvidenceView | undefined>
  /** Whether it is as it was published; undefined where it is not published, or not here. */
  verify(recordingId: string): Promise<ProofView | undefined>
  /** Undefined while there is no published audio. */
  peaks(recordingId: string, query: PeaksQuery): Promise<Peaks | undefined>
}

/** What is known of one capture without reading it. */
export interface CaptureSummary {
  readonly id: string
  readonly beganAt: string
  readonly callId: string
  readonly recording: string
  readonly recorder: string
  readonly failure: string
}

/** Evidence of recording sessions that failed. */
export interface CapturesView {
  /** Newest first. */
  list(): readonly CaptureSummary[]
  get(captureId: string): object | undefined
}

/** The recorders of the recording client. */
export interface RecordersView {
  list(): readonly RecorderView[]
}

/** Recordings that wait for a recorder. */
export interface SpoolView {
  /** Oldest first. */
  list(): readonly SpooledRecording[]
}

/** Whether this process should be sent calls. */
export interface HealthView {
  readiness(): Readiness
}

/** Numbers for /metrics; keys are states and outcomes of machines, never names or addresses. */
export interface MetricsSnapshot {
  readonly activeCalls: number
  /** Recordings now, by reported state. */
  readonly recordings: Readonly<Record<string, number>>
  /** Recording sessions now, by state. */
  readonly recordingSessions: Readonly<Record<string, number>>
  /** Recorders now, by what is known of their health. */
  readonly recorders: Readonly<Record<string, number>>
  /** Recordings that wait in the spool now, by state, and their bytes. */
  readonly spooled: Readonly<Record<string, number>>
  readonly spooledBytes: number
  /** Recording sessions ended since the start of the process, by outcome. */
  readonly recordingSessionOutcomes: Readonly<Record<string, number>>
  /** RTP packets copied to recorders since the start of the process. */
  readonly packetsForked: number
  /** RTP packets not copied because a gate was shut. */
  readonly packetsHeld: number
  /** Recording sessions at the recorder since the start, by what their clients did against the RFCs. */
  readonly deviations?: Readonly<Record<string, number>>
  /** Alarms of recording sessions at the recorder since the start, by code. */
  readonly alarms?: Readonly<Record<string, number>>
  /** Absent without a recorder, and before the first second of one. */
  readonly disk?: RecorderDisk
}

/** The disk that the recorder writes to. */
export interface RecorderDisk {
  readonly condition: string
  /** What it can be. */
  readonly conditions: readonly string[]
  /** Absent where the system does not say. */
  readonly freeBytes?: number
  /** In memory, not written yet. */
  readonly waitingBytes: number
  /** For how long the oldest byte received has not been on the medium. */
  readonly unsyncedMs: number
  readonly openFiles: number
}

/** Source of the numbers. */
export interface MetricsView {
  snapshot(): MetricsSnapshot
}
