// Cuts the head of a message into its start line and header lines in one pass (RFC 3261 sections 7.3.1 and 25.1).

import { COLON, CR, isSpaceCode, isTokenCode } from './characters.ts'
import { decodeUtf8, HeaderLine } from './header-line.ts'
import { SipHeaders } from './headers.ts'
import { MAX_HEADERS, MAX_LINE_BYTES } from './limits.ts'
import type { SipParseErrorCode } from './parse-error.ts'

/** A head cut into lines; nothing in it is understood yet. */
export interface Head {
  /** Empty when not even that was found. */
  readonly startLine: string
  readonly headers: SipHeaders
  /** Index just after the empty line, where the body starts; -1 when the head is not complete. */
  readonly bodyStart: number
  /** The first thing wrong; `startLine` and `headers` then hold what could be read. */
  readonly fault: HeadFault | undefined
}

/** What is wrong with a head. */
export interface HeadFault {
  readonly code: SipParseErrorCode
  readonly message: string
  readonly offset: number
}

/** Most heads are shorter. */
const FIRST_DECODED_BYTES = 1280

/** Cuts the head in bytes[start, end). Lines end in CRLF; LF alone is tolerated. */
export function splitHead(bytes: Uint8Array, start: number, end: number): Head {
  // One decoding for all lines; searching the text is several times faster than looping over the bytes.
  const text = decodeHead(bytes, start, end)
  // Differs from the length as soon as one byte is not ASCII; the cheapest test there is.
  const isAscii = Buffer.byteLength(text) === text.length
  const lines: HeaderLine[] = []
  let startLine: string | undefined
  let fault: HeadFault | undefined
  let bodyStart = -1
  let at = start
  while (at < end) {
    const lineStart = at
    let newline = text.indexOf('\n', at)
    let isPlain = isAscii
    while (newline >= 0 && newline > lineStart + 1 && startLine !== undefined && isSpaceCode(bytes[newline + 1] ?? 0)) {
      newline = text.indexOf('\n', newline + 1)
      isPlain = false
    }
    if (newline < 0) break
    at = newline + 1
    const lineEnd = newline > lineStart && bytes[newline - 1] === CR ? newline - 1 : newline
    if (lineEnd === lineStart) {
      bodyStart = at
      break
    }
    if (lineEnd - lineStart > MAX_LINE_BYTES) {
      fault = { code: 'too-large', message: 'line too long', offset: lineStart }
      break
    }
    if (startLine === undefined) {
      startLine = isAscii ? text.slice(lineStart, lineEnd) : decodeUtf8(text.slice(lineStart, lineEnd))
      continue
    }
    let nameEnd = lineStart
    while (isTokenCode(bytes[nameEnd]!)) nameEnd++
    let colon = nameEnd
    while (isSpaceCode(bytes[colon]!)) colon++
    if (nameEnd === lineStart || bytes[colon] !== COLON) {
      fault ??= { code: 'bad-header-line', message: 'no header name', offset: lineStart }
      continue
    }
    if (lines.length === MAX_HEADERS) {
      fault = { code: 'too-large', message: 'too many headers', offset: lineStart }
      break
    }
    lines.push(new HeaderLine(text, lineStart, nameEnd, colon + 1, lineEnd, isPlain))
  }
  if (bodyStart < 0) fault ??= { code: 'no-end-of-head', message: 'no empty line ends the head', offset: end }
  return { startLine: startLine ?? '', headers: SipHeaders.fromLines(lines), bodyStart, fault }
}

/** The text up to the empty line at least, one character per byte; as little of the body as can be had without a search. */
function decodeHead(bytes: Uint8Array, start: number, end: number): string {
  const buffer = bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  for (let size = FIRST_DECODED_BYTES; start + size < end; size *= 4) {
    const text = buffer.toString('latin1', 0, start + size)
    if (text.includes('\r\n\r\n', start)) return text
  }
  return buffer.toString('latin1', 0, end)
}
