// The packets of a mix: frames of G.711 with their contributors, and telephone-events moved to the clock of the mix (RFC 3550 section 7.1).

import { encodePcma, encodePcmu, silence } from '#audio'
import { RTP_HEADER_BYTES, timestampDistance } from '#rtp'
import { type G711Encoding, payloadOf } from './codec.ts'
import { FRAME_SAMPLES } from './jitter-buffer.ts'
import { type MediaPacket, newMediaPacket } from './media-packet.ts'

/** Most contributors that a header can name. */
export const MOST_CSRCS = 15
const CSRC_BYTES = 4
/** Ticks after which a long event goes on as a new segment (RFC 4733 section 2.5.1.3). */
const SEGMENT_TICKS = 0xffff
const PAYLOADS = { 'PCMU/8000': payloadOf('PCMU/8000'), 'PCMA/8000': payloadOf('PCMA/8000') }

interface EventClock {
  readonly sourceId: number
  readonly theirs: number
  readonly ours: number
}

/** One run of packets, with one sequence and one clock. */
export class MixedPackets {
  readonly #packet = newMediaPacket()
  readonly #events = new WeakMap<object, EventClock>()
  #timestamp = 0
  #lastEventTimestamp = -1

  constructor(sourceId: number) {
    this.#packet.sourceId = sourceId
  }

  /** Moves on by a frame. */
  advance(): void {
    this.#timestamp += FRAME_SAMPLES
  }

  /** The frame at the present moment, valid until the next call; without samples: silence. */
  frame(samples: Int16Array | undefined, encoding: G711Encoding, csrcs: readonly number[]): MediaPacket {
    const packet = this.#packet
    const offset = RTP_HEADER_BYTES + CSRC_BYTES * csrcs.length
    const bytes = new Uint8Array(offset + FRAME_SAMPLES)
    const list = new DataView(bytes.buffer)
    for (const [index, csrc] of csrcs.entries()) list.setUint32(RTP_HEADER_BYTES + CSRC_BYTES * index, csrc)
    if (samples === undefined) silence(encoding, bytes.subarray(offset))
    else bytes.set(encoding === 'PCMA/8000' ? encodePcma(samples) : encodePcmu(samples), offset)
    packet.bytes = bytes
    packet.payloadOffset = offset
    packet.payloadLength = FRAME_SAMPLES
    packet.payload = PAYLOADS[encoding]
    packet.csrcCount = csrcs.length
    packet.timestamp = this.#timestamp
    packet.marker = false
    packet.extendedSequence++
    return packet
  }

  /** A packet of an event that `from` sent, valid until the next call: all of one event have the time of its first. */
  event(original: MediaPacket, from: object): MediaPacket {
    const packet = this.#packet
    const { bytes, payloadOffset, payloadLength } = original
    packet.bytes = new Uint8Array(RTP_HEADER_BYTES + payloadLength)
    packet.bytes.set(bytes.subarray(payloadOffset, payloadOffset + payloadLength), RTP_HEADER_BYTES)
    packet.payloadOffset = RTP_HEADER_BYTES
    packet.payloadLength = payloadLength
    packet.payload = original.payload
    packet.csrcCount = 0
    packet.timestamp = this.#eventTimestamp(original, from)
    packet.marker = original.marker
    packet.extendedSequence++
    return packet
  }

  #eventTimestamp({ sourceId, timestamp }: MediaPacket, from: object): number {
    const known = this.#events.get(from)
    const ahead = known?.sourceId === sourceId ? timestampDistance(known.theirs, timestamp) : undefined
    if (known !== undefined && ahead === 0) return known.ours
    // Two keys pressed at once by two parties are two events.
    const ours =
      known !== undefined && ahead === SEGMENT_TICKS
        ? known.ours + SEGMENT_TICKS
        : Math.max(this.#timestamp, this.#lastEventTimestamp + 1)
    this.#lastEventTimestamp = ours
    this.#events.set(from, { sourceId, theirs: timestamp, ours })
    return ours
  }
}
