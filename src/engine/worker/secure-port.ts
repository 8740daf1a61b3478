// The way of RTP packets from a stream to its socket, sealed when the leg or fork has keys (RFC 3711).

import type { Endpoint } from '#kernel'
import { headerOffset, type LegPort, type MediaPacket } from '#media'
import { MAX_SEAL_BYTES, type RtpHeader, type SecureChannel, writeRtpHeader } from '#rtp'
import type { RtpSocket } from './rtp-socket.ts'

const FIRST_BUFFER_BYTES = 512

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
