// What the library thread does: one store's catalogue, jobs and folders. The commands of the command line use it without a thread.

import { join } from 'node:path'
import { AppError, type Clock, type Logger } from '#kernel'
import {
  type CatalogueFilter,
  type CataloguePage,
  type CatalogueQuery,
  type CatalogueRow,
  FolderLibrary,
  type JobQueue,
  openCatalogueAndJobs,
  type Rebuilt,
  RecordingStore,
  type SqlCatalogue,
} from '#store'

/** What a library is opened with; plain data, since it goes to a thread. */
export interface LibrarySettings {
  /** Root folder of the recordings. */
  readonly folder: string
  /** Name of the store, where several share a database. */
  readonly name: string
  /** Address of a PostgreSQL database; a file below the folder when absent. */
  readonly database?: string
}

/** Name of the embedded catalogue below the root folder. */
export const CATALOGUE_FILE = 'catalogue.sqlite'

interface Opened {
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

  constructor(settings: LibrarySettings, ports: { readonly clock: Clock; readonly log: Logger }) {
    this.#settings = settings
    this.#clock = ports.clock
    this.#log = ports.log
    this.#begunAtMs = ports.clock.wallMs()
  }

  /** Opens the database, once; `isStale`: rebuilds it from the folders. Rejects with AppError `store.catalogue`. */
  async open(isStale: boolean): Promise<void> {
    const isFirst = this.#opened === undefined
    const { catalogue } = await this.#connected()
    if (isFirst) await catalogue.settleReceiving(this.#begunAtMs)
    const isEmpty = isFirst && (await catalogue.count({ store: this.#settings.name, deleted: 'with' }, 1)) === 0
    if (!isStale && !isEmpty) return
    const rebuilt = await this.rebuild()
    if (rebuilt.recordings > 0) this.#log.info('catalogue rebuilt from the folders', { ...rebuilt })
  }

  /** Opens the database and changes nothing in it but its tables; for commands beside a running recorder. */
  async connect(): Promise<void> {
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

  async rebuild(): Promise<Rebuilt> {
    return await this.library.rebuild()
  }

  async close(): Promise<void> {
    await this.#opened?.catalogue.close()
    this.#opened = undefined
  }

  /** The open library; throws AppError `store.catalogue` before that. */
  get library(): FolderLibrary {
    return this.#ready.library
  }

  get #ready(): Opened {
    if (this.#opened === undefined) {
      const verdict = { result: 'server', reason: 'catalogue' } as const
      throw new AppError('store.catalogue', 'catalogue: the database is not open', verdict)
    }
    return this.#opened
  }

  async #connected(): Promise<Opened> {
    if (this.#opened !== undefined) return this.#opened
    this.#opening ??= this.#openNow().finally(() => {
      this.#opening = undefined
    })
    return await this.#opening
  }

  async #openNow(): Promise<Opened> {
    const { folder, name, database } = this.#settings
    const opened = await openCatalogueAndJobs(database ?? join(folder, CATALOGUE_FILE), name)
    const store = new RecordingStore({ root: folder })
    const library = new FolderLibrary({ store, storeName: name, clock: this.#clock, log: this.#log, ...opened })
    this.#opened = { ...opened, library }
    return this.#opened
  }
}
