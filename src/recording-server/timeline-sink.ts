// What the timeline of a run takes, and what it gives: packets as they arrive, and the run's content in order.

import type { ClockBend, GapCause, RunMove } from '#store'

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

/** Where the RTP clock and the recording's clock met last. */
export interface TimelineAnchor {
  readonly positionMs: number
  readonly arrivalMs: number
  readonly ssrc: number
  readonly sequence: number
  readonly timestamp: number
}
