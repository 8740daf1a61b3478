// The session description of a message: its body, or a part of a multipart body (RFC 5621), as ISUP and location come with.

import type { SipBody, SipRequest, SipResponse } from '#sip'
import { isSdp, parseBody } from '#siprec'

/** The description in a message; undefined when it has none. */
export function sdpOf(message: SipRequest | SipResponse): Uint8Array | undefined {
  if (message.body.length === 0) return undefined
  const { headers, body } = message
  const { parts } = parseBody(headers.get('Content-Type'), headers.get('Content-Disposition'), body)
  return parts.find(isSdp)?.content
}

/** A description as message body. */
export function sdpBody(content: Uint8Array): SipBody {
  return { contentType: 'application/sdp', content }
}
