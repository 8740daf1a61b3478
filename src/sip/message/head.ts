// Cuts the head of a message into its start line and header lines in one pass (RFC 3261 sections 7.3.1 and 25.1).

import { COLON, CR, isSpaceCode, isTokenCode, LF } from './characters.ts'
import { longName } from './header-names.ts'
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

/** Cuts the head in bytes[start, end). Lines end in CRLF; LF alone is tolerated, CR alone is not. */
export function splitHead(bytes: Uint8Array, start: number, end: number): Head {
  const bodyStart = findHeadEnd(bytes, start, end)
  const view = Buffer.from(bytes.buffer, bytes.byteOffset + start, (bodyStart < 0 ? end : bodyStart) - start)
  // One decoding of the whole head, without the body; names and values are slices of it.
  const text = view.toString('latin1')
  const names: string[] = []
  const values: string[] = []
  let startLine: string | undefined
  let fault: HeadFault | undefined
  let cr = indexFrom(text, '\r', 0)
  let at = 0
  while (at < text.length) {
    const lineStart = at
    let newline = at - 1
    let isFolded = false
    do {
      isFolded = newline >= lineStart
      newline = indexFrom(text, '\n', newline + 1)
      if (cr < newline - 1) fault ??= { code: 'bad-header-line', message: 'CR within a line', offset: start + cr }
      if (cr < newline) cr = indexFrom(text, '\r', newline)
      at = newline + 1
    } while (startLine !== undefined && at < text.length && isSpaceCode(view[at]!))
    const lineEnd = skipBlankBack(view, lineStart, Math.min(newline, view.length))
    if (lineEnd === lineStart) break
    if (lineEnd - lineStart > MAX_LINE_BYTES) {
      fault = { code: 'too-large', message: 'line too long', offset: start + lineStart }
      break
    }
    if (startLine === undefined) {
      startLine = text.slice(0, newline > 0 && view[newline - 1] === CR ? newline - 1 : newline)
      continue
    }
    let nameEnd = lineStart
    while (nameEnd < lineEnd && isTokenCode(view[nameEnd]!)) nameEnd++
    const colon = skipBlank(view, nameEnd, lineEnd)
    if (nameEnd === lineStart || view[colon] !== COLON) {
      fault ??= { code: 'bad-header-line', message: 'no header name', offset: start + lineStart }
      continue
    }
    if (names.length === MAX_HEADERS) {
      fault = { code: 'too-large', message: 'too many headers', offset: start + lineStart }
      break
    }
    const value = text.slice(skipBlank(view, colon + 1, lineEnd), lineEnd)
    names.push(longName(text.slice(lineStart, nameEnd)))
    values.push(isFolded ? unfold(value) : value)
  }
  if (bodyStart < 0) fault ??= { code: 'no-end-of-head', message: 'no empty line ends the head', offset: end }
  // Differs from the length as soon as one byte is not ASCII; the cheapest test there is.
  if (Buffer.byteLength(text) !== text.length) {
    startLine = decodeUtf8(startLine ?? '')
    for (let index = 0; index < values.length; index++) values[index] = decodeUtf8(values[index]!)
  }
  return { startLine: startLine ?? '', headers: SipHeaders.fromLines(names, values), bodyStart, fault }
}

/** Index just after the empty line that ends the head in bytes[start, end); -1 when there is none. */
export function findHeadEnd(bytes: Uint8Array, start: number, end: number): number {
  let newline = bytes.indexOf(LF, start)
  while (newline >= 0 && newline + 1 < end) {
    const next = newline + 1
    if (bytes[next] === LF) return next + 1
    if (bytes[next] === CR && next + 1 < end && bytes[next + 1] === LF) return next + 2
    newline = bytes.indexOf(LF, next)
  }
  return -1
}

function indexFrom(text: string, character: string, from: number): number {
  const index = text.indexOf(character, from)
  return index < 0 ? text.length : index
}

function skipBlank(bytes: Uint8Array, from: number, end: number): number {
  let at = from
  while (at < end && isBlankCode(bytes[at]!)) at++
  return at
}

function skipBlankBack(bytes: Uint8Array, from: number, end: number): number {
  let at = end
  while (at > from && isBlankCode(bytes[at - 1]!)) at--
  return at
}

function isBlankCode(code: number): boolean {
  return isSpaceCode(code) || code === CR || code === LF
}

// A fold counts as one space (section 7.3.1).
function unfold(value: string): string {
  return value
    .split('\n')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .join(' ')
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The text whose UTF-8 bytes were read as latin1; what is not UTF-8 stays latin1. */
function decodeUtf8(latin1: string): string {
  try {
    return decoder.decode(Buffer.from(latin1, 'latin1'))
  } catch {
    return latin1
  }
}
