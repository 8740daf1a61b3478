// Normalised cross-correlation by FFT: how alike two recordings are, and how far apart in time.

/** Where `heard` matches `reference` best; positive lag: `heard` is later. */
export interface Correlation {
  /** -1..1 over the overlapping part; 0 when either is silent. */
  readonly coefficient: number
  readonly lagSamples: number
}

/** Best match within `maxLagSamples` either way; only lags that overlap at least half of the shorter signal count. */
export function correlate(reference: Int16Array, heard: Int16Array, maxLagSamples: number): Correlation {
  const products = crossProducts(reference, heard)
  const referenceEnergy = energySums(reference)
  const heardEnergy = energySums(heard)
  const leastOverlap = Math.max(1, Math.min(reference.length, heard.length) >> 1)
  let best: Correlation = { coefficient: 0, lagSamples: 0 }
  for (let lag = -maxLagSamples; lag <= maxLagSamples; lag++) {
    const from = Math.max(0, -lag)
    const to = Math.min(reference.length, heard.length - lag)
    if (to - from < leastOverlap) continue
    const energy = (referenceEnergy[to]! - referenceEnergy[from]!) * (heardEnergy[to + lag]! - heardEnergy[from + lag]!)
    if (energy <= 0) continue
    const product = products[lag < 0 ? lag + products.length : lag]!
    const coefficient = product / Math.sqrt(energy)
    if (coefficient > best.coefficient) best = { coefficient: Math.min(1, coefficient), lagSamples: lag }
  }
  return best
}

/** Element k is the sum over i of reference[i] * heard[i + k], circular; negative lags sit at the end. */
function crossProducts(reference: Int16Array, heard: Int16Array): Float64Array {
  let size = 2
  while (size < reference.length + heard.length) size *= 2
  // Both real signals share one complex transform: reference as real part, heard as imaginary part.
  const real = new Float64Array(size)
  const imaginary = new Float64Array(size)
  real.set(reference)
  imaginary.set(heard)
  transform(real, imaginary)
  const crossReal = new Float64Array(size)
  const crossImaginary = new Float64Array(size)
  for (let k = 0; k < size; k++) {
    const mirror = (size - k) % size
    const aRe = (real[k]! + real[mirror]!) / 2
    const aIm = (imaginary[k]! - imaginary[mirror]!) / 2
    const bRe = (imaginary[k]! + imaginary[mirror]!) / 2
    const bIm = (real[mirror]! - real[k]!) / 2
    crossReal[k] = aRe * bRe + aIm * bIm
    // Conjugated, so that the forward transform acts as the inverse one.
    crossImaginary[k] = -(aRe * bIm - aIm * bRe)
  }
  transform(crossReal, crossImaginary)
  for (let k = 0; k < size; k++) crossReal[k]! /= size
  return crossReal
}

function energySums(samples: Int16Array): Float64Array {
  const sums = new Float64Array(samples.length + 1)
  for (let i = 0; i < samples.length; i++) sums[i + 1] = sums[i]! + samples[i]! * samples[i]!
  return sums
}

/** Radix-2 fast Fourier transform in place; the length is a power of two. */
function transform(real: Float64Array, imaginary: Float64Array): void {
  const size = real.length
  for (let i = 1, j = 0; i < size; i++) {
    let bit = size >> 1
    for (; j & bit; bit >>= 1) j ^= bit
    j ^= bit
    if (i < j) {
      const re = real[i]!
      real[i] = real[j]!
      real[j] = re
      const im = imaginary[i]!
      imaginary[i] = imaginary[j]!
      imaginary[j] = im
    }
  }
  const cosines = Float64Array.from({ length: size >> 1 }, (_unused, k) => Math.cos((2 * Math.PI * k) / size))
  const sines = Float64Array.from({ length: size >> 1 }, (_unused, k) => -Math.sin((2 * Math.PI * k) / size))
  for (let half = 1; half < size; half *= 2) {
    const stride = size / (2 * half)
    for (let start = 0; start < size; start += 2 * half) {
      for (let k = 0; k < half; k++) {
        const a = start + k
        const b = a + half
        const cosine = cosines[k * stride]!
        const sine = sines[k * stride]!
        const re = real[b]! * cosine - imaginary[b]! * sine
        const im = real[b]! * sine + imaginary[b]! * cosine
        real[b] = real[a]! - re
        imaginary[b] = imaginary[a]! - im
        real[a]! += re
        imaginary[a]! += im
      }
    }
  }
}
