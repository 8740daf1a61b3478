// What the timeline of a run takes, and what it gives: packets as they arrive, and the run's content in order.

import type { ClockBend, ClockFacts, GapCause, RunMove } from '#store'
import type { SenderReported } from './sender-time.ts'

/** Takes what a run holds, in order, each position once. */
export interface TimelineSink {
  /** A packet at its place; the first `skip` ticks of it are covered by packets before it. */
  packet(packet: TimelinePacket, position: number, skip: number): void
  /** So many ticks without audio. */
  silence(ticks: number): void
  /** From a position on ticks are longer or shorter: the sender's clock is not ours. */
  bend(bend: ClockBend): void
  /** All from a place on, written or not, lies elsewhere. */
  move(move: RunMove): void
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
  /** How long its audio is, in ticks; undefined where only the next packet tells. */
  readonly ticks: number | undefined
}

/** The packets of one codec run on the recording's time axis. */
export interface RunAxis {
  /** Packets that came too late to be placed. */
  readonly late: number
  /** By how much later than other streams of its sender it arrives, in milliseconds. */
  readonly laterMs: number
  /** Milliseconds of the recording that are covered, as far as they left. */
  readonly audioMs: number
  /** How the sender's clock ran beside ours; undefined until it was measured. */
  readonly clock: ClockFacts | undefined
  /** Recording time up to which packets have been placed. */
  readonly endMs: number
  anchor(): TimelineAnchor | undefined
  /** Places a packet, whose payload is kept; false if it came too late. */
  accept(packet: TimelinePacket): boolean
  /** Counts a packet that is not placed: its sequence number is not lost. */
  noteQuiet(sequence: number): void
  /** Notes what the source says of its time. */
  noteReport(report: SenderReported): void
  /** Gives the sink everything that no late packet can change any more. */
  flush(): void
  /** Gives the sink all the rest. */
  close(): void
  /** The same, and accounts for the time up to `endMs`. */
  finish(endMs: number): void
}

/** Where the RTP clock and the recording's clock met last. */
export interface TimelineAnchor {
  readonly positionMs: number
  readonly arrivalMs: number
  readonly ssrc: number
  readonly sequence: number
  readonly timestamp: number
}
