// The clocks of a relay worker: packets are timed in the thread that handles them.

import type { Clock } from '#kernel'

/** The system's clock tells whole milliseconds: where it differs by more, it was set. */
const SET_BY_MS = 20
let setByMs = 0

function steadyMs(): number {
  return performance.timeOrigin + performance.now()
}

/** Real time of this thread; the wall clock is the system's, so that all threads tell the same though it is set. */
export const workerClock: Clock = {
  nowMs: () => performance.now(),
  wallMs: () => {
    const steady = steadyMs()
    const apartMs = Date.now() - steady
    if (Math.abs(apartMs - setByMs) > SET_BY_MS) setByMs = apartMs
    return steady + setByMs
  },
  after: (delayMs, _name, fire) => {
    const timer = setTimeout(fire, delayMs)
    return { cancel: () => clearTimeout(timer) }
  },
}

/** As `workerClock`, but its wall clock goes on steadily though the system's is set: what sender reports tell is compared over minutes. */
export const steadyClock: Clock = { ...workerClock, wallMs: steadyMs }
