// Test tones and the two measurements that recognise them.

/** A sine wave with 5 ms ramps against clicks; `amplitude` is the peak in 16-bit units. */
export function tone(frequencyHz: number, durationMs: number, sampleRateHz = 8000, amplitude = 8000): Int16Array {
  const count = Math.round((durationMs * sampleRateHz) / 1000)
  const ramp = Math.min(Math.round(sampleRateHz / 200), count >> 1)
  const samples = new Int16Array(count)
  for (let i = 0; i < count; i++) {
    const fade = ramp === 0 ? 1 : Math.min(1, (i + 1) / ramp, (count - i) / ramp)
    samples[i] = Math.round(amplitude * fade * Math.sin((2 * Math.PI * frequencyHz * i) / sampleRateHz))
  }
  return samples
}

/** Share of the signal's energy at one frequency, 0..1 (Goertzel's algorithm); 0 for silence. */
export function goertzelPower(samples: Int16Array, sampleRateHz: number, frequencyHz: number): number {
  const coefficient = 2 * Math.cos((2 * Math.PI * frequencyHz) / sampleRateHz)
  let previous = 0
  let beforePrevious = 0
  let energy = 0
  for (const sample of samples) {
    const next = sample + coefficient * previous - beforePrevious
    beforePrevious = previous
    previous = next
    energy += sample * sample
  }
  if (energy === 0) return 0
  const power = previous * previous + beforePrevious * beforePrevious - coefficient * previous * beforePrevious
  return Math.min(1, (2 * power) / (samples.length * energy))
}

/** Root mean square level in dB below full scale; -Infinity for digital silence. */
export function rmsDbfs(samples: Int16Array): number {
  if (samples.length === 0) return Number.NEGATIVE_INFINITY
  let energy = 0
  for (const sample of samples) energy += sample * sample
  return 10 * Math.log10(energy / samples.length / 32_768 ** 2)
}
