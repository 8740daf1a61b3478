// Bytes to messages (RFC 3261 sections 7, 18.3 and 25). Header values stay text; only what every message must have is checked.

import { err, ok, type Result } from '#kernel'
import { isSpaceCode, isToken, readNumber } from './characters.ts'
import { type Complaint, checkHeaders } from './checks.ts'
import { type HeadError, splitHead } from './head.ts'
import type { SipHeaders } from './headers.ts'
import { MAX_MESSAGE_BYTES } from './limits.ts'
import type { SipMessage, SipRequest } from './message.ts'
import { dropped, type SipParseError } from './parse-error.ts'

/** How the bytes came. On a datagram Content-Length may be absent and bytes after the body are dropped (section 18.3). */
export interface ParseOptions {
  readonly transport?: 'datagram' | 'stream'
}

/** Parses one whole message: a datagram, or what StreamFramer cut out of a stream. Never throws. */
export function parseMessage(bytes: Uint8Array, options: ParseOptions = {}): Result<SipMessage, SipParseError> {
  const start = skipBlankLines(bytes)
  if (start === bytes.length) return dropped('empty', 'nothing but line ends')
  const tooLarge = bytes.length - start > MAX_MESSAGE_BYTES
  const size = tooLarge ? start + MAX_MESSAGE_BYTES : bytes.length
  const text = latin1(bytes, size)
  let head = splitHead(text, start)
  const bodyStart = head.ok ? head.value.bodyStart : size
  if (head.ok && !isAscii(text, start, bodyStart)) {
    const decoded = utf8(bytes.subarray(start, bodyStart))
    if (decoded !== undefined) head = splitHead(decoded, 0)
  }
  const startLine = parseStartLine(head.ok ? head.value.startLine : head.error.startLine)
  const headers = head.ok ? head.value.headers : head.error.headers
  if (startLine.kind === 'none') return dropped('bad-start-line', startLine.message, start)
  if (startLine.kind === 'response') {
    if (tooLarge) return dropped('too-large', 'message too large')
    if (!head.ok) return dropped(head.error.code, head.error.message, head.error.offset)
    const { status, reason } = startLine
    const complaint = checkHeaders(headers, undefined)
    if (complaint !== undefined) return dropped(complaint.code, complaint.message)
    const body = bodyOf(bytes, bodyStart, headers, options)
    if ('code' in body) return dropped(body.code, body.message, bodyStart)
    return ok({ kind: 'response', status, reason, headers, body: body.bytes })
  }
  const { method, uri } = startLine
  const partial: SipRequest = { kind: 'request', method, uri, headers, body: bytes.subarray(size) }
  if (tooLarge) return refused({ code: 'too-large', message: 'message too large', status: 513 }, partial)
  if (startLine.complaint !== undefined) return refused(startLine.complaint, partial)
  if (!head.ok) return refused(headComplaint(head.error), partial, head.error.offset)
  const complaint = checkHeaders(headers, method)
  if (complaint !== undefined) return refused(complaint, partial)
  const body = bodyOf(bytes, bodyStart, headers, options)
  if ('code' in body) return refused(body, partial, bodyStart)
  return ok({ kind: 'request', method, uri, headers, body: body.bytes })
}

/** Index of the first byte that is no CR or LF: a receiver ignores empty lines before the start line (section 7.5). */
export function skipBlankLines(bytes: Uint8Array): number {
  let at = 0
  while (at < bytes.length && (bytes[at] === 0x0d || bytes[at] === 0x0a)) at++
  return at
}

/** The Content-Length value as a number; -1 when it is not one. */
export function contentLength(value: string): number {
  return readNumber(value, 0, value.length, Number.MAX_SAFE_INTEGER)
}

/** Bytes as text, one character per byte. */
export function latin1(bytes: Uint8Array, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, end).toString('latin1')
}

type StartLine =
  | { kind: 'none'; message: string }
  | { kind: 'response'; status: number; reason: string }
  | { kind: 'request'; method: string; uri: string; complaint: Complaint | undefined }

function parseStartLine(line: string): StartLine {
  if (line.startsWith('SIP/') || line.startsWith('sip/')) return parseStatusLine(line)
  const methodEnd = line.indexOf(' ')
  const versionStart = line.lastIndexOf(' SIP/') < 0 ? line.lastIndexOf(' ') : line.lastIndexOf(' SIP/')
  const method = line.slice(0, Math.max(methodEnd, 0))
  if (!isToken(method) || versionStart <= methodEnd)
    return { kind: 'none', message: 'neither request line nor status line' }
  const uri = line.slice(methodEnd + 1, versionStart)
  return { kind: 'request', method, uri, complaint: checkRequestLine(uri, line.slice(versionStart + 1)) }
}

function checkRequestLine(uri: string, version: string): Complaint | undefined {
  if (version.toUpperCase() !== 'SIP/2.0') {
    if (/^SIP\/\d{1,9}\.\d{1,9}$/i.test(version))
      return { code: 'bad-version', message: 'version is not SIP/2.0', status: 505 }
    return { code: 'bad-start-line', message: 'bad version in the request line', status: 400 }
  }
  for (let at = 0; at < uri.length; at++) {
    const code = uri.charCodeAt(at)
    if (code <= 0x20 || code === 0x22 || code === 0x3c || code === 0x3e || code === 0x7f) {
      return { code: 'bad-start-line', message: 'bad Request-URI', status: 400 }
    }
  }
  if (uri.indexOf(':') < 1) return { code: 'bad-start-line', message: 'Request-URI has no scheme', status: 400 }
  return undefined
}

function parseStatusLine(line: string): StartLine {
  const space = line.indexOf(' ')
  const version = space < 0 ? line : line.slice(0, space)
  if (version.toUpperCase() !== 'SIP/2.0') return { kind: 'none', message: 'bad version in the status line' }
  const status = readNumber(line, space + 1, space + 4, 699)
  const end = line.charCodeAt(space + 4)
  if (status < 100 || !(line.length === space + 4 || isSpaceCode(end)))
    return { kind: 'none', message: 'bad status code' }
  return { kind: 'response', status, reason: line.slice(space + 5) }
}

function bodyOf(
  bytes: Uint8Array,
  start: number,
  headers: SipHeaders,
  options: ParseOptions,
): { bytes: Uint8Array } | Complaint {
  const value = headers.get('Content-Length')
  if (value === undefined) {
    if (options.transport !== 'stream') return { bytes: bytes.subarray(start) }
    return { code: 'bad-content-length', message: 'no Content-Length on a stream', status: 400 }
  }
  const length = contentLength(value)
  if (length < 0) return { code: 'bad-content-length', message: 'bad Content-Length', status: 400 }
  if (length > bytes.length - start)
    return { code: 'short-body', message: 'body is shorter than Content-Length', status: 400 }
  return { bytes: bytes.subarray(start, start + length) }
}

function headComplaint(error: HeadError): Complaint {
  return { code: error.code, message: error.message, status: error.code === 'too-large' ? 513 : 400 }
}

function refused(complaint: Complaint, partial: SipRequest, offset = 0): Result<never, SipParseError> {
  // An ACK is never answered (section 17).
  const status = partial.method === 'ACK' ? 0 : complaint.status
  return err({ code: complaint.code, message: complaint.message, offset, status, ...(status === 0 ? {} : { partial }) })
}

function isAscii(text: string, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (text.charCodeAt(at) > 0x7f) return false
  return true
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function utf8(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes)
  } catch {
    return undefined
  }
}
