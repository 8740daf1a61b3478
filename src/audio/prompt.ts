// A WAV file made ready to be played into a call: mono, 8 kHz, both G.711 encodings.

import { ok, type Result } from '#kernel'
import { encodePcma, encodePcmu } from './g711.ts'
import { readWav, type WavError } from './wav.ts'

const RATE_HZ = 8000
/** Zero crossings of the sinc on each side: about 60 dB below in the stop band. */
const HALF_WIDTH = 16

/** Audio in both G.711 encodings, one byte per sample at 8 kHz. */
export interface G711Prompt {
  readonly pcmu: Uint8Array
  readonly pcma: Uint8Array
  readonly durationMs: number
}

/** Mixes to mono, resamples to 8 kHz and encodes; errors are those of `readWav`. */
export function promptFromWav(bytes: Uint8Array): Result<G711Prompt, WavError> {
  const wav = readWav(bytes)
  if (!wav.ok) return wav
  const samples = resample(mixDown(wav.value.samples), wav.value.sampleRateHz, RATE_HZ)
  return ok({
    pcmu: encodePcmu(samples),
    pcma: encodePcma(samples),
    durationMs: (samples.length * 1000) / RATE_HZ,
  })
}

/** The mean of all channels; shorter channels count as silent at their end. */
export function mixDown(channels: readonly Int16Array[]): Int16Array {
  if (channels.length === 1) return channels[0]!
  const mixed = new Int16Array(Math.max(0, ...channels.map((channel) => channel.length)))
  for (let i = 0; i < mixed.length; i++) {
    let sum = 0
    for (const channel of channels) sum += channel[i] ?? 0
    mixed[i] = Math.round(sum / channels.length)
  }
  return mixed
}

/** Band-limited resampling with a Hann-windowed sinc. */
export function resample(samples: Int16Array, fromHz: number, toHz: number): Int16Array {
  if (fromHz === toHz) return samples
  const cutoff = Math.min(1, toHz / fromHz) * 0.95
  const reach = HALF_WIDTH / cutoff
  const result = new Int16Array(Math.round((samples.length * toHz) / fromHz))
  for (let i = 0; i < result.length; i++) {
    const center = (i * fromHz) / toHz
    const last = Math.min(samples.length - 1, Math.floor(center + reach))
    let sum = 0
    for (let j = Math.max(0, Math.ceil(center - reach)); j <= last; j++) {
      const distance = j - center
      sum += samples[j]! * cutoff * sinc(distance * cutoff) * (0.5 + 0.5 * Math.cos((Math.PI * distance) / reach))
    }
    result[i] = Math.max(-32_768, Math.min(32_767, Math.round(sum)))
  }
  return result
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x)
}
