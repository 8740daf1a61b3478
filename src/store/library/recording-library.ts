// The recordings of one store as a library: catalogue, notes and folders kept in step; deletion that a hold prevents.

import { existsSync } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type Clock, err, type Logger, messageOf, ok, type Result } from '#kernel'
import type {
  Act,
  CatalogueFilter,
  CataloguePage,
  CatalogueQuery,
  CatalogueRow,
  Facets,
  RecordingNotes,
  UploadState,
} from '../catalogue/catalogue.ts'
import { folded } from '../catalogue/index-terms.ts'
import type { JobQueue } from '../catalogue/job-queue.ts'
import { notesOf, type SqlCatalogue } from '../catalogue/sql-catalogue.ts'
import type { Notary } from '../evidence/notary.ts'
import type { RecordingStore } from '../recording-store.ts'
import { folderBytes, metadataWords } from './folder-content.ts'
import { NOTES_FILE, readNotes, writeNotes } from './notes-file.ts'
import { type Rebuilt, rebuildCatalogue } from './rebuild.ts'
import { addTombstone, rowOfTombstone, tombstoneOf } from './tombstones.ts'

/** Why a recording was left as it is. */
export type Refusal = 'unknown' | 'deleted' | 'held' | 'receiving' | 'elsewhere'

/** Who does something, and why. */
export type Doing = Pick<Act, 'reason' | 'actor'>

/** The library for those who search and curate it. Rejections are AppError with code `store.catalogue`, or what the file system throws. */
export interface RecordingLibrary {
  /** A page, newest first. */
  search(query: CatalogueQuery): Promise<CataloguePage>
  /** How many match; counting ends at `most`. */
  count(filter: CatalogueFilter, most?: number): Promise<number>
  /** What the recordings that match have in common. */
  facets(filter: CatalogueFilter): Promise<Facets>
  get(recordingId: string): Promise<CatalogueRow | undefined>
  /** Deletes files and parties for good; ids, times and the reason stay. A held recording is refused. */
  delete(recordingId: string, doing: Doing): Promise<Result<CatalogueRow, Refusal>>
  /** Adds a legal hold. */
  hold(recordingId: string, doing: Doing): Promise<Result<CatalogueRow, Refusal>>
  /** Lifts every hold of the recording; reason and actor are logged. */
  release(recordingId: string, doing: Doing): Promise<Result<CatalogueRow, Refusal>>
  /** Adds and removes tags. */
  tag(
    recordingId: string,
    change: { readonly add?: readonly string[]; readonly remove?: readonly string[] },
  ): Promise<Result<CatalogueRow, Refusal>>
}

/** What a library works with. */
export interface LibraryOptions {
  readonly store: RecordingStore
  readonly catalogue: SqlCatalogue
  readonly jobs: JobQueue
  /** Name of the store in the catalogue. */
  readonly storeName: string
  readonly clock: Clock
  readonly log: Logger
  /** Writes down deletions where recordings are vouched for. */
  readonly notary?: Notary
  /** Removes the copy in object storage, where there is one. */
  readonly eraseRemote?: (row: CatalogueRow) => Promise<void>
}

/** Below the root: folders of recordings that are being deleted. */
const DELETED_FOLDER = '.deleted'
/** Kind of the jobs that end a deletion. */
const ERASE = 'erase'
const LEASE_MS = 600_000
const RETRY_MS = 60_000

/** The library over folders on this machine. */
export class FolderLibrary implements RecordingLibrary {
  readonly #options: LibraryOptions
  #notesTurn: Promise<void> = Promise.resolve()

  constructor(options: LibraryOptions) {
    this.#options = options
  }

  /** Writes the facts of a recording and, once it has a folder, the words of its metadata and its size. */
  async put(row: CatalogueRow): Promise<void> {
    const { store, catalogue } = this.#options
    const path = row.folder === undefined ? undefined : store.pathOf(row.folder, '')
    if (path === undefined) return await catalogue.put(row)
    const [metadata, sizeBytes] = await Promise.all([metadataWords(path, store.files), folderBytes(path)])
    await catalogue.putAll([{ row: { ...row, sizeBytes }, metadata }])
    await this.#keepNotes(row.recordingId)
  }

  async search(query: CatalogueQuery): Promise<CataloguePage> {
    return await this.#options.catalogue.page(query)
  }

  async count(filter: CatalogueFilter, most?: number): Promise<number> {
    return await this.#options.catalogue.count(filter, most)
  }

  async facets(filter: CatalogueFilter): Promise<Facets> {
    return await this.#options.catalogue.facets(filter)
  }

  async get(recordingId: string): Promise<CatalogueRow | undefined> {
    return await this.#options.catalogue.get(recordingId)
  }

  async delete(recordingId: string, doing: Doing): Promise<Result<CatalogueRow, Refusal>> {
    const { jobs, storeName, clock, log } = this.#options
    const deletion: Act = { ...doing, atMs: clock.wallMs() }
    const found = await this.get(recordingId)
    if (found === undefined) return err('unknown')
    if (found.store !== storeName) return err('elsewhere')
    // A catalogue that lost a hold does not lose the recording.
    if (await this.#isHeldInFolder(found)) return err('held')
    // Whatever happens from here on, the job ends what was begun.
    await jobs.add(ERASE, recordingId, clock.wallMs() + RETRY_MS)
    // The database decides between a deletion and a hold that come at the same time.
    const changed = await this.#change(recordingId, (row) => {
      if (row.holds?.length) return err('held')
      return row.state === 'receiving' ? err('receiving') : ok({ deletion })
    })
    if (!changed.ok) {
      if (changed.error !== 'deleted') await jobs.drop(ERASE, recordingId)
      return changed
    }
    log.info('recording deleted', { recordingId, ...doing })
    const row = await this.#finish({ ...changed.value, deletion })
    await jobs.drop(ERASE, recordingId)
    return ok(row)
  }

  async hold(recordingId: string, doing: Doing): Promise<Result<CatalogueRow, Refusal>> {
    const hold: Act = { ...doing, atMs: this.#options.clock.wallMs() }
    const held = await this.#noted(recordingId, (row) => ({ holds: [...(row.holds ?? []), hold] }))
    if (held.ok) this.#options.log.info('recording held', { recordingId, ...doing })
    return held
  }

  async release(recordingId: string, doing: Doing): Promise<Result<CatalogueRow, Refusal>> {
    const released = await this.#noted(recordingId, () => ({ holds: [] }))
    if (released.ok) this.#options.log.info('recording released', { recordingId, ...doing })
    return released
  }

  async tag(
    recordingId: string,
    { add = [], remove = [] }: { readonly add?: readonly string[]; readonly remove?: readonly string[] },
  ): Promise<Result<CatalogueRow, Refusal>> {
    const removed = new Set(remove.map(folded))
    return await this.#noted(recordingId, ({ tags = [] }) => ({
      tags: [...new Set([...tags, ...add.map(folded)])].filter((tag) => tag !== '' && !removed.has(tag)).sort(),
    }))
  }

  /** Notes where the upload of a recording stands. */
  async setUploadState(recordingId: string, uploadState: UploadState): Promise<void> {
    await this.#noted(recordingId, () => ({ uploadState }))
  }

  /** Rebuilds the catalogue from the folders; folders of recordings that have a tombstone are removed. */
  async rebuild(): Promise<Rebuilt> {
    const { store, catalogue, clock } = this.#options
    return await rebuildCatalogue(store, catalogue, {
      nowMs: clock.wallMs(),
      erase: (row) => this.#erase(row),
    })
  }

  /** Ends deletions that a crash, a full disk or an object store that is away interrupted. */
  async finishDeletions(): Promise<void> {
    const { catalogue, jobs, clock, log } = this.#options
    for (const job of await jobs.take(ERASE, clock.wallMs(), LEASE_MS, 100)) {
      const { recordingId } = job
      try {
        const row = await catalogue.get(recordingId)
        if (row?.deletion !== undefined) await this.#finish({ ...row, deletion: row.deletion })
        await jobs.done(job.jobNo)
      } catch (thrown) {
        log.warn('a deletion is not finished', { recordingId, reason: messageOf(thrown) })
        await jobs.retry(job.jobNo, clock.wallMs() + RETRY_MS * (job.attempts + 1), messageOf(thrown))
      }
    }
  }

  async #isHeldInFolder({ folder, deletion }: CatalogueRow): Promise<boolean> {
    const path = folder === undefined || deletion !== undefined ? undefined : this.#options.store.pathOf(folder, '')
    return path !== undefined && ((await readNotes(path)).holds ?? []).length > 0
  }

  async #finish(row: CatalogueRow & { readonly deletion: Act }): Promise<CatalogueRow> {
    const { store, storeName, catalogue, notary } = this.#options
    const { deletion } = row
    const tombstone = tombstoneOf(row, deletion)
    const path = row.folder === undefined ? undefined : store.pathOf(row.folder, '')
    if (path !== undefined && existsSync(path)) notary?.noteDeletion(row.recordingId, path, deletion)
    if (row.folder !== undefined) await addTombstone(store.root, tombstone)
    await this.#erase(row)
    const left = { ...rowOfTombstone(tombstone), store: storeName }
    await catalogue.putAll([{ row: left, notes: { deletion }, metadata: '' }])
    return left
  }

  /** The folder vanishes at once from where recordings are; removing its files may take its time. */
  async #erase(row: CatalogueRow): Promise<void> {
    const { store, eraseRemote } = this.#options
    const path = row.folder === undefined ? undefined : store.pathOf(row.folder, '')
    if (path === undefined || row.folder === '') return
    const trash = join(store.root, DELETED_FOLDER)
    await mkdir(trash, { recursive: true })
    const gone = join(trash, row.recordingId)
    try {
      await rename(path, gone)
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code !== 'ENOENT') throw thrown
    }
    await rm(gone, { recursive: true, force: true })
    await eraseRemote?.(row)
  }

  /** Changes notes in the catalogue, then in the folder. */
  async #noted(
    recordingId: string,
    change: (row: CatalogueRow) => Partial<RecordingNotes>,
  ): Promise<Result<CatalogueRow, Refusal>> {
    const changed = await this.#change(recordingId, (row) => ok(change(row)))
    if (changed.ok) await this.#keepNotes(recordingId)
    return changed
  }

  async #change(
    recordingId: string,
    decide: (row: CatalogueRow) => Result<Partial<RecordingNotes>, Refusal>,
  ): Promise<Result<CatalogueRow, Refusal>> {
    let refusal: Refusal | undefined
    const row = await this.#options.catalogue.annotate(recordingId, (old) => {
      const decided = old.deletion === undefined ? decide(old) : err('deleted' as const)
      if (decided.ok) return notesOf({ ...old, ...decided.value })
      refusal = decided.error
      return undefined
    })
    if (row === undefined) return err('unknown')
    return refusal === undefined ? ok(row) : err(refusal)
  }

  /** Writes the notes as they are in the catalogue when its turn comes, so that the last change is what stays. */
  #keepNotes(recordingId: string): Promise<void> {
    const turn = this.#notesTurn.then(() => this.#writeNotes(recordingId))
    this.#notesTurn = turn.catch(() => {})
    return turn
  }

  async #writeNotes(recordingId: string): Promise<void> {
    const { store, storeName, catalogue, log } = this.#options
    const row = await catalogue.get(recordingId)
    if (row?.store !== storeName || row.folder === undefined || row.deletion !== undefined) return
    const path = store.pathOf(row.folder, '')
    if (path === undefined) return
    const notes = notesOf(row)
    try {
      if (Object.keys(notes).length === 0) await rm(join(path, NOTES_FILE), { force: true })
      else await writeNotes(path, notes)
    } catch (thrown) {
      log.error('notes of a recording are not on disk', { recordingId, reason: messageOf(thrown) })
    }
  }
}
