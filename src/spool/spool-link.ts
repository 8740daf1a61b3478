// The spool worker as the main thread talks to it, and what happens when the thread dies.

import { Worker } from 'node:worker_threads'
import { AppError, type Clock, Listeners, type Logger, messageOf, type Timer } from '#kernel'
import type {
  SpoolCommand,
  SpoolEvent,
  SpoolOptions,
  SpoolReplies,
  SpoolReply,
  SpoolRequest,
} from './spool-messages.ts'

const RESTART_AFTER_MS = 100
const LONGEST_RESTART_MS = 60_000

/** What the main thread's end works with. */
export interface LinkSurroundings {
  readonly clock: Clock
  readonly log: Logger
}

interface Pending {
  readonly command: SpoolCommand
  readonly resolve: (value: unknown) => void
  readonly reject: (error: AppError) => void
}

/** Commands to the worker, carried out in order; rejections are AppError with code `spool.*`. A thread that dies is replaced. */
export class SpoolLink {
  readonly events = new Listeners<SpoolEvent>()
  readonly #options: SpoolOptions
  readonly #around: LinkSurroundings
  readonly #pending = new Map<number, Pending>()
  /** Recordings that the thread takes in, and those that it delivers, by fork. */
  readonly #held = new Map<string, string>()
  #worker: Worker | undefined
  /** Asked while there is no thread. */
  #outbox: SpoolRequest[] = []
  #nextRequestId = 1
  #restart: Timer | undefined
  #restartAfterMs = RESTART_AFTER_MS
  #isReady = false
  #isOpen = false
  /** Set while no thread can be had. */
  #lost: AppError | undefined

  private constructor(options: SpoolOptions, around: LinkSurroundings) {
    this.#options = options
    this.#around = around
  }

  /** Starts the thread; rejects with `spool.unusable` when key or folder cannot be had. */
  static async start(options: SpoolOptions, around: LinkSurroundings): Promise<SpoolLink> {
    const link = new SpoolLink(options, around)
    await link.#startWorker()
    link.#isOpen = true
    return link
  }

  ask<Type extends SpoolCommand['type']>(command: SpoolCommand & { type: Type }): Promise<SpoolReplies[Type]> {
    if (this.#lost !== undefined) return Promise.reject(this.#lost)
    const request: SpoolRequest = { requestId: this.#nextRequestId++, command }
    return new Promise((resolve, reject) => {
      this.#pending.set(request.requestId, { command, resolve: resolve as (value: unknown) => void, reject })
      if (this.#worker === undefined) this.#outbox.push(request)
      else this.#worker.postMessage(request)
    })
  }

  /** Ends the thread once all that was asked is done. */
  async close(): Promise<void> {
    this.#isOpen = false
    this.#restart?.cancel()
    const worker = this.#worker
    if (worker === undefined) {
      this.#fail('it is closed')
      return
    }
    if (this.#isReady) await this.ask({ type: 'stop' })
    await worker.terminate()
  }

  async #startWorker(): Promise<void> {
    const worker = new Worker(new URL('./spool-worker.js', import.meta.url), { workerData: this.#options })
    this.#worker = worker
    for (const request of this.#outbox.splice(0)) worker.postMessage(request)
    await new Promise<void>((resolve, reject) => {
      worker.on('message', (message: SpoolReply) => {
        if (message.kind === 'ready') resolve()
        else this.#onMessage(message)
      })
      const lose = (cause: unknown): void => {
        if (this.#worker === worker) reject(this.#lose(cause))
      }
      worker.on('error', lose)
      worker.on('exit', () => lose('it has ended'))
    })
    this.#isReady = true
    this.#restartAfterMs = RESTART_AFTER_MS
    this.#lost = undefined
  }

  #onMessage(message: Exclude<SpoolReply, { kind: 'ready' }>): void {
    if (message.kind === 'event') {
      this.events.emit(message.event)
      return
    }
    const pending = this.#pending.get(message.requestId)
    this.#pending.delete(message.requestId)
    if (pending === undefined) return
    this.#follow(pending.command, message)
    if (message.kind === 'done') pending.resolve(message.value)
    else pending.reject(new AppError(message.code, message.message, { result: 'server', reason: 'spool' }))
  }

  /** Notes what the thread holds after a command: whoever counts on that is told when the thread dies. */
  #follow(command: SpoolCommand, reply: Exclude<SpoolReply, { kind: 'ready' | 'event' }>): void {
    const isDone = reply.kind === 'done'
    if (command.type === 'close') this.#held.delete(command.id)
    else if (command.type === 'unbind') this.#held.delete(`${command.id} ${command.fork}`)
    else if (command.type === 'bind' && isDone) this.#held.set(`${command.id} ${command.fork}`, command.id)
    else if (command.type === 'open' && isDone && 'ports' in (reply.value as SpoolReplies['open'])) {
      this.#held.set(command.id, command.id)
    }
  }

  /** The thread is gone: what it held has stopped, and another one is started. */
  #lose(cause: unknown): AppError {
    const wasReady = this.#isReady
    this.#worker = undefined
    this.#isReady = false
    const lost = this.#fail(cause)
    if (!this.#isOpen) return lost
    // For the next thread one can wait, unless it may not come.
    if (wasReady) this.#lost = undefined
    const held = new Set(this.#held.values())
    this.#held.clear()
    const { clock, log } = this.#around
    log.error('spool worker lost', { error: messageOf(cause), recordings: held.size })
    this.#restart = clock.after(this.#restartAfterMs, 'spool-worker-restart', () => {
      this.#startWorker().catch((error: unknown) => log.error('spool worker restart failed', { error }))
    })
    this.#restartAfterMs = Math.min(2 * this.#restartAfterMs, LONGEST_RESTART_MS)
    for (const id of held) this.events.emit({ type: 'stopped', id, reason: lost.message })
    return lost
  }

  /** Rejects what was asked, and what will be. */
  #fail(cause: unknown): AppError {
    const verdict = { result: 'server', reason: 'spool-lost' } as const
    const lost = new AppError('spool.unusable', `the spool is gone: ${messageOf(cause)}`, verdict, { cause })
    this.#lost = lost
    for (const pending of this.#pending.values()) pending.reject(lost)
    this.#pending.clear()
    this.#outbox = []
    return lost
  }
}
