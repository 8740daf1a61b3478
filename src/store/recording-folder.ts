// The folder of one recording: `<yyyy>/<mm>/<dd>/<id>.open/` while it is received, renamed to `<id>/` when published.
// All I/O is synchronous: only worker threads and the start of the process come here.

import { appendFileSync, closeSync, fsyncSync, mkdirSync, openSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { invariant } from '#kernel'
import { AUDIO_FILE, deriveAudio } from './derived/derive-audio.ts'
import { isoTime } from './iso-time.ts'
import {
  type Manifest,
  type MetadataEntry,
  type NoAudioCause,
  type RecordingFacts,
  type StreamManifest,
  type StreamTotals,
  serializeManifest,
} from './manifest.ts'
import { StreamFiles } from './stream-files.ts'
import { tidyTimes } from './tidy-times.ts'

/** Suffix of the folder of a recording that is being received. */
export const OPEN_SUFFIX = '.open'
/** Name of the manifest in a recording's folder. */
export const MANIFEST_FILE = 'manifest.json'
/** Folder of the metadata documents within a recording. */
export const METADATA_FOLDER = 'metadata'

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

/** What publishing needs to know. */
export interface Closing {
  readonly endedAtMs: number
  readonly durationMs: number
  readonly totals: readonly StreamTotals[]
  /** Used only if there is no audio. */
  readonly noAudioCause: NoAudioCause
}

/** A recording being received. Every method throws what the file system throws. */
export class RecordingFolder {
  readonly recordingId: string
  readonly #path: string
  readonly #startedAtMs: number
  readonly #streams: StreamFiles[] = []
  #facts: RecordingFacts
  readonly #documents: MetadataEntry[] = []

  /** Makes the folder and writes its first manifest. `recordingId` is of letters, digits and dashes. */
  constructor(root: string, recordingId: string, startedAtMs: number, facts: RecordingFacts) {
    invariant(/^[A-Za-z0-9-]{1,64}$/.test(recordingId), 'a recording id is safe as a file name')
    this.recordingId = recordingId
    this.#startedAtMs = startedAtMs
    this.#facts = facts
    this.#path = join(root, `${dayFolder(startedAtMs)}/${recordingId}${OPEN_SUFFIX}`)
    mkdirSync(this.#path, { recursive: true })
    this.writeManifest()
  }

  /** Adds the next channel. */
  addStream(label: string | undefined): StreamFiles {
    const stream = new StreamFiles(this.#path, this.#streams.length, label)
    this.#streams.push(stream)
    return stream
  }

  setFacts(facts: RecordingFacts): void {
    this.#facts = facts
    this.writeManifest()
  }

  /** Keeps a metadata document and the state it led to. */
  addMetadata(document: MetadataDocument): void {
    const folder = join(this.#path, METADATA_FOLDER)
    mkdirSync(folder, { recursive: true })
    const { receivedAt, transaction, warnings, raw } = document
    const file = `${METADATA_FOLDER}/${String(this.#documents.length + 1).padStart(4, '0')}.xml`
    if (raw !== undefined) writeFileSync(join(this.#path, file), raw)
    this.#documents.push({ receivedAt, transaction, ...(raw && { file }) })
    appendFileSync(join(folder, 'history.jsonl'), `${JSON.stringify({ ...this.#documents.at(-1), warnings })}\n`)
    replaceFile(join(folder, 'state.json'), `${JSON.stringify(document.state, null, 2)}\n`)
  }

  /** Hands what has been received to the operating system. */
  flush(): void {
    for (const stream of this.#streams) stream.flush()
  }

  /** Writes the manifest of a recording still open. */
  writeManifest(): void {
    const streams = this.#streams.map((stream) => {
      return tidyTimes(stream.manifest(this.#facts.speakers[stream.channel] ?? []), Number.POSITIVE_INFINITY)
    })
    replaceFile(join(this.#path, MANIFEST_FILE), serializeManifest({ ...this.#head(), state: 'receiving', streams }))
  }

  /** Closes the files, derives recording.wav, writes the last manifest and gives the folder its final name. */
  publish(closing: Closing): { manifest: Manifest; folder: string } {
    const end = endOf(closing.endedAtMs, closing.durationMs)
    const streams = this.#streams.map((stream, index) => {
      const closed = tidyTimes(stream.close(closing.totals[index]!), end.durationMs)
      return { ...closed, participants: this.#facts.speakers[index] ?? [] }
    })
    const manifest: Manifest = {
      ...this.#head(),
      ...end,
      ...audioOf(this.#path, streams, closing.durationMs, closing.noAudioCause),
      streams,
    }
    return { manifest, folder: settleFolder(this.#path, manifest) }
  }

  /** Lets go of the files of a recording that cannot be published; the folder is left to recovery. */
  abandon(): void {
    for (const stream of this.#streams) stream.abandon()
  }

  #head(): Omit<Manifest, 'state' | 'streams'> {
    const startedAt = isoTime(this.#startedAtMs)
    const { recordingId } = this
    const metadata = this.#documents
    return { version: 1, recordingId, recovered: false, startedAt, durationMs: 0, metadata, facts: this.#facts }
  }
}

/** End time and duration as the manifest has them. */
export function endOf(endedAtMs: number, durationMs: number): Pick<Manifest, 'endedAt' | 'durationMs'> {
  return { endedAt: isoTime(endedAtMs), durationMs: Math.round(durationMs) }
}

/** Derives the audio; the state is `no-audio` when not one packet was kept. */
export function audioOf(
  path: string,
  streams: readonly StreamManifest[],
  durationMs: number,
  noAudioCause: NoAudioCause,
): Pick<Manifest, 'state' | 'cause' | 'audioFile'> {
  const hasPackets = streams.some((stream) => stream.runs.length > 0)
  if (!hasPackets) return { state: 'no-audio', cause: noAudioCause }
  if (!deriveAudio(path, streams, durationMs)) return { state: 'published' }
  return { state: 'published', audioFile: AUDIO_FILE }
}

/** Writes the manifest and takes the suffix off the folder's name, in this order and durably; returns the new path. */
export function settleFolder(path: string, manifest: Manifest): string {
  replaceFile(join(path, MANIFEST_FILE), serializeManifest(manifest))
  const settled = path.slice(0, -OPEN_SUFFIX.length)
  syncFolder(path)
  renameSync(path, settled)
  syncFolder(dirname(settled))
  return settled
}

/** Replaces a file so that a reader sees the old or the new text, never a part. */
export function replaceFile(path: string, text: string): void {
  writeFileSync(`${path}.part`, text, { flush: true })
  renameSync(`${path}.part`, path)
}

function syncFolder(path: string): void {
  const fd = openSync(path, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

/** `yyyy/mm/dd` in UTC. */
function dayFolder(wallMs: number): string {
  return isoTime(wallMs).slice(0, 10).replaceAll('-', '/')
}
