// The files of one stream while it is received: codec runs and their index.

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { PCMA_SILENCE, PCMU_SILENCE } from '#audio'
import type { Disk } from './disk.ts'
import { GapLedger } from './gap-ledger.ts'
import type {
  ClockFacts,
  Gap,
  MediaKind,
  OtherSource,
  RunManifest,
  StreamEvent,
  StreamManifest,
  StreamTotals,
  TimeAccount,
} from './manifest.ts'
import { MAX_LISTED, NO_TOTALS } from './manifest.ts'
import { RawRunFile } from './raw-run-file.ts'
import { movedRun, type RunMove } from './run-move.ts'
import { type ClockBend, RunTime } from './run-time.ts'
import { type IndexAnchor, IndexWriter, indexFileName, type SourceName, streamPrefix } from './stream-index.ts'
import { WavRunFile } from './wav-run-file.ts'

/** A codec as far as files care. */
export interface RunCodec {
  /** As in SDP, upper case, e.g. `PCMU/8000`. */
  readonly encoding: string
  readonly clockRateHz: number
}

/** The G.711 format of an encoding at any clock rate; undefined for all else. */
export function g711FormatOf(encoding: string): 'pcmu' | 'pcma' | undefined {
  const [name, , channels] = encoding.split('/')
  if (channels !== undefined) return undefined
  return name === 'PCMU' ? 'pcmu' : name === 'PCMA' ? 'pcma' : undefined
}

/** The byte that is silence in a G.711 format. */
export function silenceOf(format: 'pcmu' | 'pcma'): number {
  return format === 'pcmu' ? PCMU_SILENCE : PCMA_SILENCE
}

/** A stream that a dead recorder left open. */
export interface StreamLeft extends StreamManifest {
  /** Goes on with the stream. */
  readonly ledger: GapLedger
  /** Recording time at which it ends. */
  readonly endMs: number
}

/** Writer of one stream. Every method throws what the file system throws. */
export class StreamFiles {
  readonly channel: number
  /** Recording time up to which a process before has kept the stream. */
  readonly leftMs: number
  readonly #folder: string
  readonly label: string | undefined
  readonly kind: MediaKind
  readonly #source: SourceName | undefined
  readonly #others: StreamFiles[] = []
  /** Other sources of the process before; they do not go on. */
  readonly #othersLeft: readonly OtherSource[]
  readonly #index: IndexWriter
  readonly #runs: (Omit<RunManifest, 'bytes' | 'clock'> & { file: string; clock?: readonly ClockBend[] })[] = []
  readonly #runBytes: number[] = []
  readonly #gaps: GapLedger
  readonly #events: StreamEvent[] = []
  readonly #disk: Disk
  readonly #runsLeft: number
  readonly #isContinued: boolean
  #open: WavRunFile | RawRunFile | undefined
  /** Runs that have ended, as long as they are not closed. */
  readonly #ended = new Set<WavRunFile | RawRunFile>()
  #totals: StreamTotals = NO_TOTALS
  #isEnding = false
  #audioMs = 0
  #audioLeftMs = 0
  #clock: ClockFacts | undefined

  /** `left`: goes on with a stream that was left open, of its kind. `source`: another source of a stream. */
  constructor(
    disk: Disk,
    folder: string,
    channel: number,
    label: string | undefined,
    left?: StreamLeft,
    source?: SourceName,
    kind: MediaKind = left?.kind ?? 'audio',
  ) {
    this.channel = channel
    this.kind = kind
    this.#source = source
    this.#othersLeft = left?.others ?? []
    this.#disk = disk
    this.#folder = folder
    this.label = label
    const path = join(folder, indexFileName(channel, source))
    const named = { ...this.#ownKind, ...(label !== undefined && { label }), ...(source && { source }) }
    const first = { type: 'stream', channel, ...named } as const
    this.#index = new IndexWriter(disk, path, first, left && sizeOf(disk, path))
    this.#runsLeft = left?.runs.length ?? 0
    this.#isContinued = left !== undefined
    this.leftMs = left?.endMs ?? 0
    this.#gaps = left?.ledger ?? new GapLedger()
    if (left !== undefined) {
      this.#runBytes.push(...left.runs.map(({ bytes }) => bytes))
      this.#runs.push(...left.runs)
      this.#events.push(...left.events)
      this.#totals = left.totals
      const missingMs = Object.values(this.#gaps.missingMs).reduce((sum, ms) => sum + ms, 0)
      this.#audioLeftMs = Math.max(0, left.endMs - missingMs)
      this.#index.add({ type: 'left', endMs: left.endMs })
    }
  }

  /** Files for another source that sends on the stream at the same time. */
  addSource(ssrc: number): StreamFiles {
    const number = this.#othersLeft.length + this.#others.length + 2
    const source = { number, ssrc }
    const files = new StreamFiles(this.#disk, this.#folder, this.channel, this.label, undefined, source, this.kind)
    this.#others.push(files)
    return files
  }

  /** Number of runs begun, those left open by a dead recorder aside. */
  get runCount(): number {
    return this.#runs.length - this.#runsLeft
  }

  /** Whether a dead recorder left anything to go on from. */
  get hasLeftRuns(): boolean {
    return this.#runsLeft > 0
  }

  /** Ends the current run and begins a G.711 one at `startMs` of the recording. */
  startWavRun(codec: RunCodec, format: 'pcmu' | 'pcma', startMs: number): WavRunFile {
    const path = this.#beginRun(codec, startMs, true, `${format}.wav`)
    const { clockRateHz } = codec
    const at = this.#runs.length - 1
    const msOf = (byte: number): number => new RunTime(this.#runs[at]!).msOf(byte)
    const file = new WavRunFile(this.#disk, path, {
      format,
      sampleRateHz: clockRateHz,
      silence: silenceOf(format),
      onDropped: (from, to) => this.addGap({ fromMs: msOf(from), toMs: msOf(to), cause: 'disk' }),
    })
    this.#open = file
    return file
  }

  /** Ends the current run and begins one whose payload is not decoded. */
  startRawRun(codec: RunCodec, startMs: number): RawRunFile {
    const name = codec.encoding
      .split('/')[0]!
      .toLowerCase()
      .replace(/[^a-z0-9-]/g, '_')
    const path = this.#beginRun(codec, startMs, false, `${name.slice(0, 32)}.rtp`)
    const onDropped = (fromMs: number, toMs: number): void => this.addGap({ fromMs, toMs, cause: 'disk' })
    const file = new RawRunFile(this.#disk, path, onDropped)
    this.#open = file
    return file
  }

  addGap(gap: Gap): void {
    this.#gaps.add(gap)
    this.#index.add({ type: 'gap', ...gap })
  }

  /** Notes that ticks of the current run are longer or shorter from now on. */
  addBend(bend: ClockBend): void {
    const run = this.#runs.at(-1)
    if (run === undefined) return
    run.clock = [...(run.clock ?? []), bend]
    this.#index.add({ type: 'bend', ...bend })
  }

  /** Notes that the current run, or the rest of it, lies elsewhere. */
  move(move: RunMove): void {
    const run = this.#runs.at(-1)
    if (run === undefined) return
    this.#runs[this.#runs.length - 1] = movedRun(run, move)
    this.#gaps.move(move)
    this.#index.add({ type: 'move', ...move })
  }

  /** Notes how the sender's clock ran so far. */
  setClock(clock: ClockFacts): void {
    this.#clock = clock
  }

  /** Notes how much audio there is so far. */
  setAudio(audioMs: number): void {
    this.#audioMs = this.#audioLeftMs + audioMs
  }

  addEvent(event: StreamEvent): void {
    if (this.#events.length < MAX_LISTED) this.#events.push(event)
    this.#index.add({ type: 'event', ...event })
  }

  /** Notes a meeting of clocks and the counters so far. */
  addAnchor(anchor: IndexAnchor | undefined, totals: StreamTotals): void {
    this.#totals = totals
    if (anchor !== undefined) this.#index.add({ type: 'anchor', ...anchor })
    this.#index.add({ type: 'totals', ...totals })
  }

  /** Begins to hand everything to the operating system; the index first, so that no silence is there without its cause. */
  flush(): void {
    for (const other of this.#others) other.flush()
    this.#index.flushBefore(this.#flushRuns)
  }

  /** Begins to bring what is written to the medium. */
  sync(): void {
    for (const file of this.#files()) file.sync()
  }

  /** Closes all files and gives the stream's part of the manifest; rejects with what the disk says, and may then be called again. */
  async close(totals: StreamTotals = this.#totals): Promise<StreamManifest> {
    // Once: behind the end of a sealed index nothing may stand.
    if (!this.#isEnding) this.addAnchor(undefined, totals)
    this.#isEnding = true
    this.#endRun()
    for (const other of this.#others) await other.close()
    for (const file of this.#ended) {
      await file.close()
      this.#ended.delete(file)
    }
    await this.#index.close()
    return this.manifest([])
  }

  /** Closes all files as they stand; rejects with what the disk says. */
  async leave(): Promise<void> {
    await Promise.all([...this.#runFiles().map((file) => file.close()), ...this.#others.map((other) => other.leave())])
    // The last, as it may have to tell what the others could not keep.
    await this.#index.close()
  }

  /** Gives up what the disk does not take, and says so in the index, which is still to be closed; how much audio that is, in milliseconds. */
  forsake(): number {
    const before = this.#gaps.missingMs.disk ?? 0
    for (const file of this.#runFiles()) file.forsake()
    return Math.max((this.#gaps.missingMs.disk ?? 0) - before, ...this.#others.map((other) => other.forsake()))
  }

  /** Closes what is open, whatever is not written. */
  abandon(): void {
    for (const file of this.#runFiles()) file.abandon()
    this.#index.abandon()
    for (const other of this.#others) other.abandon()
    this.#ended.clear()
    this.#open = undefined
  }

  /** The stream's part of the manifest as of now. */
  manifest(participants: readonly string[]): StreamManifest {
    const runs = this.#runs.map((run, index) => ({ ...run, bytes: this.#runBytes[index] ?? this.#open?.bytes ?? 0 }))
    return {
      channel: this.channel,
      ...this.#ownKind,
      ...(this.label !== undefined && { label: this.label }),
      participants,
      runs,
      gaps: this.#gaps.gaps,
      events: this.#events,
      account: this.#account(),
      ...(this.#clock && { clock: this.#clock }),
      totals: this.#totals,
      ...(this.#hasOthers && { others: [...this.#othersLeft, ...this.#others.map((other) => other.#asOther())] }),
    }
  }

  get #ownKind(): Pick<StreamManifest, 'kind'> {
    return this.kind === 'audio' ? {} : { kind: this.kind }
  }

  get #hasOthers(): boolean {
    return this.#othersLeft.length + this.#others.length > 0
  }

  #asOther(): OtherSource {
    const { runs, gaps, account, clock, totals } = this.manifest([])
    const ssrc = this.#source?.ssrc ?? 0
    return { ssrc, runs, gaps, ...(account && { account }), ...(clock && { clock }), totals }
  }

  #account(): TimeAccount {
    const { missingMs } = this.#gaps
    // What the disk did not take had come as audio.
    return { audioMs: Math.max(0, this.#audioMs - (missingMs.disk ?? 0)), missingMs }
  }

  #beginRun(codec: RunCodec, startMs: number, decoded: boolean, ending: string): string {
    this.#endRun()
    const nameOf = (number: number): string => `${streamPrefix(this.channel, this.#source)}.run-${number}.${ending}`
    let number = this.#runs.length + 1
    // What a crash left without a line in the index keeps its name.
    while (this.#isContinued && existsSync(join(this.#folder, nameOf(number)))) number += 1
    const file = nameOf(number)
    const run = { file, encoding: codec.encoding, clockRateHz: codec.clockRateHz, startMs, decoded }
    this.#runs.push(run)
    this.#index.add({ type: 'run', ...run })
    // Known before it is there: audio without a line would be found by nobody.
    this.#index.flush()
    return join(this.#folder, file)
  }

  #endRun(): void {
    const file = this.#open
    if (file === undefined) return
    this.#open = undefined
    this.#runBytes.push(file.bytes)
    this.#ended.add(file)
    // A file that the disk does not take now is closed with the stream.
    file.close().then(
      () => this.#ended.delete(file),
      () => {},
    )
  }

  #files(): (WavRunFile | RawRunFile | IndexWriter | StreamFiles)[] {
    return [...this.#runFiles(), ...this.#others, this.#index]
  }

  readonly #flushRuns = (): void => {
    for (const file of this.#runFiles()) file.flush()
  }

  #runFiles(): (WavRunFile | RawRunFile)[] {
    return [...this.#ended, ...(this.#open === undefined ? [] : [this.#open])]
  }
}

function sizeOf({ files }: Disk, path: string): number {
  const file = files.open(path)
  file.close()
  return file.size
}
