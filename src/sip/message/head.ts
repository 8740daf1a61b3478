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
  // One decoding of the whole head; lines are slices of it. The body is left out, or they would keep it in memory.
  const view = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start)
  const emptyLine = view.indexOf('\r\n\r\n', 0, 'latin1')
  const text = view.toString('latin1', 0, emptyLine < 0 ? view.length : emptyLine)
  const names: string[] = []
  const values: string[] = []
  let startLine: string | undefined
  let fault: HeadFault | undefined
  let bodyStart = -1
  let isAscii = true
  let at = start
  while (at < end) {
    const lineStart = at
    while (at < end && isTokenCode(bytes[at]!)) at++
    const nameEnd = at
    let lineEnd = at
    let isFolded = false
    let hasStrayCr = false
    // Runs to the end of the line, and of the lines that continue it.
    while (at < end) {
      const byte = bytes[at++]!
      if (byte === LF) {
        lineEnd = bytes[at - 2] === CR && at - 2 >= lineStart ? at - 2 : at - 1
        if (at === end || !isSpaceCode(bytes[at]!) || lineEnd === lineStart || startLine === undefined) break
        isFolded = true
      } else if (byte === CR) hasStrayCr ||= bytes[at] !== LF
      else if (byte > 0x7f) isAscii = false
    }
    if (bytes[at - 1] !== LF) break
    if (lineEnd === lineStart) {
      bodyStart = at
      break
    }
    if (lineEnd - lineStart > MAX_LINE_BYTES) {
      fault = { code: 'too-large', message: 'line too long', offset: lineStart }
      break
    }
    if (hasStrayCr) fault ??= { code: 'bad-header-line', message: 'CR within a line', offset: lineStart }
    if (startLine === undefined) {
      startLine = text.slice(lineStart - start, lineEnd - start)
      continue
    }
    const colon = skipSpaceBytes(bytes, nameEnd)
    if (nameEnd === lineStart || bytes[colon] !== COLON) {
      fault ??= { code: 'bad-header-line', message: 'no header name', offset: lineStart }
      continue
    }
    if (names.length === MAX_HEADERS) {
      fault = { code: 'too-large', message: 'too many headers', offset: lineStart }
      break
    }
    let valueStart = colon + 1
    while (valueStart < lineEnd && isSpaceCode(bytes[valueStart]!)) valueStart++
    while (lineEnd > valueStart && isSpaceCode(bytes[lineEnd - 1]!)) lineEnd--
    const value = text.slice(valueStart - start, lineEnd - start)
    names.push(longName(text.slice(lineStart - start, nameEnd - start)))
    values.push(isFolded ? unfold(value) : value)
  }
  if (bodyStart < 0) fault ??= { code: 'no-end-of-head', message: 'no empty line ends the head', offset: at }
  if (!isAscii) {
    startLine = decodeUtf8(startLine ?? '')
    for (let index = 0; index < values.length; index++) values[index] = decodeUtf8(values[index]!)
  }
  return { startLine: startLine ?? '', headers: SipHeaders.fromLines(names, values), bodyStart, fault }
}

function skipSpaceBytes(bytes: Uint8Array, from: number): number {
  let at = from
  while (at < bytes.length && isSpaceCode(bytes[at]!)) at++
  return at
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
