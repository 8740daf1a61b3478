// What sender reports of one recording say together: where streams of one clock belong, if they can be believed.

/** Reports of a stream before it is listened to. */
const LEAST_REPORTS = 3
/** Ways through a network differ by less than this; a report that moves a stream further is wrong. */
const MOST_APART_MS = 40
/** Two streams of one clock stay as far apart as they were; else one of the clocks is none. */
const MOST_WANDER_MS = 5

interface Clock {
  reports: number
  /** Time of the recording, as arrivals show it, at the sender's zero. */
  zeroMs: number
  /** Distance to the earliest when it was first compared. */
  firstApartMs: number | undefined
  isWrong: boolean
}

/** The reports of all streams of a recording; a stream is whatever object stands for it. */
export class SenderReports {
  readonly #clocks = new Map<object, Clock>()

  /**
   * Notes a report: `zeroMs` is the recording's time at the sender's zero, as arrivals show it. Returns how many milliseconds
   * the stream is to be moved, 0 or less: packets of another stream of this clock had a shorter way.
   */
  note(stream: object, zeroMs: number): number {
    const clock = this.#clocks.get(stream) ?? { reports: 0, zeroMs, firstApartMs: undefined, isWrong: false }
    clock.reports += 1
    clock.zeroMs = zeroMs
    this.#clocks.set(stream, clock)
    if (clock.reports < LEAST_REPORTS || clock.isWrong) return 0
    const others = [...this.#clocks.values()].filter(
      (other) => !other.isWrong && other.reports >= LEAST_REPORTS && zeroMs - other.zeroMs <= MOST_APART_MS,
    )
    const apartMs = zeroMs - Math.min(...others.map((other) => other.zeroMs))
    clock.firstApartMs ??= apartMs
    clock.isWrong = Math.abs(apartMs - clock.firstApartMs) > MOST_WANDER_MS
    return clock.isWrong ? 0 : -apartMs
  }

  /** Whether the stream's reports contradict what arrives. */
  isWrong(stream: object): boolean {
    return this.#clocks.get(stream)?.isWrong === true
  }

  /** Forgets a stream whose source is another one now. */
  forget(stream: object): void {
    this.#clocks.delete(stream)
  }
}
