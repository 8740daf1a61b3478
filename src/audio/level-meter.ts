// How loud a stream is, window by window.

const WINDOW_MS = 200
/** What stands for digital silence. */
const SILENT_DBFS = -100
const FULL_SCALE = 32_768
/** The largest code of G.711 and what is beside it; other encodings reach full scale only when they are clipped, too. */
const CLIPPED_FROM = 32_000

/** One window of sound, in dB below full scale. */
export interface SoundWindow {
  readonly rmsDbfs: number
  readonly peakDbfs: number
  /** Share of samples at the limit of the scale, 0..1. */
  readonly clippedShare: number
}

/** Measures windows of 200 ms. */
export class LevelMeter {
  readonly #windowSamples: number
  readonly #onWindow: (window: SoundWindow) => void
  #count = 0
  #energy = 0
  #peak = 0
  #clipped = 0

  constructor(sampleRateHz: number, onWindow: (window: SoundWindow) => void) {
    this.#windowSamples = Math.round((sampleRateHz * WINDOW_MS) / 1000)
    this.#onWindow = onWindow
  }

  add(samples: Int16Array): void {
    for (let at = 0; at < samples.length; ) {
      const end = Math.min(samples.length, at + this.#windowSamples - this.#count)
      this.#count += end - at
      // Local variables: this runs for every sample of every stream.
      let [energy, peak, clipped] = [0, this.#peak, 0]
      for (; at < end; at++) {
        const sample = samples[at]!
        const size = sample < 0 ? -sample : sample
        energy += sample * sample
        if (size > peak) peak = size
        if (size >= CLIPPED_FROM) clipped++
      }
      this.#energy += energy
      this.#peak = peak
      this.#clipped += clipped
      if (this.#count === this.#windowSamples) this.#finish()
    }
  }

  #finish(): void {
    this.#onWindow({
      rmsDbfs: dbfs(Math.sqrt(this.#energy / this.#count)),
      peakDbfs: dbfs(this.#peak),
      clippedShare: this.#clipped / this.#count,
    })
    this.#count = 0
    this.#energy = 0
    this.#peak = 0
    this.#clipped = 0
  }
}

function dbfs(size: number): number {
  return size === 0 ? SILENT_DBFS : 20 * Math.log10(size / FULL_SCALE)
}
