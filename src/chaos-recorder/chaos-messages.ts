// Messages of the chaos recorder, made by hand so that they may be wrong.

import { request, response, type SipFlow, SipHeaders, type SipRequest, serializeMessage } from '#sip'

/** Headers in order. */
export type HeaderPairs = ReadonlyArray<readonly [name: string, value: string]>

/** A body with its headers. */
export interface ChaosBody {
  readonly headers: HeaderPairs
  readonly content: Uint8Array
}

const COPIED = ['Via', 'From', 'To', 'Call-ID', 'CSeq', 'Record-Route'] as const

/** A response to a request; `tag` is put into a To that has none. */
export function responseBytes(
  asked: SipRequest,
  status: number,
  tag: string,
  headers: HeaderPairs,
  body?: ChaosBody,
): Uint8Array {
  const copied = COPIED.flatMap((name) => asked.headers.all(name).map((value) => [name, value] as const))
  const tagged = copied.map(([name, value]) =>
    name === 'To' && asked.headers.tag('To') === '' && status > 100
      ? ([name, `${value};tag=${tag}`] as const)
      : ([name, value] as const),
  )
  const all = SipHeaders.of([...tagged, ...headers, ...(body?.headers ?? [])])
  return serializeMessage(response(status, undefined, all, body?.content))
}

/** What a request of ours within a dialog is made of. */
export interface DialogRequest {
  readonly method: string
  /** Contact of the peer. */
  readonly uri: string
  readonly via: string
  readonly from: string
  readonly to: string
  readonly callId: string
  readonly cseq: number
  readonly headers: HeaderPairs
  readonly body?: ChaosBody
}

/** A request within a dialog. */
export function requestBytes(parts: DialogRequest): Uint8Array {
  const { method, uri, via, from, to, callId, cseq, headers, body } = parts
  const lines: HeaderPairs = [
    ['Via', via],
    ['Max-Forwards', '70'],
    ['From', from],
    ['To', to],
    ['Call-ID', callId],
    ['CSeq', `${cseq} ${method}`],
    ...headers,
    ...(body?.headers ?? []),
  ]
  return serializeMessage(request(method, uri, SipHeaders.of(lines), body?.content))
}

/** SDP alone, or as a multipart with a part that nobody asked for. */
export function sdpBody(sdp: string, isMultipart: boolean): ChaosBody {
  const encoder = new TextEncoder()
  if (!isMultipart) return { headers: [['Content-Type', 'application/sdp']], content: encoder.encode(sdp) }
  const text = [
    '--chaos',
    'Content-Type: text/plain',
    '',
    'nothing of interest',
    '--chaos',
    'Content-Type: application/sdp',
    '',
    `${sdp}--chaos--`,
    '',
  ].join('\r\n')
  return { headers: [['Content-Type', 'multipart/mixed;boundary=chaos']], content: encoder.encode(text) }
}

/** Identity of a transaction: a repeated request has the same. */
export function transactionKey({ headers, method }: SipRequest): string {
  const via = headers.topVia()
  const branch = via?.ok ? (via.value.params.get('branch') ?? '') : ''
  return `${headers.get('Call-ID')} ${branch} ${method === 'ACK' ? 'ACK' : (headers.get('CSeq') ?? '')}`
}

/** Name of a transport as Via has it, and as a URI parameter where it is not UDP. */
export function transportWords({ transport }: SipFlow): { readonly via: string; readonly parameter: string } {
  return { via: transport.toUpperCase(), parameter: transport === 'udp' ? '' : `;transport=${transport}` }
}
