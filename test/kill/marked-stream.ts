// RTP whose payload says which packet it is, so that what a recorder kept can be told packet by packet.

import type { Socket } from 'node:dgram'
import { MAX_SEAL_BYTES, RTP_HEADER_BYTES, type SrtpSender, writeRtpHeader } from '#rtp'

/** Payload bytes of 20 ms. */
export const PACKET_BYTES = 160
/** Milliseconds of one packet. */
export const PACKET_MS = 20

const MARK = 0x5a
const MARK_BYTES = 8
const HOST = '127.0.0.1'
/** A secured stream rolls over after so many packets, in its first second. */
const FIRST_SEQUENCE = 0x10000 - 30

/** A sender; packet n stands at n times 20 ms. */
export class MarkedStream {
  readonly streamId: number
  /** When each packet was sent. */
  readonly sentAtMs: number[] = []
  readonly #socket: Socket
  readonly #port: number
  readonly #secure: SrtpSender | undefined

  /** `secure`: what it is sealed with. */
  constructor(socket: Socket, port: number, streamId: number, secure?: SrtpSender) {
    this.#socket = socket
    this.#port = port
    this.streamId = streamId
    this.#secure = secure
  }

  send(nowMs: number): void {
    const number = this.sentAtMs.length
    const sequence = (number + (this.#secure === undefined ? 0 : FIRST_SEQUENCE)) & 0xffff
    const header = { payloadType: 0, marker: false, sequence, ssrc: 1000 + this.streamId }
    const size = RTP_HEADER_BYTES + PACKET_BYTES
    // The socket copies nothing: each packet needs bytes of its own until it has left.
    const packet = new Uint8Array(size + MAX_SEAL_BYTES)
    writeRtpHeader(packet, 0, { ...header, timestamp: number * PACKET_BYTES })
    packet.set(markOf(this.streamId, number), RTP_HEADER_BYTES)
    this.sentAtMs.push(nowMs)
    const sent = this.#secure?.sealRtp(packet, size) ?? size
    this.#socket.send(packet.subarray(0, sent), this.#port, HOST, () => {})
  }
}

function markOf(streamId: number, number: number): Uint8Array {
  const payload = new Uint8Array(PACKET_BYTES)
  const view = new DataView(payload.buffer)
  for (let at = 0; at < PACKET_BYTES; at += MARK_BYTES) {
    view.setUint8(at, MARK)
    view.setUint16(at + 1, streamId)
    view.setUint32(at + 3, number)
    view.setUint8(at + 7, MARK ^ 0xff)
  }
  return payload
}

/** A packet that was found, and the byte at which it begins. */
export interface MarkedPacket {
  readonly number: number
  readonly at: number
}

/** The packets of a stream that stand whole in audio bytes, in their order. */
export function markedIn(audio: Uint8Array, streamId: number): MarkedPacket[] {
  const found: MarkedPacket[] = []
  const view = new DataView(audio.buffer, audio.byteOffset, audio.byteLength)
  for (let at = 0; at + PACKET_BYTES <= audio.length; ) {
    const isMark = view.getUint8(at) === MARK && view.getUint8(at + 7) === (MARK ^ 0xff)
    const number = isMark && view.getUint16(at + 1) === streamId ? view.getUint32(at + 3) : undefined
    if (number === undefined || !isWhole(audio.subarray(at, at + PACKET_BYTES), streamId, number)) {
      at += 1
      continue
    }
    found.push({ number, at })
    at += PACKET_BYTES
  }
  return found
}

function isWhole(payload: Uint8Array, streamId: number, number: number): boolean {
  return Buffer.compare(payload, markOf(streamId, number)) === 0
}
