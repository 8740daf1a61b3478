// The main thread's end of one relay worker: requests with replies, events by call, and what happens when the thread dies.

import { Worker } from 'node:worker_threads'
import { type Logger, messageOf } from '#kernel'
import { isMediaErrorCode, mediaError } from '../errors.ts'
import type { MediaEvent, PlayEnd } from '../media-engine.ts'
import type {
  CallCommand,
  CallCommands,
  CallOp,
  FromWorker,
  RelayWorkerSettings,
  ToWorker,
  WorkerCensus,
} from './protocol.ts'

/** A call's ear on its worker. */
export interface LinkListener {
  onEvent(event: MediaEvent): void
  onPlayEnd(play: number, end: PlayEnd): void
  onLost(): void
}

interface Pending {
  resolve(value: unknown): void
  reject(error: Error): void
}

/** One relay worker thread. */
export class WorkerLink {
  readonly #worker: Worker
  readonly #log: Logger
  readonly #onLost: () => void
  readonly #calls = new Map<string, LinkListener>()
  readonly #pending = new Map<number, Pending>()
  #outbox: ToWorker[] = []
  #lastId = 0
  #isClosing = false
  #isLost = false

  private constructor(worker: Worker, log: Logger, onLost: () => void) {
    this.#worker = worker
    this.#log = log
    this.#onLost = onLost
    worker.on('message', (messages: FromWorker[]) => {
      for (const message of messages) this.#onMessage(message)
    })
    worker.on('error', (error) => this.#onEnd(messageOf(error)))
    worker.on('exit', (code) => this.#onEnd(`exit ${code}`))
  }

  /** Starts a thread and waits until it answers. `onLost` is called once if it dies before `close`. */
  static async start(settings: RelayWorkerSettings, log: Logger, onLost: () => void): Promise<WorkerLink> {
    const worker = new Worker(new URL('./relay-worker.js', import.meta.url), { workerData: settings })
    const link = new WorkerLink(worker, log, onLost)
    await link.census()
    return link
  }

  /** Lets a call hear its events. */
  attach(callId: string, listener: LinkListener): void {
    this.#calls.set(callId, listener)
  }

  /** Forgets a call. */
  detach(callId: string): void {
    this.#calls.delete(callId)
  }

  /** Sends a command of a call; rejects with the worker's AppError, or `media.worker-lost`. */
  async call<Op extends CallOp>(
    callId: string,
    op: Op,
    request: CallCommands[Op]['request'],
  ): Promise<CallCommands[Op]['reply']> {
    const command = { op, ...request } as unknown as CallCommand
    return (await this.#request((id) => ({ type: 'call', id, callId, command }))) as CallCommands[Op]['reply']
  }

  /** What the worker holds. */
  async census(): Promise<WorkerCensus> {
    return (await this.#request((id) => ({ type: 'census', id }))) as WorkerCensus
  }

  /** Releases every call and ends the thread. */
  async close(): Promise<void> {
    if (this.#isClosing) return
    this.#isClosing = true
    if (!this.#isLost) await this.#request((id) => ({ type: 'close', id })).catch(() => {})
    await this.#worker.terminate()
  }

  #request(build: (id: number) => ToWorker): Promise<unknown> {
    if (this.#isLost) return Promise.reject(mediaError('media.worker-lost', 'the relay worker is gone'))
    const id = ++this.#lastId
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject })
      // Waking the worker costs more than a command: what one turn asks for goes in one message.
      if (this.#outbox.push(build(id)) === 1) setImmediate(() => this.#flush())
    })
  }

  #flush(): void {
    const messages = this.#outbox
    this.#outbox = []
    this.#worker.postMessage(messages)
  }

  #onMessage(message: FromWorker): void {
    switch (message.type) {
      case 'reply':
        this.#take(message.id)?.resolve(message.value)
        break
      case 'rejection': {
        const code = isMediaErrorCode(message.code) ? message.code : 'media.fault'
        this.#take(message.id)?.reject(mediaError(code, message.message))
        break
      }
      case 'event':
        this.#calls.get(message.callId)?.onEvent(message.event)
        break
      case 'play-end':
        this.#calls.get(message.callId)?.onPlayEnd(message.play, message.end)
        break
      case 'fault':
        this.#log.error('media fault', { callId: message.callId, error: message.message, stack: message.stack })
        break
    }
  }

  #take(id: number): Pending | undefined {
    const pending = this.#pending.get(id)
    this.#pending.delete(id)
    return pending
  }

  #onEnd(reason: string): void {
    if (this.#isLost) return
    this.#isLost = true
    const pending = [...this.#pending.values()]
    this.#pending.clear()
    for (const { reject } of pending) reject(mediaError('media.worker-lost', 'the relay worker is gone'))
    if (this.#isClosing) return
    this.#log.error('relay worker lost', { reason, calls: this.#calls.size })
    for (const call of [...this.#calls.values()]) call.onLost()
    this.#calls.clear()
    this.#onLost()
  }
}
