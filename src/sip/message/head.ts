// Cuts the head of a message into its start line and header lines in one pass (RFC 3261 sections 7.3.1 and 25.1).

import { COLON, CR } from './characters.ts'
import { HeaderLine } from './header-line.ts'
import { SipHeaders } from './headers.ts'
import { MAX_HEADERS, MAX_LINE_BYTES } from './limits.ts'
import type { SipParseErrorCode } from './parse-error.ts'
import { isOf, RawText, skip, TOKEN, WHITE } from './raw-text.ts'

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
  const buffer = bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  const head = decodeHead(buffer, start, end)
  const text = head.latin1
  const lines: HeaderLine[] = []
  let startLine: string | undefined
  let fault: HeadFault | undefined
  let bodyStart = -1
  let at = start
  while (at < end) {
    const lineStart = at
    let newline = text.indexOf('\n', at)
    let isFolded = false
    while (newline >= 0 && newline > lineStart + 1 && startLine !== undefined && isWhite(buffer[newline + 1])) {
      newline = text.indexOf('\n', newline + 1)
      isFolded = true
    }
    if (newline < 0) break
    at = newline + 1
    const lineEnd = newline > lineStart && buffer[newline - 1] === CR ? newline - 1 : newline
    if (lineEnd === lineStart) {
      bodyStart = at
      break
    }
    if (lineEnd - lineStart > MAX_LINE_BYTES) {
      fault = { code: 'too-large', message: 'line too long', offset: lineStart }
      break
    }
    if (startLine === undefined) {
      startLine = head.cut(lineStart, lineEnd)
      continue
    }
    const nameEnd = skip(TOKEN, buffer, lineStart, lineEnd)
    const colon = skip(WHITE, buffer, nameEnd, lineEnd)
    if (nameEnd === lineStart || buffer[colon] !== COLON) {
      fault ??= { code: 'bad-header-line', message: 'no header name', offset: lineStart }
      continue
    }
    if (lines.length === MAX_HEADERS) {
      fault = { code: 'too-large', message: 'too many headers', offset: lineStart }
      break
    }
    lines.push(new HeaderLine(head, lineStart, nameEnd, colon + 1, lineEnd, isFolded))
  }
  if (bodyStart < 0) fault ??= { code: 'no-end-of-head', message: 'no empty line ends the head', offset: end }
  return { startLine: startLine ?? '', headers: SipHeaders.fromLines(lines), bodyStart, fault }
}

/** The text up to the empty line at least; as little of the body as can be had without a search. */
function decodeHead(buffer: Buffer, start: number, end: number): RawText {
  for (let size = FIRST_DECODED_BYTES; start + size < end; size *= 4) {
    const text = buffer.toString('latin1', 0, start + size)
    if (text.includes('\r\n\r\n', start)) return new RawText(buffer, text)
  }
  return new RawText(buffer, buffer.toString('latin1', 0, end))
}

function isWhite(byte: number | undefined): boolean {
  return byte !== undefined && isOf(WHITE, byte)
}
