// Reliable provisional responses as server: RFC 3262 section 3.

import type { CoreParts } from '../core-parts.ts'
import type { HeaderList } from '../session.ts'
import { TimerSet } from '../timer-set.ts'
import { timeoutMs } from '../transaction/timer-values.ts'

const MAX_WAITING = 8
const MAX_FIRST_RSEQ = 2 ** 30

/** A provisional response to be sent reliably. */
export interface ReliableResponse {
  /** It carries an offer or an answer. */
  readonly hasSession: boolean
  /** Sends it with these headers, each time the same bytes for the same headers. */
  readonly send: (headers: HeaderList) => void
}

interface Unacknowledged extends ReliableResponse {
  readonly rseq: number
  readonly headers: HeaderList
}

/** One at a time; each is repeated until its PRACK, the next waits. */
export class ReliableProgress {
  readonly #parts: CoreParts
  readonly #timers: TimerSet<'repeat-1xx' | 'await-prack'>
  readonly #waiting: ReliableResponse[] = []
  #unacknowledged: Unacknowledged | undefined
  #rseq: number
  #intervalMs = 0

  /** `onGiveUp`: no PRACK came for 64*T1. */
  constructor(parts: CoreParts, onGiveUp: () => void) {
    this.#parts = parts
    this.#rseq = parts.options.ids.integer(MAX_FIRST_RSEQ)
    this.#timers = new TimerSet(parts.clock, (name) => {
      if (name === 'repeat-1xx') this.#repeat()
      else {
        this.close()
        onGiveUp()
      }
    })
  }

  /** A description is on its way that has not been acknowledged: a 2xx must wait (section 3). */
  get holdsSession(): boolean {
    return this.#unacknowledged?.hasSession === true || this.#waiting.some(({ hasSession }) => hasSession)
  }

  send(response: ReliableResponse): void {
    if (this.#unacknowledged === undefined) this.#transmit(response)
    else if (this.#waiting.length < MAX_WAITING) this.#waiting.push(response)
  }

  /** Takes the RSeq number of a PRACK: what it acknowledges; undefined when nothing waits for it. */
  acknowledge(rseq: number): ReliableResponse | undefined {
    const acknowledged = this.#unacknowledged
    if (acknowledged === undefined || acknowledged.rseq !== rseq) return undefined
    this.#timers.clearAll()
    this.#unacknowledged = undefined
    return acknowledged
  }

  /** Sends what waited for a PRACK. */
  proceed(): void {
    const next = this.#unacknowledged === undefined ? this.#waiting.shift() : undefined
    if (next !== undefined) this.#transmit(next)
  }

  /** A final response was sent: nothing is repeated any more, though a PRACK may still come. */
  finish(): void {
    this.#timers.clearAll()
    this.#waiting.length = 0
  }

  /** Nothing is waited for any more. */
  close(): void {
    this.finish()
    this.#unacknowledged = undefined
  }

  #transmit(response: ReliableResponse): void {
    const { timers } = this.#parts
    this.#rseq += 1
    const headers: HeaderList = [
      ['Require', '100rel'],
      ['RSeq', `${this.#rseq}`],
    ]
    this.#unacknowledged = { ...response, rseq: this.#rseq, headers }
    this.#intervalMs = timers.t1Ms
    this.#timers.set('repeat-1xx', this.#intervalMs)
    this.#timers.set('await-prack', timeoutMs(timers))
    response.send(headers)
  }

  /** The interval doubles without a bound: T2 does not apply (section 3). */
  #repeat(): void {
    const again = this.#unacknowledged
    if (again === undefined) return
    this.#intervalMs *= 2
    this.#timers.set('repeat-1xx', this.#intervalMs)
    again.send(again.headers)
  }
}
