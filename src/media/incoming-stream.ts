// What arrives from one party: sources told apart by SSRC, order, loss (RFC 3550 section 8.2; RTP-11, RTP-28).

import { ReceptionStats, type ReportBlock, type RtcpPacket, type RtpView } from '#rtp'
import type { SourceIds } from './media-packet.ts'

/** Follows the SSRC that a party sends with, over changes and restarts. */
export class IncomingStream {
  sourceId = 0
  /** Extended sequence number of the packet accepted last. */
  extendedSequence = 0
  /** The present source has said BYE. */
  hasLeft = false
  readonly #sourceIds: SourceIds
  readonly #pseudonym: string
  #cname: string | undefined
  #stats: ReceptionStats | undefined
  #lostBefore = 0

  /** `pseudonym`: CNAME of a party that gives none that may be passed on. */
  constructor(sourceIds: SourceIds, pseudonym: string) {
    this.#sourceIds = sourceIds
    this.#pseudonym = pseudonym
  }

  /** SSRC of the packet accepted last. */
  get ssrc(): number | undefined {
    return this.#stats?.ssrc
  }

  /** The party's own CNAME, unless it names a person or a host (RTP-10, RTP-14). */
  get cname(): string {
    return this.#cname === undefined || this.#cname.includes('@') ? this.#pseudonym : this.#cname
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
      this.hasLeft = false
    }
    const verdict = this.#stats.onPacket(view.sequence, view.timestamp, nowMs, clockRateHz)
    if (verdict.kind === 'duplicate' || verdict.kind === 'stray') return false
    if (verdict.kind === 'restart') this.sourceId = this.#sourceIds.next()
    this.extendedSequence = verdict.extended
    return true
  }

  /** Takes what the party's RTCP says about its source: the time, its CNAME, that it leaves. */
  onRtcp(packet: RtcpPacket, nowMs: number): void {
    const stats = this.#stats
    if (stats === undefined) return
    if (packet.type === 'sender-report' && packet.ssrc === stats.ssrc) {
      stats.onSenderReport(packet.ntpSeconds, packet.ntpFraction, nowMs)
    }
    if (packet.type === 'sdes') {
      this.#cname = packet.chunks.find((chunk) => chunk.ssrc === stats.ssrc)?.cname ?? this.#cname
    }
    if (packet.type === 'bye' && packet.ssrcs.includes(stats.ssrc)) this.hasLeft = true
  }

  /** Report blocks for our next SR or RR. */
  reportBlocks(nowMs: number): ReportBlock[] {
    return this.#stats === undefined ? [] : [this.#stats.reportBlock(nowMs)]
  }
}
