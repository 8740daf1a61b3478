// One stream of a delivery: an RTP session of its own with the recorder, secured as was agreed (RFC 3550, RFC 3711).

import type { ForkCounters, ForkRemote, GateReceipt, PortPair, PortPool } from '#engine'
import type { Clock, Endpoint } from '#kernel'
import { buildBye, buildSdes, buildSenderReport, compoundRtcp, MAX_SEAL_BYTES, ntpFromWallMs, SrtpSender } from '#rtp'
import type { SpoolDelivery } from './spool-delivery.ts'
import { payloadTypeOf, type SpoolRecord, sequenceOf, timestampOf } from './spool-format.ts'
import type { DeliveredCodec } from './spool-messages.ts'

const REPORT_EVERY_MS = 5_000

/** What a line is made from. */
export interface DeliveryLineOptions {
  readonly fork: string
  readonly stream: number
  readonly pair: PortPair
  readonly pool: PortPool
  readonly clock: Clock
  readonly ssrc: number
  /** What the line is of. */
  readonly delivery: Pick<SpoolDelivery, 'cname' | 'saidAtMs'>
}

/** Sends kept packets with their own sequence and RTP time; sender reports tell when they were said. */
export class DeliveryLine {
  readonly stream: number
  readonly #options: DeliveryLineOptions
  #remote: ForkRemote | undefined
  #codecs: ReadonlyMap<number, DeliveredCodec> = new Map()
  #srtp: SrtpSender | undefined
  #isOpen = false
  #packets = 0
  #octets = 0
  #sendErrors = 0
  #receiverReports = 0
  #firstAtMs: number | undefined
  #lastAtMs: number | undefined
  #lastHeardAtMs: number | undefined
  #last: SpoolRecord | undefined
  #reportedAtMs = Number.NEGATIVE_INFINITY

  constructor(options: DeliveryLineOptions) {
    this.#options = options
    this.stream = options.stream
    const { rtp, rtcp } = options.pair
    for (const socket of [rtp, rtcp]) {
      socket.on('message', () => {
        this.#lastHeardAtMs = options.clock.wallMs()
      })
      socket.on('error', () => {
        this.#sendErrors += 1
      })
    }
    rtcp.on('message', () => {
      this.#receiverReports += 1
    })
  }

  /** Whether packets go out. */
  get isFlowing(): boolean {
    return this.#isOpen && this.#remote !== undefined
  }

  connect(remote: ForkRemote, codecs: ReadonlyMap<number, DeliveredCodec>): void {
    this.#remote = remote
    this.#codecs = codecs
    this.#srtp = remote.srtp === undefined ? undefined : new SrtpSender(remote.srtp.send)
  }

  set(isOpen: boolean): void {
    this.#isOpen = isOpen
  }

  /** Sends a packet, unless the recorder takes none like it. */
  send(record: SpoolRecord): void {
    const { packet } = record
    const codec = this.#codecs.get(payloadTypeOf(record))
    if (!this.isFlowing || codec === undefined) return
    const bytes = Buffer.alloc(packet.length + MAX_SEAL_BYTES)
    bytes.set(packet)
    bytes.writeUInt8((packet[1]! & 0x80) | codec.payloadType, 1)
    bytes.writeUInt32BE(this.#options.ssrc, 8)
    const size = this.#srtp?.sealRtp(bytes, packet.length) ?? packet.length
    if (size < 0) return
    this.#last = record
    this.#packets += 1
    this.#octets += packet.length
    const nowMs = this.#options.clock.wallMs()
    this.#firstAtMs ??= nowMs
    this.#lastAtMs = nowMs
    this.#sendTo(this.#options.pair.rtp, bytes.subarray(0, size), this.#remote!.remote.rtp)
    if (nowMs - this.#reportedAtMs >= REPORT_EVERY_MS) this.#report(nowMs)
  }

  receipt(): GateReceipt {
    const last = this.#last
    return {
      fork: this.#options.fork,
      ssrc: this.#options.ssrc,
      packetsSent: this.#packets,
      packetsHeld: 0,
      drained: true,
      ...(last === undefined ? {} : { lastSequence: sequenceOf(last), lastTimestamp: timestampOf(last) }),
      ...(this.#lastAtMs === undefined ? {} : { lastSentAtMs: this.#lastAtMs }),
    }
  }

  /** Says goodbye and lets the ports go. */
  async close(): Promise<ForkCounters> {
    if (this.#last !== undefined) this.#sendRtcp([buildBye(this.#options.ssrc)])
    await this.#options.pool.release(this.#options.pair)
    const { fork, ssrc } = this.#options
    return {
      fork,
      ssrc,
      packets: this.#packets,
      bytes: this.#octets,
      held: 0,
      sendErrors: this.#sendErrors,
      receiverReports: this.#receiverReports,
      ...(this.#firstAtMs === undefined ? {} : { firstAtMs: this.#firstAtMs }),
      ...(this.#lastAtMs === undefined ? {} : { lastAtMs: this.#lastAtMs }),
      ...(this.#lastHeardAtMs === undefined ? {} : { lastHeardAtMs: this.#lastHeardAtMs }),
    }
  }

  #report(nowMs: number): void {
    this.#reportedAtMs = nowMs
    this.#sendRtcp([])
  }

  #sendRtcp(more: readonly Uint8Array[]): void {
    const last = this.#last
    const remote = this.#remote
    if (last === undefined || remote === undefined) return
    const { ssrc, pair, delivery } = this.#options
    const codec = this.#codecs.get(payloadTypeOf(last))
    const ntp = ntpFromWallMs(codec === undefined ? last.atMs : delivery.saidAtMs(last, codec.clockRateHz))
    const report = buildSenderReport({
      ssrc,
      ntpSeconds: ntp.seconds,
      ntpFraction: ntp.fraction,
      rtpTimestamp: timestampOf(last),
      packetCount: this.#packets,
      octetCount: this.#octets,
      reports: [],
    })
    const compound = compoundRtcp([report, buildSdes({ ssrc, cname: delivery.cname }), ...more])
    const sealed = this.#srtp === undefined ? compound : this.#srtp.sealRtcp(compound)
    if (sealed !== undefined) this.#sendTo(pair.rtcp, sealed, remote.remote.rtcp)
  }

  #sendTo(socket: PortPair['rtp'], bytes: Uint8Array, { host, port }: Endpoint): void {
    socket.send(bytes, port, host, (error) => {
      if (error !== null) this.#sendErrors += 1
    })
  }
}
