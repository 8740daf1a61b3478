// G.711 (ITU-T G.711, by its definition) and the tones the peers tell apart.

/** A 16-bit sample as a mu-law octet. */
export function toMuLaw(sample: number): number {
  const sign = sample < 0 ? 0x80 : 0
  const magnitude = Math.min(Math.abs(sample), 32_635) + 132
  const exponent = Math.floor(Math.log2(magnitude)) - 7
  return ~(sign | (exponent << 4) | ((magnitude >> (exponent + 3)) & 15)) & 0xff
}

/** A mu-law octet as a 16-bit sample. */
export function fromMuLaw(octet: number): number {
  const bits = ~octet & 0xff
  const magnitude = ((((bits & 15) << 3) + 132) << ((bits >> 4) & 7)) - 132
  return (bits & 0x80) !== 0 ? -magnitude : magnitude
}

/** A 16-bit sample as an A-law octet. */
export function toALaw(sample: number): number {
  const sign = sample >= 0 ? 0x80 : 0
  const magnitude = Math.min(sample >= 0 ? sample : -sample - 1, 32_767) >> 3
  const exponent = magnitude < 32 ? 0 : Math.floor(Math.log2(magnitude)) - 4
  const mantissa = exponent === 0 ? (magnitude >> 1) & 15 : (magnitude >> exponent) & 15
  return (sign | (exponent << 4) | mantissa) ^ 0x55
}

/** An A-law octet as a 16-bit sample. */
export function fromALaw(octet: number): number {
  const bits = octet ^ 0x55
  const exponent = (bits >> 4) & 7
  const step = ((bits & 15) << 1) + 1
  const magnitude = (exponent === 0 ? step : (step + 32) << (exponent - 1)) << 3
  return (bits & 0x80) !== 0 ? magnitude : -magnitude
}

const SAMPLE_RATE_HZ = 8000

/** A sine of the given pitch, at about -12 dBFS. */
export function tone(frequencyHz: number, durationMs: number): Int16Array {
  const samples = new Int16Array((SAMPLE_RATE_HZ * durationMs) / 1000)
  for (let i = 0; i < samples.length; i++) {
    samples[i] = Math.round(8000 * Math.sin((2 * Math.PI * frequencyHz * i) / SAMPLE_RATE_HZ))
  }
  return samples
}

/** How much of the power of `samples` lies at one pitch, 0 to 1 (Goertzel). */
export function shareOfTone(samples: Int16Array, frequencyHz: number): number {
  const coefficient = 2 * Math.cos((2 * Math.PI * frequencyHz) / SAMPLE_RATE_HZ)
  let previous = 0
  let before = 0
  let energy = 0
  for (const sample of samples) {
    const now = sample + coefficient * previous - before
    before = previous
    previous = now
    energy += sample * sample
  }
  const atPitch = previous * previous + before * before - coefficient * previous * before
  return energy === 0 ? 0 : (2 * atPitch) / (samples.length * energy)
}
