// The thread that derives audio and attests recordings, as the record worker sees it: one job after another, a new thread
// after a death.

import { Worker } from 'node:worker_threads'
import { AppError } from '#kernel'
import type { ArchiveFormat, DerivedFiles, DeriveJob, NotaryOptions, VaultOptions } from '#store'

/** Options of the thread. */
export interface DeriveWorkerOptions {
  readonly archive: ArchiveFormat
  /** Without it nothing is attested. */
  readonly evidence?: NotaryOptions
  /** Without it files are as they are. */
  readonly encryption?: VaultOptions
}

/** Record worker to thread: audio to derive, or a folder to attest. */
export type DeriveRequest =
  | { readonly jobId: number; readonly job: DeriveJob }
  | { readonly jobId: number; readonly attest: string }

/** Thread to record worker: the files, none after an attestation, or what failed. */
export type DeriveReply =
  | { readonly jobId: number; readonly files: DerivedFiles }
  | { readonly jobId: number; readonly fault: string }

interface Waiting {
  readonly resolve: (files: DerivedFiles) => void
  readonly reject: (fault: AppError) => void
}

/** Starts its thread with the first job. */
export class DeriveThread {
  readonly #options: DeriveWorkerOptions
  readonly #waiting = new Map<number, Waiting>()
  #worker: Worker | undefined
  #nextJobId = 1

  constructor(options: DeriveWorkerOptions) {
    this.#options = options
  }

  /** A `Deriver`; rejections are AppError `recorder.derive`. */
  readonly derive = (job: DeriveJob): Promise<DerivedFiles> => this.#ask((jobId) => ({ jobId, job }))

  /** An `Attest`; rejections are AppError `recorder.derive`. */
  readonly attest = async (folder: string): Promise<void> => {
    await this.#ask((jobId) => ({ jobId, attest: folder }))
  }

  /** Ends the thread; what was not done is for the next start. */
  async close(): Promise<void> {
    await this.#worker?.terminate()
  }

  #ask(requestOf: (jobId: number) => DeriveRequest): Promise<DerivedFiles> {
    this.#worker ??= this.#start()
    const worker = this.#worker
    const jobId = this.#nextJobId++
    return new Promise((resolve, reject) => {
      this.#waiting.set(jobId, { resolve, reject })
      worker.postMessage(requestOf(jobId))
    })
  }

  #start(): Worker {
    const worker = new Worker(new URL('./derive-worker.js', import.meta.url), { workerData: this.#options })
    worker.on('message', (reply: DeriveReply) => {
      const waiting = this.#waiting.get(reply.jobId)
      this.#waiting.delete(reply.jobId)
      if ('files' in reply) waiting?.resolve(reply.files)
      else waiting?.reject(derivingFailed(reply.fault))
    })
    worker.on('error', (fault) => this.#lose(fault.message))
    worker.on('exit', () => this.#lose('the thread has ended'))
    return worker
  }

  #lose(why: string): void {
    this.#worker = undefined
    for (const waiting of this.#waiting.values()) waiting.reject(derivingFailed(why))
    this.#waiting.clear()
  }
}

function derivingFailed(why: string): AppError {
  const verdict = { result: 'server', reason: 'derive' } as const
  return new AppError('recorder.derive', `recording could not be finished: ${why}`, verdict)
}
