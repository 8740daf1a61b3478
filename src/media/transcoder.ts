// Turns audio that a recorder does not take into G.711, packet by packet: clock, order and gaps stay those of the call.

import { encodePcma, encodePcmu, type NarrowbandDecoder, narrowbandDecoder } from '#audio'
import { RTP_HEADER_BYTES } from '#rtp'
import { type G711Encoding, type Payload, payloadOf } from './codec.ts'
import { type MediaPacket, newMediaPacket } from './media-packet.ts'

/** Encodings that can be turned into G.711. Their RTP clocks are all 8000 Hz (RFC 3551 section 4.5.2), so timestamps stay. */
export const TRANSCODED: readonly string[] = ['PCMU/8000', 'PCMA/8000', 'G722/8000']

/** Transcoder of one fork. */
export class Transcoder {
  readonly #encode: (samples: Int16Array) => Uint8Array
  readonly #packet = newMediaPacket()
  #decoder: NarrowbandDecoder | undefined
  #encoding = ''
  #sourceId = -1

  constructor(to: G711Encoding) {
    this.#encode = to === 'PCMA/8000' ? encodePcma : encodePcmu
    this.#packet.payload = payloadOf(to)
    this.#packet.payloadOffset = RTP_HEADER_BYTES
  }

  canConvert(payload: Payload): boolean {
    return TRANSCODED.includes(payload.encoding)
  }

  /** The packet in G.711, valid until the next call; undefined when we cannot read it. */
  convert(packet: MediaPacket): MediaPacket | undefined {
    if (packet.payload.encoding !== this.#encoding || packet.sourceId !== this.#sourceId) {
      this.#encoding = packet.payload.encoding
      this.#sourceId = packet.sourceId
      this.#decoder = narrowbandDecoder(this.#encoding)
    }
    if (this.#decoder === undefined) return undefined
    const { bytes, payloadOffset, payloadLength } = packet
    const payload = this.#encode(this.#decoder(bytes.subarray(payloadOffset, payloadOffset + payloadLength)))
    const converted = this.#packet
    converted.bytes = new Uint8Array(RTP_HEADER_BYTES + payload.length)
    converted.bytes.set(payload, RTP_HEADER_BYTES)
    converted.payloadLength = payload.length
    converted.sourceId = packet.sourceId
    converted.extendedSequence = packet.extendedSequence
    converted.timestamp = packet.timestamp
    converted.marker = packet.marker
    return converted
  }
}
