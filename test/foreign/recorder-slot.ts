// One m-line of a recording session at the recorder: its sockets, what came to them, and what a strict recorder objects to in it.

import { randomBytes } from 'node:crypto'
import { fromALaw, fromMuLaw } from './g711-tones.ts'
import type { Findings } from './message-rules.ts'
import {
  buildReceiverReport,
  parseRtcp,
  parseRtp,
  RTCP_RR,
  RTCP_SDES,
  RTCP_SR,
  type RtcpCompound,
  type RtpPacket,
  type SocketPair,
} from './rtp-wire.ts'
import type { Codec, Direction, MediaLine } from './sdp-text.ts'
import type { Address } from './sip-flow.ts'

/** A packet with the time and the source of its arrival. */
export type RtpArrival = RtpPacket & { readonly atMs: number; readonly from: Address }

/** A compound with the time and the source of its arrival. */
export type RtcpArrival = RtcpCompound & { readonly atMs: number; readonly from: Address }

/** How long packets may still be under way after a change of direction. */
const UNDER_WAY_MS = 250
const MAX_GAP_SAMPLES = 8000 * 60

/** The sockets of one m-line and their traffic. */
export class RecorderSlot {
  readonly pair: SocketPair
  readonly rtp: RtpArrival[] = []
  readonly rtcp: RtcpArrival[] = []
  readonly ssrc = randomBytes(4).readUInt32BE()
  /** Whether each sender report is answered. */
  doesReport = true
  readonly #objected = new Set<string>()
  readonly #findings: Findings
  readonly #changed: () => void
  readonly #name: string
  #offered: MediaLine
  #codecs: readonly Codec[] = []
  #direction: Direction = 'inactive'
  #quietSinceMs: number | undefined
  #openedMs = Date.now()

  constructor(pair: SocketPair, name: string, offered: MediaLine, findings: Findings, changed: () => void) {
    this.pair = pair
    this.#name = name
    this.#offered = offered
    this.#findings = findings
    this.#changed = changed
    pair.rtp.on('message', (raw, from) => this.#onRtp(raw, { host: from.address, port: from.port }))
    pair.rtcp.on('message', (raw, from) => this.#onRtcp(raw, { host: from.address, port: from.port }))
  }

  /** Takes the outcome of an offer/answer exchange; `codecs` are those of the answer. */
  agree(offered: MediaLine, codecs: readonly Codec[], direction: Direction): void {
    this.#offered = offered
    this.#codecs = codecs
    this.#direction = offered.port === 0 ? 'inactive' : direction
    if (this.#direction === 'recvonly') this.#quietSinceMs = undefined
    else this.#quietSinceMs ??= Date.now()
  }

  /** The session is over: nothing may follow, and RTCP should have come within `rtcpDueMs` of the first packet. */
  end(rtcpDueMs: number): void {
    this.#direction = 'inactive'
    this.#quietSinceMs ??= Date.now()
    const first = this.rtp[0]
    if (first === undefined || this.rtcp.length > 0) return
    if (Date.now() - Math.max(first.atMs, this.#openedMs) > rtcpDueMs) this.#object('RFC 7866 8.1.1: no RTCP came')
  }

  #object(what: string, list: string[] = this.#findings.objections): void {
    if (this.#objected.has(what)) return
    this.#objected.add(what)
    list.push(`${what} (${this.#name})`)
  }

  #onRtp(raw: Buffer, from: Address): void {
    const packet = parseRtp(raw)
    if (packet === undefined) {
      if (raw.length >= 2 && raw.readUInt8(1) >= 200 && raw.readUInt8(1) <= 207) this.#onRtcp(raw, from, true)
      else this.#object('RFC 3550 5.1: a datagram that is no RTP')
      return
    }
    const atMs = Date.now()
    const last = this.rtp.at(-1)
    this.rtp.push({ ...packet, atMs, from })
    if (from.port !== this.#offered.port && this.#offered.port !== 0) {
      this.#object(`RFC 7866 8.1.8: RTP comes from ${from.port}, the offer said ${this.#offered.port}`)
    }
    const codec = this.#codecs.find((one) => one.payloadType === packet.payloadType)
    if (this.#codecs.length > 0 && codec === undefined) {
      this.#object(`RFC 3264 5.1: payload type ${packet.payloadType} is not in the answer`)
    }
    if (this.#quietSinceMs !== undefined && atMs - this.#quietSinceMs > UNDER_WAY_MS) {
      this.#object('RFC 3264 5.1: RTP comes while the stream is inactive')
    }
    if (last && last.ssrc !== packet.ssrc)
      this.#object('RFC 7866 8.1.3: the SSRC of the stream changed', this.#findings.advice)
    if (last && last.ssrc === packet.ssrc && last.sequence === packet.sequence)
      this.#object('RFC 3550 5.1: a sequence number twice')
    this.#changed()
  }

  #onRtcp(raw: Buffer, from: Address, isOnRtpPort = false): void {
    const compound = parseRtcp(raw)
    if (compound === undefined) {
      this.#object('RFC 3550 6.1: a datagram that is no RTCP compound')
      return
    }
    this.rtcp.push({ ...compound, atMs: Date.now(), from })
    const first = compound.types[0]
    if (first !== RTCP_SR && first !== RTCP_RR) this.#object('RFC 3550 6.1: the compound does not begin with a report')
    if (!compound.types.includes(RTCP_SDES) || compound.cname === undefined)
      this.#object('RFC 3550 6.1: RTCP without a CNAME')
    if (compound.cname?.includes('@'))
      this.#object(`RFC 7022 4.2: the CNAME ${compound.cname} is not random`, this.#findings.advice)
    if (isOnRtpPort) this.#object('RFC 5761 5.1.1: RTCP on the RTP port without rtcp-mux')
    else if (from.port !== this.#offered.rtcpPort && this.#offered.port !== 0) {
      this.#object(`RFC 7866 8.1.8: RTCP comes from ${from.port}, the offer said ${this.#offered.rtcpPort}`)
    }
    const source = this.rtp.at(-1)
    if (source && source.ssrc !== compound.ssrc) this.#object('RFC 3550 6.4.1: RTCP and RTP have different SSRCs')
    if (first === RTCP_SR && this.doesReport) this.report()
    this.#changed()
  }

  /** Sends a receiver report to the client's RTCP port. */
  report(): void {
    const last = this.rtp.at(-1)
    if (last === undefined || this.#offered.rtcpPort === 0) return
    const about = { ssrc: last.ssrc, highest: last.sequence }
    const raw = buildReceiverReport(this.ssrc, about, 'pQ7tXw2kLr9sVb3mZc8d')
    this.pair.rtcp.send(raw, this.#offered.rtcpPort, this.#offered.address)
  }

  /** What was said on the stream: laid out by timestamp, with silence in the gaps; G.711 only. */
  audio(): Int16Array {
    const decoders = new Map<number, (octet: number) => number>()
    for (const codec of this.#codecs) {
      if (codec.name.toUpperCase() === 'PCMU') decoders.set(codec.payloadType, fromMuLaw)
      if (codec.name.toUpperCase() === 'PCMA') decoders.set(codec.payloadType, fromALaw)
    }
    const spoken = this.rtp.filter((packet) => decoders.has(packet.payloadType))
    const first = spoken[0]
    if (first === undefined) return new Int16Array(0)
    const placed = spoken.map((packet) => ({ packet, at: (packet.timestamp - first.timestamp) | 0 }))
    const end = Math.max(...placed.map(({ packet, at }) => at + packet.payload.length))
    const samples = new Int16Array(Math.min(end, MAX_GAP_SAMPLES))
    for (const { packet, at } of placed) {
      const decode = decoders.get(packet.payloadType)
      if (at >= 0 && decode)
        packet.payload.forEach((octet, i) => {
          samples[at + i] = decode(octet)
        })
    }
    return samples
  }

  close(): void {
    this.pair.close()
  }
}
