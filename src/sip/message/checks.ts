// What every message must carry (RFC 3261 sections 8.1.1, 8.2.2 and 20): mandatory headers, once, well-formed.

import { readNumber } from './characters.ts'
import { scanCSeq } from './cseq.ts'
import type { HeaderLine } from './header-line.ts'
import { KNOWN_NAMES } from './header-names.ts'
import type { SipHeaders } from './headers.ts'
import { MAX_VIAS } from './limits.ts'
import { parseNameAddr, scanNameAddr } from './name-addr.ts'
import { splitList } from './params.ts'
import type { SipParseErrorCode } from './parse-error.ts'
import { scanTopVia } from './via.ts'

/** Why a message is refused, and the status to say so with. */
export interface Complaint {
  readonly code: SipParseErrorCode
  readonly message: string
  readonly status: number
}

type Check = (line: HeaderLine, method: string | undefined) => Complaint | undefined

/** A header that is looked at. */
interface KnownHeader {
  readonly name: string
  readonly bit: number
  readonly once: boolean
  readonly check?: Check
}

const TO: KnownHeader = { name: 'To', bit: 1, once: true, check: checkAddress }
const FROM: KnownHeader = { name: 'From', bit: 2, once: true, check: checkAddress }
const CSEQ: KnownHeader = { name: 'CSeq', bit: 4, once: true, check: checkCSeq }
const CALL_ID: KnownHeader = { name: 'Call-ID', bit: 8, once: true, check: checkCallId }
const VIA: KnownHeader = { name: 'Via', bit: 16, once: false }
const CONTACT: KnownHeader = { name: 'Contact', bit: 32, once: false, check: checkContact }
const MAX_FORWARDS: KnownHeader = { name: 'Max-Forwards', bit: 64, once: true, check: checkMaxForwards }
const CONTENT_TYPE: KnownHeader = { name: 'Content-Type', bit: 128, once: true }
const CONTENT_LENGTH: KnownHeader = { name: 'Content-Length', bit: 256, once: true }

const KNOWN_HEADERS: readonly KnownHeader[] = KNOWN_NAMES.map((name) => {
  const all = [VIA, FROM, TO, CALL_ID, CSEQ, MAX_FORWARDS, CONTACT, CONTENT_TYPE, CONTENT_LENGTH]
  return all.find((header) => header.name === name)!
})

const MANDATORY = [VIA, FROM, TO, CALL_ID, CSEQ]
const MANDATORY_BITS = MANDATORY.reduce((bits, { bit }) => bits | bit, 0)

const MAGIC_COOKIE = 'z9hg4bk'

const KNOWN_METHODS = new Set(
  'INVITE ACK CANCEL BYE OPTIONS REGISTER PRACK UPDATE INFO REFER SUBSCRIBE NOTIFY MESSAGE PUBLISH'.split(' '),
)

/** The first thing wrong with the headers of a request (`method` given) or of a response; one pass over the lines. */
export function checkHeaders(
  headers: SipHeaders,
  method: string | undefined,
  isContactForgiven = false,
): Complaint | undefined {
  let seen = 0
  let vias = 0
  for (const line of headers.lines) {
    const header = line.known < 0 ? undefined : KNOWN_HEADERS[line.known]
    if (header === undefined) continue
    const isFirst = (seen & header.bit) === 0
    if (!isFirst && header.once) {
      return { code: 'repeated-header', message: `more than one ${header.name}`, status: 400 }
    }
    seen |= header.bit
    if (header === VIA) vias += countVias(line)
    const complaint = header === VIA && isFirst ? checkTopVia(line) : header.check?.(line, method)
    if (complaint !== undefined && !(header === CONTACT && isContactForgiven)) return complaint
  }
  if (vias > MAX_VIAS) return { code: 'too-large', message: 'too many Vias', status: 513 }
  if ((seen & MANDATORY_BITS) === MANDATORY_BITS) return undefined
  const missing = MANDATORY.find(({ bit }) => (seen & bit) === 0)
  return { code: 'missing-header', message: `no ${missing?.name}`, status: 400 }
}

function checkTopVia(line: HeaderLine): Complaint | undefined {
  const via = line.scanned(scanTopVia)
  if (!via.ok) return bad('bad Via')
  // A branch that promises to be unique and is not: nothing could be matched with it.
  const { branch } = via.value
  return branch?.length === MAGIC_COOKIE.length && branch.toLowerCase() === MAGIC_COOKIE
    ? bad('empty branch')
    : undefined
}

function countVias(line: HeaderLine): number {
  return line.hasComma ? splitList(line.value).length : 1
}

function checkAddress(line: HeaderLine): Complaint | undefined {
  return line.scanned(scanNameAddr).ok ? undefined : bad('bad From or To')
}

function checkCallId(line: HeaderLine): Complaint | undefined {
  return line.value === '' ? bad('empty Call-ID') : undefined
}

function checkCSeq(line: HeaderLine, method: string | undefined): Complaint | undefined {
  const cseq = line.scanned(scanCSeq)
  if (!cseq.ok) return bad('bad CSeq')
  if (method === undefined || cseq.value.method === method) return undefined
  return { code: 'bad-header', message: 'CSeq names another method', status: KNOWN_METHODS.has(method) ? 400 : 501 }
}

function checkMaxForwards(line: HeaderLine): Complaint | undefined {
  return readNumber(line.value, 0, line.value.length, 255) >= 0 ? undefined : bad('bad Max-Forwards')
}

function checkContact(line: HeaderLine): Complaint | undefined {
  // A list is never taken for one contact, as a comma may only stand in quotes or angle brackets.
  if (line.scanned(scanNameAddr).ok || line.value === '*') return undefined
  const isList = line.hasComma && splitList(line.value).every((contact) => parseNameAddr(contact).ok)
  return isList ? undefined : bad('bad Contact')
}

function bad(message: string): Complaint {
  return { code: 'bad-header', message, status: 400 }
}
