// The audit log: entries in files that are only added to, each with the hash of the one before.

import { type FileHandle, mkdir, open } from 'node:fs/promises'
import type { Clock } from '#kernel'
import { LineFiles, linesOf } from '../line-files.ts'
import { type AuditEntry, type AuditNews, chainStart, fits, sealed } from './audit-entry.ts'

/** Where the log is and how long it may grow. */
export interface AuditLogOptions {
  readonly folder: string
  /** Of one file. */
  readonly maxBytes: number
  /** Files; the oldest go first. */
  readonly keepFiles: number
  readonly clock: Clock
}

/** Which entries are asked for. */
export interface AuditQuery {
  /** Before this one. */
  readonly before?: number
  readonly limit: number
  readonly name?: string
  /** An action, or the beginning of one as in `recording.*`. */
  readonly action?: string
  /** What it was done to: the value of any part of the target. */
  readonly target?: string
  /** ISO 8601. */
  readonly since?: string
  readonly until?: string
}

interface Place {
  readonly file: FileHandle
  readonly size: number
  readonly seq: number
  readonly hash: string
}

/** The log of one folder; made at the first entry. */
export class AuditLog {
  readonly #options: AuditLogOptions
  readonly #files: LineFiles
  #place: Place | undefined
  #turn: Promise<unknown> = Promise.resolve()

  constructor(options: AuditLogOptions) {
    this.#options = options
    this.#files = auditFiles(options.folder)
  }

  /** Adds an entry; resolves when it is on disk, rejects when it is not and never will be. */
  append(news: AuditNews): Promise<AuditEntry> {
    const written = this.#turn.then(() => this.#write(news))
    this.#turn = written.catch(() => {})
    return written
  }

  /** Entries, newest first. */
  async read(query: AuditQuery): Promise<AuditEntry[]> {
    await this.#turn
    const found: AuditEntry[] = []
    for (const file of await this.#files.list()) {
      const entries = await entriesOf(file)
      for (const entry of entries.toReversed()) {
        if (query.since !== undefined && entry.time < query.since) return found
        if (isWanted(entry, query)) found.push(entry)
        if (found.length === query.limit) return found
      }
    }
    return found
  }

  async close(): Promise<void> {
    await this.#turn
    await this.#place?.file.close()
    this.#place = undefined
  }

  async #write(news: AuditNews): Promise<AuditEntry> {
    this.#place ??= await this.#open()
    if (this.#place.size > this.#options.maxBytes) this.#place = await this.#turnOver(this.#place)
    const { file, size, seq, hash } = this.#place
    const time = new Date(this.#options.clock.wallMs()).toISOString()
    const entry = sealed({ seq: seq + 1, time, ...news, prev: hash })
    const line = Buffer.from(`${JSON.stringify(entry)}\n`)
    try {
      await file.appendFile(line)
      await file.datasync()
    } catch (fault) {
      // What is half written must not be taken for an entry.
      await file.truncate(size).catch(() => {})
      throw fault
    }
    this.#place = { file, size: size + line.length, seq: entry.seq, hash: entry.hash }
    return entry
  }

  async #open(): Promise<Place> {
    const { folder } = this.#options
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const size = await this.#files.mend()
    let last: AuditEntry | undefined
    for (const file of await this.#files.list()) {
      last = (await entriesOf(file)).at(-1)
      if (last !== undefined) break
    }
    const file = await open(this.#files.current, 'a', 0o600)
    return { file, size, seq: last?.seq ?? 0, hash: last?.hash ?? chainStart }
  }

  async #turnOver({ file, seq, hash }: Place): Promise<Place> {
    const { keepFiles } = this.#options
    // Where this breaks off, the next entry begins with what is on disk.
    this.#place = undefined
    await file.close()
    await this.#files.putAside(seq, keepFiles)
    return { file: await open(this.#files.current, 'a', 0o600), size: 0, seq, hash }
  }
}

/** The files of the log in a folder. */
export function auditFiles(folder: string): LineFiles {
  return new LineFiles(folder, 'audit')
}

async function entriesOf(file: string): Promise<AuditEntry[]> {
  return (await linesOf(file)).map((line) => JSON.parse(line) as AuditEntry)
}

/** What is wrong with the log of a folder: the first entry that was changed, or before which one is missing; and how many there are. */
export async function verifyAudit(folder: string): Promise<{ readonly entries: number; readonly brokenAt?: number }> {
  let entries = 0
  let prev: string | undefined
  for (const file of (await auditFiles(folder).list()).toReversed()) {
    for (const entry of await entriesOf(file)) {
      if (!fits(entry, prev ?? (entry.seq === 1 ? chainStart : undefined))) return { entries, brokenAt: entry.seq }
      entries += 1
      prev = entry.hash
    }
  }
  return { entries }
}

function isWanted(entry: AuditEntry, { before, name, action, target, until }: AuditQuery): boolean {
  if (before !== undefined && entry.seq >= before) return false
  if (name !== undefined && entry.who.name !== name) return false
  if (target !== undefined && !Object.values(entry.target).includes(target)) return false
  if (until !== undefined && entry.time > until) return false
  if (action === undefined) return true
  return action.endsWith('*') ? entry.action.startsWith(action.slice(0, -1)) : entry.action === action
}
