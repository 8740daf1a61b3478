// What may be put right in a request that was refused, so that it can be asked again (RFC 3261 section 8.1.3.5).

import type { SipResponse } from '../message/message.ts'
import type { RequestPlan } from '../message-builder.ts'
import type { MessageOptions } from '../session.ts'

/** How a request may be tried again: what to put right, and the CSeq number of the next try. */
export interface Retrying {
  readonly amendments: readonly Amendment[]
  readonly nextCSeq: () => number
}

/** Amends one request, try by try. */
export interface Amendment {
  /** The plan as it is to be sent now. */
  prepare(plan: RequestPlan): RequestPlan
  /** The plan to try again with; undefined when the refusal stands. */
  afterRefusal(plan: RequestPlan, response: SipResponse): RequestPlan | undefined
}

/** Sends what the user says instead of what was refused. */
export function alternative(insteadAfter: (refusal: SipResponse) => MessageOptions | undefined): Amendment {
  return {
    prepare: (plan) => plan,
    afterRefusal: (plan, response) => {
      const instead = insteadAfter(response)
      return instead && { ...plan, options: { ...plan.options, ...instead } }
    },
  }
}

/** The plan as it is to be sent now. */
export function preparedPlan(plan: RequestPlan): RequestPlan {
  return plan.retrying?.amendments.reduce((prepared, amendment) => amendment.prepare(prepared), plan) ?? plan
}

/** The plan of the next try, a request of its own with the next CSeq number; undefined when the refusal stands. */
export function amendedPlan(plan: RequestPlan, response: SipResponse): RequestPlan | undefined {
  for (const amendment of plan.retrying?.amendments ?? []) {
    const amended = amendment.afterRefusal(plan, response)
    if (amended !== undefined) return { ...amended, cseqNumber: plan.retrying!.nextCSeq() }
  }
  return undefined
}
