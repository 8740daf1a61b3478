// The main thread's end of the library thread: calls with replies, and a new thread when one dies.

import { Worker } from 'node:worker_threads'
import { AppError, type Logger, messageOf } from '#kernel'
import type { CatalogueFilter, CatalogueQuery, CatalogueRow, JournalTarget, RecordingLibrary } from '#store'
import type { LibraryMethod, LibraryReply, LibraryRequest } from './library-messages.ts'
import type { LibraryRoom, LibrarySettings } from './library-room.ts'

type Room = Pick<LibraryRoom, LibraryMethod>

interface Pending {
  resolve(value: never): void
  reject(error: Error): void
}

/** A store's library in a thread of its own. Everything rejects with AppError `store.catalogue` while the database is away. */
export class LibraryThread implements JournalTarget, RecordingLibrary {
  readonly #settings: LibrarySettings
  readonly #log: Logger
  readonly #pending = new Map<number, Pending>()
  #worker: Worker | undefined
  #lastId = 0

  constructor(settings: LibrarySettings, log: Logger) {
    this.#settings = settings
    this.#log = log
  }

  async open(isStale: boolean): Promise<void> {
    this.#worker ??= this.#start()
    await this.#call('open', isStale)
  }

  async put(row: CatalogueRow): Promise<void> {
    await this.#call('put', row)
  }

  get(recordingId: string): ReturnType<Room['get']> {
    return this.#call('get', recordingId)
  }

  search(query: CatalogueQuery): ReturnType<Room['search']> {
    return this.#call('search', query)
  }

  async list(query: CatalogueQuery): Promise<CatalogueRow[]> {
    return [...(await this.search(query)).rows]
  }

  count(filter: CatalogueFilter, most?: number): ReturnType<Room['count']> {
    return this.#call('count', filter, most)
  }

  facets(filter: CatalogueFilter): ReturnType<Room['facets']> {
    return this.#call('facets', filter)
  }

  evidence(recordingId: string): ReturnType<Room['evidence']> {
    return this.#call('evidence', recordingId)
  }

  verify(recordingId: string): ReturnType<Room['verify']> {
    return this.#call('verify', recordingId)
  }

  async remove(recordingId: string): Promise<void> {
    await this.#call('remove', recordingId)
  }

  delete(...args: Parameters<Room['delete']>): ReturnType<Room['delete']> {
    return this.#call('delete', ...args)
  }

  hold(...args: Parameters<Room['hold']>): ReturnType<Room['hold']> {
    return this.#call('hold', ...args)
  }

  release(...args: Parameters<Room['release']>): ReturnType<Room['release']> {
    return this.#call('release', ...args)
  }

  tag(...args: Parameters<Room['tag']>): ReturnType<Room['tag']> {
    return this.#call('tag', ...args)
  }

  async close(): Promise<void> {
    const worker = this.#worker
    if (worker === undefined) return
    await this.#call('close').catch(() => {})
    this.#worker = undefined
    await worker.terminate()
  }

  #call<Method extends LibraryMethod>(method: Method, ...args: Parameters<Room[Method]>): ReturnType<Room[Method]> {
    const worker = this.#worker
    const result = new Promise<never>((resolve, reject) => {
      if (worker === undefined) {
        reject(failure('store.catalogue', 'catalogue: the library thread is not there'))
        return
      }
      const requestId = ++this.#lastId
      this.#pending.set(requestId, { resolve, reject })
      worker.postMessage({ requestId, method, args } satisfies LibraryRequest)
    })
    return result as ReturnType<Room[Method]>
  }

  #start(): Worker {
    const worker = new Worker(new URL('./library-worker.js', import.meta.url), { workerData: this.#settings })
    worker.on('message', (message: LibraryReply) => this.#onReply(message))
    worker.on('error', (error) => this.#onEnd(worker, messageOf(error)))
    worker.on('exit', (code) => this.#onEnd(worker, `exit ${code}`))
    return worker
  }

  #onReply(message: LibraryReply): void {
    if (message.kind === 'log') {
      this.#log[message.level](message.message, message.fields)
      return
    }
    const pending = this.#pending.get(message.requestId)
    this.#pending.delete(message.requestId)
    if (message.kind === 'done') pending?.resolve(message.value as never)
    else pending?.reject(failure(message.code, message.message))
  }

  /** The next `open` starts another thread. */
  #onEnd(worker: Worker, reason: string): void {
    if (this.#worker !== worker) return
    this.#worker = undefined
    this.#log.error('library thread lost', { reason })
    for (const { reject } of this.#pending.values())
      reject(failure('store.catalogue', `library thread lost: ${reason}`))
    this.#pending.clear()
  }
}

function failure(code: string, message: string): AppError {
  return new AppError(code, message, { result: 'server', reason: 'catalogue' })
}
