// The machine's clock and alarms behind the kernel's Clock port.

import type { Clock, Timer } from '#kernel'

/** Longest delay that setTimeout honours; more would fire at once. */
const LONGEST_DELAY_MS = 2 ** 31 - 1

function arm(delayMs: number, fire: () => void): Timer {
  let handle: NodeJS.Timeout
  const wait = (leftMs: number): void => {
    const stepMs = Math.min(leftMs, LONGEST_DELAY_MS)
    handle = setTimeout(() => (leftMs > stepMs ? wait(leftMs - stepMs) : fire()), stepMs)
  }
  // setTimeout cuts fractions off; rounding up keeps "never early" true.
  wait(Math.ceil(Math.max(0, delayMs)))
  return { cancel: () => clearTimeout(handle) }
}

/** The real clock; a pending timer keeps the process alive, so cancel what is no longer needed. */
export const systemClock: Clock = {
  nowMs: () => performance.now(),
  wallMs: () => Date.now(),
  after: (delayMs, _name, fire) => arm(delayMs, fire),
}

/** Resolves when what had arrived at the sockets of this thread has been read: timers run before them, what is immediate after. */
export function socketsRead(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve))
}
