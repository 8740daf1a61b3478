// Where a stretch of RTP time begins: its first packets may have been held up on their way, those after them show by how much.

/** For how long the fastest packet is looked for, in milliseconds of the recording. */
export const SETTLE_MS = 2000
/** Within this the steering of the clock does it. */
const LEAST_MS = 1
/** A network that keeps a packet for longer than this is none: what comes is delivered from before. */
const MOST_MS = 1000
/** What was held up for longer than this is moved as a whole or not at all: streams that are delivered stay beside each other. */
const MOST_IN_PART_MS = 200

/** Where the first packet of an epoch was written, and where what is before it ends, in ticks of the run. */
export interface EpochHole {
  readonly from: number
  readonly to: number
  /** Nothing of the run is before it: the run itself may begin earlier. */
  readonly isFirst: boolean
}

/** The first seconds of one epoch; residuals are arrival minus the end of a packet's place, in milliseconds. */
export class EpochStart {
  readonly #settleMs: number
  #baseMs = 0
  #leastMs = Number.POSITIVE_INFINITY
  #sinceMs = 0
  #isDue = false
  #isOver = true
  #hole: EpochHole | undefined

  constructor(settleMs: number) {
    this.#settleMs = settleMs
  }

  /** The residual that the place of the first packet was given. */
  get baseMs(): number {
    return this.#baseMs
  }

  /** Undefined before the first packet is written, and after all is settled. */
  get hole(): EpochHole | undefined {
    return this.#isOver ? undefined : this.#hole
  }

  /** The same, for as long as the epoch lasts. */
  get lastHole(): EpochHole | undefined {
    return this.#hole
  }

  /** Whether there were packets for long enough. */
  get isDue(): boolean {
    return this.#isDue && !this.#isOver
  }

  begin(arrivalMs: number, baseMs: number): void {
    this.#baseMs = baseMs
    this.#leastMs = Number.POSITIVE_INFINITY
    this.#sinceMs = arrivalMs
    this.#isDue = false
    this.#isOver = false
    this.#hole = undefined
  }

  /** Notes a packet. */
  note(residualMs: number, arrivalMs: number): void {
    if (this.#isOver) return
    if (residualMs < this.#leastMs) this.#leastMs = residualMs
    if (arrivalMs - this.#sinceMs >= this.#settleMs) this.#isDue = true
  }

  /** All that was placed so far lies so much earlier now. */
  movedEarlier(ms: number): void {
    this.#leastMs += ms
  }

  /** The first packet of the epoch is written. */
  written(from: number, to: number, isFirst: boolean): void {
    if (!this.#isOver) this.#hole = { from, to, isFirst }
  }

  /** Ends the search. */
  end(): void {
    this.#isOver = true
  }

  /** Ends the search; by how much earlier the epoch was said than it lies, where `roomMs` are free before it. */
  settle(roomMs: number): number {
    this.#isOver = true
    const lateMs = this.#baseMs - this.#leastMs
    if (lateMs < LEAST_MS || lateMs > MOST_MS) return 0
    if (lateMs <= roomMs) return lateMs
    return lateMs > MOST_IN_PART_MS ? 0 : Math.max(0, roomMs)
  }
}
