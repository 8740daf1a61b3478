// What every message must carry (RFC 3261 sections 8.1.1, 8.2.2 and 20): mandatory headers, once, well-formed.

import { readNumber } from './characters.ts'
import { parseCSeq } from './cseq.ts'
import type { HeaderLine } from './header-line.ts'
import type { SipHeaders } from './headers.ts'
import { MAX_VIAS } from './limits.ts'
import { parseNameAddr } from './name-addr.ts'
import { splitList } from './params.ts'
import type { SipParseErrorCode } from './parse-error.ts'
import { parseTopVia } from './via.ts'

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

const MANDATORY = [VIA, FROM, TO, CALL_ID, CSEQ]
const MANDATORY_BITS = MANDATORY.reduce((bits, { bit }) => bits | bit, 0)

const MAGIC_COOKIE = 'z9hg4bk'

const KNOWN_METHODS = new Set(
  'INVITE ACK CANCEL BYE OPTIONS REGISTER PRACK UPDATE INFO REFER SUBSCRIBE NOTIFY MESSAGE PUBLISH'.split(' '),
)

/** The first thing wrong with the headers of a request (`method` given) or of a response; one pass over the lines. */
export function checkHeaders(headers: SipHeaders, method: string | undefined): Complaint | undefined {
  let seen = 0
  let vias = 0
  for (const line of headers.lines) {
    const header = knownHeader(line)
    if (header === undefined) continue
    const isFirst = (seen & header.bit) === 0
    if (!isFirst && header.once) {
      return { code: 'repeated-header', message: `more than one ${header.name}`, status: 400 }
    }
    seen |= header.bit
    if (header === VIA) vias += line.value.includes(',') ? splitList(line.value).length : 1
    const complaint = header === VIA && isFirst ? checkTopVia(line) : header.check?.(line, method)
    if (complaint !== undefined) return complaint
  }
  if (vias > MAX_VIAS) return { code: 'too-large', message: 'too many Vias', status: 513 }
  if ((seen & MANDATORY_BITS) === MANDATORY_BITS) return undefined
  const missing = MANDATORY.find(({ bit }) => (seen & bit) === 0)
  return { code: 'missing-header', message: `no ${missing?.name}`, status: 400 }
}

// By length first: most lines are none of these, and a length is cheap to compare.
function knownHeader(line: HeaderLine): KnownHeader | undefined {
  switch (line.nameLength) {
    case 2:
      return oneOf(line, TO)
    case 3:
      return oneOf(line, VIA)
    case 4:
      return oneOf(line, FROM) ?? oneOf(line, CSEQ)
    case 7:
      return oneOf(line, CALL_ID) ?? oneOf(line, CONTACT)
    case 12:
      return oneOf(line, MAX_FORWARDS) ?? oneOf(line, CONTENT_TYPE)
    case 14:
      return oneOf(line, CONTENT_LENGTH)
    default:
      return undefined
  }
}

function oneOf(line: HeaderLine, header: KnownHeader): KnownHeader | undefined {
  return line.isNamed(header.name) ? header : undefined
}

function checkTopVia(line: HeaderLine): Complaint | undefined {
  const via = line.parsed(parseTopVia)
  if (!via.ok) return bad('bad Via')
  // A branch that promises to be unique and is not: nothing could be matched with it.
  const branch = via.value.params.get('branch')
  return branch?.length === MAGIC_COOKIE.length && branch.toLowerCase() === MAGIC_COOKIE
    ? bad('empty branch')
    : undefined
}

function checkAddress(line: HeaderLine): Complaint | undefined {
  return line.parsed(parseNameAddr).ok ? undefined : bad('bad From or To')
}

function checkCallId(line: HeaderLine): Complaint | undefined {
  return line.value === '' ? bad('empty Call-ID') : undefined
}

function checkCSeq(line: HeaderLine, method: string | undefined): Complaint | undefined {
  const cseq = line.parsed(parseCSeq)
  if (!cseq.ok) return bad('bad CSeq')
  if (method === undefined || cseq.value.method === method) return undefined
  return { code: 'bad-header', message: 'CSeq names another method', status: KNOWN_METHODS.has(method) ? 400 : 501 }
}

function checkMaxForwards(line: HeaderLine): Complaint | undefined {
  return readNumber(line.value, 0, line.value.length, 255) >= 0 ? undefined : bad('bad Max-Forwards')
}

function checkContact(line: HeaderLine): Complaint | undefined {
  if (!line.value.includes(','))
    return line.value === '*' || line.parsed(parseNameAddr).ok ? undefined : bad('bad Contact')
  return splitList(line.value).every((contact) => parseNameAddr(contact).ok) ? undefined : bad('bad Contact')
}

function bad(message: string): Complaint {
  return { code: 'bad-header', message, status: 400 }
}
