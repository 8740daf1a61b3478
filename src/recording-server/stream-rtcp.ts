// RTCP of one stream that the recorder receives: reports of the sender, receiver reports, goodbye (RFC 3550 section 6).

import type { PortPair } from '#engine'
import type { Clock, Endpoint, Ids, Timer } from '#kernel'
import {
  buildBye,
  buildFeedback,
  buildReceiverReport,
  buildSdes,
  compoundRtcp,
  parseRtcp,
  type ReceptionStats,
  type RtcpPacket,
  rtcpIntervalMs,
  type SecureChannel,
  type SenderReport,
} from '#rtp'
import type { PictureRequest } from '#sdp'

const RANDOM_STEPS = 2 ** 32
/** Whole pictures are large: they are not asked for more often. */
const PICTURE_EVERY_MS = 1000

/** What the reports are about, and where they go. */
export interface StreamRtcpOptions {
  readonly port: PortPair['rtcp']
  readonly channel: SecureChannel
  readonly clock: Clock
  readonly ids: Ids
  /** CNAME of all our streams of this recording session (RFC 7022). */
  readonly cname: string
  /** Milliseconds of the recording, now. */
  readonly elapsedMs: () => number
  /** Statistics of every source that is heard. */
  readonly heard: () => readonly ReceptionStats[]
  /** Whether an address is that of the sender; where packets are authenticated, that decides. */
  readonly isPeer: (host: string) => boolean
  /** Where SDP wants RTCP, as long as the peer's own has not shown otherwise; hold by c=0.0.0.0 wants none. */
  readonly wanted: () => { readonly rtcp?: Endpoint | undefined; readonly isHeld?: boolean }
  /** RTCP of the sender has come. */
  readonly onHeard: () => void
  /** `cname` is the name that came with the report; absent if none did. */
  readonly onSenderReport: (report: SenderReport, cname: string | undefined) => void
}

/** RTCP both ways, until it is closed. */
export class StreamRtcp {
  readonly #options: StreamRtcpOptions
  readonly #ssrc: number
  #source: Endpoint | undefined
  #timer: Timer | undefined
  #isClosed = false
  #askedAtMs = Number.NEGATIVE_INFINITY
  /** Number of the latest FIR (RFC 5104 section 4.3.1.1). */
  #command = 0

  constructor(options: StreamRtcpOptions) {
    this.#options = options
    this.#ssrc = options.ids.integer(RANDOM_STEPS)
    this.#schedule(true)
  }

  /** Takes a datagram, on whichever port it came. */
  take(datagram: Uint8Array, { address, port }: { readonly address: string; readonly port: number }): void {
    const { channel, heard, elapsedMs, isPeer, onHeard, onSenderReport } = this.#options
    if (this.#isClosed || !(channel.isSecured || isPeer(address))) return
    const compound = channel.openRtcp(datagram)
    if (compound === undefined) return
    onHeard()
    this.#source = { host: address, port }
    const packets = parseRtcp(compound)
    for (const packet of packets) {
      if (packet.type !== 'sender-report') continue
      onSenderReport(packet, nameOf(packet.ssrc, packets))
      const stats = heard().find(({ ssrc }) => ssrc === packet.ssrc)
      stats?.onSenderReport(packet.ntpSeconds, packet.ntpFraction, elapsedMs())
    }
  }

  /** Asks a source for a whole picture; false where there is nowhere to ask, or it was asked a moment ago. */
  askForPicture(request: PictureRequest, mediaSsrc: number): boolean {
    const nowMs = this.#options.clock.nowMs()
    if (this.#isClosed || nowMs - this.#askedAtMs < PICTURE_EVERY_MS) return false
    const ssrc = this.#ssrc
    const requests = [{ ssrc: mediaSsrc, command: this.#command }]
    const isFir = request === 'full-intra'
    const asked = isFir ? ({ type: request, ssrc, requests } as const) : ({ type: request, ssrc, mediaSsrc } as const)
    if (!this.#send([buildFeedback(asked)])) return false
    this.#askedAtMs = nowMs
    this.#command = (this.#command + 1) & 0xff
    return true
  }

  /** Says goodbye. */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#timer?.cancel()
    this.#send([buildBye(this.#ssrc)])
  }

  #schedule(isFirst: boolean): void {
    const { clock, ids } = this.#options
    const random = ids.integer(RANDOM_STEPS) / RANDOM_STEPS
    this.#timer = clock.after(rtcpIntervalMs(random, isFirst), 'rtcp-report', () => {
      this.#send([])
      this.#schedule(false)
    })
  }

  /** RR, SDES and what is added; from the port that SDP names, to where the peer's reports come from (RTP-02). False: nowhere to. */
  #send(added: readonly Uint8Array[]): boolean {
    const { port, channel, cname, heard, elapsedMs, wanted } = this.#options
    const { rtcp, isHeld = false } = wanted()
    const target = this.#source ?? rtcp
    // RFC 3264 section 8.4: c=0.0.0.0 wants no RTCP, wherever it came from before.
    if (target === undefined || isHeld) return false
    const blocks = heard().map((stats) => stats.reportBlock(elapsedMs()))
    const report = buildReceiverReport(this.#ssrc, blocks)
    const compound = compoundRtcp([report, buildSdes({ ssrc: this.#ssrc, cname }), ...added])
    const datagram = channel.sealRtcp(compound)
    if (datagram === undefined) return false
    port.send(datagram, target.port, target.host, () => {})
    return true
  }
}

/** The CNAME of a source, from the compound that its report came in (RFC 3550 section 6.1). */
function nameOf(ssrc: number, packets: readonly RtcpPacket[]): string | undefined {
  const chunks = packets.flatMap((packet) => (packet.type === 'sdes' ? packet.chunks : []))
  return chunks.find((chunk) => chunk.ssrc === ssrc)?.cname
}
