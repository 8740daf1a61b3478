// Adds up contributors, and takes one of them out again for who must not hear itself.

import type { Contributor } from './contributor.ts'
import { FRAME_SAMPLES } from './jitter-buffer.ts'

const HIGHEST = 32_767
const LOWEST = -32_768

/** Sums one frame at a time. */
export class Mixer {
  /** Those with sound in the frame. */
  readonly speaking: Contributor[] = []
  readonly #sum = new Int32Array(FRAME_SAMPLES)
  readonly #mixed = new Int16Array(FRAME_SAMPLES)

  /** Pulls the next frame of everybody. */
  pull(contributors: Iterable<Contributor>, nowMs: number): void {
    this.speaking.length = 0
    this.#sum.fill(0)
    for (const contributor of contributors) {
      contributor.pull(nowMs)
      if (!contributor.isSpeaking) continue
      this.speaking.push(contributor)
      for (let i = 0; i < FRAME_SAMPLES; i++) this.#sum[i]! += contributor.frame[i]!
    }
  }

  /** The sum of all but one, saturated, valid until the next call; undefined when it is silence. */
  mixed(without?: Contributor): Int16Array | undefined {
    const left = without?.isSpeaking === true ? without.frame : undefined
    if (this.speaking.length === (left === undefined ? 0 : 1)) return undefined
    for (let i = 0; i < FRAME_SAMPLES; i++) {
      const sample = this.#sum[i]! - (left?.[i] ?? 0)
      this.#mixed[i] = Math.max(LOWEST, Math.min(HIGHEST, sample))
    }
    return this.#mixed
  }
}
