// What every message must carry (RFC 3261 sections 8.1.1, 8.2.2 and 20): mandatory headers, once, well-formed.

import { readNumber } from './characters.ts'
import { parseCSeq } from './cseq.ts'
import type { SipHeaders } from './headers.ts'
import { MAX_VIAS } from './limits.ts'
import { isNameAddr } from './name-addr.ts'
import { splitList } from './params.ts'
import type { SipParseErrorCode } from './parse-error.ts'
import { isVia } from './via.ts'

/** Why a message is refused, and the status to say so with. */
export interface Complaint {
  readonly code: SipParseErrorCode
  readonly message: string
  readonly status: number
}

const ONCE = ['From', 'To', 'Call-ID', 'CSeq']
const AT_MOST_ONCE = ['Max-Forwards', 'Content-Length', 'Content-Type']

const KNOWN_METHODS = new Set(
  'INVITE ACK CANCEL BYE OPTIONS REGISTER PRACK UPDATE INFO REFER SUBSCRIBE NOTIFY MESSAGE PUBLISH'.split(' '),
)

/** The first thing wrong with the headers of a request (`method` given) or of a response. */
export function checkHeaders(headers: SipHeaders, method: string | undefined): Complaint | undefined {
  for (const name of ONCE) {
    const count = headers.count(name)
    if (count === 0) return { code: 'missing-header', message: `no ${name}`, status: 400 }
    if (count > 1) return { code: 'repeated-header', message: `more than one ${name}`, status: 400 }
  }
  for (const name of AT_MOST_ONCE) {
    if (headers.count(name) > 1) return { code: 'repeated-header', message: `more than one ${name}`, status: 400 }
  }
  return (
    checkVias(headers) ??
    checkAddress(headers, 'From') ??
    checkAddress(headers, 'To') ??
    checkCSeq(headers, method) ??
    (headers.get('Call-ID') === '' ? bad('empty Call-ID') : undefined) ??
    checkMaxForwards(headers) ??
    checkContacts(headers)
  )
}

function checkVias(headers: SipHeaders): Complaint | undefined {
  const lines = headers.all('Via')
  const [top] = splitList(lines[0] ?? '')
  if (top === undefined) return { code: 'missing-header', message: 'no Via', status: 400 }
  if (!isVia(top)) return bad('bad Via')
  // A branch that promises to be unique and is not: nothing could be matched with it.
  if (/;\s*branch\s*=\s*z9hG4bK\s*(?:;|$)/i.test(top)) return bad('empty branch')
  if (lines.length === 1 && !lines[0]!.includes(',')) return undefined
  if (headers.list('Via').length > MAX_VIAS) return { code: 'too-large', message: 'too many Vias', status: 513 }
  return undefined
}

function checkAddress(headers: SipHeaders, name: 'From' | 'To'): Complaint | undefined {
  return isNameAddr(headers.get(name)!) ? undefined : bad(`bad ${name}`)
}

function checkCSeq(headers: SipHeaders, method: string | undefined): Complaint | undefined {
  const cseq = parseCSeq(headers.get('CSeq')!)
  if (!cseq.ok) return bad('bad CSeq')
  if (method === undefined || cseq.value.method === method) return undefined
  return { code: 'bad-header', message: 'CSeq names another method', status: KNOWN_METHODS.has(method) ? 400 : 501 }
}

function checkMaxForwards(headers: SipHeaders): Complaint | undefined {
  const value = headers.get('Max-Forwards')
  return value === undefined || readNumber(value, 0, value.length, 255) >= 0 ? undefined : bad('bad Max-Forwards')
}

function checkContacts(headers: SipHeaders): Complaint | undefined {
  for (const line of headers.all('Contact')) {
    if (line === '*') continue
    for (const contact of splitList(line)) if (!isNameAddr(contact)) return bad('bad Contact')
  }
  return undefined
}

function bad(message: string): Complaint {
  return { code: 'bad-header', message, status: 400 }
}
