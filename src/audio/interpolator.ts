// Raising the sampling rate by a whole factor: a windowed sinc, its taps computed once for each phase.

/** Input samples on each side of an output sample that it is made of. */
export const INTERPOLATION_REACH = 16
const CUTOFF = 0.95

/** Interpolates by one factor. */
export class Interpolator {
  readonly #factor: number
  /** Taps of each phase: the distance of an output sample behind an input sample, in output samples. */
  readonly #taps: readonly Float64Array[]

  /** `factor` is the number of output samples for one of input, 2 or more. */
  constructor(factor: number) {
    this.#factor = factor
    this.#taps = Array.from({ length: factor }, (_unused, phase) => tapsOf(phase / factor))
  }

  /**
   * Fills `into` with output samples from output position `from` on, where 0 is the time of `source[lead]`. Input before and
   * behind `source` counts as silence; with INTERPOLATION_REACH samples on each side, steps join without a seam.
   */
  run(source: Int16Array, lead: number, from: number, into: Int16Array): void {
    for (let i = 0; i < into.length; i++) {
      const at = from + i
      const base = lead + Math.floor(at / this.#factor) - INTERPOLATION_REACH + 1
      const taps = this.#taps[at % this.#factor]!
      const first = Math.max(0, -base)
      const last = Math.min(taps.length, source.length - base)
      let sum = 0
      for (let tap = first; tap < last; tap++) sum += taps[tap]! * source[base + tap]!
      into[i] = Math.max(-32_768, Math.min(32_767, Math.round(sum)))
    }
  }
}

function tapsOf(offset: number): Float64Array {
  return Float64Array.from({ length: 2 * INTERPOLATION_REACH }, (_unused, index) => {
    const distance = index - INTERPOLATION_REACH + 1 - offset
    const window = 0.5 + 0.5 * Math.cos((Math.PI * distance) / INTERPOLATION_REACH)
    const angle = Math.PI * distance * CUTOFF
    return Math.abs(distance) >= INTERPOLATION_REACH ? 0 : window * CUTOFF * (angle === 0 ? 1 : Math.sin(angle) / angle)
  })
}
