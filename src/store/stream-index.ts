// The index of one stream, `stream-N.index.jsonl`: one JSON object a line, appended at each flush, enough to rebuild
// the stream's part of the manifest after a crash.

import type { Disk } from './disk.ts'
import { GapLedger } from './gap-ledger.ts'
import { GrowingFile } from './growing-file.ts'
import {
  type Gap,
  MAX_LISTED,
  type MediaKind,
  NO_TOTALS,
  type RunManifest,
  type StreamEvent,
  type StreamManifest,
  type StreamTotals,
} from './manifest.ts'
import { movedRun, type RunMove } from './run-move.ts'
import type { ClockBend } from './run-time.ts'

/** Where the sender's RTP clock and the recording's clock met. */
export interface IndexAnchor {
  readonly positionMs: number
  readonly arrivalMs: number
  readonly ssrc: number
  readonly sequence: number
  readonly timestamp: number
}

/** Which of several sources of a stream an index is of; the first has no name. */
export interface SourceName {
  /** From 2. */
  readonly number: number
  readonly ssrc: number
}

/** A stream, or another source of one, as an index tells. */
export interface IndexedStream extends StreamManifest {
  /** Of its gaps, those too that are too many for the list. */
  readonly ledger: GapLedger
  readonly source?: SourceName
}

/** One line of the index. */
export type IndexLine =
  | {
      readonly type: 'stream'
      readonly channel: number
      readonly kind?: Exclude<MediaKind, 'audio'>
      readonly label?: string
      readonly source?: SourceName
    }
  | ({ readonly type: 'run' } & Omit<RunManifest, 'bytes'>)
  | ({ readonly type: 'bend' } & ClockBend)
  | ({ readonly type: 'gap' } & Gap)
  | ({ readonly type: 'move' } & RunMove)
  /** A process ended here, as the one after it found: what it told of behind that did not reach the files. */
  | { readonly type: 'left'; readonly endMs: number }
  | ({ readonly type: 'event' } & StreamEvent)
  | ({ readonly type: 'anchor' } & IndexAnchor)
  | ({ readonly type: 'totals' } & StreamTotals)

/** What the names of a stream's files begin with. */
export function streamPrefix(channel: number, source?: SourceName): string {
  return `stream-${channel + 1}${source === undefined ? '' : `.source-${source.number}`}`
}

/** Name of a stream's index file. */
export function indexFileName(channel: number, source?: SourceName): string {
  return `${streamPrefix(channel, source)}.index.jsonl`
}

/** Appends lines; they reach the operating system at `flush`. */
export class IndexWriter {
  readonly #file: GrowingFile
  /** Where the last line ends that a stream cannot be rebuilt without. */
  #neededBytes: number

  /** Creates the file with its first line, or goes on with one of `continueAt` bytes. */
  constructor(disk: Disk, path: string, first: IndexLine, continueAt?: number) {
    this.#file = new GrowingFile(disk, path, continueAt === undefined ? { initial: textOf(first) } : { continueAt })
    // What a crash left may end in half a line.
    if (continueAt !== undefined) this.#file.appendAlways(new TextEncoder().encode('\n'))
    this.#file.flush()
    this.#neededBytes = this.#file.bytes
  }

  add(line: IndexLine): void {
    this.#file.appendAlways(textOf(line))
    if (line.type !== 'anchor' && line.type !== 'totals') this.#neededBytes = this.#file.bytes
  }

  flush(): void {
    this.#file.flush()
  }

  /** The same, and then, whether it was written or could not be, what is given. */
  flushBefore(then: () => void): void {
    this.#file.flush(then)
  }

  /** Begins to bring what is written to the medium, unless there are only clocks and counters. */
  sync(): void {
    if (this.#file.syncedBytes < this.#neededBytes) this.#file.sync()
  }

  /** Writes all, to the medium, and closes; rejects with what the disk says, and may then be called again. */
  async close(): Promise<void> {
    await this.#file.close()
  }

  /** Closes, whatever is not written. */
  abandon(): void {
    this.#file.abandon()
  }
}

function textOf(line: IndexLine): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(line)}\n`)
}

/** The stream as its index tells; a last line cut off is ignored. Bytes of runs are left at 0. */
export function streamFromIndex(text: string): IndexedStream | undefined {
  const runs: RunManifest[] = []
  const gaps = new GapLedger()
  const events: StreamEvent[] = []
  let totals = NO_TOTALS
  let stream: Pick<IndexedStream, 'channel' | 'kind' | 'label' | 'source'> | undefined
  for (const line of text.split('\n')) {
    const entry = parseLine(line)
    if (entry === undefined) continue
    const { type, ...rest } = entry
    if (type === 'stream') stream = rest as Pick<IndexedStream, 'channel' | 'kind' | 'label' | 'source'>
    if (type === 'run') addRun(runs, rest as Omit<RunManifest, 'bytes'>)
    if (type === 'bend') bendLast(runs, rest as ClockBend)
    if (type === 'gap') gaps.add(rest as Gap)
    if (type === 'left') gaps.cut((rest as { endMs: number }).endMs)
    if (type === 'move') {
      gaps.move(rest as RunMove)
      moveLast(runs, rest as RunMove)
    }
    if (type === 'event' && events.length < MAX_LISTED) events.push(rest as StreamEvent)
    if (type === 'totals') totals = rest as StreamTotals
  }
  return stream && { ...stream, participants: [], runs, gaps: gaps.gaps, ledger: gaps, events, totals }
}

/** A name that comes again is that of a file that a crash kept from being made. */
function addRun(runs: RunManifest[], run: Omit<RunManifest, 'bytes'>): void {
  const unmade = runs.findIndex(({ file }) => file === run.file)
  if (unmade >= 0) runs.splice(unmade, 1)
  runs.push({ ...run, bytes: 0 })
}

/** Bends stand behind the run that they are of. */
function bendLast(runs: RunManifest[], bend: ClockBend): void {
  const run = runs.at(-1)
  if (run !== undefined) runs[runs.length - 1] = { ...run, clock: [...(run.clock ?? []), bend] }
}

function moveLast(runs: RunManifest[], move: RunMove): void {
  const run = runs.at(-1)
  if (run !== undefined) runs[runs.length - 1] = movedRun(run, move)
}

function parseLine(line: string): IndexLine | undefined {
  try {
    const value: unknown = line === '' ? undefined : JSON.parse(line)
    return typeof value === 'object' && value !== null ? (value as IndexLine) : undefined
  } catch {
    return undefined
  }
}
