// What every message must carry (RFC 3261 sections 8.1.1, 8.2.2 and 20): mandatory headers, once, well-formed.

import { readNumber } from './characters.ts'
import { parseCSeq } from './cseq.ts'
import type { SipHeaders } from './headers.ts'
import { MAX_VIAS } from './limits.ts'
import { parseNameAddr } from './name-addr.ts'
import { splitList } from './params.ts'
import type { SipParseErrorCode } from './parse-error.ts'
import { parseVia } from './via.ts'

/** Why a message is refused, and the status to say so with. */
export interface Complaint {
  readonly code: SipParseErrorCode
  readonly message: string
  readonly status: number
}

const ONCE = ['From', 'To', 'Call-ID', 'CSeq']
const AT_MOST_ONCE = ['Max-Forwards', 'Content-Length', 'Content-Type']

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
  const top = headers.get('Via')
  if (top === undefined) return { code: 'missing-header', message: 'no Via', status: 400 }
  const vias = headers.list('Via')
  if (vias.length > MAX_VIAS) return { code: 'too-large', message: 'too many Vias', status: 513 }
  if (vias.length === 0 || !parseVia(vias[0]!).ok) return bad('bad Via')
  return undefined
}

function checkAddress(headers: SipHeaders, name: 'From' | 'To'): Complaint | undefined {
  return parseNameAddr(headers.get(name)!).ok ? undefined : bad(`bad ${name}`)
}

function checkCSeq(headers: SipHeaders, method: string | undefined): Complaint | undefined {
  const cseq = parseCSeq(headers.get('CSeq')!)
  if (!cseq.ok) return bad('bad CSeq')
  return method === undefined || cseq.value.method === method ? undefined : bad('CSeq names another method')
}

function checkMaxForwards(headers: SipHeaders): Complaint | undefined {
  const value = headers.get('Max-Forwards')
  return value === undefined || readNumber(value, 0, value.length, 255) >= 0 ? undefined : bad('bad Max-Forwards')
}

function checkContacts(headers: SipHeaders): Complaint | undefined {
  for (const line of headers.all('Contact')) {
    if (line === '*') continue
    for (const contact of splitList(line)) if (!parseNameAddr(contact).ok) return bad('bad Contact')
  }
  return undefined
}

function bad(message: string): Complaint {
  return { code: 'bad-header', message, status: 400 }
}
