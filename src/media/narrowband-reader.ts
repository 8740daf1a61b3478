// Audio of one source after another as 8 kHz samples on an 8 kHz clock, whatever it is encoded in.

import { type NarrowbandDecoder, narrowbandDecoder, type OpusDecoders } from '#audio'
import { timestampDistance } from '#rtp'
import type { MediaPacket } from './media-packet.ts'

const NARROWBAND_HZ = 8000
const NOTHING = new Int16Array()

/** Reads the packets of a stream in the order in which they come. */
export class NarrowbandReader {
  /** What `read` found: none when the payload is broken. */
  samples: Int16Array = NOTHING
  /** Their place on an 8 kHz clock. */
  timestamp = 0
  /** That clock is not the one of the packet before. */
  isFresh = false
  readonly #opus: OpusDecoders | undefined
  #decoder: NarrowbandDecoder | undefined
  #encoding = ''
  #sourceId = -1
  #theirs = 0
  /** Ticks of the source's clock since its first packet. */
  #ticks = 0

  /** `opus`: absent when it cannot be read. */
  constructor(opus?: OpusDecoders) {
    this.#opus = opus
  }

  /** False when the encoding is none that we can read. */
  read({ payload, sourceId, timestamp, bytes, payloadOffset, payloadLength }: MediaPacket): boolean {
    this.isFresh = payload.encoding !== this.#encoding || sourceId !== this.#sourceId
    if (this.isFresh) {
      this.#encoding = payload.encoding
      this.#sourceId = sourceId
      this.#decoder = narrowbandDecoder(payload.encoding, this.#opus)
      this.#ticks = 0
    } else this.#ticks += timestampDistance(this.#theirs, timestamp)
    this.#theirs = timestamp
    if (this.#decoder === undefined) return false
    this.samples = this.#decoder(bytes.subarray(payloadOffset, payloadOffset + payloadLength))
    // Divided before it wraps, since a wrapped time divided is another time.
    const { clockRateHz } = payload
    this.timestamp =
      clockRateHz === NARROWBAND_HZ ? timestamp : Math.floor((this.#ticks * NARROWBAND_HZ) / clockRateHz) >>> 0
    return true
  }
}
