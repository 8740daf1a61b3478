// The latest two seconds of a stream at a low rate, and whether two streams carry the same.

import { correlate, correlateAt, rmsDbfs } from '#audio'

/** Rate of what is kept: voices have enough below half of it. */
const COMPARED_HZ = 2000
const COMPARED_SAMPLES = 2 * COMPARED_HZ
/** Streams of one client run apart by this much at most. */
const MAX_LAG_SAMPLES = 0.2 * COMPARED_HZ
/** What is more silent than this is not compared. */
const AUDIBLE_DBFS = -50
/** The same audio has the same loudness. */
const MAX_DIFFERENCE_DB = 3
const SAME_FROM = 0.9

/** Two seconds of one stream. */
export class ComparedSound {
  readonly #samples = new Int16Array(COMPARED_SAMPLES)
  #count = 0
  #sum = 0
  #summed = 0

  /** Begins anew: what comes does not follow what came. */
  clear(): void {
    this.#count = 0
    this.#sum = 0
    this.#summed = 0
  }

  add(samples: Int16Array, sampleRateHz: number): void {
    const factor = sampleRateHz / COMPARED_HZ
    const kept = this.#samples
    let [sum, summed, count] = [this.#sum, this.#summed, this.#count]
    for (let at = 0; at < samples.length; at++) {
      sum += samples[at]!
      summed++
      if (summed < factor) continue
      kept[count++ % COMPARED_SAMPLES] = sum / summed
      sum = 0
      summed = 0
    }
    this.#sum = sum
    this.#summed = summed
    this.#count = count
  }

  /** Oldest first; undefined while there are no two seconds. */
  latest(): Int16Array | undefined {
    if (this.#count < COMPARED_SAMPLES) return undefined
    const split = this.#count % COMPARED_SAMPLES
    const ordered = new Int16Array(COMPARED_SAMPLES)
    ordered.set(this.#samples.subarray(split))
    ordered.set(this.#samples.subarray(0, split), COMPARED_SAMPLES - split)
    return ordered
  }
}

/** What is known of two streams. */
export interface SameAudio {
  readonly isSame: boolean
  /** How much later the other one is, where they are the same. */
  readonly lagSamples: number
}

/** Whether two streams carry the same audio; where they did, looked for at the same lag first; undefined while nothing can be said: too little, or silence. */
export function compareAudio(one: ComparedSound, other: ComparedSound, before: SameAudio): SameAudio | undefined {
  const [first, second] = [one.latest(), other.latest()]
  if (first === undefined || second === undefined) return undefined
  const [firstDbfs, secondDbfs] = [rmsDbfs(first), rmsDbfs(second)]
  if (firstDbfs < AUDIBLE_DBFS && secondDbfs < AUDIBLE_DBFS) return undefined
  // Cheap, and nearly always enough.
  if (Math.abs(firstDbfs - secondDbfs) > MAX_DIFFERENCE_DB) return { isSame: false, lagSamples: 0 }
  if (before.isSame && correlateAt(first, second, before.lagSamples) >= SAME_FROM) return before
  const { coefficient, lagSamples } = correlate(first, second, MAX_LAG_SAMPLES)
  return { isSame: coefficient >= SAME_FROM, lagSamples }
}
