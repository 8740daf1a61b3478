// Splits the head of a message into its start line and header lines in one pass (RFC 3261 sections 7.3.1 and 25.1).

import { err, ok, type Result } from '#kernel'
import { isSpaceCode, isToken } from './characters.ts'
import { longName } from './header-names.ts'
import { SipHeaders } from './headers.ts'
import { MAX_HEADERS, MAX_LINE_CHARS } from './limits.ts'
import type { SipParseErrorCode } from './parse-error.ts'

/** A head cut into lines; nothing in it is understood yet. */
export interface Head {
  readonly startLine: string
  readonly headers: SipHeaders
  /** Index just after the empty line, where the body starts. */
  readonly bodyStart: number
}

/** What is wrong with a head; `startLine` and `headers` hold what came before. */
export interface HeadError {
  readonly code: SipParseErrorCode
  readonly message: string
  readonly offset: number
  readonly startLine: string
  readonly headers: SipHeaders
}

/** Cuts the head that begins at `start`. Lines end in CRLF; LF alone is tolerated, CR alone is not. */
export function splitHead(text: string, start: number): Result<Head, HeadError> {
  const names: string[] = []
  const values: string[] = []
  let startLine = ''
  let at = start
  let first = true
  let bad: { code: SipParseErrorCode; message: string; offset: number } | undefined
  while (true) {
    const lineStart = at
    const newline = text.indexOf('\n', at)
    if (newline < 0) return fail('no-end-of-head', 'no empty line ends the head', lineStart)
    const lineEnd = newline > at && text.charCodeAt(newline - 1) === 0x0d ? newline - 1 : newline
    at = newline + 1
    if (lineEnd === lineStart) break
    let line = text.slice(lineStart, lineEnd)
    if (line.length > MAX_LINE_CHARS) return fail('too-large', 'line too long', lineStart)
    if (line.includes('\r')) bad ??= { code: 'bad-header-line', message: 'CR within a line', offset: lineStart }
    if (first) {
      startLine = line
      first = false
      continue
    }
    if (isSpaceCode(line.charCodeAt(0))) {
      if (names.length === 0) {
        bad ??= { code: 'bad-header-line', message: 'start line is folded', offset: lineStart }
        continue
      }
      line = `${values[values.length - 1]!} ${trim(line, 0)}`
      if (line.length > MAX_LINE_CHARS) return fail('too-large', 'folded header too long', lineStart)
      values[values.length - 1] = trim(line, 0)
      continue
    }
    if (names.length === MAX_HEADERS) return fail('too-large', 'too many headers', lineStart)
    const colon = line.indexOf(':')
    const name = colon < 0 ? '' : trimEnd(line, colon)
    if (!isToken(name)) {
      bad ??= { code: 'bad-header-line', message: 'no header name', offset: lineStart }
      // Kept out of the headers; a continuation of it must not be glued to the line before.
      names.push('')
      values.push('')
      continue
    }
    names.push(longName(name))
    values.push(trim(line, colon + 1))
  }
  if (bad !== undefined) return fail(bad.code, bad.message, bad.offset)
  return ok({ startLine, headers: SipHeaders.fromLines(names, values), bodyStart: at })

  function fail(code: SipParseErrorCode, message: string, offset: number): Result<never, HeadError> {
    const headers = SipHeaders.fromLines(names, values)
    headers.remove('')
    return err({ code, message, offset, startLine, headers })
  }
}

function trimEnd(line: string, end: number): string {
  let last = end
  while (last > 0 && isSpaceCode(line.charCodeAt(last - 1))) last--
  return line.slice(0, last)
}

function trim(line: string, from: number): string {
  let first = from
  let last = line.length
  while (first < last && isSpaceCode(line.charCodeAt(first))) first++
  while (last > first && isSpaceCode(line.charCodeAt(last - 1))) last--
  return line.slice(first, last)
}
