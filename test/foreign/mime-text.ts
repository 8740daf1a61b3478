// Multipart bodies (RFC 2046 section 5.1), written exactly and read exactly: every slip is named.

import { type Header, headerOf, parseNameAddr, parseParams, type SipText } from './sip-text.ts'

/** One part of a body; a bare body counts as its only part. */
export type Part = {
  readonly type: string
  readonly params: ReadonlyMap<string, string>
  readonly disposition: string
  readonly content: Buffer
}

export type PartSpec = { readonly headers: readonly Header[]; readonly content: Buffer }

/** How a multipart body is spelled; the loose forms are those of old clients. */
type Spelling = { readonly boundary: string; readonly headerSpace?: boolean; readonly preamble?: string }

/** Writes a multipart body. */
export function buildMultipart(parts: readonly PartSpec[], spelling: Spelling): Buffer {
  const colon = spelling.headerSpace === false ? ':' : ': '
  const pieces: Buffer[] = spelling.preamble === undefined ? [] : [Buffer.from(`${spelling.preamble}\r\n`)]
  for (const part of parts) {
    const head = part.headers.map(([name, value]) => `${name}${colon}${value}\r\n`).join('')
    pieces.push(Buffer.from(`--${spelling.boundary}\r\n${head}\r\n`), part.content, Buffer.from('\r\n'))
  }
  pieces.push(Buffer.from(`--${spelling.boundary}--\r\n`))
  return Buffer.concat(pieces)
}

/** The media type of a Content-Type value, in lower case. */
export function mediaTypeOf(value: string): string {
  return (value.split(';')[0] ?? '').trim().toLowerCase()
}

/** Takes a message's body apart; what a strict reader objects to goes to `objections`. */
export function partsOf(message: SipText, objections: string[]): Part[] {
  if (message.body.length === 0) return []
  const contentType = headerOf(message, 'Content-Type')
  if (contentType === undefined) {
    objections.push('RFC 3261 20.15: a body without Content-Type')
    return []
  }
  const type = mediaTypeOf(contentType)
  const params = parseParams(contentType)
  if (!type.startsWith('multipart/')) {
    return [{ type, params, disposition: headerOf(message, 'Content-Disposition') ?? '', content: message.body }]
  }
  return splitMultipart(message.body, unquote(params.get('boundary') ?? ''), objections)
}

function unquote(text: string): string {
  return text.startsWith('"') && text.endsWith('"') ? text.slice(1, -1) : text
}

function splitMultipart(body: Buffer, boundary: string, objections: string[]): Part[] {
  if (boundary === '' || boundary.length > 70) {
    objections.push('RFC 2046 5.1.1: the boundary is missing or longer than 70 characters')
    return []
  }
  const delimiter = Buffer.from(`--${boundary}`)
  const between = Buffer.concat([Buffer.from('\r\n'), delimiter])
  let at = body.subarray(0, delimiter.length).equals(delimiter) ? 0 : body.indexOf(between) + 2
  if (at === 1) {
    objections.push('RFC 2046 5.1.1: no delimiter line in the body')
    return []
  }
  const parts: Part[] = []
  for (;;) {
    const after = at + delimiter.length
    const follow = body.subarray(after, after + 2).toString('latin1')
    if (follow === '--') {
      if (parts.length === 0) objections.push('RFC 2046 5.1.1: a multipart body without a part')
      return parts
    }
    if (follow !== '\r\n') objections.push('RFC 2046 5.1.1: a delimiter line that does not end in CRLF')
    const next = body.indexOf(between, after)
    if (next < 0) {
      objections.push('RFC 2046 5.1.1: the close delimiter is missing')
      return parts
    }
    readPart(body.subarray(after + 2, next), parts, objections)
    at = next + 2
  }
}

function readPart(bytes: Buffer, parts: Part[], objections: string[]): void {
  const headEnd = bytes.subarray(0, 2).toString('latin1') === '\r\n' ? -2 : bytes.indexOf('\r\n\r\n')
  if (headEnd === -1) {
    objections.push('RFC 2046 5.1: a part without the empty line behind its headers')
    return
  }
  const fields = new Map<string, string>()
  if (headEnd > 0) {
    for (const line of bytes.subarray(0, headEnd).toString('latin1').split('\r\n')) {
      const colon = line.indexOf(':')
      if (colon <= 0 || line.includes('\n')) objections.push('RFC 2045 3: a part header that is not a field')
      else fields.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim())
    }
  }
  const type = fields.get('content-type')
  if (type === undefined) objections.push('RFC 7866 9.1: a part without Content-Type')
  parts.push({
    type: mediaTypeOf(type ?? 'text/plain'),
    params: parseParams(type ?? ''),
    disposition: fields.get('content-disposition') ?? '',
    content: bytes.subarray(headEnd + 4),
  })
}

/** Whether a part is RFC 7865 metadata, by the registered or by the older type. */
export function isMetadata(part: Part): boolean {
  return part.type === 'application/rs-metadata+xml' || part.type === 'application/rs-metadata'
}

/** Whether a disposition value is exactly the given one, parameters aside. */
export function isDisposition(part: Part, wanted: string): boolean {
  return parseNameAddr(part.disposition).uri.toLowerCase() === wanted
}
