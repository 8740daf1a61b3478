// The clocks of a relay worker: packets are timed in the thread that handles them.

import type { Clock } from '#kernel'

/** Real time of this thread; the wall clock is the system's, so that all threads tell the same though it is set. */
export const workerClock: Clock = {
  nowMs: () => performance.now(),
  wallMs: () => Date.now(),
  after: (delayMs, _name, fire) => {
    const timer = setTimeout(fire, delayMs)
    return { cancel: () => clearTimeout(timer) }
  },
}

/** As `workerClock`, but its wall clock goes on steadily though the system's is set: what sender reports tell is compared over minutes. */
export const steadyClock: Clock = {
  ...workerClock,
  wallMs: () => performance.timeOrigin + performance.now(),
}
