// What a run of kills amounts to, for whoever prints it.

import { percentile } from '../bench/report.ts'
import type { KillRunResult } from './kill-run.ts'

/** Most of what was sent before a kill that may be lost, in milliseconds. */
export const MOST_LOST_MS = 1000

/** Median, 99 of 100, and most. */
export interface Spread {
  readonly p50: number
  readonly p99: number
  readonly most: number
}

/** Milliseconds per hole: lost of what was sent before the kill, sent while no recorder was there, and until it was kept again. */
export interface KillFigures {
  readonly before: Spread
  readonly away: Spread
  readonly again: Spread
  /** Every promise was kept. */
  readonly isKept: boolean
}

/** Sums a run up. */
export function killFigures({ losses, faults, ended }: KillRunResult): KillFigures {
  const spread = (values: readonly number[]): Spread => {
    const at = (part: number): number => (values.length === 0 ? 0 : percentile(values, part))
    return { p50: at(0.5), p99: at(0.99), most: at(1) }
  }
  const before = spread(losses.map(({ beforeMs }) => beforeMs))
  return {
    before,
    away: spread(losses.map(({ awayMs }) => awayMs)),
    again: spread(losses.map(({ againMs }) => againMs)),
    isKept: faults.length === 0 && ended === 0 && before.most <= MOST_LOST_MS,
  }
}
