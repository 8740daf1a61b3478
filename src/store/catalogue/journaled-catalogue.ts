// A catalogue whose database may be away: what is to be written waits, is tried again, and is never waited for.

import { rm, writeFile } from 'node:fs/promises'
import { type Clock, type Logger, messageOf, type Timer } from '#kernel'
import type { Catalogue, CatalogueFilter, CatalogueQuery, CatalogueRow } from './catalogue.ts'

/** The catalogue behind the journal. */
export interface JournalTarget extends Catalogue {
  /** Makes sure that the database is there; `isStale`: rows may be missing, so it is rebuilt from the folders. */
  open(isStale: boolean): Promise<void>
}

/** What the journal works with. */
export interface JournalOptions {
  readonly target: JournalTarget
  /** Exists while rows are not written, so that the next start knows that it has to rebuild. */
  readonly staleFile: string
  /** Whether `staleFile` was there when we started. */
  readonly isStale: boolean
  readonly clock: Clock
  readonly log: Logger
  /** Rows that wait at most, 10,000 unless told; beyond it the catalogue is rebuilt when the database is back. */
  readonly mostPending?: number
}

const FIRST_RETRY_MS = 1000
const LAST_RETRY_MS = 30_000
const MOST_PENDING = 10_000
const MOST_FAILURES = 5
/** What SQLite and PostgreSQL say where they can be read and not written: no row is at fault. */
const DISK_FAULT = /disk is full|readonly database|read-only|disk i\/o|no space left|could not extend file/i

/** Catalogue that takes every row at once; reading fails while the database is away. */
export class JournaledCatalogue implements Catalogue {
  readonly #options: JournalOptions
  readonly #pending = new Map<string, CatalogueRow>()
  readonly #refused = new Map<string, number>()
  #isStale: boolean
  #isOpen = false
  #isDown = false
  #isClosed = false
  #retryMs = FIRST_RETRY_MS
  #timer: Timer | undefined
  #draining: Promise<void> | undefined

  /** Begins to open the database. */
  constructor(options: JournalOptions) {
    this.#options = options
    this.#isStale = options.isStale
    void this.#drain()
  }

  /** Rows that are not in the database yet. */
  get pendingRows(): number {
    return this.#pending.size
  }

  /** Whether the last attempt failed. */
  get isDown(): boolean {
    return this.#isDown
  }

  /** Never rejects; resolves when the row is written, or is known to wait. */
  async put(row: CatalogueRow): Promise<void> {
    this.#pending.set(row.recordingId, row)
    if (this.#pending.size > (this.#options.mostPending ?? MOST_PENDING)) this.#forgetOldest()
    if (!this.#isDown) await this.#drain()
  }

  async get(recordingId: string): Promise<CatalogueRow | undefined> {
    await this.written()
    return await this.#options.target.get(recordingId)
  }

  async list(query: CatalogueQuery): Promise<CatalogueRow[]> {
    await this.written()
    return await this.#options.target.list(query)
  }

  async count(filter: CatalogueFilter, most?: number): Promise<number> {
    await this.written()
    return await this.#options.target.count(filter, most)
  }

  async remove(recordingId: string): Promise<void> {
    this.#pending.delete(recordingId)
    await this.written()
    await this.#options.target.remove(recordingId)
  }

  /** Tries a last time to write what waits. */
  async close(): Promise<void> {
    this.#timer?.cancel()
    await this.#drain()
    this.#isClosed = true
    this.#timer?.cancel()
    await this.#options.target.close()
  }

  /** Waits for rows on their way to a database that is there. */
  async written(): Promise<void> {
    if (!this.#isDown) await this.#draining
  }

  #drain(): Promise<void> {
    this.#draining ??= this.#writeAll().finally(() => {
      this.#draining = undefined
    })
    return this.#draining
  }

  async #writeAll(): Promise<void> {
    const { log, staleFile } = this.#options
    try {
      await this.#open()
      while (this.#pending.size > 0) {
        for (const [recordingId, row] of this.#pending) {
          await this.#write(row)
          if (this.#pending.get(recordingId) === row) this.#pending.delete(recordingId)
        }
      }
      if (this.#isDown) {
        log.info('catalogue is back')
        await rm(staleFile, { force: true })
      }
      this.#isDown = false
      this.#retryMs = FIRST_RETRY_MS
      this.#refused.clear()
    } catch (thrown) {
      await this.#onFailure(thrown)
    }
  }

  async #open(): Promise<void> {
    if (this.#isOpen && !this.#isStale) return
    const isStale = this.#isStale
    this.#isStale = false
    try {
      await this.#options.target.open(isStale)
      this.#isOpen = true
      if (isStale) await rm(this.#options.staleFile, { force: true })
    } catch (thrown) {
      this.#isStale ||= isStale
      throw thrown
    }
  }

  /** A row that fails again and again while the database answers is at fault itself, and must not hold up the others. */
  async #write(row: CatalogueRow): Promise<void> {
    const { target, log } = this.#options
    try {
      await target.put(row)
    } catch (thrown) {
      if (DISK_FAULT.test(messageOf(thrown))) throw thrown
      const failures = (this.#refused.get(row.recordingId) ?? 0) + 1
      this.#refused.set(row.recordingId, failures)
      if (failures < MOST_FAILURES) throw thrown
      await target.count({}, 1)
      log.error('recording is refused by the catalogue', { recordingId: row.recordingId, reason: messageOf(thrown) })
    }
  }

  async #onFailure(thrown: unknown): Promise<void> {
    const { log, clock, staleFile } = this.#options
    this.#isOpen = false
    if (!this.#isDown) log.error('catalogue is not reachable; recording goes on', { reason: messageOf(thrown) })
    this.#isDown = true
    await writeFile(staleFile, '').catch(() => {})
    if (this.#isClosed) return
    this.#timer?.cancel()
    this.#timer = clock.after(this.#retryMs, 'catalogue-retry', () => void this.#drain())
    this.#retryMs = Math.min(LAST_RETRY_MS, this.#retryMs * 2)
  }

  #forgetOldest(): void {
    const [oldest] = this.#pending.keys()
    if (oldest !== undefined) this.#pending.delete(oldest)
    if (!this.#isStale) this.#options.log.warn('too many recordings wait for the catalogue; it will be rebuilt')
    this.#isStale = true
  }
}
