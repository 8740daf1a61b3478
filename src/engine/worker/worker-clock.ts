// The clock of a relay worker: packets are timed in the thread that handles them.

import type { Clock } from '#kernel'

/** Real time of this thread. */
export const workerClock: Clock = {
  nowMs: () => performance.now(),
  wallMs: () => performance.timeOrigin + performance.now(),
  after: (delayMs, _name, fire) => {
    const timer = setTimeout(fire, delayMs)
    return { cancel: () => clearTimeout(timer) }
  },
}
