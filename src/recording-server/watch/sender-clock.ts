// Whether the timestamps of a source run by the clock of its codec: measured over two seconds.

/** The clock of a sender is measured over so long. */
const CLOCK_WINDOW_MS = 2000

/** Rate of a sender's timestamps by our clock, and what it should be. */
export interface ClockMeasure {
  readonly measuredHz: number
  readonly wantedHz: number
}

/** Clock of one source. */
export class SenderClock {
  #clockRateHz = 0
  #measuredHz: number | undefined
  #lastMs = Number.NEGATIVE_INFINITY
  #window: { readonly fromMs: number; ticks: number; timestamp: number } | undefined

  /** Undefined before two seconds of packets. */
  get measure(): ClockMeasure | undefined {
    return this.#measuredHz === undefined ? undefined : { measuredHz: this.#measuredHz, wantedHz: this.#clockRateHz }
  }

  /** A packet of sound came. */
  onPacket(timestamp: number, clockRateHz: number, nowMs: number): void {
    const pauseMs = nowMs - this.#lastMs
    this.#lastMs = nowMs
    const window = this.#window
    const ticks = window === undefined ? 0 : (timestamp - window.timestamp) | 0
    const isNew = window === undefined || clockRateHz !== this.#clockRateHz || pauseMs > CLOCK_WINDOW_MS / 4
    if (isNew || Math.abs(ticks) > clockRateHz * CLOCK_WINDOW_MS) {
      this.#clockRateHz = clockRateHz
      this.#measuredHz = undefined
      this.#window = { fromMs: nowMs, ticks: 0, timestamp }
      return
    }
    window.ticks += ticks
    window.timestamp = timestamp
    const tookMs = nowMs - window.fromMs
    if (tookMs < CLOCK_WINDOW_MS) return
    this.#measuredHz = (window.ticks * 1000) / tookMs
    this.#window = { fromMs: nowMs, ticks: 0, timestamp }
  }
}
