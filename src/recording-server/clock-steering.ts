// Keeps the place of a sender's packets by its arrival: the fastest packet of some seconds shows how far clocks came
// apart, as jitter only ever delays. What it says is a rate, so that audio is never cut: nobody hears a thousandth.

/** How long packets are looked at before the fastest counts. */
const WINDOW_MS = 5000
/** So many windows are compared: a stall of the network is not the clock. */
const WINDOWS = 3
/** Within this nothing is done; when an error is down to a third of it, it is made good. */
const DEAD_BAND_MS = 1.5
/** An error is made good in about this time, and a drift learned in twice that. */
const SETTLE_MS = 30_000
/** Beyond what crystals do, and below what ears notice. */
const MOST_PPM = 1000
const MOST_DRIFT_PPM = 500
/** What arrives earlier than it can have been said, by more than a network makes up, is delivered from before. */
const EARLY_MS = 200
/** What is later than this for all windows was not delayed: the sender's clock stood still. */
const LATE_MS = 200

/** The clock of one run against ours. `residual` is arrival minus the end of a packet's place, in milliseconds. */
export class ClockSteering {
  readonly #windows: number[] = []
  #least = Number.POSITIVE_INFINITY
  #sinceMs: number | undefined
  #drift = 0
  #measuredMs = 0
  #baseMs: number

  /** `baseMs`: the residual of the source before, on the same way to us. */
  constructor(baseMs = 0) {
    this.#baseMs = baseMs
  }

  /** The residual of packets that are neither early nor late: below zero after a delivery from before, above where others arrive sooner. */
  get baseMs(): number {
    return this.#baseMs
  }

  /** Millionths by which the sender's ticks are longer than nominal; undefined until it was measured for long enough. */
  get driftPpm(): number | undefined {
    return this.#measuredMs < SETTLE_MS ? undefined : this.#drift
  }

  /** The residual of the fastest packet of late; undefined where none was seen. */
  get fastestMs(): number | undefined {
    const least = Math.min(this.#least, ...this.#windows)
    return Number.isFinite(least) ? this.#baseMs + least : undefined
  }

  /** Packets as they are belong at another residual: the difference is made good like any other. */
  aim(baseMs: number): void {
    const byMs = baseMs - this.#baseMs
    this.#baseMs = baseMs
    for (const [index, least] of this.#windows.entries()) this.#windows[index] = least - byMs
    this.#least -= byMs
  }

  /** Forgets what was seen of a source that is no more, or lies elsewhere; the drift stays, it is mostly the same machine. */
  restart(baseMs = this.#baseMs): void {
    this.#baseMs = baseMs
    this.#windows.length = 0
    this.#least = Number.POSITIVE_INFINITY
    this.#sinceMs = undefined
  }

  /** Notes a packet; tells the rate to go on with, or that the place has to be found anew. */
  note(residualMs: number, arrivalMs: number, ppm: number): number | 'astray' | undefined {
    if (residualMs < Math.min(0, this.#baseMs) - EARLY_MS) {
      this.#baseMs = residualMs
      this.restart()
    }
    this.#sinceMs ??= arrivalMs
    this.#least = Math.min(this.#least, residualMs - this.#baseMs)
    const spentMs = arrivalMs - this.#sinceMs
    if (spentMs < WINDOW_MS) return undefined
    this.#windows.push(this.#least)
    if (this.#windows.length > WINDOWS) this.#windows.shift()
    this.#least = Number.POSITIVE_INFINITY
    this.#sinceMs = arrivalMs
    return this.#judge(Math.min(...this.#windows), Math.min(spentMs, 2 * WINDOW_MS), ppm)
  }

  #judge(errorMs: number, spentMs: number, ppm: number): number | 'astray' | undefined {
    this.#measuredMs += spentMs
    if (errorMs > LATE_MS && this.#windows.length === WINDOWS) return 'astray'
    if (Math.abs(errorMs) < DEAD_BAND_MS) {
      const drift = rounded(this.#drift)
      return Math.abs(errorMs) < DEAD_BAND_MS / 3 && drift !== ppm ? drift : undefined
    }
    const proportional = (errorMs * 1e6) / SETTLE_MS
    const isSaturated = Math.abs(this.#drift + proportional) > MOST_PPM
    if (!isSaturated) this.#drift = within(this.#drift + (proportional * spentMs) / (4 * SETTLE_MS), MOST_DRIFT_PPM)
    const next = rounded(within(this.#drift + proportional, MOST_PPM))
    return next === ppm ? undefined : next
  }
}

function within(value: number, limit: number): number {
  return Math.max(-limit, Math.min(limit, value))
}

function rounded(ppm: number): number {
  return Math.round(ppm * 10) / 10
}
