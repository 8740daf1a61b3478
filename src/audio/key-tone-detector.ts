// Finds the tones of telephone keys in a stream (ITU-T Q.23, Q.24): one frequency of each group and hardly anything else.

import { goertzelPower } from './tone.ts'

const LOW_HZ = [697, 770, 852, 941]
const HIGH_HZ = [1209, 1336, 1477, 1633]
const SAMPLE_RATE_HZ = 8000
/** A look at 20 ms every 10 ms. */
const WINDOW = 160
const HOP = 80
/** Looks in a row that must find a tone: speech seldom looks like one for so long. */
const LOOKS = 2
/** Root mean square below which nobody hears a key: about -48 dB below full scale. */
const LEAST_LEVEL = 130
/** Share of the energy that both frequencies have together, and each of them at least. */
const LEAST_SHARE = 0.55
const LEAST_EACH = 0.05
/** How much the next frequency of a group may have beside the strongest. */
const MOST_BESIDE = 0.35

/** Detector of one stream. */
export class KeyToneDetector {
  readonly #window = new Int16Array(WINDOW)
  #fresh = 0
  #found = 0

  /** Takes the next 8 kHz samples; true when a key sounds in them, or has been found out by them to sound since the last 20 ms. */
  feed(samples: Int16Array): boolean {
    let isSounding = false
    for (const sample of samples) {
      this.#window[HOP + this.#fresh++] = sample
      if (this.#fresh < HOP) continue
      this.#found = isKeyTone(this.#window) ? this.#found + 1 : 0
      if (this.#found >= LOOKS) isSounding = true
      this.#window.copyWithin(0, HOP)
      this.#fresh = 0
    }
    return isSounding
  }

  /** The stream has jumped. */
  reset(): void {
    this.#window.fill(0)
    this.#fresh = 0
    this.#found = 0
  }
}

function isKeyTone(window: Int16Array): boolean {
  let energy = 0
  for (const sample of window) energy += sample * sample
  if (energy < WINDOW * LEAST_LEVEL * LEAST_LEVEL) return false
  const low = strongest(window, LOW_HZ)
  if (low < LEAST_EACH) return false
  const high = strongest(window, HIGH_HZ)
  return high >= LEAST_EACH && low + high >= LEAST_SHARE
}

/** Share of the energy at the strongest frequency of a group; 0 when another is nearly as strong. */
function strongest(window: Int16Array, frequenciesHz: readonly number[]): number {
  let first = 0
  let second = 0
  for (const frequencyHz of frequenciesHz) {
    const share = goertzelPower(window, SAMPLE_RATE_HZ, frequencyHz)
    if (share > first) {
      second = first
      first = share
    } else if (share > second) second = share
  }
  return second > first * MOST_BESIDE ? 0 : first
}
