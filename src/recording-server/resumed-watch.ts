// A session taken up after a restart: its client may be gone. It shows itself by a packet, a request, or an answer.

import type { Clock, Timer } from '#kernel'
import type { RequestOutcome } from '#sip'

/** A client that sends nothing for so long is asked. */
const PROBE_AFTER_MS = 10_000
/** And given up after so long; a request takes 32 s to fail (RFC 3261 timer F). */
const GIVE_UP_AFTER_MS = 45_000

/** Watch over one session; `onGone` is told at most once. */
export class ResumedWatch {
  #timers: Timer[]

  constructor(clock: Clock, probe: () => Promise<RequestOutcome>, onGone: () => void) {
    this.#timers = [
      clock.after(PROBE_AFTER_MS, 'resumed-probe', () => {
        void probe().then(({ cause, status }) => {
          if (cause === 'response' && status !== 481 && status !== 408) this.heard()
        })
      }),
      clock.after(GIVE_UP_AFTER_MS, 'resumed-gone', () => {
        this.heard()
        onGone()
      }),
    ]
  }

  /** The client is there. */
  heard(): void {
    for (const timer of this.#timers.splice(0)) timer.cancel()
  }
}
