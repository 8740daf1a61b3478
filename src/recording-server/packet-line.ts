// The packets of one codec run of video or text, kept in the order in which they came: nothing is played from it, so nothing waits
// for its place. RTP time inside a source and arrival between sources say when each was, and every stretch without one has a cause.

import { timestampDistance } from '#rtp'
import type { GapCause } from '#store'
import type { PauseLog } from './pause-log.ts'
import type { RunAxis, TimelineAnchor, TimelinePacket, TimelineSink } from './timeline-sink.ts'

/** What a line starts from. */
export interface PacketLineOptions {
  readonly clockRateHz: number
  /** Where in the recording position 0 is. */
  readonly startMs: number
  readonly sink: Pick<TimelineSink, 'packet' | 'gap'>
  /** What was kept is delivered at another pace: RTP time alone says when it was. */
  readonly isDelivered: boolean
  /** What was announced, and explains stretches without a packet. */
  readonly pauses: PauseLog
  /** Since when, and unless somebody paused why, there has been nothing before this run. */
  readonly opening: { readonly fromMs: number; readonly cause: GapCause }
}

/** Pictures, and what somebody types, come when there are some: only longer stretches without are told of. */
const QUIET_MS = 1000
/** A packet may be overtaken by so much before it is lost. */
const REORDER_MS = 500
/** RTP time and arrival that are further apart than this have nothing to do with each other. */
const ASTRAY_MS = 2000
/** The longest recording that can be delivered. */
const DELIVERED_LIMIT_MS = 12 * 3_600_000
const MOST_QUIET = 1000

/** Sequence numbers between two that have not come. */
interface Missing {
  readonly after: number
  readonly before: number
  left: number
}

interface Stretch {
  readonly fromMs: number
  readonly toMs: number
  readonly cause: GapCause
  /** It is a gap only while some of them are missing. */
  readonly missing?: Missing | undefined
}

/** The newest packet. */
interface Newest extends Omit<TimelineAnchor, 'positionMs'> {
  readonly position: number
  readonly atMs: number
}

/** The time axis of one run of packets that are kept as they came. */
export class PacketLine implements RunAxis {
  readonly late = 0
  readonly laterMs = 0
  readonly clock = undefined
  readonly #options: PacketLineOptions
  #newest: Newest | undefined
  /** Highest sequence number of the source that came, kept or not. */
  #highest = -1
  /** Numbers beyond that came and were not kept. */
  readonly #quiet = new Set<number>()
  /** What is not told yet, in order. */
  readonly #stretches: Stretch[] = []
  #coveredMs = 0

  constructor(options: PacketLineOptions) {
    this.#options = options
  }

  get audioMs(): number {
    return this.#coveredMs
  }

  get endMs(): number {
    return this.#newest?.atMs ?? this.#options.startMs
  }

  anchor(): TimelineAnchor | undefined {
    if (this.#newest === undefined) return undefined
    const { position, arrivalMs, ssrc, sequence, timestamp } = this.#newest
    return { positionMs: this.#msOf(position), arrivalMs, ssrc, sequence, timestamp }
  }

  accept(packet: TimelinePacket): boolean {
    const { ssrc, sequence, timestamp, arrivalMs } = packet
    const position = this.#positionOf(packet)
    const newest = this.#newest
    if (newest?.ssrc === ssrc && sequence <= this.#highest) this.#found(sequence)
    else {
      const atMs = Math.max(newest?.atMs ?? 0, this.#options.isDelivered ? this.#msOf(position) : arrivalMs)
      this.#account(newest, packet, atMs)
      this.#newest = { position, atMs, arrivalMs, ssrc, sequence, timestamp }
      this.#highest = sequence
    }
    this.#options.sink.packet(packet, position, 0)
    return true
  }

  noteQuiet(sequence: number): void {
    if (sequence === this.#highest + 1) this.#highest = sequence
    else if (sequence <= this.#highest) this.#found(sequence)
    else if (this.#quiet.size < MOST_QUIET) this.#quiet.add(sequence)
  }

  /** Arrival says where packets of other streams are, and whose clock runs how is of no use here. */
  noteReport(): void {}

  flush(): void {
    this.#tell(this.#newest?.atMs ?? 0)
  }

  close(): void {
    this.#tell(Number.POSITIVE_INFINITY)
  }

  finish(endMs: number): void {
    if (this.#newest === undefined) this.#open(endMs)
    else this.#stretch(this.#newest.atMs, endMs, 'no-rtp')
    this.close()
  }

  /** By RTP time; by arrival for the first packet, after a change of source, and where RTP time makes no sense. */
  #positionOf({ ssrc, timestamp, arrivalMs }: TimelinePacket): number {
    const { startMs, clockRateHz, isDelivered } = this.#options
    const byArrival = Math.max(0, Math.round(((arrivalMs - startMs) * clockRateHz) / 1000))
    const newest = this.#newest
    if (newest?.ssrc !== ssrc) return byArrival
    const position = newest.position + timestampDistance(newest.timestamp, timestamp)
    const atMs = this.#msOf(position)
    const isAstray = isDelivered ? atMs > DELIVERED_LIMIT_MS : Math.abs(atMs - arrivalMs) > ASTRAY_MS
    return isAstray ? byArrival : Math.max(0, position)
  }

  /** Accounts for the time since the packet before. */
  #account(before: Newest | undefined, { ssrc, sequence }: TimelinePacket, atMs: number): void {
    if (before === undefined) this.#open(atMs)
    else if (before.ssrc !== ssrc) this.#stretch(before.atMs, atMs, 'ssrc-change')
    else this.#stretch(before.atMs, atMs, 'dtx', QUIET_MS, this.#missingBefore(sequence))
    for (const quiet of this.#quiet) if (quiet <= sequence || before?.ssrc !== ssrc) this.#quiet.delete(quiet)
  }

  /** Where no run was before, nothing is too short to be told of. */
  #open(atMs: number): void {
    const { fromMs, cause } = this.#options.opening
    this.#stretch(fromMs, atMs, cause, cause === 'dtx' ? QUIET_MS : 0)
  }

  #missingBefore(sequence: number): Missing | undefined {
    let left = sequence - this.#highest - 1
    for (const quiet of this.#quiet) if (quiet < sequence) left -= 1
    return left > 0 ? { after: this.#highest, before: sequence, left } : undefined
  }

  #found(sequence: number): void {
    const stretch = this.#stretches.find(
      ({ missing }) => missing !== undefined && missing.after < sequence && sequence < missing.before,
    )
    if (stretch?.missing !== undefined) stretch.missing.left -= 1
  }

  #stretch(fromMs: number, toMs: number, cause: GapCause, leastMs = QUIET_MS, missing?: Missing): void {
    if (toMs <= fromMs) return
    const { pauses } = this.#options
    if (missing === undefined && toMs - fromMs <= leastMs && !pauses.touches(fromMs, toMs)) {
      this.#coveredMs += toMs - fromMs
      return
    }
    for (const part of pauses.explain(fromMs, toMs)) {
      if (part.cause !== undefined) this.#stretches.push({ ...part, cause: part.cause })
      else if (missing !== undefined) this.#stretches.push({ ...part, cause: 'lost', missing })
      else if (part.toMs - part.fromMs > leastMs) this.#stretches.push({ ...part, cause })
      else this.#coveredMs += part.toMs - part.fromMs
    }
  }

  /** Tells the sink of what is decided, in order. */
  #tell(nowMs: number): void {
    for (let first = this.#stretches[0]; first !== undefined; first = this.#stretches[0]) {
      const { fromMs, toMs, cause, missing } = first
      if (missing !== undefined && missing.left > 0 && nowMs - toMs < REORDER_MS) return
      this.#stretches.shift()
      if (missing?.left === 0) this.#coveredMs += toMs - fromMs
      else this.#options.sink.gap(fromMs, toMs, cause)
    }
  }

  #msOf(position: number): number {
    return this.#options.startMs + (position * 1000) / this.#options.clockRateHz
  }
}
