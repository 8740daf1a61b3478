// The recordings of the store as the HTTP API shows them.

import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { Readable } from 'node:stream'
import type { AudioFile, RecordingsView, RecordingView } from '#control'
import {
  type Catalogue,
  type CatalogueRow,
  type Manifest,
  type ObjectStorage,
  type RecordingStore,
  readPeaks,
  readUploadRecord,
} from '#store'

/** Builds the view over a store and its catalogue; audio whose local copy is gone is played from object storage. */
export function createRecordingsView(
  store: RecordingStore,
  catalogue: Catalogue,
  uploaded?: ObjectStorage,
): RecordingsView {
  const viewOf = async (row: CatalogueRow): Promise<RecordingView> => {
    const manifest = row.folder === undefined ? undefined : await store.manifest(row.folder)
    return manifest === undefined ? fromRow(row) : fromManifest(manifest)
  }
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
    list: async ({ offset, limit }) => ({
      total: await catalogue.count({}),
      items: await Promise.all((await catalogue.list({ offset, limit })).map(viewOf)),
    }),
    get: async (recordingId) => {
      const row = await catalogue.get(recordingId)
      return row === undefined ? undefined : await viewOf(row)
    },
    audio: async (recordingId) => {
      const path = await fileOf(recordingId, (manifest) => manifest.audioFile)
      const facts = path === undefined ? undefined : await stat(path).catch(() => undefined)
      if (path === undefined) return undefined
      if (facts === undefined) return uploaded && (await uploadedAudio(path, uploaded))
      return {
        sizeBytes: facts.size,
        etag: `${facts.size.toString(16)}-${Math.floor(facts.mtimeMs).toString(16)}`,
        open: (start, end) => createReadStream(path, { start, end }),
      }
    },
    peaks: async (recordingId, query) => {
      const path = await fileOf(recordingId, (manifest) => manifest.peaksFile)
      return path === undefined ? undefined : await readPeaks(path, query)
    },
    metadata: async (recordingId) => {
      const folder = (await catalogue.get(recordingId))?.folder
      const content = folder === undefined ? undefined : await store.latestMetadata(folder)
      return content === undefined ? undefined : { contentType: 'application/rs-metadata+xml', content }
    },
  }
}

/** The copy of a file in object storage; undefined where there is none. */
async function uploadedAudio(path: string, storage: ObjectStorage): Promise<AudioFile | undefined> {
  const file = (await readUploadRecord(dirname(path))).files[basename(path)]
  if (file === undefined) return undefined
  return {
    sizeBytes: file.bytes,
    etag: file.sha256,
    open: (start, end) => Readable.from(storage.read(file.key, { start, end })),
  }
}

/** A recording under way has no manifest yet. */
function fromRow(row: CatalogueRow): RecordingView {
  return {
    recordingId: row.recordingId,
    state: row.state,
    ...(row.cause === undefined ? {} : { cause: row.cause }),
    startedAt: new Date(row.startedAtMs).toISOString(),
    ...(row.endedAtMs === undefined ? {} : { endedAt: new Date(row.endedAtMs).toISOString() }),
    durationMs: row.durationMs,
    ...(row.reference === undefined ? {} : { callRecordingId: row.reference }),
    participants: row.participants.map((name) => ({ name })),
    streams: [],
    hasAudio: false,
    warnings: [],
  }
}

function fromManifest(manifest: Manifest): RecordingView {
  const { facts } = manifest
  return {
    recordingId: manifest.recordingId,
    state: manifest.state,
    ...(manifest.cause === undefined ? {} : { cause: manifest.cause }),
    startedAt: manifest.startedAt,
    ...(manifest.endedAt === undefined ? {} : { endedAt: manifest.endedAt }),
    durationMs: manifest.durationMs,
    ...(facts.recordingReference === undefined ? {} : { callRecordingId: facts.recordingReference }),
    participants: facts.participants.map(({ aor, name }) => ({
      ...(aor === undefined ? {} : { aor }),
      ...(name === undefined ? {} : { name }),
    })),
    streams: manifest.streams.map((stream) => ({
      channel: stream.channel,
      ...(stream.label === undefined ? {} : { label: stream.label }),
      speakers: [...stream.participants],
      gaps: stream.gaps.map(({ fromMs, toMs, cause }) => ({ fromMs, toMs, cause })),
    })),
    hasAudio: manifest.audioFile !== undefined,
    warnings: [...facts.warnings],
  }
}
