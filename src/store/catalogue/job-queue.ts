// Jobs about recordings in the catalogue's database: taken by one at a time, tried again until done, kept over restarts.

import { type Kysely, sql } from 'kysely'
import type { DatabaseEngine } from './engine.ts'
import { guarded } from './guarded.ts'
import type { Tables } from './tables.ts'

/** A job that was taken. */
export interface Job {
  readonly jobNo: number
  readonly kind: string
  readonly recordingId: string
  /** How often it was taken before. */
  readonly attempts: number
  readonly lastError?: string
}

/** The jobs of one store. Rejections are AppError `store.catalogue`. */
export class JobQueue {
  readonly #database: Kysely<Tables>
  readonly #engine: DatabaseEngine
  readonly #store: string

  constructor(database: Kysely<Tables>, engine: DatabaseEngine, store: string) {
    this.#database = database
    this.#engine = engine
    this.#store = store
  }

  /** Adds a job for a recording, due at `dueAtMs`; one of the same kind that is there already stays as it is. */
  async add(kind: string, recordingId: string, dueAtMs: number): Promise<void> {
    const job = { kind, recording_id: recordingId, store: this.#store, due_at_ms: Math.round(dueAtMs) }
    const query = this.#database.insertInto('siprec_job').values({ ...job, attempts: 0, leased_until_ms: 0 })
    await guarded(() =>
      query.onConflict((conflict) => conflict.columns(['kind', 'recording_id']).doNothing()).execute(),
    )
  }

  /** Takes up to `most` due jobs; nobody else gets them for `leaseMs`, after which whoever took them is taken for dead. */
  async take(kind: string, nowMs: number, leaseMs: number, most: number): Promise<Job[]> {
    const now = Math.round(nowMs)
    return await guarded(() =>
      this.#database.transaction().execute(async (transaction) => {
        const due = transaction
          .selectFrom('siprec_job')
          .select('job_no')
          .where('store', '=', this.#store)
          .where('kind', '=', kind)
          .where('due_at_ms', '<=', now)
          .where('leased_until_ms', '<=', now)
          .orderBy('due_at_ms')
          .limit(most)
        const locked = this.#engine.skipLocked ? due.forUpdate().skipLocked() : due
        const numbers = (await locked.execute()).map(({ job_no }) => job_no)
        if (numbers.length === 0) return []
        const taken = await transaction
          .updateTable('siprec_job')
          .set({ leased_until_ms: now + Math.round(leaseMs), attempts: sql<number>`attempts + 1` })
          .where('job_no', 'in', numbers)
          .returning(['job_no', 'kind', 'recording_id', 'attempts', 'last_error'])
          .execute()
        return taken.map(({ job_no, recording_id, attempts, last_error, ...job }) => ({
          ...job,
          jobNo: job_no,
          recordingId: recording_id,
          attempts: attempts - 1,
          ...(last_error !== null && { lastError: last_error }),
        }))
      }),
    )
  }

  /** Removes a job that is done. */
  async done(jobNo: number): Promise<void> {
    await guarded(() => this.#database.deleteFrom('siprec_job').where('job_no', '=', jobNo).execute())
  }

  /** Removes a job by what it is about. */
  async drop(kind: string, recordingId: string): Promise<void> {
    const query = this.#database
      .deleteFrom('siprec_job')
      .where('kind', '=', kind)
      .where('recording_id', '=', recordingId)
    await guarded(() => query.execute())
  }

  /** Gives a job back, due again at `dueAtMs`. */
  async retry(jobNo: number, dueAtMs: number, error?: string): Promise<void> {
    const change = { due_at_ms: Math.round(dueAtMs), leased_until_ms: 0, last_error: error?.slice(0, 500) ?? null }
    await guarded(() => this.#database.updateTable('siprec_job').set(change).where('job_no', '=', jobNo).execute())
  }

  /** Frees the jobs that a process of this store had taken when it died; to be called when no other runs. */
  async releaseAll(): Promise<void> {
    const query = this.#database.updateTable('siprec_job').set({ leased_until_ms: 0 }).where('store', '=', this.#store)
    await guarded(() => query.execute())
  }

  /** How many jobs of a kind there are, due or not. */
  async count(kind: string): Promise<number> {
    const query = this.#database
      .selectFrom('siprec_job')
      .select((builder) => builder.fn.countAll<number>().as('total'))
      .where('store', '=', this.#store)
      .where('kind', '=', kind)
    return Number((await guarded(() => query.executeTakeFirstOrThrow())).total)
  }
}
