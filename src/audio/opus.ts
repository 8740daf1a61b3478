// Opus (RFC 6716) as 8 kHz samples, by the WebAssembly build of libopus in the optional package @evan/opus. Its native build is not used:
// all threads of a process share the buffer that it decodes into.

import type { NarrowbandDecoder } from './narrowband.ts'

/** Makes a decoder for one stream. */
export type OpusDecoders = () => NarrowbandDecoder

/** More than any RTP packet holds; the decoder's input buffer is larger. */
const LONGEST_BYTES = 1500
const NOTHING = new Int16Array()

/** Whether the package is installed and works. */
export async function hasOpus(): Promise<boolean> {
  return await loadOpus().then(
    () => true,
    () => false,
  )
}

/** Loads the codec, which takes this thread some tens of milliseconds; rejects when the package is not installed. */
export async function loadOpus(): Promise<OpusDecoders> {
  const { Decoder } = (await import('@evan/opus/wasm/index.js')).default
  return () => {
    // It brings both channels together and the rate down by itself.
    const decoder = new Decoder({ channels: 1, sample_rate: 8000 })
    return (payload) => {
      if (payload.length === 0 || payload.length > LONGEST_BYTES) return NOTHING
      try {
        const { buffer, byteOffset, byteLength } = decoder.decode(payload)
        return new Int16Array(buffer, byteOffset, byteLength >> 1)
      } catch {
        return NOTHING
      }
    }
  }
}
