// G.722 decoder, 64 kbit/s (mode 1): two sub-bands of adaptive differential PCM joined by a mirror filter (ITU-T G.722 sections 4 and 5).
// The names of the steps are those of the Recommendation; numbers are 16-bit fixed point as there.

/** Inverse quantizers: 6 and 4 bits of the lower sub-band, 2 bits of the higher (tables 7 to 11 of the Recommendation). */
const QM6 = Int16Array.of(
  ...[-136, -136, -136, -136, -24808, -21904, -19008, -16704, -14984, -13512, -12280, -11192, -10232, -9360, -8576],
  ...[-7856, -7192, -6576, -6000, -5456, -4944, -4464, -4008, -3576, -3168, -2776, -2400, -2032, -1688, -1360, -1040],
  ...[-728, 24808, 21904, 19008, 16704, 14984, 13512, 12280, 11192, 10232, 9360, 8576, 7856, 7192, 6576, 6000, 5456],
  ...[4944, 4464, 4008, 3576, 3168, 2776, 2400, 2032, 1688, 1360, 1040, 728, 432, 136, -432, -136],
)
const QM4 = Int16Array.of(
  ...[0, -20456, -12896, -8968, -6288, -4240, -2584, -1200],
  ...[20456, 12896, 8968, 6288, 4240, 2584, 1200, 0],
)
const QM2 = Int16Array.of(-7408, -1616, 7408, 1616)
/** How a code moves the logarithm of the step size. */
const WL = [-60, -30, 58, 172, 334, 538, 1198, 3042]
const RL42 = [0, 7, 6, 5, 4, 3, 2, 1, 7, 6, 5, 4, 3, 2, 1, 0]
const WH = [0, -214, 798]
const RH2 = [2, 1, 2, 1]
const ILB = Int16Array.from({ length: 32 }, (_unused, i) => Math.round(2048 * 2 ** (i / 32)))
const MIRROR = [3, -11, 12, 32, -210, 951, 3876, -805, 362, -156, 53, -11]
const MIRROR_TAPS = 24

function saturate(value: number): number {
  return Math.max(-32_768, Math.min(32_767, value))
}

function limit(value: number, bound: number): number {
  return Math.max(-bound, Math.min(bound, value))
}

/** Predictor and step size of one sub-band. */
class SubBand {
  /** Quantizer step size (DET). */
  step: number
  /** Predicted signal (S). */
  predicted = 0
  readonly #mostLog: number
  readonly #logShift: number
  #log = 0
  #zeroPart = 0
  #r1 = 0
  #r2 = 0
  #p1 = 0
  #p2 = 0
  #a1 = 0
  #a2 = 0
  readonly #b = new Int32Array(6)
  readonly #d = new Int32Array(6)

  constructor(step: number, mostLog: number, logShift: number) {
    this.step = step
    this.#mostLog = mostLog
    this.#logShift = logShift
  }

  /** LOGSCL and SCALEL, or LOGSCH and SCALEH. */
  adaptStep(change: number): void {
    this.#log = Math.max(0, Math.min(this.#mostLog, ((this.#log * 127) >> 7) + change))
    const shift = this.#logShift - (this.#log >> 11)
    const base = ILB[(this.#log >> 6) & 31]!
    this.step = (shift < 0 ? base << -shift : base >> shift) << 2
  }

  /** RECONS to PREDIC: takes the quantized difference and predicts the next sample. */
  adaptPredictor(difference: number): void {
    const r0 = saturate(this.predicted + difference)
    const p0 = saturate(this.#zeroPart + difference)
    const isLikeLast = p0 < 0 === this.#p1 < 0
    const isLikeBefore = p0 < 0 === this.#p2 < 0
    const fourfold = saturate(this.#a1 << 2)
    const turned = Math.min(32_767, isLikeLast ? -fourfold : fourfold)
    const a2 = limit((isLikeBefore ? 128 : -128) + (turned >> 7) + ((this.#a2 * 32_512) >> 15), 12_288)
    const a1 = limit((isLikeLast ? 192 : -192) + ((this.#a1 * 32_640) >> 15), 15_360 - a2)
    this.#adaptZeros(difference)
    this.#r2 = this.#r1
    this.#r1 = r0
    this.#p2 = this.#p1
    this.#p1 = p0
    this.#a1 = a1
    this.#a2 = a2
    const poles = saturate(((a1 * saturate(2 * this.#r1)) >> 15) + ((a2 * saturate(2 * this.#r2)) >> 15))
    this.predicted = saturate(poles + this.#zeroPart)
  }

  /** UPZERO, DELAYA, FILTEZ. */
  #adaptZeros(difference: number): void {
    const b = this.#b
    const d = this.#d
    const gain = difference === 0 ? 0 : 128
    for (let i = 0; i < 6; i++) {
      b[i] = saturate((d[i]! < 0 === difference < 0 ? gain : -gain) + ((b[i]! * 32_640) >> 15))
    }
    d.copyWithin(1, 0, 5)
    d[0] = difference
    let sum = 0
    for (let i = 0; i < 6; i++) sum += (b[i]! * saturate(2 * d[i]!)) >> 15
    this.#zeroPart = saturate(sum)
  }
}

/** Decoder of one stream. */
export class G722Decoder {
  readonly #low = new SubBand(32, 18_432, 8)
  readonly #high = new SubBand(8, 22_528, 10)
  readonly #delay = new Int32Array(MIRROR_TAPS)

  /** Two samples at 16 kHz for each byte. */
  decode(bytes: Uint8Array): Int16Array {
    const samples = new Int16Array(bytes.length * 2)
    for (let i = 0; i < bytes.length; i++) {
      const low = this.#lowSample(bytes[i]! & 0x3f)
      const high = this.#highSample(bytes[i]! >> 6)
      this.#join(low, high, samples, 2 * i)
    }
    return samples
  }

  #lowSample(code: number): number {
    const band = this.#low
    const sample = limit(band.predicted + ((band.step * QM6[code]!) >> 15), 16_383)
    const difference = (band.step * QM4[code >> 2]!) >> 15
    band.adaptStep(WL[RL42[code >> 2]!]!)
    band.adaptPredictor(difference)
    return sample
  }

  #highSample(code: number): number {
    const band = this.#high
    const difference = (band.step * QM2[code]!) >> 15
    const sample = limit(band.predicted + difference, 16_383)
    band.adaptStep(WH[RH2[code]!]!)
    band.adaptPredictor(difference)
    return sample
  }

  /** Receive quadrature mirror filter. */
  #join(low: number, high: number, samples: Int16Array, at: number): void {
    const delay = this.#delay
    delay.copyWithin(0, 2)
    delay[MIRROR_TAPS - 2] = low + high
    delay[MIRROR_TAPS - 1] = low - high
    let even = 0
    let odd = 0
    for (let i = 0; i < MIRROR_TAPS / 2; i++) {
      odd += delay[2 * i]! * MIRROR[i]!
      even += delay[2 * i + 1]! * MIRROR[MIRROR_TAPS / 2 - 1 - i]!
    }
    samples[at] = saturate(even >> 11)
    samples[at + 1] = saturate(odd >> 11)
  }
}
