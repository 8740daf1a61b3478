// What every message must carry (RFC 3261 sections 8.1.1, 8.2.2 and 20): mandatory headers, once, well-formed.

import { readNumber } from './characters.ts'
import type { HeaderLine } from './header-line.ts'
import type { SipHeaders } from './headers.ts'
import { MAX_VIAS } from './limits.ts'
import { parseNameAddr } from './name-addr.ts'
import type { SipParseErrorCode } from './parse-error.ts'

/** Why a message is refused, and the status to say so with. */
export interface Complaint {
  readonly code: SipParseErrorCode
  readonly message: string
  readonly status: number
}

/** Headers that stand at most once, in the order of their bits; the first four must be there. */
const SINGLE = ['To', 'From', 'CSeq', 'Call-ID', 'Max-Forwards', 'Content-Type', 'Content-Length']
const MANDATORY = 0b1111

const MAGIC_COOKIE = 'z9hg4bk'

const KNOWN_METHODS = new Set(
  'INVITE ACK CANCEL BYE OPTIONS REGISTER PRACK UPDATE INFO REFER SUBSCRIBE NOTIFY MESSAGE PUBLISH'.split(' '),
)

/** The first thing wrong with the headers of a request (`method` given) or of a response. */
export function checkHeaders(headers: SipHeaders, method: string | undefined): Complaint | undefined {
  return (
    checkCounts(headers) ??
    checkVias(headers) ??
    (headers.nameAddr('From')?.ok ? undefined : bad('bad From')) ??
    (headers.nameAddr('To')?.ok ? undefined : bad('bad To')) ??
    (headers.get('Call-ID') === '' ? bad('empty Call-ID') : undefined) ??
    checkCSeq(headers, method) ??
    checkMaxForwards(headers) ??
    checkContacts(headers)
  )
}

// One pass over the lines, by length first: most lines are none of these.
function checkCounts(headers: SipHeaders): Complaint | undefined {
  let seen = 0
  for (const line of headers.lines) {
    const bit = singleBit(line)
    if ((seen & bit) !== 0)
      return { code: 'repeated-header', message: `more than one ${SINGLE[Math.log2(bit)]}`, status: 400 }
    seen |= bit
  }
  if ((seen & MANDATORY) === MANDATORY) return undefined
  const missing = SINGLE.find((_, index) => (MANDATORY & ~seen & (1 << index)) !== 0)
  return { code: 'missing-header', message: `no ${missing}`, status: 400 }
}

/** The bit of a header that may stand at most once, by its index in SINGLE; 0 for others. */
function singleBit(line: HeaderLine): number {
  switch (line.nameLength) {
    case 2:
      return line.isNamed('To') ? 1 : 0
    case 4:
      if (line.isNamed('From')) return 2
      return line.isNamed('CSeq') ? 4 : 0
    case 7:
      return line.isNamed('Call-ID') ? 8 : 0
    case 12:
      if (line.isNamed('Max-Forwards')) return 16
      return line.isNamed('Content-Type') ? 32 : 0
    case 14:
      return line.isNamed('Content-Length') ? 64 : 0
    default:
      return 0
  }
}

function checkVias(headers: SipHeaders): Complaint | undefined {
  const top = headers.topVia()
  if (top === undefined) return { code: 'missing-header', message: 'no Via', status: 400 }
  if (!top.ok) return bad('bad Via')
  // A branch that promises to be unique and is not: nothing could be matched with it.
  if (top.value.params.get('branch')?.toLowerCase() === MAGIC_COOKIE) return bad('empty branch')
  return headers.list('Via').length > MAX_VIAS
    ? { code: 'too-large', message: 'too many Vias', status: 513 }
    : undefined
}

function checkCSeq(headers: SipHeaders, method: string | undefined): Complaint | undefined {
  const cseq = headers.cseq()
  if (!cseq?.ok) return bad('bad CSeq')
  if (method === undefined || cseq.value.method === method) return undefined
  return { code: 'bad-header', message: 'CSeq names another method', status: KNOWN_METHODS.has(method) ? 400 : 501 }
}

function checkMaxForwards(headers: SipHeaders): Complaint | undefined {
  const text = headers.get('Max-Forwards')
  return text === undefined || readNumber(text, 0, text.length, 255) >= 0 ? undefined : bad('bad Max-Forwards')
}

function checkContacts(headers: SipHeaders): Complaint | undefined {
  for (const contact of headers.list('Contact')) {
    if (contact !== '*' && !parseNameAddr(contact).ok) return bad('bad Contact')
  }
  return undefined
}

function bad(message: string): Complaint {
  return { code: 'bad-header', message, status: 400 }
}
