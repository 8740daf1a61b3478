// The timer of one dialog: who refreshes when, and when the session counts as dead (RFC 4028 section 10).

import type { Clock } from '#kernel'
import type { SipHeaders } from '../message/headers.ts'
import type { Amendment } from '../retry/amendment.ts'
import { TimerSet } from '../timer-set.ts'
import type { SessionExpires } from './session-expires.ts'
import type { TimerTerms } from './timer-terms.ts'

/** BYE goes out so long before the end, or a third of the interval if that is less. */
const LONGEST_MARGIN_S = 32
const SHORTEST_RETRY_MS = 5000

/** How long a session lives from one refresh on, until BYE goes out, in milliseconds. */
export function lifeMs(seconds: number): number {
  return 1000 * (seconds - Math.min(LONGEST_MARGIN_S, seconds / 3))
}

/** What the timer asks of its dialog. */
export interface SessionTimerUser {
  /** A refresh is due; asked again, at shorter and shorter intervals, until one is accepted. */
  refresh(): void
  /** No refresh came in time. */
  expire(): void
}

interface Agreed {
  readonly seconds: number
  readonly isOurs: boolean
}

/** Counts from one 2xx to the next. */
export class SessionTimer {
  readonly #clock: Clock
  readonly #terms: TimerTerms
  readonly #timers: TimerSet<'session-refresh' | 'session-expiry'>
  #agreed: Agreed | undefined
  #expiresAtMs = 0

  constructor(clock: Clock, terms: TimerTerms, user: SessionTimerUser) {
    this.#clock = clock
    this.#terms = terms
    this.#timers = new TimerSet(clock, (name) => {
      if (name === 'session-expiry') user.expire()
      else {
        this.#scheduleRefresh((this.#expiresAtMs - clock.nowMs()) / 2)
        user.refresh()
      }
    })
  }

  /** For each INVITE and UPDATE of ours. */
  amendment(): Amendment {
    return this.#terms.amendment(() => {
      const agreed = this.#agreed
      return agreed && { seconds: agreed.seconds, refresher: agreed.isOurs ? 'uac' : 'uas' }
    })
  }

  /** A 2xx to an INVITE or UPDATE of ours came. */
  onAccepted(response: SipHeaders): void {
    this.#start(this.#terms.agreedBy(response), 'uac')
  }

  /** We sent a 2xx that settles this. */
  onAnswered(agreed: SessionExpires | undefined): void {
    this.#start(agreed, 'uas')
  }

  /** What holds now, for a snapshot. */
  get kept(): { seconds: number; isOurs: boolean; expiresInMs: number } | undefined {
    return this.#agreed && { ...this.#agreed, expiresInMs: this.#expiresAtMs - this.#clock.nowMs() }
  }

  /** Goes on with what was kept over a restart; a refresh of ours is due at once. */
  resume(kept: { seconds: number; isOurs: boolean; expiresInMs: number }): void {
    const leftMs = Math.max(SHORTEST_RETRY_MS, kept.expiresInMs)
    this.#agreed = { seconds: kept.seconds, isOurs: kept.isOurs }
    this.#expiresAtMs = this.#clock.nowMs() + leftMs
    this.#timers.set('session-expiry', leftMs)
    if (kept.isOurs) this.#timers.set('session-refresh', 0)
  }

  stop(): void {
    this.#agreed = undefined
    this.#timers.clearAll()
  }

  #start(agreed: SessionExpires | undefined, we: 'uac' | 'uas'): void {
    this.stop()
    if (agreed === undefined) return
    const { seconds } = agreed
    this.#agreed = { seconds, isOurs: agreed.refresher === we }
    const leftMs = lifeMs(seconds)
    this.#expiresAtMs = this.#clock.nowMs() + leftMs
    this.#timers.set('session-expiry', leftMs)
    if (this.#agreed.isOurs) this.#scheduleRefresh(500 * seconds)
  }

  #scheduleRefresh(afterMs: number): void {
    if (afterMs >= SHORTEST_RETRY_MS) this.#timers.set('session-refresh', afterMs)
  }
}
