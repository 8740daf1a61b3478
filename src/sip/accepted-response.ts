// A 2xx to INVITE that we sent, repeated until its ACK: RFC 3261 section 13.3.1.4, on every transport.

import type { Clock } from '#kernel'
import { TimerSet } from './timer-set.ts'
import { type TimerValues, timeoutMs } from './transaction/timer-values.ts'

/** Repeats at T1, 2*T1, … T2 and gives up at 64*T1. */
export class AcceptedResponse {
  readonly #timers: TimerSet<'repeat-2xx' | 'await-ack'>
  #intervalMs: number

  constructor(clock: Clock, timers: TimerValues, repeat: () => void, onGiveUp: () => void) {
    this.#intervalMs = timers.t1Ms
    this.#timers = new TimerSet(clock, (name) => {
      if (name === 'await-ack') {
        this.stop()
        onGiveUp()
        return
      }
      repeat()
      this.#intervalMs = Math.min(2 * this.#intervalMs, timers.t2Ms)
      this.#timers.set('repeat-2xx', this.#intervalMs)
    })
    this.#timers.set('repeat-2xx', this.#intervalMs)
    this.#timers.set('await-ack', timeoutMs(timers))
  }

  /** The ACK came, or nobody waits for it any more. */
  stop(): void {
    this.#timers.clearAll()
  }
}
