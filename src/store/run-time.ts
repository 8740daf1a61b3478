// Where in the recording each tick of a run was said: the sender's clock is not ours, and bends are how far it is off.

/** From `position` on, a tick lasts `ppm` millionths longer than its nominal time; `ms` is where in the recording it begins. */
export interface ClockBend {
  readonly position: number
  readonly ms: number
  readonly ppm: number
}

/** What a run says of its time. */
export interface RunTimeSource {
  readonly startMs: number
  readonly clockRateHz: number
  /** In order; absent while the clocks are taken to agree. */
  readonly clock?: readonly ClockBend[]
}

/** The time of one run: continuous, and never running backwards. */
export class RunTime {
  readonly #nominalMs: number
  readonly #bends: ClockBend[]

  constructor({ startMs, clockRateHz, clock = [] }: RunTimeSource) {
    this.#nominalMs = 1000 / clockRateHz
    this.#bends = [{ position: 0, ms: startMs, ppm: 0 }, ...clock]
  }

  /** Millionths by which ticks are longer at the end. */
  get ppm(): number {
    return this.#bends.at(-1)!.ppm
  }

  /** Whether the whole run goes by its nominal rate. */
  get isStraight(): boolean {
    return this.#bends.every(({ ppm }) => ppm === 0)
  }

  /** Milliseconds of the recording at a position in ticks. */
  msOf(position: number): number {
    const last = this.#bends.at(-1)!
    // Nearly always, and for each packet several times.
    const bend = last.position <= position ? last : this.#bendBefore((each) => each.position <= position)
    return bend.ms + (position - bend.position) * this.#tickMs(bend)
  }

  /** Position, with a fraction, at a time of the recording. */
  positionOf(ms: number): number {
    const bend = this.#bendBefore((each) => each.ms <= ms)
    return bend.position + (ms - bend.ms) / this.#tickMs(bend)
  }

  /** Changes the length of all ticks from a position on, which is behind all bends so far. */
  bend(position: number, ppm: number): ClockBend {
    const bend = { position, ms: this.msOf(position), ppm }
    this.#bends.push(bend)
    return bend
  }

  /** Lets the run begin by so much later, or earlier, and all of it with it. */
  moveStart(byMs: number): void {
    for (const [index, bend] of this.#bends.entries()) this.#bends[index] = { ...bend, ms: bend.ms + byMs }
  }

  /**
   * Moves all from `to` on by so much later, or earlier: ticks between `from`, which is behind all bends so far, and `to` are longer
   * or shorter. What is to be told of it.
   */
  shift(from: number, to: number, byMs: number): readonly ClockBend[] {
    const { ppm } = this
    const ms = this.msOf(from)
    const endMs = this.msOf(to) + byMs
    const tickMs = (endMs - ms) / (to - from)
    const bends = [
      { position: from, ms, ppm: (tickMs / this.#nominalMs - 1) * 1e6 },
      { position: to, ms: endMs, ppm },
    ]
    this.#bends.push(...bends)
    return bends
  }

  /** The position of the last bend. */
  get lastBend(): number {
    return this.#bends.at(-1)!.position
  }

  #tickMs({ ppm }: ClockBend): number {
    return this.#nominalMs * (1 + ppm / 1e6)
  }

  #bendBefore(isBefore: (bend: ClockBend) => boolean): ClockBend {
    if (isBefore(this.#bends.at(-1)!)) return this.#bends.at(-1)!
    let from = 0
    let to = this.#bends.length - 1
    while (to - from > 1) {
      const middle = (from + to) >> 1
      if (isBefore(this.#bends[middle]!)) from = middle
      else to = middle
    }
    return this.#bends[from]!
  }
}
