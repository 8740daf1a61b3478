// Timer values of RFC 3261 section 17 (table 4 of appendix A) and the waits that RFC 4320 derives from them.

/** Base values, in milliseconds; everything else follows from them. */
export interface TimerValues {
  /** Estimate of the round-trip time. */
  readonly t1Ms: number
  /** Longest interval between retransmissions of non-INVITE requests and INVITE responses. */
  readonly t2Ms: number
  /** Longest time a message stays in the network. */
  readonly t4Ms: number
}

/** The defaults of RFC 3261. */
export const DEFAULT_TIMERS: TimerValues = { t1Ms: 500, t2Ms: 4000, t4Ms: 5000 }

/** Timers B, F, H, L, M: 64*T1. */
export function timeoutMs(timers: TimerValues): number {
  return 64 * timers.t1Ms
}

/** Timer D over datagrams: never below 32 s, since the peer's T1 is unknown. */
export function timerDMs(timers: TimerValues): number {
  return Math.max(32_000, timeoutMs(timers))
}

/** Time until timer E has grown to T2: the moment for 100 to a non-INVITE request (RFC 4320 section 4.1). */
export function tryingAfterMs(timers: TimerValues): number {
  let intervalMs = timers.t1Ms
  let elapsedMs = 0
  while (intervalMs < timers.t2Ms) {
    elapsedMs += intervalMs
    intervalMs *= 2
  }
  return Math.max(elapsedMs, timers.t1Ms)
}

/** Latest moment to answer a non-INVITE request so that the answer arrives before the peer's timer F. */
export function answerByMs(timers: TimerValues): number {
  return timeoutMs(timers) - 2 * timers.t1Ms
}
