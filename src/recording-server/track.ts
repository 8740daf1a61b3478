// One stream on its way to disk: codec runs, each with its timeline, whatever becomes of the payload.

import { type RtpView, redundantBlocks, TelephoneEventDetector, timestampDistance } from '#rtp'
import {
  type ClockBend,
  type GapCause,
  g711FormatOf,
  type MediaKind,
  type RunCodec,
  type RunMove,
  type StreamFiles,
  type StreamTotals,
} from '#store'
import { type PacketTicks, packetTicks } from './packet-length.ts'
import { PacketLine } from './packet-line.ts'
import { type PauseCause, PauseLog } from './pause-log.ts'
import { PayloadCopies } from './payload-copies.ts'
import type { SenderClocks } from './sender-clocks.ts'
import type { SenderReported, SenderTime } from './sender-time.ts'
import { Timeline } from './timeline.ts'
import type { RunAxis, TimelineAnchor, TimelineSink } from './timeline-sink.ts'

/** A negotiated payload type. */
export interface TrackCodec extends RunCodec {
  readonly payloadType: number
}

/** What is done with packets of a codec: placed, read as keys, left out, taken apart. */
type CodecKind = 'audio' | 'event' | 'quiet' | 'redundant'

/** A payload type as packets are read by it. */
export interface ReadCodec extends TrackCodec {
  readonly kind: CodecKind
  readonly ticksOf: PacketTicks
}

/** A peer that changes codecs more often than this is no peer. */
export const MAX_RUNS = 64
/** A run begins this much before its first packet, so that one that was overtaken still finds its place. */
const RUN_LEAD_MS = 100
/** Packets that are looked back for redundant blocks. */
const MOST_REDUNDANT = 64
/** What the network holds up for longer is not told from a clock that stood still in the pause. */
const MOST_HELD_UP_MS = 1000
/** Assumed of a first packet whose codec does not tell. */
const USUAL_PACKET_MS = 20

interface Running {
  readonly codec: ReadCodec
  readonly timeline: RunAxis
}

/** The packet with the highest sequence number. */
interface Heard {
  ssrc: number
  sequence: number
  timestamp: number
  arrivalMs: number
}

/** Where packets go, apart from their gaps and clocks. */
type RunSink = Omit<TimelineSink, 'gap' | 'bend' | 'move'>

/** How a stream is kept. */
export interface TrackOptions {
  readonly keepDigits: boolean
  /** The stream goes on from there after a restart. */
  readonly accountedMs?: number
  /** The clock of a client that kept the audio and gives it away. */
  readonly sender?: SenderTime | undefined
  /** What the streams of a client that is live say of their time. */
  readonly clocks?: SenderClocks | undefined
  /** The codec changes more often than is followed; told once. */
  readonly onTooMany?: () => void
  /** Audio unless told. */
  readonly kind?: MediaKind
}

/** Writer of one stream; its methods throw what the file system throws. */
export class Track {
  readonly #files: StreamFiles
  readonly #keepDigits: boolean
  readonly #isAudio: boolean
  readonly #sender: SenderTime | undefined
  readonly #clocks: SenderClocks | undefined
  /** By how much later than other streams of its sender the run before arrived. */
  #laterMs = 0
  readonly #codecs = new Map<number, ReadCodec>()
  readonly #copies = new PayloadCopies()
  readonly #pauses = new PauseLog()
  readonly #onTooMany: (() => void) | undefined
  #hasTooMany = false
  #running: Running | undefined
  #events: TelephoneEventDetector | undefined
  /** Recording time up to which the stream is accounted for by finished runs. */
  #accountedMs = 0
  #lateBefore = 0
  #audioBeforeMs = 0
  #discarded = 0
  /** The client took back, in the middle of the stream, that it sends. */
  #isPausedByClient = false
  /** Without those that are read as keys: their timestamp is that of the first one. */
  #heard: Heard | undefined
  /** The last pause that is over: what was heard by then, and since when all is kept again if we made it ourselves. */
  #paused: (Heard & { readonly untilMs: number | undefined }) | undefined
  /** Timestamp of the last key that was pressed in a pause. */
  #hiddenKey: number | undefined
  /** The last one. */
  #reported: SenderReported | undefined
  /** Sequence numbers of late that came with redundancy. */
  readonly #seen = new Set<number>()

  constructor(files: StreamFiles, options: TrackOptions) {
    this.#files = files
    this.#keepDigits = options.keepDigits
    this.#isAudio = (options.kind ?? 'audio') === 'audio'
    this.#accountedMs = options.accountedMs ?? 0
    this.#sender = options.sender
    this.#clocks = options.clocks
    this.#onTooMany = options.onTooMany
  }

  /** Packets that came too late to be placed. */
  get late(): number {
    return this.#lateBefore + (this.#running?.timeline.late ?? 0)
  }

  /** Adds payload types; those of earlier negotiations stay, packets may be on their way. */
  addCodecs(codecs: readonly TrackCodec[]): void {
    for (const codec of codecs) {
      const ticksOf = packetTicks(codec.encoding, codec.clockRateHz)
      this.#codecs.set(codec.payloadType, { ...codec, kind: kindOf(codec.encoding), ticksOf })
    }
  }

  codecOf(payloadType: number): ReadCodec | undefined {
    return this.#codecs.get(payloadType)
  }

  /** Notes that a cause for silence begins or ends. While `paused-here` holds, or a client's pause of a stream that had begun, nothing is kept. */
  setPaused(cause: PauseCause, isOn: boolean, atMs: number): void {
    const isHere = cause === 'paused-here'
    if (!isOn && this.#heard !== undefined && this.#pauses.isOn(cause) && this.isDiscarding)
      this.#paused = { ...this.#heard, untilMs: isHere ? atMs : undefined }
    // A client that answers a pause of ours sends again as soon as we ask: its answer may come behind its packets.
    if (isHere) this.#isPausedByClient = false
    else if (cause === 'paused-by-client' && isOn !== this.#pauses.isOn(cause))
      this.#isPausedByClient = isOn && this.#hasBegun && !this.#pauses.isOn('paused-here')
    this.#pauses.set(cause, isOn, atMs)
  }

  /** Packets that were said in a pause of ours, or came in one that the client had announced. */
  get discarded(): number {
    return this.#discarded
  }

  /** Recording time up to which there is audio, all that came included. */
  get endMs(): number {
    return this.#running?.timeline.endMs ?? this.#accountedMs
  }

  /** Keeps a packet; `extended` is its sequence number without wraps. False: it was not taken. */
  accept(view: RtpView, datagram: Uint8Array, extended: number, arrivalMs: number): boolean {
    const codec = this.#codecs.get(view.payloadType)
    if (codec === undefined) return false
    const { ssrc, timestamp } = view
    const isOfPause = this.isDiscarding || this.#isOfPause(ssrc, extended, timestamp, codec, arrivalMs)
    if (codec.kind !== 'event') this.#noteHeard(ssrc, extended, timestamp, arrivalMs)
    const { payloadOffset, payloadLength } = view
    if (isOfPause) {
      if (codec.kind === 'event') this.#hiddenKey = timestamp
      else if (codec.kind === 'redundant') {
        this.#hideKeys(timestamp, datagram.subarray(payloadOffset, payloadOffset + payloadLength))
      }
      this.#discarded += 1
      this.#noteQuiet(extended)
      return false
    }
    if (codec.kind === 'quiet') {
      this.#noteQuiet(extended)
      return true
    }
    if (codec.kind === 'event') {
      this.#onEventPacket(view, datagram.subarray(payloadOffset, payloadOffset + payloadLength), codec, arrivalMs)
      this.#noteQuiet(extended)
      return true
    }
    const payload = this.#copies.of(datagram, payloadOffset, payloadLength)
    if (codec.kind === 'redundant') return this.#acceptRedundant(view, payload, extended, arrivalMs)
    if (this.#events !== undefined) this.#noteEvent(this.#events.onOtherPacket(view.timestamp), arrivalMs)
    return this.#place(view, codec, payload, extended, view.timestamp, arrivalMs)
  }

  /** What comes now is dropped. */
  get isDiscarding(): boolean {
    return this.#isPausedByClient || this.#pauses.isOn('paused-here')
  }

  get #hasBegun(): boolean {
    return this.#running !== undefined || this.#files.hasLeftRuns
  }

  /** Whether a packet that comes behind a pause, or a block of one, was said in it. */
  #isOfPause(ssrc: number, sequence: number, timestamp: number, codec: ReadCodec, arrivalMs: number): boolean {
    if (codec.kind === 'event' && timestamp === this.#hiddenKey) return true
    const paused = this.#paused
    if (paused === undefined || paused.ssrc !== ssrc) return false
    if (sequence <= paused.sequence) return true
    if (paused.untilMs === undefined) return false
    const saidMs = paused.arrivalMs + (timestampDistance(paused.timestamp, timestamp) * 1000) / codec.clockRateHz
    return saidMs <= paused.untilMs && arrivalMs - saidMs < MOST_HELD_UP_MS
  }

  /** In place: this is done for every packet. */
  #noteHeard(ssrc: number, sequence: number, timestamp: number, arrivalMs: number): void {
    this.#heard ??= { ssrc, sequence, timestamp, arrivalMs }
    const heard = this.#heard
    // When the first one comes back, its numbers may begin anew.
    if (heard.ssrc !== ssrc) this.#paused = undefined
    else if (sequence <= heard.sequence) return
    heard.ssrc = ssrc
    heard.sequence = sequence
    heard.timestamp = timestamp
    heard.arrivalMs = arrivalMs
  }

  /** The primary block, and before it those blocks of packets that did not come (RFC 2198). */
  #acceptRedundant(view: RtpView, payload: Uint8Array, extended: number, arrivalMs: number): boolean {
    const blocks = redundantBlocks(payload)
    if (blocks === undefined) return false
    let isTaken = false
    for (const [at, { payloadType, timestampOffset, payload: part }] of blocks.entries()) {
      const codec = this.#codecs.get(payloadType)
      const sequence = extended - (blocks.length - 1 - at)
      const isKnown = sequence !== extended && this.#seen.has(sequence)
      // Text that nobody types any more is sent until all of it has come twice (RFC 4103 section 5.2).
      if (part.length === 0 && sequence === extended) this.#noteQuiet(extended)
      if (codec === undefined || isKnown || part.length === 0 || codec.kind === 'redundant') continue
      const timestamp = (view.timestamp - timestampOffset) >>> 0
      if (this.#isOfPause(view.ssrc, sequence, timestamp, codec, arrivalMs)) {
        if (codec.kind === 'event') this.#hiddenKey = timestamp
        continue
      }
      const taken = this.#acceptBlock({ ...view, timestamp }, codec, part, sequence, arrivalMs)
      if (sequence === extended) isTaken = taken
      if (taken) this.#seen.add(sequence)
    }
    for (const sequence of this.#seen) if (sequence < extended - MOST_REDUNDANT) this.#seen.delete(sequence)
    return isTaken
  }

  /** As if its packet had come by itself. */
  #acceptBlock(view: RtpView, codec: ReadCodec, payload: Uint8Array, sequence: number, arrivalMs: number): boolean {
    if (codec.kind === 'event') this.#onEventPacket(view, payload, codec, arrivalMs)
    if (codec.kind !== 'audio') {
      this.#noteQuiet(sequence)
      return true
    }
    if (this.#events !== undefined) this.#noteEvent(this.#events.onOtherPacket(view.timestamp), arrivalMs)
    return this.#place(view, codec, payload, sequence, view.timestamp, arrivalMs)
  }

  /** A key that was pressed in a pause stays hidden to its end, in redundant packets too. */
  #hideKeys(timestamp: number, payload: Uint8Array): void {
    for (const { payloadType, timestampOffset } of redundantBlocks(payload) ?? []) {
      if (this.#codecs.get(payloadType)?.kind === 'event') this.#hiddenKey = (timestamp - timestampOffset) >>> 0
    }
  }

  /** Sequence number and timestamp may be those of a packet before the one of the view; the payload is kept. */
  #place(
    view: RtpView,
    codec: ReadCodec,
    payload: Uint8Array,
    sequence: number,
    timestamp: number,
    arrivalMs: number,
  ): boolean {
    const ticks = codec.ticksOf(payload)
    const isSame = this.#running?.codec.encoding === codec.encoding
    const running = isSame ? this.#running : this.#begin(codec, ticks, arrivalMs)
    if (running === undefined) return false
    const { ssrc, marker } = view
    const { payloadType } = codec
    return running.timeline.accept({ ssrc, sequence, timestamp, arrivalMs, payloadType, marker, payload, ticks })
  }

  /** Hands all that is settled to the operating system. */
  flush(): void {
    this.#running?.timeline.flush()
    this.#files.flush()
  }

  /** Notes what a source of the stream says of its time, whether anything of it has come or not. */
  noteReport(report: SenderReported): void {
    this.#reported = report
    this.#running?.timeline.noteReport(report)
  }

  /** Hands on all there is, and settles where it lies: nothing more comes of what came before. */
  settle(): void {
    this.#running?.timeline.close()
  }

  /** Writes clocks and counters to the index. */
  writeAnchor(totals: StreamTotals): void {
    this.#noteTime()
    this.#files.addAnchor(this.anchor(), totals)
  }

  anchor(): TimelineAnchor | undefined {
    return this.#running?.timeline.anchor()
  }

  /** Ends the stream, with silence up to the end of the recording. */
  finish(endMs: number): void {
    if (this.#running !== undefined) this.#running.timeline.finish(endMs)
    else
      for (const part of this.#pauses.explain(this.#accountedMs, endMs))
        this.#files.addGap({ cause: this.#firstCause, ...part })
    this.#noteTime()
  }

  /** Ends the current run and begins one; undefined when there have been too many. */
  #begin(codec: ReadCodec, ticks: number | undefined, arrivalMs: number): Running | undefined {
    if (this.#files.runCount >= MAX_RUNS) {
      if (!this.#hasTooMany) this.#onTooMany?.()
      this.#hasTooMany = true
      return undefined
    }
    this.#endRun()
    const { clockRateHz } = codec
    const opening = { fromMs: this.#accountedMs, cause: this.#files.runCount === 0 ? this.#firstCause : 'dtx' } as const
    const lengthMs = ticks === undefined ? USUAL_PACKET_MS : (ticks * 1000) / clockRateHz
    const startMs = Math.max(this.#accountedMs, arrivalMs - this.#laterMs - lengthMs - RUN_LEAD_MS)
    const sink = {
      ...this.#openRun(codec, startMs),
      bend: (bend: ClockBend) => this.#files.addBend(bend),
      move: (move: RunMove) => this.#files.move(move),
      gap: (fromMs: number, toMs: number, cause: GapCause) => this.#files.addGap({ fromMs, toMs, cause }),
    }
    const given = { clockRateHz, startMs, sink, pauses: this.#pauses, opening }
    const timeline = this.#isAudio
      ? new Timeline({ ...given, sender: this.#sender, clocks: this.#clocks, laterMs: this.#laterMs })
      : new PacketLine({ ...given, isDelivered: this.#sender !== undefined })
    if (this.#reported !== undefined) timeline.noteReport(this.#reported)
    this.#running = { codec, timeline }
    return this.#running
  }

  /** G.711 bytes are its ticks; all else is kept packet by packet, with its place. */
  #openRun(codec: TrackCodec, startMs: number): RunSink {
    const format = this.#isAudio ? g711FormatOf(codec.encoding) : undefined
    if (format !== undefined) {
      const file = this.#files.startWavRun(codec, format, startMs)
      return {
        packet: ({ payload }, _position, skip) => file.append(skip === 0 ? payload : payload.subarray(skip)),
        silence: (ticks) => file.appendSilence(ticks),
      }
    }
    const file = this.#files.startRawRun(codec, startMs)
    return {
      packet: ({ sequence, ...packet }, position) => file.append({ ...packet, sequence: sequence & 0xffff, position }),
      silence: () => {},
    }
  }

  #endRun(): void {
    if (this.#running === undefined) return
    const { timeline } = this.#running
    timeline.close()
    this.#accountedMs = timeline.endMs
    this.#laterMs = timeline.laterMs
    this.#lateBefore += timeline.late
    this.#audioBeforeMs += timeline.audioMs
    this.#running = undefined
  }

  /** Why nothing was heard before the first packet. */
  get #firstCause(): GapCause {
    return this.#files.hasLeftRuns ? 'recorder-restart' : 'no-rtp-yet'
  }

  #noteTime(): void {
    this.#files.setAudio(this.#audioBeforeMs + (this.#running?.timeline.audioMs ?? 0))
    const clock = this.#running?.timeline.clock
    if (clock !== undefined) this.#files.setClock(clock)
  }

  #noteQuiet(extended: number): void {
    this.#running?.timeline.noteQuiet(extended)
  }

  #onEventPacket(view: RtpView, payload: Uint8Array, codec: TrackCodec, arrivalMs: number): void {
    this.#events ??= new TelephoneEventDetector(codec.clockRateHz)
    this.#noteEvent(this.#events.onPacket(view, payload), arrivalMs)
  }

  #noteEvent(event: { digit: string; durationMs: number } | undefined, endedMs: number): void {
    if (event === undefined) return
    const { digit, durationMs } = event
    const atMs = Math.max(0, endedMs - durationMs)
    this.#files.addEvent({ atMs, durationMs, ...(this.#keepDigits && { digit }) })
  }
}

function kindOf(encoding: string): CodecKind {
  if (encoding.startsWith('TELEPHONE-EVENT/')) return 'event'
  if (encoding.startsWith('CN/')) return 'quiet'
  return encoding.startsWith('RED/') ? 'redundant' : 'audio'
}
