// Opus for tests, both ways, by the codec that the gateway reads with.

import opus from '@evan/opus/wasm/index.js'

const RATIO = 6
const FRAME_SAMPLES = 960

/** One party's Opus: frames of 20 ms, 160 samples of 8 kHz, to packets and back. */
export class OpusVoice {
  readonly #encoder = new opus.Encoder({ channels: 1, sample_rate: 48_000, application: 'voip' })
  readonly #decoder = new opus.Decoder({ channels: 1, sample_rate: 8000 })
  #last = 0

  encode(samples: Int16Array): Uint8Array {
    const wide = new Int16Array(FRAME_SAMPLES)
    for (let i = 0; i < FRAME_SAMPLES; i++) {
      const at = Math.floor(i / RATIO)
      const before = at === 0 ? this.#last : samples[at - 1]!
      wide[i] = before + ((samples[at]! - before) * ((i % RATIO) + 1)) / RATIO
    }
    this.#last = samples.at(-1) ?? 0
    return Uint8Array.from(this.#encoder.encode(wide))
  }

  decode(payload: Uint8Array): Int16Array {
    const { buffer, byteOffset, byteLength } = this.#decoder.decode(payload)
    return new Int16Array(buffer, byteOffset, byteLength >> 1)
  }
}

/** All of `samples` in packets of 20 ms. */
export function opusPackets(samples: Int16Array): Uint8Array[] {
  const voice = new OpusVoice()
  return Array.from({ length: Math.floor(samples.length / 160) }, (_unused, index) =>
    voice.encode(samples.subarray(index * 160, index * 160 + 160)),
  )
}
