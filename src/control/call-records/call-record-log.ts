// Records of calls that are over, in files that are only added to; and of each call under way what would be its record if the program
// were killed now. The disk is never waited for by a call.

import { type FileHandle, mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Clock, type Logger, messageOf, type Timer } from '#kernel'
import { LineFiles, linesOf } from '../line-files.ts'
import type { CallRecord, CallRecordNews, CallRecordSummary, RecordVerdict } from './call-record-contract.ts'

/** Where the records are and how many are kept. */
export interface CallRecordLogOptions {
  readonly folder: string
  /** Of one file; each day begins another. */
  readonly maxBytes: number
  /** Files; the oldest go first. */
  readonly keepFiles: number
  /** Records of calls that ended earlier are removed. */
  readonly keepDays: number
  readonly clock: Clock
  readonly log: Logger
}

/** Which records are asked for. */
export interface CallRecordQuery {
  /** Before this one. */
  readonly before?: number
  readonly limit: number
  /** In an id, a party or what was dialled; case does not matter. */
  readonly text?: string
  readonly verdict?: RecordVerdict
  /** Calls that ended then or later; ISO 8601. */
  readonly since?: string
  readonly until?: string
}

interface Place {
  readonly file: FileHandle
  readonly size: number
  readonly seq: number
  readonly day: number
}

const DAY_MS = 86_400_000
const SWEEP_MS = 3_600_000
/** Waiting for a disk that hangs; what is more is lost, and logged. */
const MOST_WAITING = 10_000

/** The records of one folder. */
export class CallRecordLog {
  readonly #options: CallRecordLogOptions
  readonly #files: LineFiles
  readonly #underWay: string
  /** Written to disk with their turn, the latest of each call. */
  readonly #drafts = new Map<string, CallRecordNews>()
  readonly #ended: CallRecordNews[] = []
  #place: Place | undefined
  #writing: Promise<void> | undefined
  #sweep: Timer | undefined
  #isClosed = false

  constructor(options: CallRecordLogOptions) {
    this.#options = options
    this.#files = new LineFiles(options.folder, 'calls')
    this.#underWay = join(options.folder, 'under-way')
    this.#sweepLater()
    this.#begin()
  }

  /** What is to be found of a call under way if the program is killed; the latest counts. */
  note(draft: CallRecordNews): void {
    if (this.#isClosed) return
    this.#drafts.set(draft.call.callId, draft)
    this.#begin()
  }

  /** The call is over, and nothing of it will change. */
  add(record: CallRecordNews): void {
    this.#drafts.delete(record.call.callId)
    if (this.#ended.length >= MOST_WAITING) {
      this.#options.log.error('call record is lost', { callId: record.call.callId, fault: 'the disk does not answer' })
      return
    }
    this.#ended.push(record)
    this.#begin()
  }

  async find(callId: string): Promise<CallRecord | undefined> {
    await this.#writing
    const record = await this.#search(callId)
    return record !== undefined && this.#isKept(record) ? record : undefined
  }

  /** Newest first. */
  async list(query: CallRecordQuery): Promise<CallRecordSummary[]> {
    await this.#writing
    const found: CallRecordSummary[] = []
    const text = query.text?.toLowerCase()
    for (const file of await this.#files.list()) {
      for (const line of (await linesOf(file)).toReversed()) {
        if (text !== undefined && !line.toLowerCase().includes(JSON.stringify(text).slice(1, -1))) continue
        const record = recordIn(line)
        if (record === undefined) continue
        if (!this.#isKept(record)) return found
        if (isWanted(record, query, text)) found.push(summaryOf(record))
        if (found.length === query.limit) return found
      }
    }
    return found
  }

  /** Waits for what is being written. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#sweep?.cancel()
    await this.#writing
    await this.#place?.file.close()
    this.#place = undefined
  }

  async #search(callId: string): Promise<CallRecord | undefined> {
    const mark = `"callId":${JSON.stringify(callId)}`
    for (const file of await this.#files.list()) {
      for (const line of (await linesOf(file)).toReversed()) {
        const record = line.includes(mark) ? recordIn(line) : undefined
        if (record?.call.callId === callId) return record
      }
    }
    return undefined
  }

  #begin(): void {
    this.#writing ??= this.#write()
  }

  async #write(): Promise<void> {
    await this.#tried('calls that were cut off could not be recorded', () => this.#open())
    while (this.#drafts.size > 0 || this.#ended.length > 0) {
      const record = this.#ended.shift()
      const [draft] = this.#drafts.values()
      if (record !== undefined) await this.#tried('call record is lost', () => this.#end(record), record)
      else if (draft !== undefined) {
        this.#drafts.delete(draft.call.callId)
        await this.#tried('call under way could not be noted', () => this.#keep(draft), draft)
      }
    }
    this.#writing = undefined
  }

  async #tried(message: string, run: () => Promise<void>, of?: CallRecordNews): Promise<void> {
    try {
      await run()
    } catch (fault) {
      const who = of === undefined ? {} : { callId: of.call.callId }
      this.#options.log.error(message, { ...who, fault: messageOf(fault) })
    }
  }

  async #open(): Promise<void> {
    if (this.#place !== undefined) return
    await mkdir(this.#underWay, { recursive: true, mode: 0o700 })
    const size = await this.#files.mend()
    let last: CallRecord | undefined
    for (const file of await this.#files.list()) {
      last = recordIn((await linesOf(file)).at(-1) ?? '')
      if (last !== undefined) break
    }
    const file = await open(this.#files.current, 'a', 0o600)
    const { mtimeMs } = await file.stat()
    const isNew = size === 0
    this.#place = { file, size, seq: last?.seq ?? 0, day: dayOf(isNew ? this.#options.clock.wallMs() : mtimeMs) }
    await this.#recover()
    await this.#removeOld()
  }

  /** Calls that were under way when the program was killed. */
  async #recover(): Promise<void> {
    for (const name of (await readdir(this.#underWay)).toSorted()) {
      const path = join(this.#underWay, name)
      const record = name.endsWith('.json') ? recordIn(await readFile(path, 'utf8')) : undefined
      // It may have been killed between the record and the removal of what was noted.
      if (record !== undefined && (await this.#search(record.call.callId)) === undefined) await this.#append(record)
      await rm(path, { force: true })
    }
  }

  async #keep(draft: CallRecordNews): Promise<void> {
    const path = this.#draftOf(draft)
    await writeFile(`${path}.new`, JSON.stringify(draft), { mode: 0o600 })
    await rename(`${path}.new`, path)
  }

  async #end(record: CallRecordNews): Promise<void> {
    await this.#append(record)
    await rm(this.#draftOf(record), { force: true })
  }

  #draftOf({ call }: CallRecordNews): string {
    return join(this.#underWay, `${encodeURIComponent(call.callId)}.json`)
  }

  async #append(news: CallRecordNews): Promise<void> {
    await this.#open()
    const { maxBytes, clock } = this.#options
    const today = dayOf(clock.wallMs())
    let place = this.#place
    if (place !== undefined && place.size > 0 && (place.size > maxBytes || place.day !== today)) {
      place = await this.#turnOver(place, today)
    }
    if (place === undefined) return
    const { file, size, seq } = place
    const line = Buffer.from(`${JSON.stringify({ ...news, seq: seq + 1 })}\n`)
    try {
      await file.appendFile(line)
    } catch (fault) {
      // What is half written must not be taken for a record.
      await file.truncate(size).catch(() => {})
      throw fault
    }
    this.#place = { ...place, size: size + line.length, seq: seq + 1 }
  }

  async #turnOver({ file, seq }: Place, today: number): Promise<Place> {
    // Where this breaks off, the next record begins with what is on disk.
    this.#place = undefined
    await file.close()
    await this.#files.putAside(seq, this.#options.keepFiles)
    await this.#removeOld()
    const place = { file: await open(this.#files.current, 'a', 0o600), size: 0, seq, day: today }
    this.#place = place
    return place
  }

  async #removeOld(): Promise<void> {
    const sinceMs = this.#options.clock.wallMs() - this.#options.keepDays * DAY_MS
    for (const path of await this.#files.list()) {
      if (path !== this.#files.current && (await stat(path)).mtimeMs < sinceMs) await rm(path, { force: true })
    }
  }

  #sweepLater(): void {
    this.#sweep = this.#options.clock.after(SWEEP_MS, 'call records', () => {
      this.#sweepLater()
      void this.#tried('old call records could not be removed', () => this.#removeOld())
    })
  }

  #isKept({ endedAt }: CallRecord): boolean {
    return Date.parse(endedAt) >= this.#options.clock.wallMs() - this.#options.keepDays * DAY_MS
  }
}

function recordIn(line: string): CallRecord | undefined {
  try {
    return JSON.parse(line) as CallRecord
  } catch {
    return undefined
  }
}

function isWanted(record: CallRecord, query: CallRecordQuery, text: string | undefined): boolean {
  const { before, verdict, since, until } = query
  if (before !== undefined && record.seq >= before) return false
  if (verdict !== undefined && record.verdict !== verdict) return false
  if (since !== undefined && record.endedAt < since) return false
  if (until !== undefined && record.endedAt > until) return false
  return text === undefined || wordsOf(record).some((word) => word.toLowerCase().includes(text))
}

function wordsOf({ to, call, recordings }: CallRecord): string[] {
  return [
    call.callId,
    to,
    ...call.parties.flatMap(({ aors, displayName = '' }) => [...aors, displayName]),
    ...recordings.flatMap(({ id, recording }) => [id, recording.recordingId ?? '']),
  ]
}

function summaryOf({ seq, endedAt, end, verdict, to, call, recordings }: CallRecord): CallRecordSummary {
  const from = call.parties[0]?.aors[0]
  return {
    seq,
    callId: call.callId,
    startedAt: call.startedAt,
    endedAt,
    ...(from === undefined ? {} : { from }),
    to,
    end,
    verdict,
    recordings: recordings.length,
  }
}

function dayOf(ms: number): number {
  return Math.floor(ms / DAY_MS)
}
