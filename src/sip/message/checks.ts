// What every message must carry (RFC 3261 sections 8.1.1, 8.2.2 and 20): mandatory headers, once, well-formed.

import { readNumber } from './characters.ts'
import { parseCSeq } from './cseq.ts'
import { sameName } from './header-names.ts'
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

const KNOWN_METHODS = new Set(
  'INVITE ACK CANCEL BYE OPTIONS REGISTER PRACK UPDATE INFO REFER SUBSCRIBE NOTIFY MESSAGE PUBLISH'.split(' '),
)

/** Values of the headers that are looked at, from one pass over the lines. */
interface Found {
  readonly vias: string[]
  readonly contacts: string[]
  from?: string
  to?: string
  callId?: string
  cseq?: string
  maxForwards?: string
  contentLength?: string
  contentType?: string
}

type Single = Exclude<keyof Found, 'vias' | 'contacts'>

/** The first thing wrong with the headers of a request (`method` given) or of a response. */
export function checkHeaders(headers: SipHeaders, method: string | undefined): Complaint | undefined {
  const found: Found = { vias: [], contacts: [] }
  for (let index = 0; index < headers.size; index++) {
    const name = headers.nameAt(index)
    const slot = slotOf(name)
    if (slot === undefined) continue
    const value = headers.valueAt(index)
    if (slot === 'vias' || slot === 'contacts') found[slot].push(value)
    else if (found[slot] === undefined) found[slot] = value
    else return { code: 'repeated-header', message: `more than one ${name}`, status: 400 }
  }
  const { from, to, callId, cseq, maxForwards } = found
  if (from === undefined || to === undefined || callId === undefined || cseq === undefined || found.vias.length === 0) {
    return { code: 'missing-header', message: 'no From, To, Call-ID, CSeq or Via', status: 400 }
  }
  if (!isNameAddr(from)) return bad('bad From')
  if (!isNameAddr(to)) return bad('bad To')
  if (callId === '' || callId.includes(' ')) return bad('bad Call-ID')
  if (maxForwards !== undefined && readNumber(maxForwards, 0, maxForwards.length, 255) < 0)
    return bad('bad Max-Forwards')
  return checkVias(found.vias) ?? checkCSeq(cseq, method) ?? checkContacts(found.contacts)
}

// By length first: most lines are none of these, and a length is cheap to compare.
function slotOf(name: string): Single | 'vias' | 'contacts' | undefined {
  switch (name.length) {
    case 2:
      return sameName(name, 'To') ? 'to' : undefined
    case 3:
      return sameName(name, 'Via') ? 'vias' : undefined
    case 4:
      if (sameName(name, 'From')) return 'from'
      return sameName(name, 'CSeq') ? 'cseq' : undefined
    case 7:
      if (sameName(name, 'Call-ID')) return 'callId'
      return sameName(name, 'Contact') ? 'contacts' : undefined
    case 12:
      if (sameName(name, 'Max-Forwards')) return 'maxForwards'
      return sameName(name, 'Content-Type') ? 'contentType' : undefined
    case 14:
      return sameName(name, 'Content-Length') ? 'contentLength' : undefined
    default:
      return undefined
  }
}

function checkVias(lines: readonly string[]): Complaint | undefined {
  const values: string[] = []
  for (const line of lines) splitList(line, values)
  const [top] = values
  if (top === undefined || !isVia(top)) return bad('bad Via')
  // A branch that promises to be unique and is not: nothing could be matched with it.
  if (/;[ \t]*branch[ \t]*=[ \t]*z9hG4bK[ \t]*(?:;|$)/i.test(top)) return bad('empty branch')
  return values.length > MAX_VIAS ? { code: 'too-large', message: 'too many Vias', status: 513 } : undefined
}

function checkCSeq(text: string, method: string | undefined): Complaint | undefined {
  const cseq = parseCSeq(text)
  if (!cseq.ok) return bad('bad CSeq')
  if (method === undefined || cseq.value.method === method) return undefined
  return { code: 'bad-header', message: 'CSeq names another method', status: KNOWN_METHODS.has(method) ? 400 : 501 }
}

function checkContacts(lines: readonly string[]): Complaint | undefined {
  for (const line of lines) {
    if (line === '*') continue
    for (const contact of splitList(line)) if (!isNameAddr(contact)) return bad('bad Contact')
  }
  return undefined
}

function bad(message: string): Complaint {
  return { code: 'bad-header', message, status: 400 }
}
