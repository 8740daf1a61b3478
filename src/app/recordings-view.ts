// The recordings of the store as the HTTP API shows and curates them.

import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { Readable } from 'node:stream'
import type { AudioFile, RecordingSummary, RecordingsView } from '#control'
import { ok, type Result } from '#kernel'
import {
  type CatalogueRow,
  type JournaledCatalogue,
  type Manifest,
  type ObjectStorage,
  openRemoteFile,
  type RecordingFiles,
  type RecordingLibrary,
  type RecordingStore,
  type Refusal,
  readPeaks,
  readUploadRecord,
} from '#store'
import { detailOf, summaryOf } from './recording-facts.ts'

const PART_BYTES = 64 * 1024

/** What the view is made of. */
export interface RecordingsViewOptions {
  readonly store: RecordingStore
  readonly catalogue: JournaledCatalogue
  readonly library: RecordingLibrary
  /** Where audio is played from when its local copy is gone. */
  readonly uploaded?: ObjectStorage
}

/** Builds the view. */
export function createRecordingsView({ store, catalogue, library, uploaded }: RecordingsViewOptions): RecordingsView {
  const fileOf = async (
    recordingId: string,
    name: (manifest: Manifest) => string | undefined,
  ): Promise<string | undefined> => {
    const row = await catalogue.get(recordingId)
    const manifest = row?.folder === undefined ? undefined : await store.manifest(row.folder)
    const file = manifest === undefined ? undefined : name(manifest)
    return row?.folder === undefined || file === undefined ? undefined : store.pathOf(row.folder, file)
  }
  return {
    search: async (query) => {
      await catalogue.written()
      const { rows, next } = await library.search(query)
      return { items: rows.map(summaryOf), ...(next !== undefined && { next }) }
    },
    count: async (filter, most) => {
      await catalogue.written()
      return await library.count(filter, most)
    },
    get: async (recordingId) => {
      const row = await catalogue.get(recordingId)
      return row && detailOf(row, await manifestOf(store, row))
    },
    tag: async (recordingId, change) => curated(await library.tag(recordingId, change)),
    hold: async (recordingId, doing) => curated(await library.hold(recordingId, doing)),
    release: async (recordingId, doing) => curated(await library.release(recordingId, doing)),
    delete: async (recordingId, doing) => curated(await library.delete(recordingId, doing)),
    audio: async (recordingId) => {
      const path = await fileOf(recordingId, (manifest) => manifest.audioFile)
      const facts = path === undefined ? undefined : await stat(path).catch(() => undefined)
      if (path === undefined) return undefined
      if (facts === undefined) return uploaded && (await uploadedAudio(path, uploaded, store.files))
      const file = store.files.open(path)
      file.close()
      return {
        sizeBytes: file.size,
        etag: `${file.size.toString(16)}-${Math.floor(facts.mtimeMs).toString(16)}`,
        open: (start, end) => streamOf(store.files, path, start, end),
      }
    },
    peaks: async (recordingId, query) => {
      const path = await fileOf(recordingId, (manifest) => manifest.peaksFile)
      return path === undefined ? undefined : readPeaks(path, query, store.files)
    },
    metadata: async (recordingId) => {
      const folder = (await catalogue.get(recordingId))?.folder
      const content = folder === undefined ? undefined : await store.latestMetadata(folder)
      return content === undefined ? undefined : { contentType: 'application/rs-metadata+xml', content }
    },
  }
}

/** The manifest of a recording, one that is being received among them. */
async function manifestOf(store: RecordingStore, row: CatalogueRow): Promise<Manifest | undefined> {
  if (row.deletion !== undefined) return undefined
  return await store.manifest(row.folder ?? store.openFolder(row.recordingId, row.startedAtMs))
}

/** Bytes of a file from `start` to `end`, both included. */
function streamOf(files: RecordingFiles, path: string, start: number, end: number): Readable {
  if (files.placeOf(path) === undefined) return createReadStream(path, { start, end })
  return Readable.from(partsOf(files, path, start, end))
}

async function* partsOf(files: RecordingFiles, path: string, start: number, end: number): AsyncGenerator<Uint8Array> {
  const file = files.open(path)
  try {
    for (let at = start; at <= end; at += PART_BYTES) {
      const part = Buffer.alloc(Math.min(PART_BYTES, end + 1 - at))
      yield part.subarray(0, file.readAt(part, at))
    }
  } finally {
    file.close()
  }
}

/** The copy of a file in object storage; undefined where there is none. */
async function uploadedAudio(
  path: string,
  storage: ObjectStorage,
  files: RecordingFiles,
): Promise<AudioFile | undefined> {
  const file = (await readUploadRecord(dirname(path))).files[basename(path)]
  if (file === undefined) return undefined
  const place = files.placeOf(path)
  if (place !== undefined) {
    const fetch = (start: number, end: number) => storage.read(file.key, { start, end })
    const { size, read } = await openRemoteFile(place, file.bytes, fetch)
    return { sizeBytes: size, etag: file.sha256, open: (start, end) => Readable.from(read(start, end)) }
  }
  return {
    sizeBytes: file.bytes,
    etag: file.sha256,
    open: (start, end) => Readable.from(storage.read(file.key, { start, end })),
  }
}

function curated(result: Result<CatalogueRow, Refusal>): Result<RecordingSummary, Refusal> {
  return result.ok ? ok(summaryOf(result.value)) : result
}
