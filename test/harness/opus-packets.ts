// Opus packets for tests, by the encoder of the codec that the gateway only reads with.

import opus from '@evan/opus/wasm/index.js'

const RATIO = 6
const FRAME_SAMPLES = 960

/** An encoder of 20 ms at a time: 160 samples of 8 kHz in, a packet out. */
export class OpusSpeaker {
  readonly #encoder = new opus.Encoder({ channels: 1, sample_rate: 48_000, application: 'voip' })
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
}

/** All of `samples` in packets of 20 ms. */
export function opusPackets(samples: Int16Array): Uint8Array[] {
  const speaker = new OpusSpeaker()
  return Array.from({ length: Math.floor(samples.length / 160) }, (_unused, index) =>
    speaker.encode(samples.subarray(index * 160, index * 160 + 160)),
  )
}
