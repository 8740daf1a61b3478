// Opus (RFC 6716) by the WebAssembly build of libopus in the optional package @evan/opus: without it there is no Opus, and everything
// else works. The native build of that package is not used: a process with threads crashes in it.

import type { AudioDecoder } from './decoder.ts'

/** Rates at which Opus is decoded and encoded here. */
export type OpusRate = 8000 | 16_000 | 48_000

/** Makes packets of one stream. */
export interface OpusEncoder {
  /** Samples at 48 kHz that a decoder has to skip at the beginning (RFC 7845 section 4.2). */
  readonly preSkip: number
  /** One frame of 20 ms, channels interleaved. */
  encode(samples: Int16Array): Uint8Array
}

/** The library. */
export interface OpusLibrary {
  /** A decoder to one channel; a packet that is none gives silence of 20 ms. */
  decoder(sampleRateHz: OpusRate): AudioDecoder
  encoder(options: { sampleRateHz: OpusRate; channels: 1 | 2; bitsPerSecond: number }): OpusEncoder
}

const FRAMES_PER_SECOND = 50
/** More than any RTP packet holds; the decoder's input buffer is larger. */
const LONGEST_BYTES = 1500
const GRANULE_HZ = 48_000
/** Request of opus_encoder_ctl: samples by which the encoder is behind. */
const OPUS_GET_LOOKAHEAD = 4027

/** Loads the library; undefined where it is not installed or does not run. */
export async function loadOpusLibrary(): Promise<OpusLibrary | undefined> {
  const library = await import('@evan/opus/wasm/index.js').catch(() => undefined)
  if (library === undefined) return undefined
  const { Decoder, Encoder } = library.default
  return {
    decoder: (sampleRateHz) => {
      const decoder = new Decoder({ channels: 1, sample_rate: sampleRateHz })
      const decode = (payload: Uint8Array): Int16Array => {
        if (payload.length === 0 || payload.length > LONGEST_BYTES)
          return new Int16Array(sampleRateHz / FRAMES_PER_SECOND)
        try {
          const bytes = decoder.decode(payload)
          return new Int16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >> 1).slice()
        } catch {
          return new Int16Array(sampleRateHz / FRAMES_PER_SECOND)
        }
      }
      return { sampleRateHz, decode }
    },
    encoder: ({ sampleRateHz, channels, bitsPerSecond }) => {
      const encoder = new Encoder({ channels, sample_rate: sampleRateHz, application: 'voip' })
      encoder.bitrate = bitsPerSecond
      const preSkip = Math.round((encoder.ctl(OPUS_GET_LOOKAHEAD) * GRANULE_HZ) / sampleRateHz)
      return { preSkip, encode: (samples) => encoder.encode(samples).slice() }
    },
  }
}
