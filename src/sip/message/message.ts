// SIP messages as values (RFC 3261 section 7). Bodies stay bytes from socket to socket.

import type { SipHeaders } from './headers.ts'

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
