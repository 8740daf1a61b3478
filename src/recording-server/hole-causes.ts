// Why there is a hole between two packets of a run: announced pauses, packets that are missing, else the silence of the sender.

import type { GapCause } from '#store'
import type { PauseLog } from './pause-log.ts'
import type { TimelinePacket, TimelineSink } from './timeline-sink.ts'

/** The last packet before a hole. */
export interface HoleEdge {
  /** Highest of its epoch. */
  readonly sequence: number
  readonly ssrc: number
}

/** A hole in milliseconds of the recording, between the packets on both sides; absent: before the first one, behind the last one. */
export interface Hole {
  readonly fromMs: number
  readonly toMs: number
  readonly before: HoleEdge | undefined
  readonly next: TimelinePacket | undefined
  /** How long one missing packet was. */
  readonly packetMs: number
}

const MOST_QUIET = 1000
/** What is left over beside lost packets and is shorter than this is rounding. */
const LEAST_SILENCE_MS = 1

/** Explains the holes of one run. */
export class HoleCauses {
  readonly #sink: Pick<TimelineSink, 'gap'>
  readonly #pauses: PauseLog
  readonly #firstCause: GapCause
  /** Sequence numbers that carry no audio and are not written yet. */
  readonly #quiet = new Set<number>()

  /** `firstCause`: why there was no audio before the run. */
  constructor(sink: Pick<TimelineSink, 'gap'>, pauses: PauseLog, firstCause: GapCause) {
    this.#sink = sink
    this.#pauses = pauses
    this.#firstCause = firstCause
  }

  /** Counts a packet without audio: its sequence number is not lost. */
  noteQuiet(sequence: number): void {
    if (this.#quiet.size < MOST_QUIET) this.#quiet.add(sequence)
  }

  /** All up to a sequence number is written. */
  forgetQuiet(before = Number.POSITIVE_INFINITY): void {
    for (const sequence of this.#quiet) if (sequence < before) this.#quiet.delete(sequence)
  }

  /** Tells the sink of a hole, part by part. */
  report({ fromMs, toMs, before, next, packetMs }: Hole): void {
    let lostMs = before !== undefined && next?.ssrc === before.ssrc ? this.#missing(before, next) * packetMs : 0
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

  #causeOf(before: HoleEdge | undefined, next: TimelinePacket | undefined): GapCause {
    if (before === undefined) return this.#firstCause
    if (next === undefined) return 'no-rtp'
    return before.ssrc === next.ssrc ? 'dtx' : 'ssrc-change'
  }

  /** Packets between two that were sent and did not come. */
  #missing(before: HoleEdge, next: TimelinePacket): number {
    let missing = next.sequence - before.sequence - 1
    for (const sequence of this.#quiet) if (sequence > before.sequence && sequence < next.sequence) missing -= 1
    // One that was overtaken from before a change of source is numbered lower, and nothing is missing.
    return Math.max(0, missing)
  }
}
