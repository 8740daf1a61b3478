// The packets of one source, decoded as far as somebody has to hear them.

import type { AudioDecoder } from '#audio'
import type { SoundDecoders } from './sound-decoders.ts'

/** Encodings that are costly to decode: after the first seconds so many packets of 50, unless somebody listens. */
const COSTLY = /^(?:OPUS|G722)\//
const THOROUGH_MS = 3500
const SAMPLED_OF_50 = 12

/** What one packet says; the samples are valid until the next packet of any source. */
export interface Decoded {
  readonly samples: Int16Array
  readonly sampleRateHz: number
}

/** Decoder of one source. */
export class SourceDecoding {
  readonly #decoders: SoundDecoders
  #encoding = ''
  #isCostly = false
  #decoder: AudioDecoder | undefined
  #beganMs: number | undefined
  #packets = 0

  constructor(decoders: SoundDecoders) {
    this.#decoders = decoders
  }

  /** Whether only a part is decoded. */
  get isCostly(): boolean {
    return this.#isCostly
  }

  /** Decodes in full again, for a while. */
  reset(): void {
    this.#beganMs = undefined
  }

  /** Takes the payload of one packet, in the order of arrival; undefined: it is passed over, or cannot be decoded. */
  take(encoding: string, payload: Uint8Array, nowMs: number, isListenedTo: boolean): Decoded | undefined {
    this.#beganMs ??= nowMs
    if (encoding !== this.#encoding || this.#decoder === undefined) {
      this.#encoding = encoding
      this.#isCostly = COSTLY.test(encoding)
      this.#decoder = this.#decoders.decoderOf(encoding)
    }
    const isSampled = this.#packets++ % 50 < SAMPLED_OF_50
    const isThorough = !this.#isCostly || isListenedTo || nowMs - this.#beganMs < THOROUGH_MS
    const decoder = isThorough || isSampled ? this.#decoder : undefined
    return decoder && { samples: decoder.decode(payload), sampleRateHz: decoder.sampleRateHz }
  }
}
