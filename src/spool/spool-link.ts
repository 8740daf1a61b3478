// The spool worker as the main thread talks to it.

import { Worker } from 'node:worker_threads'
import { AppError, Listeners, messageOf } from '#kernel'
import type {
  SpoolCommand,
  SpoolEvent,
  SpoolOptions,
  SpoolReplies,
  SpoolReply,
  SpoolRequest,
} from './spool-messages.ts'

interface Pending {
  readonly resolve: (value: unknown) => void
  readonly reject: (error: AppError) => void
}

/** Commands to the worker, carried out in order; rejections are AppError with code `spool.*`. */
export class SpoolLink {
  readonly events = new Listeners<SpoolEvent>()
  readonly #worker: Worker
  readonly #pending = new Map<number, Pending>()
  #nextRequestId = 1
  #lost: AppError | undefined

  private constructor(worker: Worker) {
    this.#worker = worker
  }

  /** Starts the thread; rejects with `spool.unusable` when key or folder cannot be had. */
  static async start(options: SpoolOptions): Promise<SpoolLink> {
    const link = new SpoolLink(new Worker(new URL('./spool-worker.js', import.meta.url), { workerData: options }))
    await link.#ready()
    return link
  }

  ask<Type extends SpoolCommand['type']>(command: SpoolCommand & { type: Type }): Promise<SpoolReplies[Type]> {
    if (this.#lost !== undefined) return Promise.reject(this.#lost)
    const requestId = this.#nextRequestId++
    return new Promise((resolve, reject) => {
      this.#pending.set(requestId, { resolve: resolve as (value: unknown) => void, reject })
      this.#worker.postMessage({ requestId, command } satisfies SpoolRequest)
    })
  }

  /** Ends the thread once all that was asked is done. */
  async close(): Promise<void> {
    if (this.#lost === undefined) await this.ask({ type: 'stop' })
    await this.#worker.terminate()
  }

  #ready(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#worker.on('message', (message: SpoolReply) => {
        if (message.kind === 'ready') resolve()
        else this.#onMessage(message)
      })
      const lose = (fault: unknown): void => {
        this.#lose(fault)
        reject(this.#lost)
      }
      this.#worker.on('error', lose)
      this.#worker.on('exit', () => lose('it has ended'))
    })
  }

  #onMessage(message: Exclude<SpoolReply, { kind: 'ready' }>): void {
    if (message.kind === 'event') {
      this.events.emit(message.event)
      return
    }
    const pending = this.#pending.get(message.requestId)
    this.#pending.delete(message.requestId)
    if (message.kind === 'done') pending?.resolve(message.value)
    else pending?.reject(new AppError(message.code, message.message, { result: 'server', reason: 'spool' }))
  }

  #lose(cause: unknown): void {
    if (this.#lost !== undefined) return
    const verdict = { result: 'server', reason: 'spool-lost' } as const
    this.#lost = new AppError('spool.unusable', `the spool is gone: ${messageOf(cause)}`, verdict, { cause })
    for (const pending of this.#pending.values()) pending.reject(this.#lost)
    this.#pending.clear()
  }
}
