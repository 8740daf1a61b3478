// Places the packets of one codec run on the recording's time axis: RTP time inside a source, arrival between sources,
// silence where nothing came. One payload byte is one tick of the RTP clock (G.711). Pure: bytes leave through a sink.

import { timestampDistance } from '#rtp'
import type { GapCause } from '#store'
import type { PauseLog } from './pause-log.ts'

/** Takes the run's bytes in order, each position exactly once. */
export interface TimelineSink {
  write(bytes: Uint8Array): void
  silence(count: number): void
  /** A stretch without audio, in milliseconds of the recording. */
  gap(fromMs: number, toMs: number, cause: GapCause): void
}

/** One audio packet; `sequence` is extended (never wraps), `arrivalMs` counts from the start of the recording. */
export interface TimelinePacket {
  readonly ssrc: number
  readonly sequence: number
  readonly timestamp: number
  readonly arrivalMs: number
  readonly payload: Uint8Array
}

/** Where the RTP clock and the recording's clock met last. */
export interface TimelineAnchor {
  readonly positionMs: number
  readonly arrivalMs: number
  readonly ssrc: number
  readonly sequence: number
  readonly timestamp: number
}

/** What a timeline starts from. */
export interface TimelineOptions {
  readonly clockRateHz: number
  /** Where in the recording position 0 is. */
  readonly startMs: number
  /** The byte that fills holes. */
  readonly silence: number
  readonly sink: TimelineSink
  /** What the peer announced; holes that touch a pause are `paused`. */
  readonly pauses: PauseLog
  /** Since when, and unless paused why, there has been no audio before this run. */
  readonly opening: { readonly fromMs: number; readonly cause: GapCause }
}

interface Span {
  from: number
  to: number
  firstSequence: number
  lastSequence: number
  readonly ssrc: number
  readonly epoch: number
}

interface Anchor {
  position: number
  arrivalMs: number
  ssrc: number
  sequence: number
  timestamp: number
}

/** How long a packet may come late and still find its place. */
const REORDER_MS = 100
/** RTP time that runs ahead of arrival by more than this is no RTP time. */
const AHEAD_LIMIT_MS = 10_000
/** The same for the sum of all leaps: bounds what a hostile clock can make us fill. */
const AHEAD_TOTAL_LIMIT_MS = 60_000
/** RTP time that falls behind arrival by more than this stood still; less is a stall of the network. */
const BEHIND_LIMIT_MS = 3000
const BEHIND_LIMIT_AFTER_PAUSE_MS = 500
/** A sender's clock is at most this much slower than ours. */
const DRIFT_LIMIT = 0.0005
/** Holes longer than this leave as silence at once instead of through the window. */
const LONG_HOLE_MS = 1000

/** The time axis of one codec run. */
export class Timeline {
  readonly #clockRateHz: number
  readonly #startMs: number
  readonly #silence: number
  readonly #sink: TimelineSink
  /** Bytes from position `#written` on, silent where no span covers them. */
  #window: Uint8Array
  #written = 0
  #spans: Span[] = []
  #last: Span | undefined
  #anchor: Anchor | undefined
  /** How far the sender's audio is ahead of our clock: the best of the recent packets, as jitter only ever delays. */
  #lead = 0
  #epoch = 0
  #late = 0
  readonly #pauses: PauseLog
  readonly #opening: { fromMs: number; cause: GapCause }

  constructor(options: TimelineOptions) {
    this.#clockRateHz = options.clockRateHz
    this.#startMs = options.startMs
    this.#silence = options.silence
    this.#sink = options.sink
    this.#pauses = options.pauses
    this.#opening = options.opening
    this.#window = new Uint8Array(options.clockRateHz).fill(options.silence)
  }

  /** Packets that came too late to be placed. */
  get late(): number {
    return this.#late
  }

  /** Bytes given to the sink so far. */
  get written(): number {
    return this.#written
  }

  /** Recording time up to which audio has been placed. */
  get endMs(): number {
    return this.#msOf(this.#coverageEnd())
  }

  /** Last meeting of RTP time and arrival, for the index. */
  anchor(): TimelineAnchor | undefined {
    const anchor = this.#anchor
    if (anchor === undefined) return undefined
    const { arrivalMs, ssrc, sequence, timestamp } = anchor
    return { positionMs: this.#msOf(anchor.position), arrivalMs, ssrc, sequence, timestamp }
  }

  /** Places a packet; false if it came too late. */
  accept(packet: TimelinePacket): boolean {
    const size = packet.payload.length
    if (size === 0) {
      this.noteQuiet(packet.sequence)
      return true
    }
    const position = this.#place(packet, size)
    if (position < this.#written) {
      this.#late += 1
      return false
    }
    if (position - this.#coverageEnd() > this.#ticksOf(LONG_HOLE_MS)) {
      this.#drain(this.#coverageEnd())
      const filled = position - this.#ticksOf(REORDER_MS) - this.#written
      this.#sink.silence(filled)
      this.#written += filled
    }
    const offset = position - this.#written
    this.#reserve(offset + size)
    this.#window.set(packet.payload, offset)
    this.#cover(position, position + size, packet)
    if (this.#written === 0 && this.#lead > 0) this.#moveEarlier(Math.min(this.#lead, this.#spans[0]!.from))
    return true
  }

  /** Counts a packet without audio (comfort noise, telephone-event): its sequence number is not lost. */
  noteQuiet(sequence: number): void {
    const span = this.#spans.at(-1) ?? this.#last
    if (span !== undefined && sequence === span.lastSequence + 1) span.lastSequence = sequence
  }

  /** Gives the sink everything that no late packet can change any more. */
  flush(): void {
    this.#drain(this.#coverageEnd() - this.#ticksOf(REORDER_MS))
  }

  /** Gives the sink all the rest. */
  close(): void {
    this.#drain(this.#coverageEnd())
  }

  /** Gives the sink all the rest, filled up with silence to `endMs`. */
  finish(endMs: number): void {
    this.close()
    const end = Math.max(this.#written, this.#expectedEnd(endMs))
    if (end > this.#written) {
      this.#reportGap(this.#last, undefined, end)
      this.#sink.silence(end - this.#written)
      this.#written = end
    }
  }

  /** Position of a packet by RTP time; by arrival for the first one, after a change of source, and when RTP time makes no sense. */
  #place(packet: TimelinePacket, size: number): number {
    const anchor = this.#anchor
    let position: number
    let isAligned = true
    if (anchor === undefined) {
      position = Math.max(0, this.#expectedEnd(packet.arrivalMs) - size)
    } else {
      position = anchor.position + timestampDistance(anchor.timestamp, packet.timestamp)
      if (
        packet.ssrc !== anchor.ssrc ||
        (packet.sequence > anchor.sequence && this.#isAstray(position, packet, anchor))
      ) {
        this.#epoch += 1
        position = Math.max(this.#coverageEnd(), this.#expectedEnd(packet.arrivalMs) - size)
      } else {
        if (packet.sequence <= anchor.sequence) return position
        isAligned = false
      }
    }
    const { arrivalMs, ssrc, sequence, timestamp } = packet
    const lead = position + size - this.#ticksOf(arrivalMs - this.#startMs)
    this.#lead = isAligned ? lead : Math.max(lead, this.#lead - size * DRIFT_LIMIT)
    this.#anchor = { position, arrivalMs, ssrc, sequence, timestamp }
    return position
  }

  /** The first packets came late, as the others show: all that is placed moves towards the start, while nothing is written. */
  #moveEarlier(ticks: number): void {
    const count = Math.floor(ticks)
    if (count === 0 || this.#anchor === undefined) return
    this.#window.copyWithin(0, count)
    this.#window.fill(this.#silence, this.#window.length - count)
    for (const span of this.#spans) {
      span.from -= count
      span.to -= count
    }
    this.#anchor.position -= count
    this.#lead -= count
  }

  #isAstray(position: number, packet: TimelinePacket, anchor: Anchor): boolean {
    const aheadMs =
      ((position + packet.payload.length - this.#expectedEnd(packet.arrivalMs)) * 1000) / this.#clockRateHz
    const hasPaused = this.#pauses.touches(anchor.arrivalMs, packet.arrivalMs)
    if (this.#msOf(position) - packet.arrivalMs > AHEAD_TOTAL_LIMIT_MS) return true
    return aheadMs > AHEAD_LIMIT_MS || aheadMs < -(hasPaused ? BEHIND_LIMIT_AFTER_PAUSE_MS : BEHIND_LIMIT_MS)
  }

  /** Where audio that is complete now should end, by the sender's clock as far as we know it. */
  #expectedEnd(arrivalMs: number): number {
    return Math.round(this.#ticksOf(arrivalMs - this.#startMs) + this.#lead)
  }

  #coverageEnd(): number {
    return this.#spans.at(-1)?.to ?? this.#written
  }

  #cover(from: number, to: number, packet: TimelinePacket): void {
    const { sequence, ssrc } = packet
    const last = this.#spans.at(-1)
    if (last !== undefined && last.to === from && last.epoch === this.#epoch) {
      last.to = to
      last.lastSequence = Math.max(last.lastSequence, sequence)
      return
    }
    const span: Span = { from, to, firstSequence: sequence, lastSequence: sequence, ssrc, epoch: this.#epoch }
    const after = this.#spans.findIndex((other) => other.from > from)
    this.#spans.splice(after < 0 ? this.#spans.length : after, 0, span)
    this.#merge()
  }

  /** Joins spans that touch or overlap within one epoch. */
  #merge(): void {
    const merged: Span[] = []
    for (const span of this.#spans) {
      const before = merged.at(-1)
      if (before === undefined || span.from > before.to || span.epoch !== before.epoch) {
        merged.push(span)
        continue
      }
      before.to = Math.max(before.to, span.to)
      before.firstSequence = Math.min(before.firstSequence, span.firstSequence)
      before.lastSequence = Math.max(before.lastSequence, span.lastSequence)
    }
    this.#spans = merged
  }

  #drain(upTo: number): void {
    if (upTo <= this.#written) return
    while (this.#spans[0] !== undefined && this.#spans[0].from < upTo) {
      const span = this.#spans[0]
      const before = this.#last
      if (before === undefined || span.from > before.to) this.#reportGap(before, span, span.from)
      if (span.to > upTo) {
        this.#last = { ...span, to: upTo }
        span.from = upTo
        break
      }
      this.#last = span
      this.#spans.shift()
    }
    const count = upTo - this.#written
    this.#sink.write(this.#window.subarray(0, count))
    this.#window.copyWithin(0, count)
    this.#window.fill(this.#silence, this.#window.length - count)
    this.#written = upTo
  }

  #reportGap(before: Span | undefined, after: Span | undefined, to: number): void {
    const fromMs = before === undefined ? this.#opening.fromMs : this.#msOf(before.to)
    const toMs = this.#msOf(to)
    if (toMs > fromMs) this.#sink.gap(fromMs, toMs, this.#causeOf(before, after, fromMs, toMs))
  }

  #causeOf(before: Span | undefined, after: Span | undefined, fromMs: number, toMs: number): GapCause {
    if (this.#pauses.touches(fromMs, toMs)) return 'paused'
    if (before === undefined) return this.#opening.cause
    if (after === undefined) return 'no-rtp'
    if (before.ssrc !== after.ssrc) return 'ssrc-change'
    return after.firstSequence > before.lastSequence + 1 ? 'lost' : 'dtx'
  }

  #reserve(size: number): void {
    if (size <= this.#window.length) return
    const larger = new Uint8Array(Math.max(size, 2 * this.#window.length)).fill(this.#silence)
    larger.set(this.#window)
    this.#window = larger
  }

  #ticksOf(ms: number): number {
    return Math.round((ms * this.#clockRateHz) / 1000)
  }

  #msOf(position: number): number {
    return this.#startMs + (position * 1000) / this.#clockRateHz
  }
}
