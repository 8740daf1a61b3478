// The recordings of the store as the HTTP API shows, plays, exports and curates them.

import { createHash } from 'node:crypto'
import type { AudioFile, AudioQuery, RecordingSummary, RecordingsView, VconOptions } from '#control'
import { type Clock, ok, type Result } from '#kernel'
import {
  type CatalogueRow,
  type JournaledCatalogue,
  type Manifest,
  type ObjectStorage,
  type RecordingLibrary,
  type RecordingStore,
  type Refusal,
  readPeaks,
} from '#store'
import { groupOf, sessionOf } from './logical-recordings.ts'
import { type EvidenceReader, evidenceViewOf, proofViewOf } from './proof-words.ts'
import { isSealed, plainParts, storedParts, textPart } from './recording-archive.ts'
import { audioFileOf, openAudio, partOf } from './recording-audio.ts'
import { historyOf, ledgerOf, momentsOf } from './recording-documents.ts'
import { detailOf, summaryOf } from './recording-facts.ts'
import { textOf } from './text-lines.ts'
import { contentHash, type VconAudio, vconOf } from './vcon.ts'

/** What the view is made of. */
export interface RecordingsViewOptions {
  readonly store: RecordingStore
  readonly catalogue: JournaledCatalogue
  readonly library: RecordingLibrary
  readonly evidence: EvidenceReader
  readonly clock: Clock
  /** Where audio is played from when its local copy is gone. */
  readonly uploaded?: ObjectStorage
}

/** A recording that has a folder. */
interface Kept {
  readonly row: CatalogueRow
  readonly folder: string
  readonly manifest: Manifest
}

/** Audio within a vCon is all in memory. */
const MOST_INLINE_BYTES = 32 * 2 ** 20

/** Builds the view. */
export function createRecordingsView(options: RecordingsViewOptions): RecordingsView {
  const { store, catalogue, library, evidence, uploaded, clock } = options
  const kept = async (recordingId: string): Promise<Kept | undefined> => {
    const row = await catalogue.get(recordingId)
    return row && (await keptOf(store, row))
  }
  const audio = async ({ folder, manifest }: Kept, query: AudioQuery): Promise<AudioFile | undefined> => {
    const { format, channel, fromMs, toMs } = query
    const isPart = channel !== undefined || fromMs !== undefined || toMs !== undefined
    const name = isPart && format !== undefined && format !== 'wav' ? undefined : audioFileOf(manifest, format)
    const path = name === undefined ? undefined : store.pathOf(folder, name)
    const whole = path === undefined ? undefined : await openAudio(path, uploaded, store.files)
    return whole !== undefined && isPart ? await partOf(whole, query) : whole
  }
  const moments = ({ folder, manifest }: Kept) => momentsOf(manifest, (file) => store.file(folder, file))
  const vcon = async (found: Kept, how: VconOptions) => {
    const { folder, manifest } = found
    const file = await audio(found, {})
    if (how.isInline && (file?.sizeBytes ?? 0) > MOST_INLINE_BYTES) return 'too-large'
    const documents = await documentsOf(manifest, (name) => store.file(folder, name))
    return vconOf({
      manifest,
      moments: await moments(found),
      audio: file && (await vconAudio(file, how)),
      documents,
      createdAt: new Date(clock.wallMs()).toISOString(),
    })
  }
  const sources = { library, clock, sipOf: async (row: CatalogueRow) => (await keptOf(store, row))?.manifest.facts.sip }
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
    facets: async (filter) => {
      await catalogue.written()
      return await library.facets(filter)
    },
    get: async (recordingId) => {
      const row = await catalogue.get(recordingId)
      return row && detailOf(row, (await keptOf(store, row))?.manifest)
    },
    session: async (sessionId) => {
      await catalogue.written()
      return await sessionOf(sources, sessionId)
    },
    group: async (groupId) => {
      await catalogue.written()
      return await groupOf(sources, groupId)
    },
    tag: async (recordingId, change) => curated(await library.tag(recordingId, change)),
    hold: async (recordingId, doing) => curated(await library.hold(recordingId, doing)),
    release: async (recordingId, doing) => curated(await library.release(recordingId, doing)),
    delete: async (recordingId, doing) => curated(await library.delete(recordingId, doing)),
    audio: async (recordingId, query) => {
      const found = await kept(recordingId)
      return found && (await audio(found, query))
    },
    peaks: async (recordingId, query) => {
      const found = await kept(recordingId)
      const path = found?.manifest.peaksFile && store.pathOf(found.folder, found.manifest.peaksFile)
      return path ? readPeaks(path, query, store.files) : undefined
    },
    text: async (recordingId) => {
      const found = await kept(recordingId)
      return found && textIn(store, found)
    },
    metadata: async (recordingId, number) => {
      const found = await kept(recordingId)
      const documents = found?.manifest.metadata.filter(({ file }) => file !== undefined) ?? []
      const file = (number === undefined ? documents.at(-1) : found?.manifest.metadata[number - 1])?.file
      return found === undefined || file === undefined ? undefined : await store.file(found.folder, file)
    },
    metadataHistory: async (recordingId) => {
      const found = await kept(recordingId)
      return found && historyOf(found.manifest, await moments(found))
    },
    ledger: async (recordingId) => {
      const found = await kept(recordingId)
      return found && ledgerOf(found.manifest)
    },
    manifest: async (recordingId) => {
      const found = await kept(recordingId)
      return found && { ...found.manifest }
    },
    archive: async (recordingId, wish) => {
      const found = await kept(recordingId)
      if (found === undefined || found.manifest.state === 'receiving') return undefined
      const { row, folder, manifest } = found
      const source = { root: store.root, folder, manifest, files: store.files, storage: uploaded }
      const isEncrypted = isSealed(source)
      const isInClear = !isEncrypted || wish.mayDecrypt
      const parts = async function* () {
        yield* storedParts(source)
        if (!isInClear) return
        if (isEncrypted) yield* plainParts(source)
        yield textPart('ledger.json', `${JSON.stringify(ledgerOf(manifest), null, 2)}\n`)
        const made = await vcon(found, { audioUrl: wish.audioUrl, isInline: false })
        yield textPart('vcon.json', `${JSON.stringify(made, null, 2)}\n`)
      }
      return { recording: summaryOf(row), isInClear, parts }
    },
    evidence: async (recordingId) => {
      const found = await evidence.evidence(recordingId)
      return found && evidenceViewOf(found)
    },
    verify: async (recordingId) => {
      const proof = await evidence.verify(recordingId)
      return proof && proofViewOf(recordingId, proof, clock.wallMs())
    },
    vcon: async (recordingId, how) => {
      const found = await kept(recordingId)
      if (found === undefined || found.manifest.state === 'receiving') return undefined
      return await vcon(found, how)
    },
  }
}

/** The manifest of a recording, one that is being received among them; undefined where it has no folder. */
async function keptOf(store: RecordingStore, row: CatalogueRow): Promise<Kept | undefined> {
  if (row.deletion !== undefined) return undefined
  const folder = row.folder ?? store.newFolder(row.recordingId, row.startedAtMs)
  const manifest = await store.manifest(folder)
  return manifest && { row, folder, manifest }
}

/** A file that is in object storage alone is not read for its lines. */
function textIn(store: RecordingStore, { folder, manifest }: Kept): string | undefined {
  try {
    return textOf(manifest, (file) => store.pathOf(folder, file), store.files)
  } catch {
    return undefined
  }
}

async function documentsOf(manifest: Manifest, read: (file: string) => Promise<Uint8Array | undefined>) {
  const found: { receivedAt: string; file: string; content: Uint8Array }[] = []
  for (const { receivedAt, file } of manifest.metadata) {
    const content = file === undefined ? undefined : await read(file)
    if (file !== undefined && content !== undefined) found.push({ receivedAt, file, content })
  }
  return found
}

async function vconAudio(audio: AudioFile, { audioUrl, isInline }: VconOptions): Promise<VconAudio> {
  const chunks: Uint8Array[] = []
  const hash = createHash('sha512')
  for await (const chunk of audio.open(0, audio.sizeBytes - 1) as AsyncIterable<Uint8Array>) {
    if (isInline) chunks.push(chunk)
    else hash.update(chunk)
  }
  if (isInline) return { body: Buffer.concat(chunks).toString('base64url'), encoding: 'base64url' }
  return { url: audioUrl, content_hash: contentHash(hash.digest()) }
}

function curated(result: Result<CatalogueRow, Refusal>): Result<RecordingSummary, Refusal> {
  return result.ok ? ok(summaryOf(result.value)) : result
}
