// Uploads of one store: recordings that are not in object storage yet, one after another, until all are; then local copies as policy says.

import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type Clock, type Logger, messageOf } from '#kernel'
import type { CatalogueRow, UploadState } from '../catalogue/catalogue.ts'
import type { Job, JobQueue } from '../catalogue/job-queue.ts'
import type { FolderLibrary } from '../library/recording-library.ts'
import type { RecordingStore } from '../recording-store.ts'
import { uploadFolder } from './folder-upload.ts'
import type { ObjectStorage } from './object-storage.ts'
import { type UploadRecord, writeUploadRecord } from './upload-file.ts'

/** Policy of uploads. */
export interface UploadPolicy {
  /** Stands before the folder in the keys of objects. */
  readonly prefix: string
  readonly partBytes: number
  /** Recordings at a time. */
  readonly parallel: number
  /** Bytes per second of all together; no limit when absent. */
  readonly bytesPerSecond?: number
  /** Days that the local copy is kept once the upload is proved; for good when absent. */
  readonly keepLocalDays?: number
}

/** What the uploads of a store work with. */
export interface UploadLineOptions {
  readonly store: RecordingStore
  readonly storeName: string
  readonly library: FolderLibrary
  readonly jobs: JobQueue
  readonly storage: ObjectStorage
  readonly policy: UploadPolicy
  readonly clock: Clock
  readonly log: Logger
}

const UPLOAD = 'upload'
const DROP_LOCAL = 'drop-local'
const BATCH = 200
const LEASE_MS = 3_600_000
const FIRST_RETRY_MS = 5000
const LAST_RETRY_MS = 3_600_000
const DAY_MS = 86_400_000

/** Files that stay here when the audio goes: what describes the recording, and what is small. */
const STAYS = /\.(jsonl?|sig)$|^metadata\/|^peaks/

/** Name under which an object of a recording is kept. */
export function objectKey(prefix: string, folder: string, name: string): string {
  return `${prefix}${folder}/${name}`
}

/** Removes every object of a recording's folder. */
export async function eraseObjects(storage: ObjectStorage, prefix: string, folder: string): Promise<void> {
  for (const key of await storage.list(objectKey(prefix, folder, ''))) await storage.remove(key)
}

/** The uploads of a store. */
export class UploadLine {
  readonly #options: UploadLineOptions
  #freeAtMs = 0

  constructor(options: UploadLineOptions) {
    this.#options = options
  }

  /** Makes jobs for recordings that have none: new ones, and after a rebuild (`isAll`) those under way. */
  async enqueue(isAll: boolean): Promise<void> {
    const { library, jobs, storeName, clock } = this.#options
    const states: readonly UploadState[] = isAll ? ['none', 'waiting', 'uploading', 'failed'] : ['none']
    for (const uploadState of states) {
      for (const state of ['published', 'no-audio'] as const) {
        const query = { store: storeName, uploadState, state, limit: BATCH }
        for (let page = await library.search(query); ; ) {
          for (const { recordingId, folder } of page.rows) {
            if (folder === undefined) continue
            await jobs.add(UPLOAD, recordingId, clock.wallMs())
            if (uploadState === 'none') await library.setUploadState(recordingId, 'waiting')
          }
          // New ones are asked for again; the others are not.
          if (uploadState === 'none' || page.next === undefined) break
          page = await library.search({ ...query, after: page.next })
        }
      }
    }
  }

  /** Does what is due; resolves when nothing more is. Never rejects for what object storage does. */
  async run(): Promise<void> {
    const { jobs, policy, clock } = this.#options
    for (;;) {
      await this.enqueue(false)
      const uploads = await jobs.take(UPLOAD, clock.wallMs(), LEASE_MS, policy.parallel)
      await Promise.all(uploads.map((job) => this.#attempt(job, (row) => this.#upload(row))))
      const drops = await jobs.take(DROP_LOCAL, clock.wallMs(), LEASE_MS, policy.parallel)
      for (const job of drops) await this.#attempt(job, (row) => this.#dropLocal(row))
      if (uploads.length === 0 && drops.length === 0) return
    }
  }

  async #attempt(job: Job, work: (row: CatalogueRow & { folder: string }) => Promise<void>): Promise<void> {
    const { library, jobs, clock, log, storage, policy } = this.#options
    const { recordingId, jobNo, attempts, kind } = job
    const row = await library.get(recordingId)
    try {
      if (row?.folder !== undefined && row.deletion === undefined) await work({ ...row, folder: row.folder })
      await jobs.done(jobNo)
    } catch (thrown) {
      log.warn('object storage does not have a recording yet; it is tried again', {
        recordingId,
        kind,
        reason: messageOf(thrown),
      })
      if (kind === UPLOAD) await library.setUploadState(recordingId, 'failed')
      const waitMs = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(attempts, 12))
      await jobs.retry(jobNo, clock.wallMs() + waitMs, messageOf(thrown))
    }
    // Deleted meanwhile: what was sent after its objects were removed goes too.
    const after = await library.get(recordingId)
    if (row?.folder !== undefined && after?.deletion !== undefined) {
      await jobs.done(jobNo)
      await eraseObjects(storage, policy.prefix, row.folder).catch((thrown: unknown) => {
        log.warn('objects of a deleted recording are left', { recordingId, reason: messageOf(thrown) })
      })
    }
  }

  async #upload({ recordingId, folder }: CatalogueRow & { folder: string }): Promise<void> {
    const { library, policy, jobs, clock, log } = this.#options
    await library.setUploadState(recordingId, 'uploading')
    await this.#send(folder)
    await library.setUploadState(recordingId, 'verified')
    log.info('recording is in object storage', { recordingId })
    const { keepLocalDays } = policy
    if (keepLocalDays !== undefined) {
      await jobs.add(DROP_LOCAL, recordingId, clock.wallMs() + keepLocalDays * DAY_MS)
    }
  }

  async #send(folder: string): Promise<UploadRecord> {
    const { store, storage, policy, clock } = this.#options
    return await uploadFolder(join(store.root, folder), {
      storage,
      keyPrefix: objectKey(policy.prefix, folder, ''),
      partBytes: policy.partBytes,
      spend: (bytes) => this.#spend(bytes),
      nowMs: () => clock.wallMs(),
    })
  }

  /** Removes the local copy of the audio, once more making sure that each object is there in full. */
  async #dropLocal({ recordingId, folder, uploadState }: CatalogueRow & { folder: string }): Promise<void> {
    const { library, store, storage, clock, log } = this.#options
    if (uploadState !== 'verified') return
    const path = join(store.root, folder)
    // Files that came after the upload go first.
    const record = await this.#send(folder)
    const files = Object.entries(record.files).filter(([name]) => !STAYS.test(name))
    for (const [, { key, bytes }] of files) {
      if ((await storage.sizeOf(key)) !== bytes) throw new Error(`${key} is not there in full`)
    }
    await writeUploadRecord(path, { ...record, localRemovedAtMs: clock.wallMs() })
    await library.setUploadState(recordingId, 'local-removed')
    for (const [name] of files) await rm(join(path, name), { force: true })
    log.info('local copy removed', { recordingId })
  }

  /** All uploads share the bandwidth: each waits until those before it have had their time. */
  async #spend(bytes: number): Promise<void> {
    const { clock, policy } = this.#options
    if (policy.bytesPerSecond === undefined) return
    const nowMs = clock.nowMs()
    const waitMs = Math.max(0, this.#freeAtMs - nowMs)
    this.#freeAtMs = nowMs + waitMs + (bytes * 1000) / policy.bytesPerSecond
    if (waitMs > 0) await new Promise<void>((resolve) => void clock.after(waitMs, 'upload-bandwidth', resolve))
  }
}
