// Loops and hop counts at the B2BUA (RFC 3261 section 16.3, RFC 7332): a call must not circle for ever.

import { type Endpoint, err, ok, type Result } from '#kernel'
import { parseVia, type SipRequest } from '#sip'

const DEFAULT_MAX_FORWARDS = 70
const DEFAULT_SIP_PORT = 5060
/** A call that we sent to ourselves may go on, to another of our routes; what circles among them ends after so many hops. */
const MOST_HOPS_AFTER_SELF = 10

/** Why a call must not go on. */
export interface HopRefusal {
  readonly status: 400 | 482 | 483
}

/** Hops left for a call that goes on, or why it must not: one of ours that came back by way of others is a loop. `own` are our sent-by addresses. */
export function hopsLeft(request: SipRequest, own: readonly Endpoint[]): Result<number, HopRefusal> {
  const text = request.headers.get('Max-Forwards')
  if (text !== undefined && !/^\d{1,3}$/.test(text)) return err({ status: 400 })
  const hops = text === undefined ? DEFAULT_MAX_FORWARDS : Number(text)
  if (hops === 0) return err({ status: 483 })
  const vias = request.headers.list('Via')
  if (!vias.some((value) => isOwn(value, own))) return ok(hops - 1)
  return vias.length === 1 ? ok(Math.min(hops - 1, MOST_HOPS_AFTER_SELF)) : err({ status: 482 })
}

function isOwn(value: string, own: readonly Endpoint[]): boolean {
  const via = parseVia(value)
  if (!via.ok) return false
  const port = via.value.port ?? DEFAULT_SIP_PORT
  return own.some((one) => one.port === port && one.host.toLowerCase() === via.value.host.toLowerCase())
}
