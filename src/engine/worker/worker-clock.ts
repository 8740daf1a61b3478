// The clock of a relay worker: packets are timed in the thread that handles them.

import type { Clock } from '#kernel'

/** A wall clock that was set is followed when it differs by more than its own resolution and a pause of the thread. */
const SET_MS = 50

/** What a machine has to tell the time by, both in milliseconds. */
export interface TimeSources {
  readonly monotonicMs: () => number
  /** Since 1970-01-01 UTC, whole milliseconds. */
  readonly wallMs: () => number
  /** The latter when the former was 0, with fractions. */
  readonly beganMs: number
}

/** Wall-clock time with fractions: the monotonic clock from an origin, which is read anew when the machine's clock was set. */
export function fractionalWall({ monotonicMs, wallMs, beganMs }: TimeSources): () => number {
  let originMs = beganMs
  return () => {
    const measuredMs = originMs + monotonicMs()
    const machineMs = wallMs()
    if (Math.abs(machineMs - measuredMs) <= SET_MS) return measuredMs
    originMs += machineMs - measuredMs
    return machineMs
  }
}

/** Real time of this thread. */
export const workerClock: Clock = {
  nowMs: () => performance.now(),
  wallMs: fractionalWall({
    monotonicMs: () => performance.now(),
    wallMs: () => Date.now(),
    beganMs: performance.timeOrigin,
  }),
  after: (delayMs, _name, fire) => {
    // setTimeout cuts fractions off; rounding up keeps "never early" true.
    const timer = setTimeout(fire, Math.ceil(Math.max(0, delayMs)))
    return { cancel: () => clearTimeout(timer) }
  },
}
