// What one side asks and takes for a session timer: RFC 4028 sections 7.1 to 7.4 as client, 9 as server.

import type { SipHeaders } from '../message/headers.ts'
import type { RequestPlan } from '../message-builder.ts'
import type { Amendment } from '../retry/amendment.ts'
import type { HeaderList, SessionTimerWish } from '../session.ts'
import {
  LEAST_SECONDS,
  type Refresher,
  readMinSe,
  readSessionExpires,
  type SessionExpires,
  sessionExpiresText,
  supportsTimer,
} from './session-expires.ts'

/** How often a request is asked again with a longer interval. */
const MAX_RAISES = 2
/** Nobody sensible asks for more; what does only makes us wait. */
const LONGEST_MINIMUM_S = 86_400

/** Our side of the negotiation; kept for all requests of a dialog. */
export class TimerTerms {
  /** What we ask for; undefined: nothing, but what the peer asks for is honoured. */
  #expiresSeconds: number | undefined
  #minSeconds: number

  constructor(wish: SessionTimerWish | undefined) {
    this.#minSeconds = Math.max(LEAST_SECONDS, wish?.minSeconds ?? LEAST_SECONDS)
    this.#expiresSeconds = wish && Math.max(this.#minSeconds, wish.expiresSeconds)
  }

  /** Puts the terms into an INVITE or UPDATE of ours; `current` is what holds when it is sent. */
  amendment(current: () => SessionExpires | undefined): Amendment {
    let raises = 0
    return {
      prepare: (plan) => this.#withTerms(plan, current()),
      afterRefusal: (plan, { status, headers }) => {
        const minSeconds = readMinSe(headers)
        const isUseful = status === 422 && minSeconds > this.#minSeconds && minSeconds <= LONGEST_MINIMUM_S
        if (!isUseful || raises === MAX_RAISES) return undefined
        raises += 1
        this.#minSeconds = minSeconds
        if (this.#expiresSeconds !== undefined) this.#expiresSeconds = Math.max(this.#expiresSeconds, minSeconds)
        return plan
      },
    }
  }

  /** What a 2xx to our request settles; undefined: the session has no timer. */
  agreedBy(response: SipHeaders): SessionExpires | undefined {
    const given = readSessionExpires(response)
    if (given !== undefined)
      return { seconds: Math.max(given.seconds, LEAST_SECONDS), refresher: given.refresher ?? 'uac' }
    // The peer knows no timers; ours is then for our own benefit (section 7.2).
    return this.#expiresSeconds === undefined ? undefined : { seconds: this.#expiresSeconds, refresher: 'uac' }
  }

  /** Headers of a 422 when what the peer asks is too short; undefined when it is not. */
  refusalOf(request: SipHeaders): HeaderList | undefined {
    const asked = readSessionExpires(request)
    const isTooShort = asked !== undefined && asked.seconds < this.#minSeconds && supportsTimer(request)
    return isTooShort ? [['Min-SE', `${this.#minSeconds}`]] : undefined
  }

  /** What our 2xx to the peer's request settles; undefined: the session has no timer. */
  answerTo(request: SipHeaders): SessionExpires | undefined {
    const asked = readSessionExpires(request)
    const knowsTimers = supportsTimer(request)
    const least = Math.max(this.#minSeconds, readMinSe(request))
    const refresher: Refresher = knowsTimers ? (asked?.refresher ?? 'uac') : 'uas'
    if (asked === undefined) {
      return this.#expiresSeconds === undefined
        ? undefined
        : { seconds: Math.max(this.#expiresSeconds, least), refresher }
    }
    // A proxy asked on behalf of a peer that cannot be told of a 422: no timer is better than one of a few seconds.
    if (asked.seconds < this.#minSeconds) return undefined
    return { seconds: Math.min(asked.seconds, Math.max(this.#expiresSeconds ?? asked.seconds, least)), refresher }
  }

  #withTerms(plan: RequestPlan, current: SessionExpires | undefined): RequestPlan {
    if (plan.method !== 'INVITE' && plan.method !== 'UPDATE') return plan
    const seconds = Math.max(current?.seconds ?? this.#expiresSeconds ?? 0, this.#minSeconds)
    const wanted = current ?? (this.#expiresSeconds === undefined ? undefined : { seconds })
    const headers: HeaderList = [
      ...(plan.options.headers ?? []),
      ...(wanted === undefined ? [] : [['Session-Expires', sessionExpiresText({ ...wanted, seconds })] as const]),
      ...(this.#minSeconds === LEAST_SECONDS ? [] : [['Min-SE', `${this.#minSeconds}`] as const]),
    ]
    return { ...plan, options: { ...plan.options, headers } }
  }
}

/** Headers of a 2xx that settles a timer with whoever sent the request. */
export function timerHeaders(agreed: SessionExpires | undefined, request: SipHeaders): HeaderList {
  if (agreed === undefined) return []
  const value = ['Session-Expires', sessionExpiresText(agreed)] as const
  // Section 9: who refreshes must have understood so, and who does not is to give up a session that nobody refreshes.
  return supportsTimer(request) ? [['Require', 'timer'], value] : [value]
}
