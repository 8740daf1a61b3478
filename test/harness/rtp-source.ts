// A sender of RTP for tests: G.711 over a real UDP socket, as fast as the receiver takes it or paced by the clock.

import { createSocket, type Socket } from 'node:dgram'
import { MAX_SEAL_BYTES, RTP_HEADER_BYTES, type SrtpSender, writeRtpHeader } from '#rtp'

const TICKS_PER_PACKET = 160

/** One RTP source on a port of its own. */
export class RtpSource {
  payloadType = 0
  sequence = 0
  timestamp = 0
  ssrc: number
  /** Contributors that stand in the packets. */
  csrcs: readonly number[] = []
  /** Seals the packets, but those of `sendRaw`. */
  secure: SrtpSender | undefined
  readonly #socket: Socket
  readonly #target: { host: string; port: number }

  private constructor(socket: Socket, target: { host: string; port: number }, ssrc: number) {
    this.#socket = socket
    this.#target = target
    this.ssrc = ssrc
  }

  static async open(target: { host: string; port: number }, ssrc = 0x1234): Promise<RtpSource> {
    const socket = createSocket('udp4')
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
    return new RtpSource(socket, target, ssrc)
  }

  get port(): number {
    return this.#socket.address().port
  }

  /** Sends G.711 bytes as 20 ms packets in one go, yielding after each. */
  async send(payload: Uint8Array): Promise<void> {
    for (let at = 0; at < payload.length; at += TICKS_PER_PACKET) {
      await this.sendPacket(payload.subarray(at, at + TICKS_PER_PACKET))
    }
  }

  /** Sends one packet and moves sequence and timestamp on. */
  async sendPacket(payload: Uint8Array, ticks = payload.length): Promise<void> {
    const { payloadType, sequence, timestamp, ssrc, csrcs } = this
    const headerBytes = RTP_HEADER_BYTES + 4 * csrcs.length
    const packet = new Uint8Array(headerBytes + payload.length)
    writeRtpHeader(packet, 0, { payloadType, marker: false, sequence, timestamp, ssrc })
    packet[0]! |= csrcs.length
    const view = new DataView(packet.buffer)
    for (const [at, csrc] of csrcs.entries()) view.setUint32(RTP_HEADER_BYTES + 4 * at, csrc)
    packet.set(payload, headerBytes)
    this.skip(1, ticks)
    await this.sendRaw(this.secure === undefined ? packet : sealed(this.secure, packet))
  }

  /** Leaves out packets, and time. */
  skip(packets: number, ticks: number): void {
    this.sequence = (this.sequence + packets) & 0xffff
    this.timestamp = (this.timestamp + ticks) >>> 0
  }

  async sendRaw(bytes: Uint8Array): Promise<void> {
    await new Promise<void>((resolve) =>
      this.#socket.send(bytes, this.#target.port, this.#target.host, () => resolve()),
    )
    await new Promise<void>((resolve) => setImmediate(resolve))
  }

  close(): void {
    this.#socket.close()
  }
}

function sealed(sender: SrtpSender, packet: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(packet.length + MAX_SEAL_BYTES)
  bytes.set(packet)
  return bytes.subarray(0, sender.sealRtp(bytes, packet.length))
}
