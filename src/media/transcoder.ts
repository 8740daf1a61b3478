// Turns audio that a recorder does not take into G.711, packet by packet: order and gaps stay those of the call, and so does the time.

import { encodePcma, encodePcmu, OPUS, type OpusDecoders, READ_ALWAYS } from '#audio'
import { RTP_HEADER_BYTES } from '#rtp'
import { type G711Encoding, type Payload, payloadOf } from './codec.ts'
import { type MediaPacket, newMediaPacket } from './media-packet.ts'
import { NarrowbandReader } from './narrowband-reader.ts'

const NARROWBAND_HZ = 8000

/** Encodings that can be turned into G.711, with Opus or without. G.722 has an RTP clock of 8000 Hz as well (RFC 3551 section 4.5.2). */
export function transcoded(hasOpus: boolean): readonly string[] {
  return hasOpus ? [...READ_ALWAYS, OPUS] : READ_ALWAYS
}

/** Transcoder of one fork. */
export class Transcoder {
  readonly #encode: (samples: Int16Array) => Uint8Array
  readonly #packet = newMediaPacket()
  readonly #reader: NarrowbandReader
  readonly #readable: readonly string[]

  constructor(to: G711Encoding, opus?: OpusDecoders) {
    this.#encode = to === 'PCMA/8000' ? encodePcma : encodePcmu
    this.#reader = new NarrowbandReader(opus)
    this.#readable = transcoded(opus !== undefined)
    this.#packet.payload = payloadOf(to)
    this.#packet.payloadOffset = RTP_HEADER_BYTES
  }

  canConvert(payload: Payload): boolean {
    return this.#readable.includes(payload.encoding)
  }

  /** The packet in G.711, valid until the next call; undefined when we cannot read it. */
  convert(packet: MediaPacket): MediaPacket | undefined {
    const reader = this.#reader
    // The clock and the decoder of the voice go on over keys that are pressed.
    if (packet.payload.isEvent) return undefined
    if (!reader.read(packet) || reader.samples.length === 0) return undefined
    const payload = this.#encode(reader.samples)
    const converted = this.#packet
    converted.bytes = new Uint8Array(RTP_HEADER_BYTES + payload.length)
    converted.bytes.set(payload, RTP_HEADER_BYTES)
    converted.payloadLength = payload.length
    // A clock of our own is another source than what is passed on unconverted.
    converted.sourceId = packet.payload.clockRateHz === NARROWBAND_HZ ? packet.sourceId : ~packet.sourceId
    converted.extendedSequence = packet.extendedSequence
    converted.timestamp = reader.timestamp
    converted.marker = packet.marker
    return converted
  }
}
