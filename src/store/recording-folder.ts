// The folder of one recording: `<yyyy>/<mm>/<dd>/<id>.open/` while it is received, renamed to `<id>/` when published.
// Small files are written at once, and synchronously: only worker threads and the start of the process come here. What
// grows goes through a `Disk`, and so do the syncs of small files: packets and other recordings do not wait for the medium.

import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { invariant } from '#kernel'
import { type DerivedFiles, type DeriveJob, type Deriver, plainDeriver } from './derived/deriver.ts'
import type { Disk } from './disk.ts'
import { forgetEvidence } from './evidence/notary.ts'
import { isoTime } from './iso-time.ts'
import {
  type AlarmEntry,
  audioOnly,
  type Manifest,
  type MediaKind,
  type MetadataEntry,
  type NoAudioCause,
  type NotResumed,
  type RecordingFacts,
  type StreamTotals,
  serializeManifest,
} from './manifest.ts'
import { type RecordingFiles, replaceWhole } from './sealing/recording-files.ts'
import { StateFile } from './state-file.ts'
import { StreamFiles, type StreamLeft } from './stream-files.ts'
import { tidyTimes } from './tidy-times.ts'

/** Suffix of the folder of a recording that is being received. */
export const OPEN_SUFFIX = '.open'
/** Name of the manifest in a recording's folder. */
export const MANIFEST_FILE = 'manifest.json'
/** What a restarted recorder needs to go on with the session; only while the recording is open. */
export const SESSION_FILE = 'session.json'
/** Exists while the recorder was told to keep nothing, and holds what it was told. */
export const PAUSED_FILE = 'paused'
/** Folder of the metadata documents within a recording. */
export const METADATA_FOLDER = 'metadata'
/** What documents came, a line each. */
export const HISTORY_FILE = `${METADATA_FOLDER}/history.jsonl`

/** Name of the file with the alarms there were so far. */
export const ALARMS_FILE = 'alarms.json'
/** Which packets of secured streams were taken, and which numbers were used: no secret. */
export const INDICES_FILE = 'srtp.json'
/** What a folder has only while it is open. */
const PASSING_FILES = [SESSION_FILE, PAUSED_FILE, ALARMS_FILE, INDICES_FILE]
/** Only whom the process runs as may read and write it. */
const OWNER_ONLY = 0o600

/** A client that says more than this while the disk writes nothing is not listened to any more. */
const MAX_KEPT = 1000

/** One metadata document as it came. */
export interface MetadataDocument {
  /** ISO 8601 time of arrival. */
  readonly receivedAt: string
  /** Method and CSeq number, e.g. `UPDATE 4`. */
  readonly transaction: string
  /** Absent where local policy keeps no raw documents (SRS-51). */
  readonly raw?: Uint8Array
  readonly warnings: readonly string[]
  /** The merged state after this document. */
  readonly state: unknown
}

/** What a dead recorder left of a recording. */
export interface LeftOpen {
  readonly folder: string
  readonly metadata: readonly MetadataEntry[]
  readonly streams: readonly StreamLeft[]
}

/** What publishing needs to know. */
export interface Closing {
  readonly endedAtMs: number
  readonly durationMs: number
  readonly totals: readonly StreamTotals[]
  /** Used only if there is no audio. */
  readonly noAudioCause: NoAudioCause
  /** It was taken up for nothing. */
  readonly notResumed?: NotResumed
}

/** Vouches for what is in a folder that is about to be published; rejects with what the file system says. */
export type Attest = (folder: string) => Promise<void>

/** A recording being received. Every method throws what the file system throws. */
export class RecordingFolder {
  readonly recordingId: string
  readonly #disk: Disk
  readonly #path: string
  readonly #startedAtMs: number
  readonly #streams: StreamFiles[] = []
  #facts: RecordingFacts
  #isRecovered = false
  #hasEnded = false
  readonly #documents: MetadataEntry[] = []
  #alarms: readonly AlarmEntry[] = []
  /** Small files that the disk did not take yet. */
  readonly #kept: (() => void)[] = []
  /** Small files that are not on the medium yet. */
  readonly #unsynced = new Set<string>()
  /** A manifest is on the medium: from now on only one that is too takes its place. */
  #hasSafeManifest = false
  #indices: StateFile | undefined

  /** Makes the folder and writes its first manifest, or goes on in one that was left open. `recordingId` is of letters, digits and dashes. */
  constructor(
    disk: Disk,
    root: string,
    recordingId: string,
    startedAtMs: number,
    facts: RecordingFacts,
    left?: LeftOpen,
  ) {
    invariant(/^[A-Za-z0-9-]{1,64}$/.test(recordingId), 'a recording id is safe as a file name')
    this.recordingId = recordingId
    this.#disk = disk
    this.#startedAtMs = startedAtMs
    this.#facts = facts
    this.#path = left?.folder ?? join(root, openFolder(recordingId, startedAtMs))
    if (left !== undefined) {
      this.#isRecovered = true
      this.#documents.push(...left.metadata)
      for (const stream of left.streams)
        this.#streams.push(new StreamFiles(disk, this.#path, stream.channel, stream.label, stream))
      return
    }
    mkdirSync(this.#path, { recursive: true })
    try {
      disk.files.begin(this.#path)
      this.writeManifest()
    } catch (fault) {
      rmSync(this.#path, { recursive: true, force: true })
      throw fault
    }
  }

  get path(): string {
    return this.#path
  }

  /** The channels so far. */
  get streams(): readonly StreamFiles[] {
    return this.#streams
  }

  /** Whether the process before was told to keep nothing, and what it noted of that. */
  get pauseLeft(): { readonly isPaused: boolean; readonly note: unknown } {
    const path = join(this.#path, PAUSED_FILE)
    if (!existsSync(path)) return { isPaused: false, note: undefined }
    try {
      return { isPaused: true, note: JSON.parse(readFileSync(path, 'utf8')) }
    } catch {
      return { isPaused: true, note: undefined }
    }
  }

  /** Notes that nothing is to be kept, or again: a restart must not end a pause. `note` is plain data. */
  setPaused(isPaused: boolean, note: unknown = null): void {
    const path = join(this.#path, PAUSED_FILE)
    this.#keepPassing(() => {
      if (isPaused) replaceWhole(path, JSON.stringify(note))
      else rmSync(path, { force: true })
    })
  }

  /** Keeps what a restarted recorder needs to go on with the session, keys among it; written now, or as soon as the disk takes it. */
  keepSession(session: unknown): void {
    this.#keepPassing(() => this.#renew(SESSION_FILE, JSON.stringify(session), OWNER_ONLY))
  }

  /** Keeps packet indices by channel; the first are written now, others in a while, the last when the disk takes them. */
  keepIndices(indices: readonly unknown[]): void {
    if (this.#hasEnded) return
    this.#indices ??= new StateFile(this.#disk, join(this.#path, INDICES_FILE))
    this.#indices.write(JSON.stringify(indices))
  }

  /** Adds the next stream. */
  addStream(label: string | undefined, kind: MediaKind = 'audio'): StreamFiles {
    const channel = this.#streams.length
    const stream = new StreamFiles(this.#disk, this.#path, channel, label, undefined, undefined, kind)
    this.#streams.push(stream)
    return stream
  }

  /** Notes facts; they are written now, or as soon as the disk takes them. */
  setFacts(facts: RecordingFacts): void {
    this.#facts = facts
    this.#keep(() => this.writeManifest())
  }

  /** Notes the alarms there were so far; they are in every manifest from now on, and kept for recovery. */
  setAlarms(alarms: readonly AlarmEntry[]): void {
    this.#alarms = alarms
    this.#keepPassing(() => this.#renew(ALARMS_FILE, JSON.stringify(alarms)))
  }

  /** Keeps a metadata document and the state it led to; written now, or as soon as the disk takes them. */
  addMetadata(document: MetadataDocument): void {
    this.#keep(this.#metadataWriter(document))
  }

  #metadataWriter(document: MetadataDocument): () => void {
    const { receivedAt, transaction, warnings, raw } = document
    const file = `${METADATA_FOLDER}/${String(this.#documents.length + 1).padStart(4, '0')}.xml`
    const entry = { receivedAt, transaction, ...(raw && { file }) }
    this.#documents.push(entry)
    return () => {
      mkdirSync(join(this.#path, METADATA_FOLDER), { recursive: true })
      if (raw !== undefined) this.#renew(file, raw)
      this.#disk.files.append(join(this.#path, HISTORY_FILE), `${JSON.stringify({ ...entry, warnings })}\n`)
      this.#unsynced.add(HISTORY_FILE)
      this.#renew(`${METADATA_FOLDER}/state.json`, `${JSON.stringify(document.state, null, 2)}\n`)
    }
  }

  /** Begins to hand what has been received to the operating system. */
  flush(): void {
    this.#writeKept()
    for (const stream of this.#streams) stream.flush()
  }

  /** Begins to bring what was handed over to the medium. */
  sync(): void {
    for (const stream of this.#streams) stream.sync()
    for (const file of this.#unsynced) void this.#syncSmall(file).catch((fault: unknown) => this.#disk.note(fault))
  }

  /** Writes the manifest of a recording still open. */
  writeManifest(): void {
    const streams = this.#streams.map((stream) => {
      return tidyTimes(stream.manifest(this.#facts.speakers[stream.channel] ?? []), Number.POSITIVE_INFINITY)
    })
    const text = serializeManifest({ ...this.#head(), state: 'receiving', streams })
    if (this.#hasSafeManifest) this.#disk.files.replace(join(this.#path, MANIFEST_FILE), text)
    else this.#renew(MANIFEST_FILE, text)
  }

  /** As `replace` of the files, but that it is safe from the death of the process only. */
  #renew(file: string, content: string | Uint8Array, mode?: number): void {
    const path = join(this.#path, file)
    this.#disk.files.write(`${path}.part`, content, mode)
    renameSync(`${path}.part`, path)
    this.#unsynced.add(file)
  }

  async #syncSmall(file: string): Promise<void> {
    const path = join(this.#path, file)
    this.#unsynced.delete(file)
    try {
      // What only an open recording has may be gone.
      if (existsSync(path)) await this.#disk.syncPath(path)
    } catch (fault) {
      this.#unsynced.add(file)
      throw fault
    }
    if (file === MANIFEST_FILE && !this.#unsynced.has(file)) this.#hasSafeManifest = true
  }

  /**
   * Closes the files, derives recording.wav, writes the last manifest, has it attested and gives the folder its final name.
   * Rejects with what the disk says; then it may be called again.
   */
  async publish(
    closing: Closing,
    derive: Deriver = plainDeriver,
    attest?: Attest,
  ): Promise<{ manifest: Manifest; folder: string }> {
    const end = endOf(closing.endedAtMs, closing.durationMs)
    // First, and on a full disk too: a session that is over is not to be taken up again.
    removePassing(this.#path)
    this.#hasEnded = true
    this.#indices?.close()
    const fault = this.#writeKept()
    if (fault !== undefined) throw fault
    this.#disk.files.finish(join(this.#path, HISTORY_FILE))
    this.#unsynced.delete(MANIFEST_FILE)
    await Promise.all([...this.#unsynced].map((file) => this.#syncSmall(file)))
    const closed = await Promise.all(this.#streams.map((stream, index) => stream.close(closing.totals[index]!)))
    const streams = closed.map((stream, index) => {
      return { ...tidyTimes(stream, end.durationMs), participants: this.#facts.speakers[index] ?? [] }
    })
    const manifest: Manifest = {
      ...this.#head(),
      ...(closing.notResumed && { notResumed: closing.notResumed }),
      ...end,
      ...(await audioOf({ folder: this.#path, streams, durationMs: closing.durationMs }, closing.noAudioCause, derive)),
      streams,
    }
    return { manifest, folder: await settleFolder(this.#path, manifest, attest, this.#disk.files) }
  }

  /** Writes what there is and lets go of the files; the folder is left to recovery. Rejects with what the disk says, and lets go of nothing. */
  async leave(): Promise<void> {
    await Promise.all(this.#streams.map((stream) => stream.leave()))
    this.abandon()
  }

  /**
   * Gives up what the disk does not take, and says so; the folder is left to recovery. Milliseconds of audio that are lost, and
   * when that is written, or cannot be.
   */
  forsake(): { readonly lostMs: number; readonly written: Promise<void> } {
    this.#writeKept()
    const lost = this.#streams.map((stream) => stream.forsake())
    const written = Promise.allSettled(this.#streams.map((stream) => stream.leave()))
    return { lostMs: Math.max(0, ...lost), written: written.then(() => this.abandon()) }
  }

  /** Lets go of the files; the folder is left to recovery. */
  abandon(): void {
    this.#indices?.close()
    for (const stream of this.#streams) stream.abandon()
  }

  /** What is of no use any more when the recording is over. */
  #keepPassing(write: () => void): void {
    this.#keep(() => {
      if (!this.#hasEnded) write()
    })
  }

  #keep(write: () => void): void {
    if (this.#kept.length < MAX_KEPT) this.#kept.push(write)
    this.#writeKept()
  }

  /** Writes what waits, in order, until the disk says no; what it says then. */
  #writeKept(): unknown {
    while (this.#kept[0] !== undefined) {
      try {
        this.#kept[0]()
      } catch (fault) {
        this.#disk.note(fault)
        return fault
      }
      this.#kept.shift()
    }
    return undefined
  }

  #head(): Omit<Manifest, 'state' | 'streams'> {
    const startedAt = isoTime(this.#startedAtMs)
    const { recordingId } = this
    const metadata = this.#documents
    const recovered = this.#isRecovered
    const head = { version: 1, recordingId, recovered, startedAt, durationMs: 0, metadata } as const
    return { ...head, facts: this.#facts, ...(this.#alarms.length > 0 && { alarms: this.#alarms }) }
  }
}

/** Removes what an open folder has beside its recording: nothing of it, and above all no key, is published. */
export function removePassing(folder: string): void {
  for (const file of PASSING_FILES) removeWhole(join(folder, file))
}

/** Removes what nobody can go on with: a session without its recording. */
export function removeSession(folder: string): void {
  removeWhole(join(folder, SESSION_FILE))
}

/** A death between writing and naming leaves the first name. */
function removeWhole(path: string): void {
  for (const name of [path, `${path}.part`]) rmSync(name, { force: true })
}

/** End time and duration as the manifest has them. */
export function endOf(endedAtMs: number, durationMs: number): Pick<Manifest, 'endedAt' | 'durationMs'> {
  return { endedAt: isoTime(endedAtMs), durationMs: Math.round(durationMs) }
}

/** Derives the audio of the streams that are some; the state is `no-audio` when not one packet of any was kept. */
export async function audioOf(
  job: DeriveJob,
  noAudioCause: NoAudioCause,
  derive: Deriver,
): Promise<Pick<Manifest, 'state' | 'cause' | keyof DerivedFiles>> {
  const hasPackets = job.streams.some((stream) => stream.runs.length > 0)
  if (!hasPackets) return { state: 'no-audio', cause: noAudioCause }
  return { state: 'published', ...(await derive({ ...job, streams: audioOnly(job.streams) })) }
}

/** Writes the manifest, has it attested, and takes the suffix off the folder's name, in this order and durably; gives the new path. */
export async function settleFolder(
  path: string,
  manifest: Manifest,
  attest: Attest | undefined,
  files: RecordingFiles,
): Promise<string> {
  const file = join(path, MANIFEST_FILE)
  files.write(`${file}.part`, serializeManifest(manifest))
  await syncPath(`${file}.part`)
  renameSync(`${file}.part`, file)
  if (attest === undefined) forgetEvidence(path)
  else await attest(path)
  return await nameSettled(path)
}

/** Takes the suffix off the name of a folder that is complete, durably; gives the new path. */
export async function nameSettled(path: string): Promise<string> {
  const settled = settledName(path)
  await syncPath(path)
  renameSync(path, settled)
  try {
    await syncPath(dirname(settled))
  } catch (fault) {
    // Another attempt looks for it where this one did.
    renameSync(settled, path)
    throw fault
  }
  return settled
}

/** Brings a file or a folder to the medium. */
async function syncPath(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** The folder of a recording that is being received, below the root. */
export function openFolder(recordingId: string, startedAtMs: number): string {
  return `${dayFolder(startedAtMs)}/${recordingId}${OPEN_SUFFIX}`
}

/** What a folder is called when it is complete. */
export function settledName(folder: string): string {
  return folder.endsWith(OPEN_SUFFIX) ? folder.slice(0, -OPEN_SUFFIX.length) : folder
}

/** `yyyy/mm/dd` in UTC. */
function dayFolder(wallMs: number): string {
  return isoTime(wallMs).slice(0, 10).replaceAll('-', '/')
}
