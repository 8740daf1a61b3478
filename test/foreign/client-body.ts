// The bodies and headers of a client's requests: the strict form of RFC 7866 and RFC 9806, and the older spellings met in the field.

import { token } from './dialog-side.ts'
import { buildMultipart, type PartSpec } from './mime-text.ts'
import type { Header } from './sip-text.ts'

/** How the client spells: today's RFCs, RFC 8068 to the letter, or a draft-era client. */
export type Variant = 'rfc9806' | 'rfc8068' | 'draft'

/** The body of one request with its headers. */
type WrittenBody = { readonly headers: readonly Header[]; readonly body: Buffer }

/** What a body is made of. */
export type BodySpec = {
  readonly sdp?: string | undefined
  readonly metadata?: string | undefined
  readonly partOrder?: 'sdp-first' | 'metadata-first' | undefined
  /** Wraps even a single part, as RFC 8068 section 3.2.4 does. */
  readonly alwaysMultipart?: boolean | undefined
  readonly extraParts?: readonly PartSpec[] | undefined
  readonly metadataDisposition?: string | undefined
  readonly metadataType?: string | undefined
  readonly preamble?: string | undefined
  /** Ends all lines of the body with LF alone, as some clients do. */
  readonly bareLf?: boolean | undefined
}

function partsFor(spec: BodySpec, variant: Variant): PartSpec[] {
  const parts: PartSpec[] = []
  if (spec.sdp !== undefined) {
    const headers: Header[] = [['Content-Type', variant === 'rfc8068' ? 'application/SDP' : 'application/sdp']]
    if (variant === 'rfc9806') headers.push(['Content-Disposition', 'session;handling=required'])
    parts.push({ headers, content: Buffer.from(spec.sdp) })
  }
  if (spec.metadata !== undefined) {
    const usual = variant === 'rfc9806' ? 'application/rs-metadata+xml' : 'application/rs-metadata'
    const headers: Header[] = [['Content-Type', spec.metadataType ?? usual]]
    const disposition = spec.metadataDisposition ?? 'recording-session'
    if (disposition !== '') headers.push(['Content-Disposition', disposition])
    const part = { headers, content: Buffer.from(spec.metadata) }
    if ((spec.partOrder ?? (variant === 'draft' ? 'metadata-first' : 'sdp-first')) === 'sdp-first') parts.push(part)
    else parts.unshift(part)
  }
  return [...parts, ...(spec.extraParts ?? [])]
}

/** Writes the body: bare when there is one part, multipart/mixed when there are more. */
export function writeBody(spec: BodySpec, variant: Variant): WrittenBody {
  const { headers, body } = writeStrictBody(spec, variant)
  if (spec.bareLf !== true) return { headers, body }
  return { headers, body: Buffer.from(body.toString('latin1').replaceAll('\r\n', '\n'), 'latin1') }
}

function writeStrictBody(spec: BodySpec, variant: Variant): WrittenBody {
  const parts = partsFor(spec, variant)
  const only = parts[0]
  if (only === undefined) return { headers: [], body: Buffer.alloc(0) }
  if (parts.length === 1 && spec.alwaysMultipart !== true) return { headers: only.headers, body: only.content }
  const boundary = `foreign-${token(8)}`
  const preamble = spec.preamble === undefined ? {} : { preamble: spec.preamble }
  const body = buildMultipart(parts, { boundary, headerSpace: variant !== 'draft', ...preamble })
  const headers: Header[] = [['MIME-Version', '1.0']]
  headers.push(['Content-Type', `multipart/mixed;boundary=${variant === 'draft' ? `"${boundary}"` : boundary}`])
  return { headers, body }
}

/** The Contact of the client: `;src` stands within the URI where drafts put it, `+sip.src` outside. */
export function contactOf(uri: string, tag: string, isTagInside: boolean): string {
  return isTagInside ? `<${uri}${tag}>` : `<${uri}>${tag}`
}

/** The headers of an INVITE other than those of the dialog. */
export function inviteHeaders(variant: Variant, contact: string, require: readonly string[]): Header[] {
  const accept = {
    rfc9806: 'application/sdp, application/rs-metadata+xml',
    rfc8068: 'application/sdp, application/rs-metadata, application/rs-metadata-request',
    draft: 'application/sdp',
  }[variant]
  const headers: Header[] = [
    ['Contact', contact],
    ['Allow', 'INVITE, ACK, CANCEL, BYE, UPDATE, OPTIONS'],
    ['Accept', accept],
    ['Date', new Date().toUTCString()],
  ]
  if (require.length > 0) headers.push(['Require', require.join(', ')])
  return headers
}
