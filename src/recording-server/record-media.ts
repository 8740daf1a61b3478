// The record worker as the main thread sees it.

import { Worker } from 'node:worker_threads'
import { AppError, Listeners } from '#kernel'
import type {
  RecordCommand,
  RecordEvent,
  RecordReplies,
  RecordReply,
  RecordRequest,
  RecordWorkerOptions,
} from './record-messages.ts'

/** Port of the media side of the recorder; rejections are AppError with code `recorder.*`. */
export interface RecordMedia {
  /** Carries out one command; commands are carried out in order. */
  ask<Type extends RecordCommand['type']>(command: RecordCommand & { type: Type }): Promise<RecordReplies[Type]>
  /** Events until close; the returned function ends it. */
  onEvent(listener: (event: RecordEvent | { readonly type: 'worker-lost' }) => void): () => void
  /** Ends the thread; recordings still open are left to recovery. */
  close(): Promise<void>
}

interface Pending {
  readonly resolve: (value: unknown) => void
  readonly reject: (error: AppError) => void
}

/** Starts a record worker thread; resolves when it takes commands. */
export async function startRecordMedia(options: RecordWorkerOptions): Promise<RecordMedia> {
  const worker = new Worker(new URL('./record-worker.js', import.meta.url), { workerData: options })
  const media = new WorkerMedia(worker)
  await media.ready
  return media
}

class WorkerMedia implements RecordMedia {
  readonly ready: Promise<void>
  readonly #worker: Worker
  readonly #pending = new Map<number, Pending>()
  readonly #listeners = new Listeners<RecordEvent | { readonly type: 'worker-lost' }>()
  #nextRequestId = 1
  #lost: AppError | undefined
  #isClosing = false

  constructor(worker: Worker) {
    this.#worker = worker
    this.ready = new Promise((resolve, reject) => {
      worker.on('message', (message: RecordReply) => {
        if (message.kind === 'ready') resolve()
        else this.#onMessage(message)
      })
      worker.on('error', (error) => this.#lose(error))
      worker.on('exit', () => {
        this.#lose(undefined)
        reject(lossOf(undefined))
      })
    })
  }

  ask<Type extends RecordCommand['type']>(command: RecordCommand & { type: Type }): Promise<RecordReplies[Type]> {
    if (this.#lost !== undefined) return Promise.reject(this.#lost)
    const requestId = this.#nextRequestId++
    return new Promise((resolve, reject) => {
      this.#pending.set(requestId, { resolve: resolve as (value: unknown) => void, reject })
      this.#worker.postMessage({ requestId, command } satisfies RecordRequest)
    })
  }

  onEvent(listener: (event: RecordEvent | { readonly type: 'worker-lost' }) => void): () => void {
    return this.#listeners.add(listener)
  }

  async close(): Promise<void> {
    this.#isClosing = true
    if (this.#lost === undefined) await this.ask({ type: 'stop' })
    await this.#worker.terminate()
  }

  #onMessage(message: Exclude<RecordReply, { kind: 'ready' }>): void {
    if (message.kind === 'event') {
      this.#listeners.emit(message.event)
      return
    }
    const pending = this.#pending.get(message.requestId)
    this.#pending.delete(message.requestId)
    if (message.kind === 'done') pending?.resolve(message.value)
    else
      pending?.reject(
        new AppError(message.code, message.message, { result: 'server', reason: 'recorder', sipStatus: 503 }),
      )
  }

  #lose(cause: unknown): void {
    if (this.#lost !== undefined) return
    this.#lost = lossOf(cause)
    for (const pending of this.#pending.values()) pending.reject(this.#lost)
    this.#pending.clear()
    if (!this.#isClosing) this.#listeners.emit({ type: 'worker-lost' })
  }
}

function lossOf(cause: unknown): AppError {
  const verdict = { result: 'server', reason: 'worker-lost', sipStatus: 503 } as const
  return new AppError('recorder.worker-lost', 'the record worker is gone', verdict, { cause })
}
