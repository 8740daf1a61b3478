// DTMF digits out of telephone-event packets (RFC 4733 section 2.3), each once however often it is repeated.
//
//  0                   1                   2                   3
//  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
// |     event     |E|R| volume    |          duration             |
// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+

import type { RtpHeader } from './packet.ts'
import { timestampDistance } from './sequence.ts'

const DIGITS = '0123456789*#ABCD'
const LONGEST_SEGMENT = 0xffff
/** An event whose end packets were all lost is over when the stream has gone on this long after it. */
const LOST_END_MS = 200

/** A key that was pressed and released. */
export interface TelephoneEvent {
  /** One of `0-9 * # A-D`. */
  readonly digit: string
  readonly durationMs: number
}

/** Detects the events of one stream; feed it every telephone-event packet and the timestamps of the others. */
export class TelephoneEventDetector {
  readonly #clockRateHz: number
  #code = -1
  /** RTP timestamp of the segment now running, and ticks of the segments before it (section 2.5.1.3). */
  #segmentStart = 0
  #earlierTicks = 0
  #duration = 0
  #reported = true
  #known = false

  constructor(clockRateHz = 8000) {
    this.#clockRateHz = clockRateHz
  }

  /** Takes an event packet; returns an event when this packet ends one. */
  onPacket(header: RtpHeader, payload: Uint8Array): TelephoneEvent | undefined {
    if (payload.length < 4) return undefined
    const code = payload[0]!
    if (code >= DIGITS.length) return undefined
    const isEnd = (payload[1]! & 0x80) !== 0
    const duration = (payload[2]! << 8) | payload[3]!
    const ahead = timestampDistance(this.#segmentStart, header.timestamp)
    if (this.#known && ahead < 0) return undefined
    if (!this.#known || ahead !== 0) {
      const unfinished = this.#begin(code, header.timestamp, ahead)
      this.#duration = duration
      if (unfinished !== undefined) return unfinished
    }
    this.#duration = Math.max(this.#duration, duration)
    return isEnd ? this.#finish() : undefined
  }

  /** Takes the timestamp of any other packet of the stream; returns an event whose end packets were lost. */
  onOtherPacket(timestamp: number): TelephoneEvent | undefined {
    if (this.#reported) return undefined
    const sinceEnd = timestampDistance(this.#segmentStart, timestamp) - this.#duration
    return sinceEnd > (LOST_END_MS * this.#clockRateHz) / 1000 ? this.#finish() : undefined
  }

  /** Starts an event or the next segment of a long one; returns the event before when its end was lost. */
  #begin(code: number, timestamp: number, ahead: number): TelephoneEvent | undefined {
    const isNextSegment = !this.#reported && code === this.#code && ahead === LONGEST_SEGMENT
    const unfinished = isNextSegment ? undefined : this.#finish()
    this.#earlierTicks = isNextSegment ? this.#earlierTicks + LONGEST_SEGMENT : 0
    this.#code = code
    this.#segmentStart = timestamp
    this.#reported = false
    this.#known = true
    return unfinished
  }

  #finish(): TelephoneEvent | undefined {
    if (this.#reported) return undefined
    this.#reported = true
    const ticks = this.#earlierTicks + this.#duration
    return { digit: DIGITS[this.#code]!, durationMs: Math.round((ticks * 1000) / this.#clockRateHz) }
  }
}
