// A party is asked to call somebody else (RFC 3515), and tells by NOTIFY how that goes.

import type { Clock } from '#kernel'
import type { IncomingRequest } from '#sip'
import type { Leg } from './leg.ts'

/** How it went; `transferred` comes when the target has answered. */
export interface ReferResult {
  readonly result: 'transferred' | 'refused' | 'failed' | 'forbidden' | 'timeout' | 'hangup'
  /** Of the answer to the REFER, or of the last NOTIFY. */
  readonly sipStatus?: number
}

/** Whom to call, and how long to wait for the end of it, milliseconds. */
export interface ReferOptions {
  readonly target: string
  readonly timeoutMs: number
}

interface Pending {
  readonly leg: Leg
  settle(result: ReferResult): void
}

/** The one REFER of ours that a call may have under way. */
export class Referral {
  readonly #clock: Clock
  #pending: Pending | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Sends the REFER. Never rejects. */
  refer(leg: Leg, { target, timeoutMs }: ReferOptions): Promise<ReferResult> {
    const { dialog } = leg
    if (dialog === undefined || this.#pending !== undefined) return Promise.resolve({ result: 'failed' })
    return new Promise((resolve) => {
      const settle = (result: ReferResult): void => {
        timer.cancel()
        if (this.#pending === pending) this.#pending = undefined
        resolve(result)
      }
      const timer = this.#clock.after(timeoutMs, 'transfer by REFER', () => settle({ result: 'timeout' }))
      // A NOTIFY may overtake the 202 (RFC 6665 section 4.1.2.4).
      const pending = { leg, settle }
      this.#pending = pending
      dialog.request('REFER', { headers: [['Refer-To', `<${target}>`]] }).then(
        ({ status }) => {
          if (status >= 300) settle({ result: 'refused', sipStatus: status })
        },
        () => settle({ result: 'failed' }),
      )
    })
  }

  /** Answers a NOTIFY that is about our REFER; false when it is not. */
  takes(from: Leg, incoming: IncomingRequest): boolean {
    const { headers, body } = incoming.request
    const pending = this.#pending
    if (pending?.leg !== from || !/^refer\b/i.test(headers.get('Event') ?? '')) return false
    incoming.respond(200)
    const [, text] = /^SIP\/2\.0 ([1-6][0-9]{2})\b/.exec(new TextDecoder().decode(body.subarray(0, 64))) ?? []
    const told = text === undefined ? {} : { sipStatus: Number(text) }
    const status = Number(text ?? 100)
    if (status >= 200) pending.settle({ result: status < 300 ? 'transferred' : 'failed', ...told })
    else if (/^terminated\b/i.test(headers.get('Subscription-State') ?? ''))
      pending.settle({ result: 'failed', ...told })
    return true
  }

  /** The call is over. */
  close(): void {
    this.#pending?.settle({ result: 'hangup' })
  }
}
