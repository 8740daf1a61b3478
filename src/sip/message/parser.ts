// Bytes to messages (RFC 3261 sections 7, 18.3 and 25). Header values stay text; only what every message must have is checked.

import { err, ok, type Result } from '#kernel'
import { codeAt, readNumber, SPACE, skipToken } from './characters.ts'
import { type Complaint, checkHeaders } from './checks.ts'
import { type Head, type HeadFault, splitHead } from './head.ts'
import type { SipHeaders } from './headers.ts'
import { MAX_MESSAGE_BYTES } from './limits.ts'
import type { SipMessage, SipRequest } from './message.ts'
import { isUriText } from './name-addr.ts'
import { dropped, type SipParseError } from './parse-error.ts'

const NO_BODY = new Uint8Array(0)
const TOO_LARGE: HeadFault = { code: 'too-large', message: 'message too large', offset: 0 }

/** How the bytes came. On a datagram Content-Length may be absent and bytes after the body are dropped (section 18.3). */
export interface ParseOptions {
  readonly transport?: 'datagram' | 'stream'
  /**
   * A Contact that cannot be read is no fault; a datagram may be shorter than its Content-Length says, and of a stream the framer knows
   * where the message ends.
   */
  readonly isTolerant?: boolean
}

/** Parses one whole message: a datagram, or what StreamFramer cut out of a stream. Never throws. */
export function parseMessage(bytes: Uint8Array, options: ParseOptions = {}): Result<SipMessage, SipParseError> {
  const start = skipBlankLines(bytes)
  if (start === bytes.length) return dropped('empty', 'nothing but line ends')
  const isTooLarge = bytes.length - start > MAX_MESSAGE_BYTES
  const head = splitHead(bytes, start, isTooLarge ? start + MAX_MESSAGE_BYTES : bytes.length)
  const fault = isTooLarge ? TOO_LARGE : head.fault
  if (head.startLine.startsWith('SIP/')) return parseResponse(bytes, head, fault, options)
  return parseRequest(bytes, head, fault, options)
}

/** Index of the first byte that is no CR or LF: a receiver ignores empty lines before the start line (section 7.5). */
function skipBlankLines(bytes: Uint8Array): number {
  let at = 0
  while (at < bytes.length && (bytes[at] === 0x0d || bytes[at] === 0x0a)) at++
  return at
}

/** The Content-Length value as a number; -1 when it is not one. */
export function contentLength(value: string): number {
  return readNumber(value, 0, value.length, Number.MAX_SAFE_INTEGER)
}

function parseRequest(
  bytes: Uint8Array,
  head: Head,
  fault: HeadFault | undefined,
  options: ParseOptions,
): Result<SipMessage, SipParseError> {
  const { headers, bodyStart, startLine } = head
  const methodEnd = skipToken(startLine, 0)
  if (methodEnd === 0 || codeAt(startLine, methodEnd) !== SPACE)
    return dropped('bad-start-line', 'neither request line nor status line')
  const method = startLine.slice(0, methodEnd)
  const versionStart = startLine.endsWith(' SIP/2.0') ? startLine.length - 8 : startLine.lastIndexOf(' ')
  const uri = startLine.slice(methodEnd + 1, Math.max(versionStart, methodEnd + 1))
  const complaint =
    checkRequestLine(uri, startLine.slice(versionStart + 1)) ??
    (fault === undefined ? checkHeaders(headers, method, options.isTolerant) : faultComplaint(fault))
  const body = complaint ?? bodyOf(bytes, bodyStart, headers, options)
  if (body instanceof Uint8Array) return ok({ kind: 'request', method, uri, headers, body })
  const partial: SipRequest = { kind: 'request', method, uri, headers, body: NO_BODY }
  return refused(body, partial, fault?.offset ?? 0)
}

function parseResponse(
  bytes: Uint8Array,
  head: Head,
  fault: HeadFault | undefined,
  options: ParseOptions,
): Result<SipMessage, SipParseError> {
  const { headers, bodyStart, startLine } = head
  if (fault !== undefined) return dropped(fault.code, fault.message, fault.offset)
  if (!/^SIP\/2\.0 [1-6]\d\d(?: |$)/i.test(startLine)) return dropped('bad-start-line', 'bad status line')
  const status = readNumber(startLine, 8, 11, 699)
  const body = checkHeaders(headers, undefined) ?? bodyOf(bytes, bodyStart, headers, options)
  if (!(body instanceof Uint8Array)) return dropped(body.code, body.message)
  return ok({ kind: 'response', status, reason: startLine.slice(12), headers, body })
}

function checkRequestLine(uri: string, version: string): Complaint | undefined {
  if (version !== 'SIP/2.0' && version.toUpperCase() !== 'SIP/2.0') {
    if (/^SIP\/\d{1,9}\.\d{1,9}$/i.test(version))
      return { code: 'bad-version', message: 'version is not SIP/2.0', status: 505 }
    return badStartLine('bad version in the request line')
  }
  if (!isUriText(uri)) return badStartLine('bad Request-URI')
  // Headers would let the caller write into what we send (section 19.1.5); a `?` before the host is part of the user.
  if (uri.includes('?') && /^sips?:/i.test(uri) && uri.indexOf('?', uri.indexOf('@') + 1) >= 0) {
    return badStartLine('Request-URI has headers')
  }
  return undefined
}

function bodyOf(bytes: Uint8Array, start: number, headers: SipHeaders, options: ParseOptions): Uint8Array | Complaint {
  const value = headers.get('Content-Length')
  if (value === undefined) {
    if (options.transport !== 'stream') return bytes.subarray(start)
    return { code: 'bad-content-length', message: 'no Content-Length on a stream', status: 400 }
  }
  const length = contentLength(value)
  if (length < 0) return { code: 'bad-content-length', message: 'bad Content-Length', status: 400 }
  if (start + length > MAX_MESSAGE_BYTES) return { code: 'too-large', message: 'Content-Length too large', status: 513 }
  const isTolerant = options.isTolerant === true
  if (isTolerant && options.transport === 'stream') return bytes.subarray(start)
  if (length > bytes.length - start && !isTolerant)
    return { code: 'short-body', message: 'body is shorter than Content-Length', status: 400 }
  return bytes.subarray(start, start + length)
}

function faultComplaint(fault: HeadFault): Complaint {
  return { code: fault.code, message: fault.message, status: fault.code === 'too-large' ? 513 : 400 }
}

function badStartLine(message: string): Complaint {
  return { code: 'bad-start-line', message, status: 400 }
}

function refused(complaint: Complaint, partial: SipRequest, offset: number): Result<never, SipParseError> {
  const { code, message, status } = complaint
  // An ACK is never answered (section 17).
  if (partial.method === 'ACK') return dropped(code, message, offset)
  return err({ code, message, offset, status, partial })
}
