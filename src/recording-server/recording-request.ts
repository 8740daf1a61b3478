// What a message of a recording client asks for: whether it is one, its offer, its metadata (RFC 7866 sections 6.2 and 9).

import { err, ok, type Result, redactUri } from '#kernel'
import { type ParsedSdp, parseSdp } from '#sdp'
import {
  type InviteDialog,
  parseCSeq,
  parseNameAddr,
  parseSipUri,
  parseVia,
  type SipFlow,
  type SipMessage,
  type SipRequest,
  type SipResponse,
} from '#sip'
import { type BodyPart, isMetadata, isSdp, parseBody } from '#siprec'
import type { ParticipantFacts, SipFacts } from '#store'

/** Body types that a recording server takes, as in Accept. */
export const ACCEPTED_TYPES = [
  'application/sdp',
  'application/rs-metadata+xml',
  'application/rs-metadata',
  'multipart/mixed',
] as const

/** The bodies of a message. */
export interface RequestBodies {
  readonly offer?: ParsedSdp
  /** The text of the offer, to see whether it changed. */
  readonly offerText?: string
  readonly metadata: readonly BodyPart[]
  /** Types of parts that we do not understand and may not ignore (RFC 5621 section 8.4). */
  readonly unknownTypes: readonly string[]
  readonly warnings: readonly string[]
}

/** The same with an offer. */
export type OfferBodies = RequestBodies & { readonly offer: ParsedSdp }

/** Takes a message apart; the error is what is wrong with its SDP. */
export function readBodies(message: SipMessage): Result<RequestBodies, string> {
  const { headers, body } = message
  const contentType = headers.get('Content-Type') ?? ''
  const { parts, warnings } = parseBody(contentType, headers.get('Content-Disposition'), body)
  const metadata = parts.filter(isMetadata)
  const sdp = parts.find(isSdp)
  // Of alternatives one understood is enough (RFC 5621 section 8.2).
  const isChoice = /^\s*multipart\/alternative\b/i.test(contentType)
  const unknownTypes = isChoice ? [] : parts.filter(isRequiredUnknown).map(({ mediaType }) => mediaType)
  if (sdp === undefined) return ok({ metadata, unknownTypes, warnings })
  const parsed = parseSdp(sdp.content, { isTolerant: true })
  if (!parsed.ok) return err(`SDP line ${parsed.error.line}: ${parsed.error.message}`)
  const offerText = new TextDecoder().decode(sdp.content)
  const allWarnings = [...warnings, ...parsed.value.warnings]
  return ok({ offer: parsed.value, offerText, metadata, unknownTypes, warnings: allWarnings })
}

/** Without a handling parameter a part is required (RFC 3261 section 20.11). */
function isRequiredUnknown(part: BodyPart): boolean {
  if (isSdp(part) || isMetadata(part)) return false
  const [, ...params] = (part.disposition ?? '').toLowerCase().split(';')
  return !params.some((param) => /^handling\s*=\s*"?optional"?$/.test(param.trim()))
}

/** What an INVITE, or the 200 to ours, lacks of being one of a recording client by RFC 7866 section 6; empty if nothing. */
export function missingMarks(message: SipMessage): string[] {
  const { headers, kind } = message
  const contact = headers.get('Contact') ?? ''
  const afterUri = contact.slice(contact.indexOf('>') + 1)
  const hasFeatureTag = /;\s*\+sip\.src\s*(?:[=;,]|$)/i.test(afterUri)
  const hasOptionTag = kind === 'response' || headers.list('Require').some((tag) => tag.toLowerCase() === 'siprec')
  return [...(hasFeatureTag ? [] : ['no +sip.src in Contact']), ...(hasOptionTag ? [] : ['no siprec in Require'])]
}

/** What the manifest keeps of the SIP side of a client's INVITE. */
export function receivedFactsOf(request: SipRequest, flow: SipFlow): SipFacts {
  const { headers } = request
  return {
    callId: headers.get('Call-ID') ?? '',
    fromUri: bareUri(headers.get('From') ?? ''),
    toUri: bareUri(headers.get('To') ?? ''),
    requestUri: request.uri,
    source: flow.remote.host,
    transport: flow.transport,
    ...senderFactsOf(request),
  }
}

/** The same of an INVITE of ours, whose 200 this is. */
export function acceptedFactsOf(dialog: InviteDialog, response: SipResponse): SipFacts {
  const { callId, localUri, remoteUri } = dialog
  const client = parseSipUri(remoteUri)
  const via = parseVia(response.headers.get('Via') ?? '')
  return {
    callId,
    fromUri: localUri,
    toUri: remoteUri,
    requestUri: remoteUri,
    source: client.ok ? client.value.host : '',
    transport: via.ok ? via.value.transport.toLowerCase() : '',
    ...senderFactsOf(response),
  }
}

function senderFactsOf({ headers }: SipMessage): Pick<SipFacts, 'userAgent' | 'date'> {
  const userAgent = headers.get('User-Agent') ?? headers.get('Server')
  const date = headers.get('Date')
  return { ...(userAgent !== undefined && { userAgent }), ...(date !== undefined && { date }) }
}

/** The parties of an ordinary call, by From and To. */
export function partiesOf({ headers }: SipMessage): ParticipantFacts[] {
  return (['From', 'To'] as const).flatMap((name) => {
    const value = headers.get(name) ?? ''
    const parsed = parseNameAddr(value)
    const shown = parsed.ok ? parsed.value.displayName : undefined
    const aor = bareUri(value)
    return aor === '' ? [] : [{ participantId: name.toLowerCase(), aor, ...(shown && { name: shown }) }]
  })
}

/** Method and CSeq number of a message, as the metadata history names it. */
export function transactionOf({ headers }: SipMessage): string {
  const cseq = parseCSeq(headers.get('CSeq') ?? '')
  return cseq.ok ? `${cseq.value.method} ${cseq.value.number}` : ''
}

/** Fields that name a session in log lines. */
export function logFieldsOf(facts: SipFacts): Readonly<Record<string, string>> {
  return { sipCallId: facts.callId, source: facts.source, from: redactUri(facts.fromUri) }
}

/** The URI of a From or To value, without passwords and URI headers. */
function bareUri(value: string): string {
  const open = value.indexOf('<')
  const close = value.indexOf('>', open)
  const uri = open >= 0 && close > open ? value.slice(open + 1, close) : (value.split(';')[0] ?? '').trim()
  return (uri.split('?')[0] ?? '').replace(/^(sips?:[^:@]*):[^@]*@/i, '$1@')
}
