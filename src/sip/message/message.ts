// SIP messages as values (RFC 3261 section 7). Bodies stay bytes from socket to socket.

import type { SipHeaders } from './headers.ts'
import { reasonPhrase } from './status.ts'

/** A SIP request; `uri` is the Request-URI as received. */
export interface SipRequest {
  readonly kind: 'request'
  readonly method: string
  readonly uri: string
  readonly headers: SipHeaders
  readonly body: Uint8Array
}

/** A SIP response. */
export interface SipResponse {
  readonly kind: 'response'
  readonly status: number
  readonly reason: string
  readonly headers: SipHeaders
  readonly body: Uint8Array
}

/** Either kind of message. */
export type SipMessage = SipRequest | SipResponse

const NO_BODY = new Uint8Array(0)

/** The number of its CSeq; 0 if it has none. */
export function cseqNumberOf({ headers }: SipRequest): number {
  const cseq = headers.cseq()
  return cseq?.ok ? cseq.value.number : 0
}

/** Makes a request; without `body` an empty one. */
export function request(method: string, uri: string, headers: SipHeaders, body: Uint8Array = NO_BODY): SipRequest {
  return { kind: 'request', method, uri, headers, body }
}

/** Makes a response; without `reason` the registered phrase, without `body` an empty one. */
export function response(
  status: number,
  reason: string | undefined,
  headers: SipHeaders,
  body: Uint8Array = NO_BODY,
): SipResponse {
  return { kind: 'response', status, reason: reason ?? reasonPhrase(status), headers, body }
}
