// What the library thread does: one store's catalogue, jobs and folders. The commands of the command line use it without a thread.

import { join } from 'node:path'
import { AppError, type Clock, type Logger, messageOf, type Timer } from '#kernel'
import {
  applyRetention,
  type CatalogueFilter,
  type CataloguePage,
  type CatalogueQuery,
  type CatalogueRow,
  eraseObjects,
  evidenceOf,
  FolderLibrary,
  type JobQueue,
  Notary,
  type NotaryOptions,
  openCatalogueAndJobs,
  openS3,
  planRetention,
  proveRecording,
  type Rebuilt,
  type RecordingEvidence,
  type RecordingProof,
  RecordingStore,
  type RetentionOutcome,
  type RetentionPlan,
  type RetentionRule,
  type S3Settings,
  type SqlCatalogue,
  UploadLine,
  type UploadPolicy,
  Vault,
  type VaultOptions,
} from '#store'

/** What a library is opened with; plain data, since it goes to a thread. */
export interface LibrarySettings {
  /** Root folder of the recordings. */
  readonly folder: string
  /** Name of the store, where several share a database. */
  readonly name: string
  /** Address of a PostgreSQL database, or `memory`; a file below the folder when absent. */
  readonly database?: string
  readonly retention: RetentionSettings
  /** Absent: nothing is vouched for. */
  readonly evidence?: NotaryOptions
  /** Absent: files are as they are. */
  readonly encryption?: VaultOptions
  /** Absent: recordings stay on this machine. */
  readonly upload?: { readonly s3: S3Settings; readonly policy: UploadPolicy }
}

/** What is deleted, and how often it is looked for. */
export interface RetentionSettings {
  readonly everyMinutes: number
  readonly rules: readonly RetentionRule[]
}

/** Name of the embedded catalogue below the root folder. */
export const CATALOGUE_FILE = 'catalogue.sqlite'

/** Instead of an address: the catalogue is not on any disk. */
const IN_MEMORY = 'memory'
const MINUTE_MS = 60_000
const FINISH_MS = 30_000
const UPLOAD_MS = 5000
/** What is repeated begins so long after the opening. */
const FIRST_MS = 5000

interface Opened {
  readonly uploads?: UploadLine
  readonly catalogue: SqlCatalogue
  readonly jobs: JobQueue
  readonly library: FolderLibrary
}

/** One store's library. */
export class LibraryRoom {
  readonly #settings: LibrarySettings
  readonly #clock: Clock
  readonly #log: Logger
  readonly #begunAtMs: number
  #opened: Opened | undefined
  #opening: Promise<Opened> | undefined
  readonly #timers = new Map<string, Timer>()
  /** What is repeated has begun. */
  #isUnderWay = false
  #isClosed = false

  constructor(settings: LibrarySettings, ports: { readonly clock: Clock; readonly log: Logger }) {
    this.#settings = settings
    this.#clock = ports.clock
    this.#log = ports.log
    this.#begunAtMs = ports.clock.wallMs()
  }

  /** Opens the database, once; `isStale`: rebuilds it from the folders. Rejects with AppError `store.catalogue`. */
  async open(isStale: boolean): Promise<void> {
    const isFirst = !this.#isUnderWay
    const { catalogue } = await this.#connected()
    if (isFirst) {
      await catalogue.settleReceiving(this.#begunAtMs)
      const { jobs, uploads } = this.#ready
      await jobs.releaseAll()
      this.#isUnderWay = true
      if (uploads !== undefined) {
        let isFirstRun = true
        this.#repeat('upload', UPLOAD_MS, async () => {
          if (isFirstRun) await uploads.enqueue(true)
          isFirstRun = false
          await uploads.run()
        })
      }
      const { everyMinutes, rules } = this.#settings.retention
      this.#repeat('finish-deletions', FINISH_MS, () => this.library.finishDeletions())
      if (rules.length > 0) this.#repeat('retention', everyMinutes * MINUTE_MS, () => this.#retain())
    }
    const isEmpty = isFirst && (await catalogue.count({ store: this.#settings.name, deleted: 'with' }, 1)) === 0
    if (!isStale && !isEmpty) return
    const rebuilt = await this.rebuild()
    if (rebuilt.recordings > 0) this.#log.info('catalogue rebuilt from the folders', { ...rebuilt })
  }

  /**
   * Opens the database and changes nothing in it but its tables; for commands beside a running recorder. Rejects with AppError
   * `store.catalogue` where the catalogue is in that recorder's memory.
   */
  async connect(): Promise<void> {
    if (this.#settings.database === IN_MEMORY) {
      throw new AppError('store.catalogue', "the catalogue is in the recorder's memory: it does this itself", {
        result: 'client',
        reason: 'catalogue',
      })
    }
    await this.#connected()
  }

  async put(row: CatalogueRow): Promise<void> {
    await this.library.put(row)
  }

  async get(recordingId: string): Promise<CatalogueRow | undefined> {
    return await this.library.get(recordingId)
  }

  async search(query: CatalogueQuery): Promise<CataloguePage> {
    return await this.library.search(query)
  }

  async count(filter: CatalogueFilter, most?: number): Promise<number> {
    return await this.library.count(filter, most)
  }

  async facets(filter: CatalogueFilter): ReturnType<FolderLibrary['facets']> {
    return await this.library.facets(filter)
  }

  /** What vouches for a published recording of this store; undefined where nothing does. */
  async evidence(recordingId: string): Promise<RecordingEvidence | undefined> {
    const folder = await this.#folderOf(recordingId)
    return folder === undefined ? undefined : evidenceOf(this.#settings.folder, folder)
  }

  /** Verifies a published recording of this store; undefined where there is none. */
  async verify(recordingId: string): Promise<RecordingProof | undefined> {
    const folder = await this.#folderOf(recordingId)
    if (folder === undefined) return undefined
    return await proveRecording(this.#settings.folder, folder, this.#settings.evidence?.keyFile)
  }

  async remove(recordingId: string): Promise<void> {
    await this.#ready.catalogue.remove(recordingId)
  }

  async delete(...args: Parameters<FolderLibrary['delete']>): ReturnType<FolderLibrary['delete']> {
    return await this.library.delete(...args)
  }

  async hold(...args: Parameters<FolderLibrary['hold']>): ReturnType<FolderLibrary['hold']> {
    return await this.library.hold(...args)
  }

  async release(...args: Parameters<FolderLibrary['release']>): ReturnType<FolderLibrary['release']> {
    return await this.library.release(...args)
  }

  async tag(...args: Parameters<FolderLibrary['tag']>): ReturnType<FolderLibrary['tag']> {
    return await this.library.tag(...args)
  }

  /** What retention would delete now. */
  async retentionPlan(): Promise<RetentionPlan> {
    const { name, retention } = this.#settings
    return await planRetention(this.library, { rules: retention.rules, store: name, nowMs: this.#clock.wallMs() })
  }

  /** Deletes what is due. */
  async applyRetention(plan: RetentionPlan, actor: string): Promise<RetentionOutcome> {
    return await applyRetention(this.library, plan, actor, (recordingId, fault) => {
      this.#log.warn('a recording is due but cannot be deleted now', { recordingId, reason: messageOf(fault) })
    })
  }

  async rebuild(): Promise<Rebuilt> {
    return await this.library.rebuild()
  }

  async close(): Promise<void> {
    this.#isClosed = true
    for (const timer of this.#timers.values()) timer.cancel()
    await this.#opened?.catalogue.close()
    this.#opened = undefined
  }

  /** The open library; throws AppError `store.catalogue` before that. */
  get library(): FolderLibrary {
    return this.#ready.library
  }

  async #folderOf(recordingId: string): Promise<string | undefined> {
    const row = await this.library.get(recordingId)
    if (row === undefined || row.deletion !== undefined || row.store !== this.#settings.name) return undefined
    return row.folder
  }

  get #ready(): Opened {
    if (this.#opened === undefined) {
      const verdict = { result: 'server', reason: 'catalogue' } as const
      throw new AppError('store.catalogue', 'catalogue: the database is not open', verdict)
    }
    return this.#opened
  }

  async #retain(): Promise<void> {
    const plan = await this.retentionPlan()
    if (plan.due.length === 0) return
    const outcome = await this.applyRetention(plan, 'retention')
    this.#log.info('retention has run', { ...outcome })
  }

  /** Does something again and again, the next time so long after the last has ended. */
  #repeat(name: string, everyMs: number, work: () => Promise<void>): void {
    const run = async (): Promise<void> => {
      try {
        await work()
      } catch (thrown) {
        this.#log.warn('work on the recordings failed; it is tried again', { work: name, reason: messageOf(thrown) })
      }
      if (!this.#isClosed)
        this.#timers.set(
          name,
          this.#clock.after(everyMs, name, () => void run()),
        )
    }
    this.#timers.set(
      name,
      this.#clock.after(FIRST_MS, name, () => void run()),
    )
  }

  async #connected(): Promise<Opened> {
    if (this.#opened !== undefined) return this.#opened
    this.#opening ??= this.#openNow().finally(() => {
      this.#opening = undefined
    })
    return await this.#opening
  }

  async #openNow(): Promise<Opened> {
    const { folder, name, database, upload, evidence, encryption } = this.#settings
    const notary = evidence && (await Notary.open(evidence, () => this.#clock.wallMs()))
    const location = database === IN_MEMORY ? ':memory:' : (database ?? join(folder, CATALOGUE_FILE))
    const opened = await openCatalogueAndJobs(location, name)
    const store = new RecordingStore({ root: folder, ...(encryption && { files: new Vault(encryption) }) })
    const parts = { store, storeName: name, clock: this.#clock, log: this.#log, ...opened, ...(notary && { notary }) }
    if (upload === undefined) {
      this.#opened = { ...opened, library: new FolderLibrary(parts) }
      return this.#opened
    }
    const storage = openS3(upload.s3)
    const eraseRemote = async (row: CatalogueRow): Promise<void> => {
      if (row.folder !== undefined) await eraseObjects(storage, upload.policy.prefix, row.folder)
    }
    const library = new FolderLibrary({ ...parts, eraseRemote })
    this.#opened = {
      ...opened,
      library,
      uploads: new UploadLine({ ...parts, library, storage, policy: upload.policy }),
    }
    return this.#opened
  }
}
