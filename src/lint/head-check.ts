// Checks the head of a message of a recording session, and tells who sent it (RFC 7866 sections 6 and 9).

import { parseNameAddr, parseSipUri, type SipMessage } from '#sip'
import type { Report } from './finding.ts'
import type { HeadCode } from './message-rules.ts'

/** What a message is within its recording session. */
export interface MessageRole {
  readonly role: 'source' | 'recorder'
  /** An INVITE without To-tag. */
  readonly isInitialInvite: boolean
  readonly isResponse: boolean
}

type Tag = '+sip.src' | '+sip.srs'

/** Tells who sent a message: by its feature tag, else by its metadata, else by being a response. */
export function roleOf(
  message: SipMessage,
  metadataRoot: 'recording' | 'requestsnapshot' | 'unknown' | undefined,
): MessageRole {
  const isResponse = message.kind === 'response'
  const tags = tagsOf(message)
  const isInitialInvite = !isResponse && message.method === 'INVITE' && (message.headers.tag('To') ?? '') === ''
  const isRecorder =
    tags.header.has('+sip.srs') || tags.uri.has('+sip.srs')
      ? true
      : !(tags.header.has('+sip.src') || tags.uri.has('+sip.src')) &&
        (metadataRoot === 'requestsnapshot' || (isResponse && metadataRoot !== 'recording'))
  return { role: isRecorder ? 'recorder' : 'source', isInitialInvite, isResponse }
}

/** Checks headers; `lineOfHeader` gives the line of the file where a header stands. */
export function checkHead(
  message: SipMessage,
  { role, isInitialInvite, isResponse }: MessageRole,
  lineOfHeader: (name: string) => number | undefined,
  report: Report<HeadCode>,
): void {
  const at = (name: string): { line: number } => ({ line: lineOfHeader(name) ?? 1 })
  const { headers } = message
  const makesDialog =
    message.kind === 'response' ? message.status < 300 : message.method === 'INVITE' || message.method === 'UPDATE'
  if (makesDialog) checkContact(message, role === 'source' ? '+sip.src' : '+sip.srs', at('Contact'), report)
  if (isResponse) return
  const required = headers.list('Require').map((tag) => tag.trim().toLowerCase())
  if (isInitialInvite && !required.includes('siprec')) {
    report('no-require-siprec', 'the INVITE does not require siprec', at('Require'))
  }
  if (role !== 'source' || !isInitialInvite) return
  const accepted = headers.list('Accept').map((type) => type.split(';')[0]!.trim().toLowerCase())
  const takesRequests = accepted.some((type) => type.startsWith('application/rs-metadata'))
  if (!takesRequests) report('no-accept', 'Accept does not name metadata', at('Accept'))
  if (!headers.has('Date')) report('no-date', 'no Date', { line: 1 })
}

function checkContact(message: SipMessage, wanted: Tag, place: { line: number }, report: Report<HeadCode>): void {
  if (!message.headers.has('Contact')) {
    report('no-contact', 'no Contact', place)
    return
  }
  const tags = tagsOf(message)
  if (tags.header.has(wanted)) return
  if (tags.uri.has(wanted)) report('feature-tag-in-uri', `${wanted} stands inside the angle brackets of Contact`, place)
  else report(wanted === '+sip.src' ? 'no-sip-src' : 'no-sip-srs', `Contact has no ${wanted}`, place)
}

/** Feature tags of Contact, as parameters of the header and of the URI. */
function tagsOf({ headers }: SipMessage): { readonly header: ReadonlySet<string>; readonly uri: ReadonlySet<string> } {
  const contact = parseNameAddr(headers.get('Contact') ?? '')
  if (!contact.ok) return { header: new Set(), uri: new Set() }
  const uri = parseSipUri(contact.value.uri)
  const names = (params: Iterable<string>): Set<string> => new Set([...params].map((name) => name.toLowerCase()))
  return { header: names(contact.value.params.keys()), uri: names(uri.ok ? uri.value.params.keys() : []) }
}
