// Places the packets of one codec run on the recording's time axis, whatever the codec: RTP time inside a source, arrival
// between sources, and a cause for every stretch where nothing came. Positions are ticks of the RTP clock since the
// run's start. Pure: packets leave in order through a sink.

import { timestampDistance } from '#rtp'
import { type ClockBend, type ClockFacts, type GapCause, RunTime } from '#store'
import { ClockSteering } from './clock-steering.ts'
import type { PauseLog } from './pause-log.ts'

/** Takes what a run holds, in order, each position once. */
export interface TimelineSink {
  /** A packet at its place; the first `skip` ticks of it are covered by packets before it. */
  packet(packet: TimelinePacket, position: number, skip: number): void
  /** So many ticks without audio. */
  silence(ticks: number): void
  /** From a position on ticks are longer or shorter: the sender's clock is not ours. */
  bend(bend: ClockBend): void
  /** A stretch without audio, in milliseconds of the recording. */
  gap(fromMs: number, toMs: number, cause: GapCause): void
}

/** One media packet; `sequence` is extended (never wraps), `arrivalMs` counts from the start of the recording. */
export interface TimelinePacket {
  readonly ssrc: number
  readonly sequence: number
  readonly timestamp: number
  readonly arrivalMs: number
  readonly payloadType: number
  readonly marker: boolean
  readonly payload: Uint8Array
  /** How long its audio is, in ticks; absent where only the next packet tells. */
  readonly ticks?: number
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
  readonly sink: TimelineSink
  /** What was kept is delivered at another pace: RTP time alone says when it was said. */
  readonly isDelivered?: boolean
  /** What was announced, and explains holes. */
  readonly pauses: PauseLog
  /** Since when, and unless somebody paused why, there has been no audio before this run. */
  readonly opening: { readonly fromMs: number; readonly cause: GapCause }
}

interface Placed {
  position: number
  readonly packet: TimelinePacket
  readonly epoch: number
}

/** The end of what the sink has. */
interface Written {
  readonly end: number
  /** Highest of its epoch. */
  readonly sequence: number
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
/** The longest recording that can be delivered. */
const DELIVERED_LIMIT_MS = 12 * 3_600_000
/** RTP time that falls behind arrival by more than this stood still; less is a stall of the network. */
const BEHIND_LIMIT_MS = 3000
const BEHIND_LIMIT_AFTER_PAUSE_MS = 500
/** Assumed of packets until two in a row tell. */
const USUAL_PACKET_MS = 20
/** A packet is taken to last until the next one, unless that leaves out more than one packet's time. */
const STRETCH_LIMIT = 2
/** Packets that may wait for the next flush; more come only in a burst. */
const MOST_PENDING = 2000
const MOST_QUIET = 1000
/** What is left over beside lost packets and is shorter than this is rounding. */
const LEAST_SILENCE_MS = 1

/** The time axis of one codec run. */
export class Timeline {
  readonly #clockRateHz: number
  readonly #startMs: number
  readonly #time: RunTime
  readonly #steering = new ClockSteering()
  readonly #sink: TimelineSink
  readonly #pauses: PauseLog
  readonly #isDelivered: boolean
  readonly #opening: { fromMs: number; cause: GapCause }
  /** By position. */
  readonly #pending: Placed[] = []
  #written: Written | undefined
  #anchor: Anchor | undefined
  #isAstrayNow = false
  /** The packet whose RTP time is the furthest. */
  #newest: TimelinePacket | undefined
  #epoch = 0
  #late = 0
  #audioMs = 0
  readonly #steps = new UsualStep()
  /** Sequence numbers that carry no audio and are not written yet. */
  readonly #quiet = new Set<number>()

  constructor(options: TimelineOptions) {
    this.#clockRateHz = options.clockRateHz
    this.#startMs = options.startMs
    this.#time = new RunTime(options)
    this.#sink = options.sink
    this.#pauses = options.pauses
    this.#isDelivered = options.isDelivered ?? false
    this.#opening = options.opening
  }

  /** Packets that came too late to be placed. */
  get late(): number {
    return this.#late
  }

  /** Milliseconds of the recording that have audio, as far as they left. */
  get audioMs(): number {
    return this.#audioMs
  }

  /** How the sender's clock ran beside ours; undefined until it was measured. */
  get clock(): ClockFacts | undefined {
    const { driftPpm } = this.#steering
    if (driftPpm === undefined) return undefined
    const end = this.#coverageEnd()
    const nominalMs = this.#startMs + (end * 1000) / this.#clockRateHz
    return { driftPpm: -driftPpm, correctedMs: this.#msOf(end) - nominalMs }
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

  /** Places a packet, whose payload is kept; false if it came too late. */
  accept(packet: TimelinePacket): boolean {
    if (packet.ticks === 0) {
      this.noteQuiet(packet.sequence)
      return true
    }
    const position = this.#place(packet)
    if (position < (this.#written?.end ?? 0)) {
      this.#late += 1
      this.#sink.gap(this.#msOf(position), this.#msOf(position + this.#lengthOf(packet)), 'late')
      return false
    }
    this.#insert({ position, packet, epoch: this.#epoch })
    if (packet === this.#newest) this.#compareClocks(packet, position)
    if (this.#pending.length > MOST_PENDING) this.flush()
    return true
  }

  /** Counts a packet without audio (comfort noise, telephone-event): its sequence number is not lost. */
  noteQuiet(sequence: number): void {
    if (this.#quiet.size < MOST_QUIET) this.#quiet.add(sequence)
  }

  /** Gives the sink everything that no late packet can change any more. */
  flush(): void {
    this.#drain(this.#coverageEnd() - this.#ticksOf(REORDER_MS))
  }

  /** Gives the sink all the rest. */
  close(): void {
    this.#drain(Number.POSITIVE_INFINITY)
  }

  /** Gives the sink all the rest, filled up with silence to `endMs`. */
  finish(endMs: number): void {
    this.close()
    const from = this.#written?.end ?? 0
    const end = Math.round(this.#time.positionOf(endMs))
    if (end <= from) return
    this.#reportGap(undefined, end)
    this.#sink.silence(end - from)
  }

  /** Position of a packet by RTP time; by arrival for the first one, after a change of source, and when RTP time makes no sense. */
  #place(packet: TimelinePacket): number {
    const size = this.#lengthOf(packet)
    const anchor = this.#anchor
    let position: number
    if (anchor === undefined) {
      position = Math.max(0, this.#endAt(packet.arrivalMs) - size)
    } else {
      const step = timestampDistance(anchor.timestamp, packet.timestamp)
      position = anchor.position + step
      const isNewer = packet.sequence > anchor.sequence
      if (packet.ssrc !== anchor.ssrc || (isNewer && this.#isAstray(position + size, packet, anchor))) {
        this.#beginEpoch(packet.ssrc !== anchor.ssrc)
        position = Math.max(this.#coverageEnd(), this.#endAt(packet.arrivalMs) - size)
      } else {
        if (!isNewer) return position
        if (packet.sequence === anchor.sequence + 1) this.#steps.add(step)
      }
    }
    const { arrivalMs, ssrc, sequence, timestamp } = packet
    this.#anchor = { position, arrivalMs, ssrc, sequence, timestamp }
    this.#newest = packet
    return position
  }

  #beginEpoch(isOtherSource: boolean): void {
    if (isOtherSource) this.#quiet.clear()
    this.#isAstrayNow = false
    this.#steering.restart()
    this.#epoch += 1
  }

  /** What the newest packet says of the sender's clock. */
  #compareClocks(packet: TimelinePacket, position: number): void {
    const { arrivalMs } = packet
    let residualMs = arrivalMs - this.#msOf(position + this.#lengthOf(packet))
    if (residualMs < this.#steering.baseMs && this.#written?.epoch !== this.#epoch) {
      residualMs += this.#moveEarlier(this.#steering.baseMs - residualMs)
    }
    // What is delivered arrives at the pace of the delivery, which is nobody's clock.
    if (this.#isDelivered) return
    const rate = this.#steering.note(residualMs, arrivalMs, this.#time.ppm)
    if (rate === 'astray') this.#isAstrayNow = true
    else if (rate !== undefined) this.#sink.bend(this.#time.bend(this.#coverageEnd(), rate))
  }

  /** The first packets came late, as another shows: all that is placed since moves towards the start; by how many milliseconds. */
  #moveEarlier(ms: number): number {
    const first = this.#pending.findIndex(({ epoch }) => epoch === this.#epoch)
    const before = this.#pending[first - 1]
    const freeFrom = before === undefined ? (this.#written?.end ?? 0) : before.position + this.#lengthOf(before.packet)
    const count = Math.floor(Math.min(this.#ticksOf(ms), this.#pending[first]!.position - freeFrom))
    if (count <= 0 || this.#anchor === undefined) return 0
    for (const placed of this.#pending.slice(first)) placed.position -= count
    this.#anchor.position -= count
    return (count * 1000) / this.#clockRateHz
  }

  #isAstray(end: number, packet: TimelinePacket, anchor: Anchor): boolean {
    if (this.#isDelivered) return this.#msOf(end) > DELIVERED_LIMIT_MS
    if (this.#isAstrayNow) return true
    const endMs = this.#msOf(end)
    if (endMs - packet.arrivalMs > AHEAD_TOTAL_LIMIT_MS) return true
    const aheadMs = endMs - packet.arrivalMs + this.#steering.baseMs
    const hasPaused = this.#pauses.touches(anchor.arrivalMs, packet.arrivalMs)
    return aheadMs > AHEAD_LIMIT_MS || aheadMs < -(hasPaused ? BEHIND_LIMIT_AFTER_PAUSE_MS : BEHIND_LIMIT_MS)
  }

  /** Where audio that is complete now should end, by the sender's clock as far as we know it. */
  #endAt(arrivalMs: number): number {
    return Math.round(this.#time.positionOf(arrivalMs - this.#steering.baseMs))
  }

  #coverageEnd(): number {
    const last = this.#pending.at(-1)
    return last === undefined ? (this.#written?.end ?? 0) : last.position + this.#lengthOf(last.packet)
  }

  #lengthOf(packet: TimelinePacket): number {
    return packet.ticks ?? this.#steps.usual ?? this.#ticksOf(USUAL_PACKET_MS)
  }

  /** Length of a packet beside the one after it. */
  #lengthBefore({ packet, position, epoch }: Placed, next: Placed | undefined): number {
    const usual = this.#lengthOf(packet)
    if (packet.ticks !== undefined || next?.epoch !== epoch) return usual
    const step = next.position - position
    const isNext = next.packet.sequence === packet.sequence + 1
    return isNext && step <= STRETCH_LIMIT * usual ? step : Math.min(usual, step)
  }

  #insert(placed: Placed): void {
    const { sequence } = placed.packet
    let at = this.#pending.length
    while (at > 0 && isAfter(this.#pending[at - 1]!, placed)) at -= 1
    const before = this.#pending[at - 1]
    if (before?.epoch === placed.epoch && before.packet.sequence === sequence) return
    this.#pending.splice(at, 0, placed)
  }

  #drain(upTo: number): void {
    let done = 0
    for (const placed of this.#pending) {
      const { packet, position } = placed
      const end = position + this.#lengthBefore(placed, this.#pending[done + 1])
      if (end > upTo) break
      const from = this.#written?.end ?? 0
      if (position > from || this.#written === undefined) this.#reportGap(packet, position)
      if (position > from) this.#sink.silence(position - from)
      this.#sink.packet(packet, position, Math.max(0, from - position))
      const { epoch } = placed
      const highest = this.#written?.epoch === epoch ? this.#written.sequence : packet.sequence
      const sequence = Math.max(packet.sequence, highest)
      this.#audioMs += Math.max(0, this.#msOf(end) - this.#msOf(Math.max(from, position)))
      this.#written = { end: Math.max(from, end), sequence, ssrc: packet.ssrc, epoch }
      done += 1
    }
    if (done === 0) return
    this.#pending.splice(0, done)
    for (const sequence of this.#quiet) if (sequence < this.#written!.sequence) this.#quiet.delete(sequence)
  }

  /** Tells of the hole between what is written and `to`, where the next packet is. */
  #reportGap(next: TimelinePacket | undefined, to: number): void {
    const before = this.#written
    const fromMs = before === undefined ? this.#opening.fromMs : this.#msOf(before.end)
    const toMs = this.#msOf(to)
    let lostMs = before !== undefined && next?.ssrc === before.ssrc ? this.#missingMs(before.sequence, next) : 0
    for (const part of this.#pauses.explain(fromMs, toMs)) {
      if (part.cause !== undefined) {
        this.#sink.gap(part.fromMs, part.toMs, part.cause)
        continue
      }
      // No more is lost than the missing packets can have held: the rest of a talker's silence is silence.
      const isAllLost = lostMs > 0 && part.fromMs + lostMs > part.toMs - LEAST_SILENCE_MS
      const lostToMs = isAllLost ? part.toMs : part.fromMs + lostMs
      if (lostToMs > part.fromMs) this.#sink.gap(part.fromMs, lostToMs, 'lost')
      if (part.toMs > lostToMs) this.#sink.gap(lostToMs, part.toMs, this.#causeOf(before, next))
      lostMs = Math.max(0, lostMs - (lostToMs - part.fromMs))
    }
  }

  #causeOf(before: Written | undefined, next: TimelinePacket | undefined): GapCause {
    if (before === undefined) return this.#opening.cause
    if (next === undefined) return 'no-rtp'
    return before.ssrc === next.ssrc ? 'dtx' : 'ssrc-change'
  }

  #missingMs(before: number, next: TimelinePacket): number {
    return (this.#missing(before, next.sequence) * this.#lengthOf(next) * 1000) / this.#clockRateHz
  }

  /** Packets between two that were sent and did not come. */
  #missing(before: number, next: number): number {
    let missing = next - before - 1
    for (const sequence of this.#quiet) if (sequence > before && sequence < next) missing -= 1
    return missing
  }

  #ticksOf(ms: number): number {
    return Math.round((ms * this.#clockRateHz) / 1000)
  }

  #msOf(position: number): number {
    return this.#time.msOf(position)
  }
}

function isAfter(one: Placed, other: Placed): boolean {
  if (one.position !== other.position) return one.position > other.position
  return one.packet.sequence > other.packet.sequence
}

const MOST_STEPS = 16

/** The most common distance in time between packets that follow each other. */
class UsualStep {
  readonly #counts = new Map<number, number>()
  #usual: number | undefined

  /** Undefined before the first pair of packets. */
  get usual(): number | undefined {
    return this.#usual
  }

  add(step: number): void {
    if (step <= 0 || step > 0x7fff_0000) return
    const count = (this.#counts.get(step) ?? 0) + 1
    if (count === 1 && this.#counts.size >= MOST_STEPS) return
    this.#counts.set(step, count)
    if (count > (this.#usual === undefined ? 0 : this.#counts.get(this.#usual)!)) this.#usual = step
  }
}
