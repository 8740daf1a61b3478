// Places the packets of one codec run on the recording's time axis, whatever the codec: RTP time inside a source, arrival
// between sources, and a cause for every stretch where nothing came. Positions are ticks of the RTP clock since the
// run's start. Pure: packets leave in order through a sink.

import { timestampDistance } from '#rtp'
import { type ClockFacts, type GapCause, RunTime } from '#store'
import { ClockSteering } from './clock-steering.ts'
import { EpochStart, SETTLE_MS } from './epoch-start.ts'
import { HoleCauses, type HoleEdge } from './hole-causes.ts'
import type { PauseLog } from './pause-log.ts'
import { type Placed, PlacedPackets } from './placed-packets.ts'
import { RunMover } from './run-mover.ts'
import type { SenderClocks } from './sender-clocks.ts'
import type { SenderReported, SenderTime } from './sender-time.ts'
import type { RunAxis, TimelineAnchor, TimelinePacket, TimelineSink } from './timeline-sink.ts'

/** What a timeline starts from. */
export interface TimelineOptions {
  readonly clockRateHz: number
  /** Where in the recording position 0 is. */
  readonly startMs: number
  readonly sink: TimelineSink
  /** What was kept is delivered at another pace: RTP time and the sender's clock alone say when it was said. */
  readonly sender?: SenderTime | undefined
  /** What all streams of a live client say of their time; arrival alone counts unless told. */
  readonly clocks?: SenderClocks | undefined
  /** By how much later than the fastest stream the run before arrived. */
  readonly laterMs?: number
  /** What was announced, and explains holes. */
  readonly pauses: PauseLog
  /** Since when, and unless somebody paused why, there has been no audio before this run. */
  readonly opening: { readonly fromMs: number; readonly cause: GapCause }
}

/** The end of what the sink has. */
interface Written extends HoleEdge {
  end: number
  sequence: number
  ssrc: number
  epoch: number
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
/** A packet with a lower number may be of a later time by so much: pictures are not sent in their order. */
const OVERTAKEN_AHEAD_MS = 1000
/** RTP time that falls behind arrival by more than this stood still; less is a stall of the network. */
const BEHIND_LIMIT_MS = 3000
const BEHIND_LIMIT_AFTER_PAUSE_MS = 500
/** Streams that began together have been heard of by then: a delivery is many times as fast. */
const DELIVERED_SETTLE_MS = 2 * SETTLE_MS
/** A report is of what is sent now: the newest packet is no older, and no further from it. */
const REPORT_MS = 1000
/** What is less is left to arrival: reports tell no better than within a packet. */
const LEAST_LATER_MS = 20
/** Packets that may wait for the next flush; more come only in a burst. */
const MOST_PENDING = 2000

/** The time axis of one codec run. */
export class Timeline implements RunAxis {
  readonly #clockRateHz: number
  readonly #time: RunTime
  readonly #mover: RunMover
  readonly #begun: EpochStart
  #reported: SenderReported | undefined
  readonly #steering: ClockSteering
  readonly #sink: TimelineSink
  readonly #pauses: PauseLog
  readonly #sender: SenderTime | undefined
  readonly #clocks: SenderClocks | undefined
  /** The reports have said where the epoch lies. */
  #isCompared = false
  readonly #opening: TimelineOptions['opening']
  readonly #holes: HoleCauses
  readonly #pending: PlacedPackets
  #written: Written | undefined
  #anchor: Anchor | undefined
  #isAstrayNow = false
  /** The packet whose RTP time is the furthest. */
  #newest: TimelinePacket | undefined
  #epoch = 0
  #late = 0
  #audioMs = 0

  constructor(options: TimelineOptions) {
    this.#clockRateHz = options.clockRateHz
    this.#time = new RunTime(options)
    this.#mover = new RunMover(this.#time, options)
    this.#sink = options.sink
    this.#pauses = options.pauses
    this.#sender = options.sender
    this.#clocks = options.sender === undefined ? options.clocks : undefined
    this.#steering = new ClockSteering(options.laterMs)
    this.#begun = new EpochStart(options.sender === undefined ? SETTLE_MS : DELIVERED_SETTLE_MS)
    this.#opening = options.opening
    this.#holes = new HoleCauses(options.sink, options.pauses, options.opening.cause)
    this.#pending = new PlacedPackets(options.clockRateHz)
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
    const nominalMs = this.#mover.nominalStartMs + (end * 1000) / this.#clockRateHz
    return { driftPpm: -driftPpm, correctedMs: this.#msOf(end) - nominalMs }
  }

  /** Recording time up to which audio has been placed. */
  get endMs(): number {
    return this.#msOf(this.#coverageEnd())
  }

  /** By how much later than the fastest stream of its sender this one arrives; 0 where nobody says so. */
  get laterMs(): number {
    return Math.max(0, this.#steering.baseMs)
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
    if (position === undefined) {
      this.#late += 1
      return false
    }
    if (position < (this.#written?.end ?? 0)) {
      this.#late += 1
      this.#sink.gap(this.#msOf(position), this.#msOf(position + this.#pending.lengthOf(packet)), 'late')
      return false
    }
    this.#pending.insert({ position, packet, epoch: this.#epoch })
    if (packet === this.#newest) this.#compareClocks(packet, position)
    if (this.#pending.size > MOST_PENDING) this.flush()
    return true
  }

  /** Counts a packet without audio (comfort noise, telephone-event): its sequence number is not lost. */
  noteQuiet(sequence: number): void {
    this.#holes.noteQuiet(sequence)
  }

  /** Gives the sink everything that no late packet can change any more. */
  flush(): void {
    this.#drain(this.#coverageEnd() - this.#ticksOf(REORDER_MS))
    if (this.#sender !== undefined) this.#lieBeside(this.#sender, this.#begun.isDue)
    else if (this.#begun.isDue) this.#settle()
  }

  /** Gives the sink all the rest. */
  close(): void {
    this.#drain(Number.POSITIVE_INFINITY)
    this.#endStart()
    this.#clocks?.forget(this)
  }

  /** Notes what the source says of its time. */
  noteReport(report: SenderReported): void {
    this.#reported = report
    if (this.#clocks !== undefined) this.#compareSenders(this.#clocks, report)
  }

  /** Gives the sink all the rest, filled up with silence to `endMs`. */
  finish(endMs: number): void {
    this.close()
    const from = this.#written?.end ?? 0
    const end = Math.round(this.#time.positionOf(endMs))
    if (end <= from) return
    this.#reportHole(undefined, end)
    this.#sink.silence(end - from)
  }

  /**
   * Position of a packet by RTP time; by arrival for the first one, after a change of source, and when RTP time makes no sense. Undefined for
   * one that was overtaken, and whose RTP time makes none.
   */
  #place(packet: TimelinePacket): number | undefined {
    const size = this.#pending.lengthOf(packet)
    const anchor = this.#anchor
    let position: number
    if (anchor === undefined) {
      this.#begun.begin(packet.arrivalMs, this.#steering.baseMs)
      position = Math.max(0, this.#endAt(packet.arrivalMs) - size)
    } else {
      const step = timestampDistance(anchor.timestamp, packet.timestamp)
      position = anchor.position + step
      const isNewer = packet.sequence > anchor.sequence
      if (packet.ssrc !== anchor.ssrc || (isNewer && this.#isAstray(position + size, packet, anchor))) {
        this.#beginEpoch(packet.ssrc !== anchor.ssrc, packet.arrivalMs)
        position = Math.max(this.#coverageEnd(), this.#endAt(packet.arrivalMs) - size)
      } else {
        if (!isNewer) return step > this.#ticksOf(OVERTAKEN_AHEAD_MS) ? undefined : position
        if (packet.sequence === anchor.sequence + 1) this.#pending.noteStep(step)
      }
    }
    this.#moveAnchor(position, packet)
    return position
  }

  /** In place: this is done for nearly every packet. */
  #moveAnchor(position: number, packet: TimelinePacket): void {
    const { arrivalMs, ssrc, sequence, timestamp } = packet
    this.#newest = packet
    const anchor = this.#anchor
    if (anchor === undefined) {
      this.#anchor = { position, arrivalMs, ssrc, sequence, timestamp }
      return
    }
    anchor.position = position
    anchor.arrivalMs = arrivalMs
    anchor.ssrc = ssrc
    anchor.sequence = sequence
    anchor.timestamp = timestamp
  }

  #beginEpoch(isOtherSource: boolean, arrivalMs: number): void {
    this.#endStart()
    if (isOtherSource) this.#holes.forgetQuiet()
    this.#isAstrayNow = false
    this.#steering.restart()
    this.#clocks?.forget(this)
    this.#isCompared = false
    this.#begun.begin(arrivalMs, this.#steering.baseMs)
    this.#epoch += 1
  }

  /** What the newest packet says of the sender's clock. */
  #compareClocks(packet: TimelinePacket, position: number): void {
    const { arrivalMs } = packet
    let residualMs = arrivalMs - this.#msOf(position + this.#pending.lengthOf(packet))
    if (residualMs < this.#steering.baseMs && this.#written?.epoch !== this.#epoch) {
      residualMs += this.#moveEarlier(this.#steering.baseMs - residualMs)
    }
    this.#begun.note(residualMs, arrivalMs)
    // What is delivered arrives at the pace of the delivery, which is nobody's clock.
    if (this.#sender !== undefined) return
    const rate = this.#steering.note(residualMs, arrivalMs, this.#time.ppm)
    if (rate === 'astray') this.#isAstrayNow = true
    else if (rate !== undefined) this.#sink.bend(this.#time.bend(this.#coverageEnd(), rate))
  }

  /** The first packets came late, as another shows: all that is placed since moves towards the start; by how many milliseconds. */
  #moveEarlier(ms: number): number {
    if (this.#anchor === undefined) return 0
    const count = this.#pending.moveEarlier(this.#epoch, this.#ticksOf(ms), this.#written?.end ?? 0)
    this.#anchor.position -= count
    const movedMs = (count * 1000) / this.#clockRateHz
    this.#begun.movedEarlier(movedMs)
    return movedMs
  }

  /** Nothing more comes that could tell where the epoch began. */
  #endStart(): void {
    if (this.#sender === undefined) this.#settle()
    else this.#lieBeside(this.#sender, true)
  }

  /** The first packets of an epoch that is written came late, as others have shown by now: all of it moves into the silence before. */
  #settle(): void {
    const { hole, baseMs } = this.#begun
    if (hole === undefined) return
    const isMoved = this.#mover.move(hole, -this.#begun.settle(this.#mover.roomBefore(hole)))
    if (isMoved) this.#steering.restart(baseMs)
  }

  /** Says when the epoch began by the sender's clock, and at last moves it to where that is among other streams. */
  #lieBeside(sender: SenderTime, isLast: boolean): void {
    const { hole } = this.#begun
    const anchor = this.#anchor
    const report = this.#reported
    if (hole === undefined || anchor === undefined || report?.ssrc !== anchor.ssrc) return
    const reported = anchor.position + timestampDistance(anchor.timestamp, report.timestamp)
    const saidMs = report.saidMs - ((reported - hole.to) * 1000) / this.#clockRateHz
    const placeMs = this.#msOf(hole.to)
    sender.note(saidMs, placeMs)
    if (!isLast) return
    this.#begun.end()
    this.#mover.move(hole, Math.max(sender.correction(saidMs, placeMs), -this.#mover.roomBefore(hole)))
  }

  /** Learns by how much later than other streams of its sender this one arrives, and moves it to where it was said beside them. */
  #compareSenders(clocks: SenderClocks, { ssrc, cname, timestamp, saidMs, arrivalMs }: SenderReported): void {
    const anchor = this.#anchor
    const { fastestMs, baseMs } = this.#steering
    if (cname === undefined || anchor?.ssrc !== ssrc || fastestMs === undefined) return
    // What was delivered from before lies where it was said already, and how late it came says nothing.
    if (baseMs < 0 || arrivalMs - anchor.arrivalMs > REPORT_MS) return
    const ticks = timestampDistance(anchor.timestamp, timestamp)
    if (Math.abs(ticks) > this.#ticksOf(REPORT_MS)) return
    const reportedMs = this.#msOf(anchor.position + ticks)
    const laterMs = clocks.note(this, cname, reportedMs + fastestMs - saidMs, arrivalMs)
    if (laterMs !== undefined) this.#arrivesLater(laterMs, fastestMs - laterMs)
  }

  /** `errorMs`: by how much earlier than it arrives, less what was known, the stream was taken to be said. */
  #arrivesLater(laterMs: number, errorMs: number): void {
    const isFirst = !this.#isCompared
    this.#isCompared = true
    const hole = this.#begun.lastHole
    if (Math.abs(errorMs) < LEAST_LATER_MS) {
      // Arrival has changed, and nothing else: the way is another one.
      const fastestMs = Math.max(0, laterMs + errorMs)
      if (Math.abs(fastestMs - this.#steering.baseMs) >= LEAST_LATER_MS) this.#steering.aim(fastestMs)
      return
    }
    // What is not the beginning of an epoch is made good by the rate: nothing jumps in the middle of what is said.
    const isMoved =
      isFirst && hole !== undefined && this.#mover.move(hole, Math.max(errorMs, -this.#mover.roomBefore(hole)))
    if (!isMoved) {
      this.#steering.aim(laterMs)
      return
    }
    this.#begun.end()
    this.#steering.restart(laterMs)
  }

  #isAstray(end: number, packet: TimelinePacket, anchor: Anchor): boolean {
    if (this.#sender !== undefined) return this.#msOf(end) > DELIVERED_LIMIT_MS
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
    return this.#pending.end ?? this.#written?.end ?? 0
  }

  #drain(upTo: number): void {
    if (this.#pending.take(upTo, (placed, end) => this.#write(placed, end)) > 0) {
      this.#holes.forgetQuiet(this.#written!.sequence)
    }
  }

  #write({ packet, position, epoch }: Placed, end: number): void {
    const before = this.#written
    const from = before?.end ?? 0
    if (position > from || before === undefined) this.#reportHole(packet, position)
    if (position > from) this.#sink.silence(position - from)
    this.#sink.packet(packet, position, Math.max(0, from - position))
    this.#audioMs += Math.max(0, this.#msOf(end) - this.#msOf(Math.max(from, position)))
    const { sequence, ssrc } = packet
    if (before?.epoch !== epoch && epoch === this.#epoch) this.#begun.written(from, position, before === undefined)
    if (before === undefined) {
      this.#written = { end, sequence, ssrc, epoch }
      return
    }
    before.end = Math.max(from, end)
    before.sequence = before.epoch === epoch ? Math.max(sequence, before.sequence) : sequence
    before.ssrc = ssrc
    before.epoch = epoch
  }

  /** Tells of the hole between what is written and `to`, where the next packet is. */
  #reportHole(next: TimelinePacket | undefined, to: number): void {
    const before = this.#written
    const fromMs = before === undefined ? this.#opening.fromMs : this.#msOf(before.end)
    const packetMs = next === undefined ? 0 : (this.#pending.lengthOf(next) * 1000) / this.#clockRateHz
    this.#holes.report({ fromMs, toMs: this.#msOf(to), before, next, packetMs })
  }

  #ticksOf(ms: number): number {
    return Math.round((ms * this.#clockRateHz) / 1000)
  }

  #msOf(position: number): number {
    return this.#time.msOf(position)
  }
}
