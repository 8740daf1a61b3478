// The sandbox of the flows: threads that evaluate expressions, and are killed when one takes too long.

import { Worker } from 'node:worker_threads'
import type { Sandbox, Scope } from '#flow'
import { type Clock, err, type Logger, messageOf, ok, type Result, type Timer } from '#kernel'
import type { SandboxOutcome, SandboxReply, SandboxRequest } from './sandbox-messages.ts'

/** What a pool works with. */
export interface SandboxPoolOptions {
  readonly clock: Clock
  readonly log: Logger
  /** Threads at most; they start when there is work, or by `warm`. */
  readonly threads?: number
  /** An evaluation is killed after so long, milliseconds. */
  readonly deadlineMs?: number
}

type Evaluated = Result<unknown, { readonly reason: string }>

interface Job {
  readonly request: SandboxRequest
  readonly settle: (outcome: Evaluated) => void
  /** Of the wait in the queue, then of the evaluation. */
  timer?: Timer
}

interface Thread {
  readonly worker: Worker
  isReady: boolean
  job?: Job
}

const MAX_QUEUE = 1_000
const MAX_SCOPE_LENGTH = 1_000_000
/** Longest wait for a free thread, milliseconds. */
const QUEUE_MS = 5_000

/** Sandbox over worker threads; no promise rejects. */
export class SandboxPool implements Sandbox {
  readonly #clock: Clock
  readonly #log: Logger
  readonly #limit: number
  readonly #deadlineMs: number
  readonly #threads = new Set<Thread>()
  readonly #queue = new Set<Job>()
  #isClosed = false

  constructor({ clock, log, threads = 2, deadlineMs = 1_000 }: SandboxPoolOptions) {
    this.#clock = clock
    this.#log = log
    this.#limit = threads
    this.#deadlineMs = deadlineMs
  }

  /** Starts a thread, so that the first evaluation does not wait for one. */
  warm(): void {
    if (this.#threads.size === 0 && !this.#isClosed) this.#start()
  }

  evaluate(source: string, scope: Scope): Promise<Evaluated> {
    const text = jsonOf(scope)
    if (!text.ok) return Promise.resolve(text)
    if (this.#isClosed || this.#queue.size >= MAX_QUEUE) return Promise.resolve(err({ reason: 'the sandbox is busy' }))
    return new Promise((resolve) => {
      const job: Job = { request: { source, scope: text.value }, settle: resolve }
      job.timer = this.#clock.after(QUEUE_MS, 'sandbox queue', () => {
        this.#queue.delete(job)
        resolve(err({ reason: 'the sandbox is busy' }))
      })
      this.#queue.add(job)
      this.#next()
    })
  }

  /** Ends the threads; what is under way fails. */
  async close(): Promise<void> {
    this.#isClosed = true
    for (const job of this.#queue) finish(job, err({ reason: 'the sandbox is closed' }))
    this.#queue.clear()
    await Promise.all([...this.#threads].map(({ worker }) => worker.terminate()))
  }

  #next(): void {
    for (const job of this.#queue) {
      const thread = [...this.#threads].find(({ isReady, job: busy }) => isReady && busy === undefined)
      if (thread !== undefined) this.#give(thread, job)
      else break
    }
    const booting = [...this.#threads].filter(({ isReady }) => !isReady).length
    if (this.#queue.size > booting && this.#threads.size < this.#limit) this.#start()
  }

  #give(thread: Thread, job: Job): void {
    this.#queue.delete(job)
    thread.job = job
    job.timer?.cancel()
    job.timer = this.#clock.after(this.#deadlineMs, 'sandbox deadline', () => this.#kill(thread))
    thread.worker.postMessage(job.request)
  }

  #kill(thread: Thread): void {
    this.#log.warn('sandbox thread killed', { afterMs: this.#deadlineMs })
    this.#lose(thread, `took longer than ${this.#deadlineMs} ms`)
    void thread.worker.terminate()
    this.warm()
  }

  #start(): void {
    const worker = new Worker(new URL('./sandbox-worker.js', import.meta.url), {
      env: {},
      resourceLimits: { maxOldGenerationSizeMb: 64 },
    })
    const thread: Thread = { worker, isReady: false }
    this.#threads.add(thread)
    worker.on('message', (reply: SandboxReply) => this.#hear(thread, reply))
    worker.on('error', (fault) => {
      this.#log.error('sandbox thread failed', { fault: messageOf(fault) })
      this.#lose(thread, 'the sandbox failed')
    })
    worker.on('exit', () => this.#lose(thread, 'the sandbox ended'))
    worker.unref()
  }

  #hear(thread: Thread, reply: SandboxReply): void {
    if (reply.kind === 'ready') thread.isReady = true
    else {
      const { job } = thread
      delete thread.job
      if (job !== undefined) finish(job, resultOf(reply))
    }
    this.#next()
  }

  /** Idempotent. A thread that could not even start takes the queue with it: another would fare no better. */
  #lose(thread: Thread, reason: string): void {
    if (!this.#threads.delete(thread)) return
    if (thread.job !== undefined) finish(thread.job, err({ reason }))
    if (!thread.isReady) {
      for (const job of this.#queue) finish(job, err({ reason: 'the sandbox could not be started' }))
      this.#queue.clear()
    }
    if (!this.#isClosed) this.#next()
  }
}

function finish(job: Job, outcome: Evaluated): void {
  job.timer?.cancel()
  job.settle(outcome)
}

function jsonOf({ input, context, profile }: Scope): Result<string, { readonly reason: string }> {
  try {
    const text = JSON.stringify({ input, context, profile })
    return text.length > MAX_SCOPE_LENGTH ? err({ reason: 'the context is too large' }) : ok(text)
  } catch (thrown) {
    return err({ reason: `the context is no JSON: ${messageOf(thrown).slice(0, 100)}` })
  }
}

function resultOf(outcome: SandboxOutcome): Evaluated {
  if (outcome.kind === 'failed') return err({ reason: outcome.reason })
  return ok(outcome.kind === 'plain' ? outcome.value : JSON.parse(outcome.text))
}
