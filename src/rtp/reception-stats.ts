// What a receiver knows about one source: loss and jitter for its report blocks (RFC 3550 sections 6.4.1, A.3, A.8).

import type { ReportBlock } from './rtcp.ts'
import { SequenceTracker, type SequenceVerdict, timestampDistance } from './sequence.ts'

const MAX_CUMULATIVE_LOST = 0x7fffff
const MIN_CUMULATIVE_LOST = -0x800000

/** Reception statistics of one SSRC. */
export class ReceptionStats {
  readonly ssrc: number
  readonly #tracker = new SequenceTracker()
  #first = -1
  #received = 0
  /** Numbers skipped when a source restarted; they were never sent. */
  #skipped = 0
  #expectedBefore = 0
  #receivedBefore = 0
  #jitter = 0
  #lastArrivalTicks = 0
  #lastTimestamp = 0
  #lastSenderReport = 0
  #lastSenderReportAtMs = 0

  constructor(ssrc: number) {
    this.ssrc = ssrc
  }

  /** Packets counted, duplicates left out. */
  get received(): number {
    return this.#received
  }

  /** Packets expected but not received so far; never negative. */
  get lost(): number {
    return Math.max(0, this.#expected() - this.#received)
  }

  /** Interarrival jitter in timestamp ticks. */
  get jitter(): number {
    return Math.floor(this.#jitter)
  }

  /** Counts a packet and judges its sequence number; the verdict is valid until the next call. */
  onPacket(sequence: number, rtpTimestamp: number, arrivalMs: number, clockRateHz: number): SequenceVerdict {
    const highestBefore = this.#tracker.highestExtended
    const verdict = this.#tracker.accept(sequence)
    if (verdict.kind === 'stray' || verdict.kind === 'duplicate') return verdict
    const arrivalTicks = (arrivalMs * clockRateHz) / 1000
    if (this.#first < 0) {
      this.#first = verdict.extended
    } else if (verdict.kind === 'restart') {
      this.#skipped += verdict.extended - highestBefore - 1
    } else if (verdict.kind !== 'reordered') {
      const transit = arrivalTicks - this.#lastArrivalTicks - timestampDistance(this.#lastTimestamp, rtpTimestamp)
      this.#jitter += (Math.abs(transit) - this.#jitter) / 16
    }
    this.#received++
    if (verdict.kind !== 'reordered') {
      this.#lastArrivalTicks = arrivalTicks
      this.#lastTimestamp = rtpTimestamp
    }
    return verdict
  }

  /** Remembers the source's sender report, for LSR and DLSR. */
  onSenderReport(ntpSeconds: number, ntpFraction: number, arrivalMs: number): void {
    this.#lastSenderReport = ((ntpSeconds << 16) | (ntpFraction >>> 16)) >>> 0
    this.#lastSenderReportAtMs = arrivalMs
  }

  /** Report block for the next SR or RR; the fraction covers the time since the last one. */
  reportBlock(nowMs: number): ReportBlock {
    const expected = this.#expected()
    const expectedNow = expected - this.#expectedBefore
    const lostNow = expectedNow - (this.#received - this.#receivedBefore)
    this.#expectedBefore = expected
    this.#receivedBefore = this.#received
    return {
      ssrc: this.ssrc,
      fractionLost: expectedNow > 0 && lostNow > 0 ? Math.min(255, Math.floor((lostNow * 256) / expectedNow)) : 0,
      cumulativeLost: Math.min(MAX_CUMULATIVE_LOST, Math.max(MIN_CUMULATIVE_LOST, expected - this.#received)),
      highestSequence: this.#tracker.highestExtended >>> 0,
      jitter: this.jitter,
      lastSenderReport: this.#lastSenderReport,
      delaySinceLastSenderReport:
        this.#lastSenderReport === 0 ? 0 : Math.floor(((nowMs - this.#lastSenderReportAtMs) * 65536) / 1000) >>> 0,
    }
  }

  #expected(): number {
    return this.#first < 0 ? 0 : this.#tracker.highestExtended - this.#first + 1 - this.#skipped
  }
}
