// Normalised cross-correlation by FFT: how alike two recordings are, and how far apart in time.

/** Where `heard` matches `reference` best; positive lag: `heard` is later. */
export interface Correlation {
  /** -1..1 over the overlapping part; 0 when either is silent. */
  readonly coefficient: number
  readonly lagSamples: number
}

/** Best match within `maxLagSamples` either way; only lags that overlap at least half of the shorter signal count. */
export function correlate(reference: Int16Array, heard: Int16Array, maxLagSamples: number): Correlation {
  const products = crossProducts(reference, heard, maxLagSamples)
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

/** How alike they are where `heard` is so much later, -1..1; 0 when either is silent. */
export function correlateAt(reference: Int16Array, heard: Int16Array, lagSamples: number): number {
  const to = Math.min(reference.length, heard.length - lagSamples)
  let product = 0
  let referenceEnergy = 0
  let heardEnergy = 0
  for (let at = Math.max(0, -lagSamples); at < to; at++) {
    const one = reference[at]!
    const other = heard[at + lagSamples]!
    product += one * other
    referenceEnergy += one * one
    heardEnergy += other * other
  }
  const energy = referenceEnergy * heardEnergy
  return energy > 0 ? product / Math.sqrt(energy) : 0
}

/** Element k is the sum over i of reference[i] * heard[i + k], circular; negative lags sit at the end. */
function crossProducts(reference: Int16Array, heard: Int16Array, maxLagSamples: number): Float64Array {
  let size = 2
  while (size < Math.max(reference.length, heard.length) + maxLagSamples) size *= 2
  if (latestTransform?.size !== size) latestTransform = new Transform(size)
  const transform = latestTransform
  // Both real signals share one complex transform: reference as real part, heard as imaginary part.
  const real = new Float64Array(size)
  const imaginary = new Float64Array(size)
  real.set(reference)
  imaginary.set(heard)
  transform.apply(real, imaginary)
  // The product of a spectrum and its mirror image fill both halves, from outside to inside: in place.
  for (let k = 0; k <= size >> 1; k++) {
    const mirror = (size - k) & (size - 1)
    const aRe = (real[k]! + real[mirror]!) / 2
    const aIm = (imaginary[k]! - imaginary[mirror]!) / 2
    const bRe = (imaginary[k]! + imaginary[mirror]!) / 2
    const bIm = (real[mirror]! - real[k]!) / 2
    const productReal = (aRe * bRe + aIm * bIm) / size
    const productImaginary = (aRe * bIm - aIm * bRe) / size
    real[k] = productReal
    real[mirror] = productReal
    // Conjugated, so that the forward transform acts as the inverse one.
    imaginary[k] = -productImaginary
    imaginary[mirror] = productImaginary
  }
  transform.apply(real, imaginary)
  return real
}

function energySums(samples: Int16Array): Float64Array {
  const sums = new Float64Array(samples.length + 1)
  for (let i = 0; i < samples.length; i++) sums[i + 1] = sums[i]! + samples[i]! * samples[i]!
  return sums
}

/** Radix-2 fast Fourier transform of one size, a power of two. */
class Transform {
  readonly size: number
  readonly #cosines: Float64Array
  readonly #sines: Float64Array
  readonly #reversed: Uint32Array

  constructor(size: number) {
    this.size = size
    this.#cosines = new Float64Array(size >> 1)
    this.#sines = new Float64Array(size >> 1)
    for (let k = 0; k < size >> 1; k++) {
      this.#cosines[k] = Math.cos((2 * Math.PI * k) / size)
      this.#sines[k] = -Math.sin((2 * Math.PI * k) / size)
    }
    this.#reversed = new Uint32Array(size)
    for (let i = 1; i < size; i++) this.#reversed[i] = (this.#reversed[i >> 1]! >> 1) | (i & 1 ? size >> 1 : 0)
  }

  /** In place. */
  apply(real: Float64Array, imaginary: Float64Array): void {
    this.#reorder(real)
    this.#reorder(imaginary)
    const size = this.size
    const cosines = this.#cosines
    const sines = this.#sines
    for (let half = 1; half < size; half *= 2) {
      const stride = size / (2 * half)
      for (let start = 0; start < size; start += 2 * half) {
        for (let a = start, turn = 0; a < start + half; a++, turn += stride) {
          const b = a + half
          const cosine = cosines[turn]!
          const sine = sines[turn]!
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

  #reorder(values: Float64Array): void {
    const reversed = this.#reversed
    for (let i = 0; i < reversed.length; i++) {
      const j = reversed[i]!
      if (i >= j) continue
      const value = values[i]!
      values[i] = values[j]!
      values[j] = value
    }
  }
}

/** Those who compare again and again do it with signals of one length. */
let latestTransform: Transform | undefined
