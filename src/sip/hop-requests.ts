// Requests derived hop by hop from an INVITE: ACK of a non-2xx (RFC 3261 section 17.1.1.3) and CANCEL (section 9.1).

import { SipHeaders } from './message/headers.ts'
import { request, type SipRequest, type SipResponse } from './message/message.ts'

/** ACK for a 300-699 response, to be sent where the INVITE went. */
export function ackFor(invite: SipRequest, response: SipResponse): SipRequest {
  return derive(invite, 'ACK', response.headers.get('to') ?? invite.headers.get('to') ?? '')
}

/** CANCEL of an INVITE; never carries Require or Proxy-Require. */
export function cancelFor(invite: SipRequest): SipRequest {
  return derive(invite, 'CANCEL', invite.headers.get('to') ?? '')
}

function derive(invite: SipRequest, method: 'ACK' | 'CANCEL', to: string): SipRequest {
  const { headers } = invite
  const number = (headers.get('cseq') ?? '').split(' ')[0]
  return request(
    method,
    invite.uri,
    SipHeaders.of([
      ['Via', headers.list('via')[0] ?? ''],
      ...headers.all('route').map((route) => ['Route', route] as const),
      ['Max-Forwards', '70'],
      ['From', headers.get('from') ?? ''],
      ['To', to],
      ['Call-ID', headers.get('call-id') ?? ''],
      ['CSeq', `${number} ${method}`],
      // RFC 7989 section 7: the same as the INVITE's.
      ...headers.all('session-id').map((value) => ['Session-ID', value] as const),
    ]),
  )
}
