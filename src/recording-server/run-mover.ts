// Moves an epoch of a run, written or not, to where it was said: into the silence before it, or away from what is before it.

import type { RunMove, RunTime } from '#store'
import type { EpochHole } from './epoch-start.ts'
import type { TimelineOptions } from './timeline.ts'

/** Moves of one run. */
export class RunMover {
  readonly #time: RunTime
  readonly #options: Pick<TimelineOptions, 'clockRateHz' | 'sink' | 'opening'>
  #startMs: number
  #insideMs = 0

  constructor(time: RunTime, options: TimelineOptions) {
    this.#time = time
    this.#options = options
    this.#startMs = options.startMs
  }

  /** Where in the recording position 0 would be, had nothing but clocks changed the length of ticks. */
  get nominalStartMs(): number {
    return this.#startMs + this.#insideMs
  }

  /** How much earlier an epoch may lie; a tick is left of silence that is in the file, which is a place of its own. */
  roomBefore({ from, to, isFirst }: EpochHole): number {
    const { opening, clockRateHz } = this.#options
    const fromMs = isFirst ? opening.fromMs : this.#time.msOf(from)
    return Math.max(0, this.#time.msOf(to) - fromMs - 1000 / clockRateHz)
  }

  /** Moves an epoch as a whole, by whole ticks; false where there is nothing that could give way. */
  move(hole: EpochHole, wantedMs: number): boolean {
    const { opening, clockRateHz, sink } = this.#options
    const ticks = Math.trunc((wantedMs * clockRateHz) / 1000)
    const isFixed = this.#time.lastBend > hole.from || (!hole.isFirst && hole.from === hole.to)
    if (ticks === 0 || isFixed) return false
    const fromMs = this.#time.msOf(hole.to)
    const byMs = (ticks * 1000) / clockRateHz
    sink.move({ fromMs, byMs, cause: opening.cause, ...this.#moveEpoch(hole, byMs) })
    return true
  }

  /** A run that has only this epoch begins elsewhere; what is left is taken from the silence in the file. */
  #moveEpoch({ from, to, isFirst }: EpochHole, byMs: number): Pick<RunMove, 'startMs' | 'bends'> {
    const startByMs = isFirst ? Math.max(byMs, this.#options.opening.fromMs - this.#startMs) : 0
    this.#time.moveStart(startByMs)
    this.#startMs += startByMs
    const leftMs = byMs - startByMs
    this.#insideMs += leftMs
    return { startMs: this.#startMs, bends: leftMs === 0 ? [] : this.#time.shift(from, to, leftMs) }
  }
}
