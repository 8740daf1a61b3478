// RTCP of one stream of ours: reports at random intervals, whatever the media does, and a goodbye (RFC 3550 section 6; RTP-01, -05, -10, -16).

import type { Clock, Timer } from '#kernel'
import {
  buildBye,
  buildFeedback,
  buildReceiverReport,
  buildSdes,
  buildSenderReport,
  compoundRtcp,
  ntpFromWallMs,
  parseRtcp,
  type RtcpFeedback,
  type RtcpPacket,
  rtcpIntervalMs,
  type SourceName,
} from '#rtp'
import type { IncomingStream } from './incoming-stream.ts'
import type { OutgoingStream } from './outgoing-stream.ts'

/** What an RTCP session works with. */
export interface RtcpSessionOptions {
  readonly stream: OutgoingStream
  /** What the peer sends us; absent where it sends nothing. */
  readonly incoming?: IncomingStream
  /** Sources mixed into the stream, described along with it. */
  readonly contributors?: () => readonly SourceName[]
  readonly clock: Clock
  /** Uniform in 0..1. */
  readonly random: () => number
  /** Minimum interval; RFC 3550 says 5000. */
  readonly minimumMs: number
  /** The peer asks something of our stream. */
  readonly onFeedback?: (feedback: RtcpFeedback) => void
  readonly send: (datagram: Uint8Array) => void
}

/** Sends and reads RTCP for one stream. */
export class RtcpSession {
  /** Receiver reports and report blocks about our stream seen so far. */
  receiverReports = 0
  readonly #options: RtcpSessionOptions
  #timer: Timer | undefined
  #hasSpoken = false
  /** Packets sent at the last report and the one before: a sender is who sent since then (section 6.4). */
  #packetsAtLast = 0
  #packetsBefore = 0

  constructor(options: RtcpSessionOptions) {
    this.#options = options
  }

  /** Begins to report; harmless when it already does. */
  start(): void {
    if (this.#timer === undefined) this.#schedule(true)
  }

  /** Reports at once; where there are two in a session the first report may be (section 6.2). */
  reportNow(): void {
    this.#timer?.cancel()
    this.#report()
  }

  /** Reads a datagram of the peer. */
  onDatagram(bytes: Uint8Array): void {
    const { incoming, stream, clock } = this.#options
    for (const packet of parseRtcp(bytes)) {
      incoming?.onRtcp(packet, clock.nowMs())
      if (isFeedback(packet)) this.#options.onFeedback?.(packet)
      if (packet.type !== 'sender-report' && packet.type !== 'receiver-report') continue
      if (packet.reports.some((block) => block.ssrc === stream.ssrc)) this.receiverReports++
    }
  }

  /** Asks something of the peer's stream, at once (RFC 4585 section 3.5). */
  ask(feedback: RtcpFeedback): void {
    if (this.#timer !== undefined) this.#options.send(compoundRtcp([...this.#packets(), buildFeedback(feedback)]))
  }

  /** Says BYE of contributors that will not be heard any more (section 7.3). */
  sayGone(ssrcs: readonly number[]): void {
    if (this.#timer !== undefined) this.#options.send(compoundRtcp([...this.#packets(), buildBye(...ssrcs)]))
  }

  /** Stops; says BYE when anything was ever sent (section 6.3.7). */
  close(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    if (!this.#hasSpoken && this.#options.stream.packets === 0) return
    const { stream, contributors } = this.#options
    const gone = contributors?.().map(({ ssrc }) => ssrc) ?? []
    this.#options.send(compoundRtcp([...this.#packets(), buildBye(stream.ssrc, ...gone)]))
  }

  #schedule(isInitial: boolean): void {
    const { clock, random, minimumMs } = this.#options
    this.#timer = clock.after(rtcpIntervalMs(random(), isInitial, minimumMs), 'rtcp', () => this.#report())
  }

  #report(): void {
    this.#hasSpoken = true
    this.#options.send(compoundRtcp(this.#packets()))
    this.#packetsBefore = this.#packetsAtLast
    this.#packetsAtLast = this.#options.stream.packets
    this.#schedule(false)
  }

  #packets(): Uint8Array[] {
    const { stream, incoming, clock, contributors } = this.#options
    const nowMs = clock.nowMs()
    const reports = incoming?.reportBlocks(nowMs) ?? []
    const isSender = stream.packets > this.#packetsBefore
    const ntp = ntpFromWallMs(clock.wallMs())
    const report = isSender
      ? buildSenderReport({
          ssrc: stream.ssrc,
          ntpSeconds: ntp.seconds,
          ntpFraction: ntp.fraction,
          rtpTimestamp: stream.timestampAt(nowMs),
          packetCount: stream.packets,
          octetCount: stream.octets,
          reports,
        })
      : buildReceiverReport(stream.ssrc, reports)
    return [report, buildSdes(stream, ...(contributors?.() ?? []))]
  }
}

function isFeedback(packet: RtcpPacket): packet is RtcpFeedback {
  return packet.type === 'picture-loss' || packet.type === 'full-intra' || packet.type === 'nack'
}
