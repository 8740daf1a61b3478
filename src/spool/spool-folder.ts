// The folder of the spool: what waits in it, how much it may hold, and what is too old.

import { mkdirSync, readdirSync, rmSync, statfsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { invariant } from '#kernel'
import { SpoolReader } from './spool-file.ts'

const SUFFIX = '.spool'
const ID = /^[A-Za-z0-9-]{1,64}$/
const HOUR_MS = 3_600_000
const LOOK_EVERY_MS = 1_000

/** What a folder may hold. */
export interface SpoolLimits {
  readonly maxBytes: number
  /** Free space of the disk below which nothing is written. */
  readonly minFreeBytes: number
  readonly maxAgeHours: number
}

/** A recording that waits for a recorder. */
export interface SpooledFile {
  readonly id: string
  /** As they were noted last; absent when the file cannot be read. */
  readonly facts?: string
  readonly bytes: number
  /** When it was written to last: wall clock, ms since 1970. */
  readonly writtenAtMs: number
  /** Older than it may become. */
  readonly isExpired: boolean
  /** What is wrong with it. */
  readonly problem?: string
}

/** Files of the spool. Every method throws what the file system throws. */
export class SpoolFolder {
  readonly #folder: string
  readonly #key: Uint8Array
  readonly #limits: SpoolLimits
  #lookedAtMs = Number.NEGATIVE_INFINITY
  #refusal: string | undefined

  /** Makes the folder, for its owner only. */
  constructor(folder: string, key: Uint8Array, limits: SpoolLimits) {
    this.#folder = folder
    this.#key = key
    this.#limits = limits
    mkdirSync(folder, { recursive: true, mode: 0o700 })
  }

  pathOf(id: string): string {
    invariant(ID.test(id), 'a spool id is safe as a file name')
    return join(this.#folder, `${id}${SUFFIX}`)
  }

  /** Why nothing more may be written now; undefined: it may. Looks once a second. */
  refusal(nowMs: number): string | undefined {
    if (nowMs - this.#lookedAtMs >= LOOK_EVERY_MS) {
      this.#lookedAtMs = nowMs
      this.#refusal = this.#limitReached()
    }
    return this.#refusal
  }

  /** Everything that is there but `open`, oldest first. */
  list(open: ReadonlySet<string>, wallMs: number): SpooledFile[] {
    const files = this.#ids()
      .filter((id) => !open.has(id))
      .map((id) => this.#look(id, wallMs))
    return files.sort((one, other) => one.madeAtMs - other.madeAtMs).map(({ madeAtMs: _, ...file }) => file)
  }

  remove(id: string): void {
    rmSync(this.pathOf(id), { force: true })
  }

  #limitReached(): string | undefined {
    const { maxBytes, minFreeBytes } = this.#limits
    if (this.#ids().reduce((sum, id) => sum + statSync(this.pathOf(id)).size, 0) >= maxBytes) return 'the spool is full'
    const { bavail, bsize } = statfsSync(this.#folder)
    return bavail * bsize < minFreeBytes ? 'the disk of the spool is nearly full' : undefined
  }

  #ids(): string[] {
    return readdirSync(this.#folder)
      .filter((name) => name.endsWith(SUFFIX))
      .map((name) => name.slice(0, -SUFFIX.length))
      .filter((id) => ID.test(id))
  }

  #look(id: string, wallMs: number): SpooledFile & { readonly madeAtMs: number } {
    const { size: bytes, mtimeMs } = statSync(this.pathOf(id))
    const opened = SpoolReader.open(this.pathOf(id), id, this.#key)
    const madeAtMs = opened.ok ? opened.value.madeAtMs : mtimeMs
    const file = {
      id,
      bytes,
      writtenAtMs: mtimeMs,
      madeAtMs,
      isExpired: wallMs - madeAtMs > this.#limits.maxAgeHours * HOUR_MS,
    }
    if (!opened.ok) return { ...file, problem: opened.error }
    const facts = opened.value.lastFacts()
    opened.value.close()
    return facts === undefined ? { ...file, problem: 'it has no facts' } : { ...file, facts }
  }
}
