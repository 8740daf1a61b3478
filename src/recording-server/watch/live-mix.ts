// Sources that speak on one stream at the same time, as one sound: who sends without a break leads, and what the others said
// meanwhile is added to its packets. Nothing is resampled with care: this is for listening and measuring, never for what is kept.

import { resample } from '#audio'
import type { Decoded } from './source-decoding.ts'

/** One that sent nothing for so long leads no more: three packets. */
const LEAD_MS = 60
/** More of one source does not wait: what is heard live is not late. */
const MOST_WAITING_MS = 200

/** Mixer of one stream. */
export class LiveMix {
  /** What waits of each source but the one that leads, at the rate of that one. */
  readonly #waiting = new Map<number, Int16Array>()
  #lead: number | undefined
  #ledMs = 0
  #rateHz = 0

  /** Forgets what waits. */
  reset(): void {
    this.#waiting.clear()
    this.#lead = undefined
  }

  /** Takes a packet of a source, by its SSRC; what is to be heard now, undefined while it waits for who leads. */
  add(source: number, decoded: Decoded, nowMs: number): Decoded | undefined {
    const { samples, sampleRateHz } = decoded
    if (source !== this.#lead && (this.#lead === undefined || nowMs - this.#ledMs > LEAD_MS)) this.#lead = source
    if (source !== this.#lead) {
      this.#wait(source, resample(samples, sampleRateHz, this.#rateHz))
      return undefined
    }
    this.#ledMs = nowMs
    // What waits has another rate, and is a moment at most.
    if (sampleRateHz !== this.#rateHz) this.#waiting.clear()
    this.#rateHz = sampleRateHz
    if (this.#waiting.size === 0) return decoded
    return { samples: this.#mixed(this.#ownFirst(source, samples)), sampleRateHz }
  }

  /** Who has begun to lead has said something before. */
  #ownFirst(source: number, samples: Int16Array): Int16Array {
    const before = this.#waiting.get(source)
    this.#waiting.delete(source)
    return before === undefined ? samples.slice() : joined(before, samples)
  }

  /** Adds as much of each that waits. */
  #mixed(sum: Int16Array): Int16Array {
    for (const [other, waiting] of this.#waiting) {
      const count = Math.min(sum.length, waiting.length)
      for (let at = 0; at < count; at++) sum[at] = Math.max(-32_768, Math.min(32_767, sum[at]! + waiting[at]!))
      this.#waiting.set(other, waiting.subarray(count))
    }
    return sum
  }

  #wait(source: number, samples: Int16Array): void {
    const all = joined(this.#waiting.get(source) ?? new Int16Array(0), samples)
    const most = (this.#rateHz * MOST_WAITING_MS) / 1000
    this.#waiting.set(source, all.length > most ? all.subarray(all.length - most) : all)
  }
}

function joined(one: Int16Array, other: Int16Array): Int16Array {
  const both = new Int16Array(one.length + other.length)
  both.set(one)
  both.set(other, one.length)
  return both
}
