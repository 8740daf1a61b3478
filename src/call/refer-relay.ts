// A REFER carried on to the other party of a call, and its NOTIFYs carried back (policy `pass`).

import type { HeaderList, IncomingRequest, SipRequest } from '#sip'
import type { Leg } from './leg.ts'

const REFER_HEADERS = ['Refer-To', 'Referred-By', 'Refer-Sub'] as const
const NOTIFY_HEADERS = ['Subscription-State'] as const
const MAX_BODY_BYTES = 4096

interface Carried {
  readonly referrer: Leg
  readonly other: Leg
  /** Event of the subscription as the referrer knows it. */
  readonly event: string
}

/** The last REFER that was carried on. */
export class ReferRelay {
  #carried: Carried | undefined

  /** Carries a REFER on; its answer is the other party's. */
  async refer(referrer: Leg, other: Leg, incoming: IncomingRequest): Promise<void> {
    const [number] = (incoming.request.headers.get('CSeq') ?? '').trim().split(/\s/, 1)
    const carried = { referrer, other, event: `refer;id=${number}` }
    this.#carried = carried
    const headers = copied(incoming.request, REFER_HEADERS)
    const outcome = await other.dialog?.request('REFER', { headers })
    const status = outcome?.status ?? 481
    if (status >= 300 && this.#carried === carried) this.#carried = undefined
    const refersSilently = outcome?.response?.headers.get('Refer-Sub')
    incoming.respond(status, refersSilently === undefined ? {} : { headers: [['Refer-Sub', refersSilently]] })
  }

  /** Carries a NOTIFY back; 481 when no REFER asked for it (RFC 6665 section 4.1.3). */
  async notify(from: Leg, incoming: IncomingRequest): Promise<void> {
    const { request } = incoming
    const carried = this.#carried
    const isReferred = /^refer\b/i.test(request.headers.get('Event') ?? '')
    if (carried?.other !== from || !isReferred || request.body.length > MAX_BODY_BYTES) {
      incoming.respond(481)
      return
    }
    const contentType = request.headers.get('Content-Type')
    const outcome = await carried.referrer.dialog?.request('NOTIFY', {
      headers: [['Event', carried.event], ...copied(request, NOTIFY_HEADERS)],
      ...(contentType !== undefined && { body: { contentType, content: request.body } }),
    })
    if (/^terminated\b/i.test(request.headers.get('Subscription-State') ?? '')) this.#carried = undefined
    incoming.respond(outcome?.status ?? 481)
  }
}

function copied(request: SipRequest, names: readonly string[]): HeaderList {
  return names.flatMap((name) => {
    const value = request.headers.get(name)
    return value === undefined ? [] : [[name, value] as const]
  })
}
