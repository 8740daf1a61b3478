// The header fields that every message is matched by, read once (RFC 3261 sections 8.1.1, 17.1.3, 17.2.3).

import { err, ok, type Result } from '#kernel'
import type { SipHeaders } from './message/headers.ts'
import { type Via, viaText } from './message/via.ts'
import type { SipFlow } from './transport-port.ts'
import type { ReplyPath } from './wire.ts'

/** What identifies a message; tags are empty when absent. */
export interface Essentials {
  readonly callId: string
  readonly fromTag: string
  readonly toTag: string
  readonly cseqNumber: number
  readonly cseqMethod: string
  /** Topmost Via, as received. */
  readonly via: Via
  readonly branch: string
}

/** Reads the essentials; the error says which field is missing or broken. */
export function readEssentials(headers: SipHeaders): Result<Essentials, string> {
  const callId = headers.get('call-id')
  if (callId === undefined || callId === '') return err('Call-ID')
  const fromTag = headers.tag('From')
  if (fromTag === undefined) return err('From')
  const toTag = headers.tag('To')
  if (toTag === undefined) return err('To')
  const cseq = headers.cseq()
  if (!cseq?.ok) return err('CSeq')
  const via = headers.topVia()
  if (!via?.ok) return err('Via')
  return ok({
    callId,
    fromTag,
    toTag,
    cseqNumber: cseq.value.number,
    cseqMethod: cseq.value.method,
    via: via.value,
    branch: via.value.params.get('branch') ?? '',
  })
}

/** Writes `received` and `rport` into the topmost Via (RFC 3261 section 18.2.1, RFC 3581 section 4). */
export function stampVia(headers: SipHeaders, via: Via, flow: SipFlow): void {
  const hasRport = via.params.has('rport')
  if (!hasRport && via.host === flow.remote.host) return
  const params = new Map(via.params)
  params.set('received', flow.remote.host)
  if (hasRport) params.set('rport', String(flow.remote.port))
  const rest = headers.list('via').slice(1)
  headers.remove('via')
  for (const value of rest.reverse()) headers.prepend('Via', value)
  headers.prepend('Via', viaText({ ...via, params }))
}

/** Where responses go: the source for streams and with rport, else the source host at the sent-by port. */
export function replyPathOf(via: Via, flow: SipFlow): ReplyPath {
  if (flow.transport === 'udp') {
    if (via.params.has('rport')) return { flow }
    return { flow: { ...flow, remote: { host: flow.remote.host, port: via.port ?? 5060 } } }
  }
  const port = via.port ?? (flow.transport === 'tls' ? 5061 : 5060)
  const address = { transport: flow.transport, host: flow.remote.host, port }
  return { flow, fallback: flow.transport === 'tls' ? { ...address, serverName: via.host } : address }
}
