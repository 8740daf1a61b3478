// SRTP and SRTCP of one leg or fork, between its streams and its sockets; without keys everything passes as it is (RFC 3711).

import type { Endpoint } from '#kernel'
import { headerOffset, type LegPort, type MediaPacket } from '#media'
import { MAX_SEAL_BYTES, type RtpHeader, SrtpReceiver, SrtpSender, writeRtpHeader } from '#rtp'
import type { SrtpKey, SrtpKeys } from '../media-engine.ts'
import type { RtpSocket } from './rtp-socket.ts'

const FIRST_BUFFER_BYTES = 512

/** A direction of the channel: the key it was made with, and what follows from it. */
interface Secured<Side> {
  readonly key: SrtpKey
  readonly side: Side
}

/** Keys and packet indices of one leg or fork. */
export class SecureChannel {
  #sender: Secured<SrtpSender> | undefined
  #receiver: Secured<SrtpReceiver> | undefined

  get isSecured(): boolean {
    return this.#sender !== undefined
  }

  /** Takes the keys of an exchange: a key that stays keeps its rollover counter, another begins anew (RFC 4568 section 7.1.4). */
  rekey(keys: SrtpKeys | undefined): void {
    this.#sender = renewed(this.#sender, keys?.send, (key) => new SrtpSender(key))
    this.#receiver = renewed(this.#receiver, keys?.receive, (key) => new SrtpReceiver(key))
  }

  /** Seals `bytes[0, size)`, behind which there is room; the size then, or -1 when it may not leave. */
  sealRtp(bytes: Uint8Array, size: number): number {
    return this.#sender?.side.sealRtp(bytes, size) ?? size
  }

  /** The packet to be sent for an RTCP compound, if it may leave. */
  sealRtcp(compound: Uint8Array): Uint8Array | undefined {
    return this.#sender === undefined ? compound : this.#sender.side.sealRtcp(compound)
  }

  /** What an RTP datagram says; undefined when it is not to be trusted. */
  openRtp(datagram: Uint8Array): Uint8Array | undefined {
    return this.#receiver === undefined ? datagram : this.#receiver.side.openRtp(datagram)
  }

  /** What an RTCP datagram says; undefined when it is not to be trusted. */
  openRtcp(datagram: Uint8Array): Uint8Array | undefined {
    return this.#receiver === undefined ? datagram : this.#receiver.side.openRtcp(datagram)
  }
}

/** The way of RTP packets from a stream through the channel to the socket. */
export class SecurePort implements LegPort {
  readonly #socket: RtpSocket
  readonly #channel: SecureChannel
  #buffer = new Uint8Array(FIRST_BUFFER_BYTES)

  constructor(socket: RtpSocket, channel: SecureChannel) {
    this.#socket = socket
    this.#channel = channel
  }

  send(header: RtpHeader, packet: MediaPacket): boolean {
    if (!this.#channel.isSecured) return this.#socket.send(header, packet)
    const { bytes, payloadOffset, payloadLength, csrcCount } = packet
    const start = headerOffset(packet)
    const size = payloadOffset + payloadLength - start
    // The payload is still to be read by others, so what is sealed is a copy.
    if (this.#buffer.length < size + MAX_SEAL_BYTES) this.#buffer = new Uint8Array(size + MAX_SEAL_BYTES)
    this.#buffer.set(bytes.subarray(start, start + size))
    writeRtpHeader(this.#buffer, 0, header, csrcCount)
    const sealedSize = this.#channel.sealRtp(this.#buffer, size)
    if (sealedSize < 0) return false
    const isSent = this.#socket.sendDatagram(this.#buffer.subarray(0, sealedSize))
    if (this.#socket.isQueueing) this.#buffer = new Uint8Array(this.#buffer.length)
    return isSent
  }

  aim(target: Endpoint | undefined, locked: boolean): void {
    this.#socket.aim(target, locked)
  }
}

function renewed<Side>(
  before: Secured<Side> | undefined,
  key: SrtpKey | undefined,
  create: (key: SrtpKey) => Side,
): Secured<Side> | undefined {
  if (key === undefined) return undefined
  return before !== undefined && isSameKey(before.key, key) ? before : { key, side: create(key) }
}

function isSameKey(one: SrtpKey, other: SrtpKey): boolean {
  return (
    one.suite === other.suite &&
    one.material.length === other.material.length &&
    one.material.every((byte, index) => byte === other.material[index])
  )
}
