// The clock that a client which delivers what it kept says the times of its streams by (RFC 3550 section 6.4.1): arrival, many
// times as fast, tells too little of where streams lie beside each other.

/** A meeting of a source's RTP time and its client's wall clock. */
export interface SenderReported {
  readonly ssrc: number
  readonly timestamp: number
  /** Milliseconds since 1970 by the client's clock. */
  readonly saidMs: number
  /** When the report came, in milliseconds of the recording. */
  readonly arrivalMs: number
  /** Whose clock it is (RFC 3550 section 6.5.1); absent where the report came without a name. */
  readonly cname?: string | undefined
}

/** What lies further from where it came is by another clock. */
const MOST_MS = 30_000

/** Of all streams of one recording. */
export class SenderTime {
  #firstSaidMs = Number.POSITIVE_INFINITY
  #firstPlaceMs = Number.POSITIVE_INFINITY
  #isFixed = false

  /** A stream began: when that was said, and where in the recording it lies by its arrival. The earliest of them is where all begin. */
  note(saidMs: number, placeMs: number): void {
    if (this.#isFixed) return
    this.#firstSaidMs = Math.min(this.#firstSaidMs, saidMs)
    this.#firstPlaceMs = Math.min(this.#firstPlaceMs, placeMs)
  }

  /** By how much later, or earlier, what was noted belongs; from the first answer on the beginning stays where it is. */
  correction(saidMs: number, placeMs: number): number {
    this.#isFixed = true
    const byMs = this.#firstPlaceMs + saidMs - this.#firstSaidMs - placeMs
    return Math.abs(byMs) > MOST_MS ? 0 : byMs
  }
}
