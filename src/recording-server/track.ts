// One stream on its way to disk: codec runs, each with its timeline, or raw where we do not decode.

import { type RtpView, TelephoneEventDetector } from '#rtp'
import {
  type GapCause,
  g711FormatOf,
  type RawRunFile,
  type RunCodec,
  type StreamFiles,
  type StreamTotals,
  silenceOf,
} from '#store'
import { PauseLog } from './pause-log.ts'
import { Timeline, type TimelineAnchor } from './timeline.ts'

/** A negotiated payload type. */
export interface TrackCodec extends RunCodec {
  readonly payloadType: number
}

/** A peer that changes codecs more often than this is no peer. */
const MAX_RUNS = 64
/** A run begins this much before its first packet, so that one that was overtaken still finds its place. */
const RUN_LEAD_MS = 100
/** In raw runs, silence of packets for longer than this is a gap. */
const RAW_GAP_MS = 1000

type Running =
  | { readonly kind: 'wav'; readonly codec: TrackCodec; readonly timeline: Timeline }
  | { readonly kind: 'raw'; readonly codec: TrackCodec; readonly file: RawRunFile; lastArrivalMs: number }

/** Writer of one stream; its methods throw what the file system throws. */
export class Track {
  readonly #files: StreamFiles
  readonly #keepDigits: boolean
  readonly #codecs = new Map<number, TrackCodec>()
  readonly #pauses = new PauseLog()
  #running: Running | undefined
  #events: TelephoneEventDetector | undefined
  /** Recording time up to which the stream is accounted for by finished runs. */
  #accountedMs = 0
  #lateBefore = 0

  constructor(files: StreamFiles, options: { keepDigits: boolean }) {
    this.#files = files
    this.#keepDigits = options.keepDigits
  }

  /** Packets that came too late to be placed. */
  get late(): number {
    return this.#lateBefore + (this.#running?.kind === 'wav' ? this.#running.timeline.late : 0)
  }

  /** Adds payload types; those of earlier negotiations stay, packets may be on their way. */
  addCodecs(codecs: readonly TrackCodec[]): void {
    for (const codec of codecs) this.#codecs.set(codec.payloadType, codec)
  }

  codecOf(payloadType: number): TrackCodec | undefined {
    return this.#codecs.get(payloadType)
  }

  setPaused(isPaused: boolean, atMs: number): void {
    this.#pauses.set(isPaused, atMs)
  }

  /** Keeps a packet; `extended` is its sequence number without wraps. False: it was not taken. */
  accept(view: RtpView, datagram: Uint8Array, extended: number, arrivalMs: number): boolean {
    const codec = this.#codecs.get(view.payloadType)
    if (codec === undefined) return false
    const payload = datagram.subarray(view.payloadOffset, view.payloadOffset + view.payloadLength)
    if (codec.encoding.startsWith('TELEPHONE-EVENT/')) {
      this.#onEventPacket(view, payload, codec, arrivalMs)
      this.#noteQuiet(extended)
      return true
    }
    if (codec.encoding.startsWith('CN/')) {
      this.#noteQuiet(extended)
      return true
    }
    this.#noteEvent(this.#events?.onOtherPacket(view.timestamp), arrivalMs)
    const running =
      this.#running?.codec.encoding === codec.encoding ? this.#running : this.#begin(codec, payload, arrivalMs)
    if (running === undefined) return false
    if (running.kind === 'raw') {
      if (arrivalMs - running.lastArrivalMs > RAW_GAP_MS) this.#addGap(running.lastArrivalMs, arrivalMs, 'no-rtp')
      running.lastArrivalMs = arrivalMs
      const { payloadType, marker, sequence, timestamp, ssrc } = view
      running.file.append({ payloadType, marker, sequence, timestamp, ssrc, arrivalMs, payload })
      return true
    }
    const { ssrc, timestamp } = view
    return running.timeline.accept({ ssrc, sequence: extended, timestamp, arrivalMs, payload })
  }

  /** Hands all that is settled to the operating system. */
  flush(): void {
    if (this.#running?.kind === 'wav') this.#running.timeline.flush()
    this.#files.flush()
  }

  /** Writes clocks and counters to the index. */
  writeAnchor(totals: StreamTotals): void {
    this.#files.addAnchor(this.anchor(), totals)
  }

  anchor(): TimelineAnchor | undefined {
    return this.#running?.kind === 'wav' ? this.#running.timeline.anchor() : undefined
  }

  /** Ends the stream, with silence up to the end of the recording. */
  finish(endMs: number): void {
    if (this.#running?.kind === 'wav') {
      this.#running.timeline.finish(endMs)
    } else if (this.#running?.kind === 'raw') {
      if (endMs - this.#running.lastArrivalMs > RAW_GAP_MS) this.#addGap(this.#running.lastArrivalMs, endMs, 'no-rtp')
    } else {
      this.#addGap(0, endMs, 'no-rtp-yet')
    }
  }

  /** Ends the current run and begins one; undefined when there have been too many. */
  #begin(codec: TrackCodec, payload: Uint8Array, arrivalMs: number): Running | undefined {
    if (this.#files.runCount >= MAX_RUNS) return undefined
    this.#endRun()
    const opening = { fromMs: this.#accountedMs, cause: this.#files.runCount === 0 ? 'no-rtp-yet' : 'dtx' } as const
    const format = g711FormatOf(codec.encoding)
    if (format === undefined) {
      this.#addGap(opening.fromMs, arrivalMs, opening.cause)
      this.#running = { kind: 'raw', codec, file: this.#files.startRawRun(codec, arrivalMs), lastArrivalMs: arrivalMs }
      return this.#running
    }
    const lengthMs = (payload.length * 1000) / codec.clockRateHz
    const startMs = Math.max(this.#accountedMs, arrivalMs - lengthMs - RUN_LEAD_MS)
    const file = this.#files.startWavRun(codec, format, startMs)
    const sink = {
      write: (bytes: Uint8Array) => file.append(bytes),
      silence: (count: number) => file.appendSilence(count),
      gap: (fromMs: number, toMs: number, cause: GapCause) => this.#files.addGap({ fromMs, toMs, cause }),
    }
    const { clockRateHz } = codec
    const silence = silenceOf(format)
    const timeline = new Timeline({ clockRateHz, startMs, silence, sink, pauses: this.#pauses, opening })
    this.#running = { kind: 'wav', codec, timeline }
    return this.#running
  }

  #endRun(): void {
    if (this.#running?.kind === 'wav') {
      const { timeline } = this.#running
      timeline.close()
      this.#accountedMs = timeline.endMs
      this.#lateBefore += timeline.late
    } else if (this.#running?.kind === 'raw') {
      this.#accountedMs = this.#running.lastArrivalMs
    }
    this.#running = undefined
  }

  #noteQuiet(extended: number): void {
    if (this.#running?.kind === 'wav') this.#running.timeline.noteQuiet(extended)
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

  #addGap(fromMs: number, toMs: number, cause: GapCause): void {
    if (toMs <= fromMs) return
    this.#files.addGap({ fromMs, toMs, cause: this.#pauses.touches(fromMs, toMs) ? 'paused' : cause })
  }
}
