// Why a call ends, and what its parties are told.

import type { HeaderList, SipRequest } from '#sip'
import type { Refusal } from './caller-side.ts'
import { copiedReasons, type EndReason, reasonHeader, reasonOf } from './reason.ts'

/** The end of a call. */
export interface End {
  /** Goes to the legs that are still there. */
  readonly headers?: HeaderList
  readonly reason?: EndReason
  /** For a caller who was not answered. */
  readonly refusal?: Refusal
}

/** An end of our own making. */
export function because(reason: EndReason, refusal?: Refusal): End {
  return { reason, headers: reasonHeader(reason), ...(refusal !== undefined && { refusal }) }
}

/** An end by a party's BYE or CANCEL, whose reasons go on to the other party. */
export function endedBy(request: SipRequest | undefined): End {
  const reason = reasonOf(request)
  return { headers: copiedReasons(request), ...(reason !== undefined && { reason }) }
}
