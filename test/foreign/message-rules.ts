// What a strict recorder objects to in one message: RFC 3261 sections 8.1.1, 18.1.1, 18.3 and RFC 7866 sections 6.1 and 9.1.

import { isDisposition, isMetadata, type Part, partsOf } from './mime-text.ts'
import type { Flow } from './sip-flow.ts'
import { branchOf, cseqOf, headerOf, headersOf, parseNameAddr, type SipText, tagOf, tokensOf } from './sip-text.ts'

/** Objections break a MUST; advice is what a recorder may miss. */
export type Findings = { readonly objections: string[]; readonly advice: string[] }

const LARGEST_UDP_BYTES = 1300
const ONCE = ['From', 'To', 'Call-ID', 'CSeq', 'Max-Forwards']

/** Checks the SIP layer of a request that came over a flow. */
export function checkRequest(request: SipText, flow: Flow, isTcpOffered: boolean): Findings {
  const objections: string[] = []
  const advice: string[] = []
  const via = headerOf(request, 'Via') ?? ''
  if (!new RegExp(`^SIP/2\\.0/${flow.kind}\\s`, 'i').test(via))
    objections.push(`RFC 3261 18.1.1: Via says ${via.split(' ')[0]}`)
  if (!branchOf(request).startsWith('z9hG4bK')) objections.push('RFC 3261 8.1.1.7: the branch lacks z9hG4bK')
  if (flow.kind === 'udp' && !/;rport(?:;|$)/i.test(via)) objections.push('RFC 3581 3: Via without rport')
  for (const name of ONCE) {
    if (headersOf(request, name).length !== 1) objections.push(`RFC 3261 8.1.1: ${request.method} needs one ${name}`)
  }
  const cseq = cseqOf(request)
  if (cseq.method !== request.method || !(cseq.number >= 0 && cseq.number < 2 ** 31)) {
    objections.push(`RFC 3261 8.1.1.5: CSeq of ${request.method} is ${headerOf(request, 'CSeq')}`)
  }
  if (tagOf(request, 'From') === '') objections.push('RFC 3261 8.1.1.3: From without tag')
  const length = headerOf(request, 'Content-Length')
  if (length === undefined ? flow.kind === 'tcp' || request.body.length > 0 : Number(length) !== request.body.length) {
    objections.push(
      `RFC 3261 18.3: Content-Length is ${length ?? 'missing'}, the body has ${request.body.length} bytes`,
    )
  }
  if (flow.kind === 'udp' && isTcpOffered && request.raw.length > LARGEST_UDP_BYTES) {
    objections.push(`RFC 3261 18.1.1: ${request.raw.length} bytes over UDP though TCP was open`)
  }
  if (request.method === 'INVITE') {
    if (!tokensOf(request, 'Accept').some((type) => type.startsWith('application/rs-metadata'))) {
      advice.push('RFC 7866 fig. 12: INVITE without rs-metadata in Accept')
    }
    if (tokensOf(request, 'Supported').includes('siprec')) advice.push('RFC 7866 11.1.1: siprec in Supported')
    if (headersOf(request, 'Allow').length === 0) advice.push('RFC 3261 13.2.1: INVITE without Allow')
  }
  const isFirst = request.method === 'INVITE' && tagOf(request, 'To') === ''
  if ((isFirst || request.method === 'BYE') && !isDate(headerOf(request, 'Date') ?? '')) {
    advice.push(`RFC 7865 6.1.1: ${request.method} without an RFC 1123 Date`)
  }
  return { objections, advice }
}

function isDate(text: string): boolean {
  return /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/.test(text)
}

/** Checks the signs of a recording session: Require, and the feature tag outside the angle brackets (RFC 3840 section 9). */
export function checkRecordingSession(message: SipText, tag: '+sip.src' | '+sip.srs', isFirst: boolean): string[] {
  const found: string[] = []
  const who = message.method === '' ? `the ${message.status} to ${cseqOf(message).method}` : message.method
  if (isFirst && !tokensOf(message, 'Require').includes('siprec')) {
    found.push(`RFC 7866 6.1.1: ${who} without Require: siprec`)
  }
  const contacts = headersOf(message, 'Contact')
  if (contacts.length !== 1 || (contacts[0] ?? '').replace(/<[^>]*>|"[^"]*"/g, '').includes(',')) {
    found.push(`RFC 3261 8.1.1.8: ${who} needs one Contact`)
    return found
  }
  const contact = parseNameAddr(contacts[0] ?? '')
  if (contact.params.has(tag)) {
    if (contact.params.get(tag) !== '') found.push(`RFC 3840 9: ${tag} carries a value`)
  } else if (contact.uri.toLowerCase().includes(`;${tag}`))
    found.push(`RFC 3840 9: ${tag} stands inside the angle brackets`)
  else found.push(`RFC 7866 6.1.1: the Contact of ${who} has no ${tag}`)
  return found
}

/** What a body carries, with what is wrong about its wrapping. */
export type BodyContents = {
  readonly sdp: string | undefined
  readonly metadata: Part | undefined
  readonly found: string[]
}

/** Finds the SDP and the metadata of a message (RFC 7866 section 9.1, RFC 9806 section 2). */
export function readBody(message: SipText): BodyContents {
  const found: string[] = []
  const parts = partsOf(message, found)
  const sdpParts = parts.filter((part) => part.type === 'application/sdp')
  const metadataParts = parts.filter(isMetadata)
  if (sdpParts.length > 1) found.push('RFC 7866 9.1: two SDP parts')
  if (metadataParts.length > 1) found.push('RFC 7866 9.1: two metadata parts')
  if (parts.length > 1 && mediaType(message) !== 'multipart/mixed')
    found.push('RFC 7866 9.1: the multipart is not mixed')
  for (const part of parts.filter((one) => one.type !== 'application/sdp' && !isMetadata(one))) {
    if (!/;\s*handling=optional/i.test(part.disposition))
      found.push(`RFC 5621 8.4: a required part of type ${part.type}`)
  }
  const metadata = metadataParts[0]
  if (metadata && !isDisposition(metadata, 'recording-session')) {
    found.push(`RFC 7866 9.1: the metadata has the Content-Disposition "${metadata.disposition}"`)
  }
  if (metadata?.type === 'application/rs-metadata') found.push('RFC 9806 2: the metadata type lacks +xml')
  const sdp = sdpParts[0]
  if (sdp && sdp.disposition !== '' && !isDisposition(sdp, 'session')) {
    found.push(`RFC 5621 8.2: the SDP has the Content-Disposition "${sdp.disposition}"`)
  }
  return { sdp: sdp?.content.toString('utf8'), metadata, found }
}

function mediaType(message: SipText): string {
  return ((headerOf(message, 'Content-Type') ?? '').split(';')[0] ?? '').trim().toLowerCase()
}
