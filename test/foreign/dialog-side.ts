// One side of a dialog (RFC 3261 section 12): what its requests and responses carry.

import { randomBytes } from 'node:crypto'
import type { Flow } from './sip-flow.ts'
import { buildSip, type Header, headerOf, headersOf, parseNameAddr, type SipText, tagOf } from './sip-text.ts'

/** A random token for tags, branches and Call-IDs. */
export function token(bytes = 6): string {
  return randomBytes(bytes).toString('hex')
}

/** A request that was written, with what its responses will echo. */
export type WrittenRequest = { readonly raw: Buffer; readonly branch: string; readonly cseq: number }

/** The state of one side. */
export class DialogSide {
  readonly callId: string
  readonly localTag = token()
  localUri: string
  remoteUri: string
  remoteTag = ''
  remoteTarget: string
  routes: readonly string[] = []
  cseq: number
  /** The Contact value that this side announces. */
  contact: string

  constructor(start: { callId?: string; localUri: string; remoteUri: string; contact: string; firstCseq?: number }) {
    this.callId = start.callId ?? `${token(8)}@foreign.example`
    this.localUri = start.localUri
    this.remoteUri = start.remoteUri
    this.remoteTarget = start.remoteUri
    this.contact = start.contact
    this.cseq = (start.firstCseq ?? 1) - 1
  }

  /** The answering side of a dialog that a request opens. */
  static answering(request: SipText, contact: string): DialogSide {
    const from = parseNameAddr(headerOf(request, 'From') ?? '')
    const to = parseNameAddr(headerOf(request, 'To') ?? '')
    const callId = headerOf(request, 'Call-ID') ?? ''
    const side = new DialogSide({ callId, localUri: to.uri, remoteUri: from.uri, contact })
    side.remoteTag = tagOf(request, 'From')
    side.routes = headersOf(request, 'Record-Route')
    side.learnTarget(request)
    return side
  }

  /** Takes the remote target from a message's Contact (section 12.2). */
  learnTarget(message: SipText): void {
    const contact = headerOf(message, 'Contact')
    if (contact !== undefined) this.remoteTarget = parseNameAddr(contact).uri
  }

  /** Completes the dialog from a 2xx to this side's INVITE. */
  establish(response: SipText): void {
    this.remoteTag = tagOf(response, 'To')
    this.routes = headersOf(response, 'Record-Route').reverse()
    this.learnTarget(response)
  }

  /** Writes a request; ACK and CANCEL take the number of their INVITE. */
  request(
    method: string,
    flow: Flow,
    more: readonly Header[] = [],
    body: Buffer = Buffer.alloc(0),
    same?: { readonly cseq: number; readonly branch?: string; readonly target?: string },
  ): WrittenRequest {
    if (same === undefined) this.cseq++
    const cseq = same?.cseq ?? this.cseq
    const branch = same?.branch ?? `z9hG4bK${token(8)}`
    const via = `SIP/2.0/${flow.kind.toUpperCase()} ${flow.local.host}:${flow.local.port};branch=${branch};rport`
    const headers: Header[] = [
      ['Via', via],
      ['Max-Forwards', '70'],
      ...this.routes.map((route): Header => ['Route', route]),
      ['From', `<${this.localUri}>;tag=${this.localTag}`],
      ['To', this.remoteTag === '' ? `<${this.remoteUri}>` : `<${this.remoteUri}>;tag=${this.remoteTag}`],
      ['Call-ID', this.callId],
      ['CSeq', `${cseq} ${method}`],
      ...more,
    ]
    return { raw: buildSip(`${method} ${same?.target ?? this.remoteTarget} SIP/2.0`, headers, body), branch, cseq }
  }
}

/** Writes the response to a request (section 8.2.6); `tag` goes to To when there is none. */
export function respond(
  request: SipText,
  status: number,
  reason: string,
  flow: Flow,
  tag: string,
  more: readonly Header[] = [],
  body: Buffer = Buffer.alloc(0),
): Buffer {
  const vias = headersOf(request, 'Via').map((via, i): Header => {
    if (i > 0) return ['Via', via]
    const seen = /;rport(?=;|$)/i.test(via) ? via.replace(/;rport(?=;|$)/i, `;rport=${flow.remote.port}`) : via
    return ['Via', `${seen};received=${flow.remote.host}`]
  })
  const to = headerOf(request, 'To') ?? ''
  const hasTag = tagOf(request, 'To') !== ''
  const headers: Header[] = [
    ...vias,
    ['From', headerOf(request, 'From') ?? ''],
    ['To', hasTag || status === 100 ? to : `${to};tag=${tag}`],
    ['Call-ID', headerOf(request, 'Call-ID') ?? ''],
    ['CSeq', headerOf(request, 'CSeq') ?? ''],
    ...headersOf(request, 'Record-Route').map((route): Header => ['Record-Route', route]),
    ...more,
  ]
  return buildSip(`SIP/2.0 ${status} ${reason}`, headers, body)
}
