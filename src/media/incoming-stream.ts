// What arrives from one party: sources told apart by SSRC, order, loss (RFC 3550 section 8.2; RTP-11, RTP-28).

import { ReceptionStats, type ReportBlock, type RtcpPacket, type RtpView } from '#rtp'
import type { SourceIds } from './media-packet.ts'

/** Follows the SSRC that a party sends with, over changes and restarts. */
export class IncomingStream {
  sourceId = 0
  /** Extended sequence number of the packet accepted last. */
  extendedSequence = 0
  readonly #sourceIds: SourceIds
  #stats: ReceptionStats | undefined
  #lostBefore = 0

  constructor(sourceIds: SourceIds) {
    this.#sourceIds = sourceIds
  }

  /** Packets lost so far, over all SSRCs. */
  get lost(): number {
    return this.#lostBefore + (this.#stats?.lost ?? 0)
  }

  /** Counts a packet; false when it is a repetition or a stray and must be dropped. */
  accept(view: RtpView, clockRateHz: number, nowMs: number): boolean {
    if (this.#stats?.ssrc !== view.ssrc) {
      this.#lostBefore = this.lost
      this.#stats = new ReceptionStats(view.ssrc)
      this.sourceId = this.#sourceIds.next()
    }
    const verdict = this.#stats.onPacket(view.sequence, view.timestamp, nowMs, clockRateHz)
    if (verdict.kind === 'duplicate' || verdict.kind === 'stray') return false
    if (verdict.kind === 'restart') this.sourceId = this.#sourceIds.next()
    this.extendedSequence = verdict.extended
    return true
  }

  /** Takes the time of the party's own sender report. */
  onSenderReport(report: Extract<RtcpPacket, { type: 'sender-report' }>, nowMs: number): void {
    if (report.ssrc === this.#stats?.ssrc) this.#stats.onSenderReport(report.ntpSeconds, report.ntpFraction, nowMs)
  }

  /** Report blocks for our next SR or RR. */
  reportBlocks(nowMs: number): ReportBlock[] {
    return this.#stats === undefined ? [] : [this.#stats.reportBlock(nowMs)]
  }
}
