// What every message must carry (RFC 3261 sections 8.1.1, 8.2.2 and 20): mandatory headers, once, well-formed.

import { readNumber } from './characters.ts'
import { parseCSeq } from './cseq.ts'
import { sameName } from './header-names.ts'
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

const KNOWN_METHODS = new Set(
  'INVITE ACK CANCEL BYE OPTIONS REGISTER PRACK UPDATE INFO REFER SUBSCRIBE NOTIFY MESSAGE PUBLISH'.split(' '),
)

/** The first thing wrong with the headers of a request (`method` given) or of a response. */
export function checkHeaders(headers: SipHeaders, method: string | undefined): Complaint | undefined {
  const vias: string[] = []
  const contacts: string[] = []
  let from: string | undefined
  let to: string | undefined
  let callId: string | undefined
  let cseq: string | undefined
  let maxForwards: string | undefined
  let contentLength: string | undefined
  let contentType: string | undefined
  // By length first: most lines are none of these, and a length is cheap to compare.
  for (const line of headers.lines) {
    switch (line.nameLength) {
      case 2:
        if (!sameName(line.name, 'To')) break
        if (to !== undefined) return repeated('To')
        to = line.value
        break
      case 3:
        if (sameName(line.name, 'Via')) vias.push(line.value)
        break
      case 4:
        if (sameName(line.name, 'From')) {
          if (from !== undefined) return repeated('From')
          from = line.value
        } else if (sameName(line.name, 'CSeq')) {
          if (cseq !== undefined) return repeated('CSeq')
          cseq = line.value
        }
        break
      case 7:
        if (sameName(line.name, 'Contact')) contacts.push(line.value)
        else if (sameName(line.name, 'Call-ID')) {
          if (callId !== undefined) return repeated('Call-ID')
          callId = line.value
        }
        break
      case 12:
        if (sameName(line.name, 'Max-Forwards')) {
          if (maxForwards !== undefined) return repeated('Max-Forwards')
          maxForwards = line.value
        } else if (sameName(line.name, 'Content-Type')) {
          if (contentType !== undefined) return repeated('Content-Type')
          contentType = line.value
        }
        break
      case 14:
        if (!sameName(line.name, 'Content-Length')) break
        if (contentLength !== undefined) return repeated('Content-Length')
        contentLength = line.value
    }
  }
  if (from === undefined) return missing('From')
  if (to === undefined) return missing('To')
  if (callId === undefined) return missing('Call-ID')
  if (cseq === undefined) return missing('CSeq')
  if (vias.length === 0) return missing('Via')
  return (
    checkVias(vias) ??
    (parseNameAddr(from).ok ? undefined : bad('bad From')) ??
    (parseNameAddr(to).ok ? undefined : bad('bad To')) ??
    (callId === '' ? bad('empty Call-ID') : undefined) ??
    checkCSeq(cseq, method) ??
    checkMaxForwards(maxForwards) ??
    checkContacts(contacts)
  )
}

function checkVias(lines: readonly string[]): Complaint | undefined {
  const values: string[] = []
  for (const line of lines) splitList(line, values)
  const top = parseVia(values[0] ?? '')
  if (!top.ok) return bad('bad Via')
  // A branch that promises to be unique and is not: nothing could be matched with it.
  if (top.value.params.get('branch')?.toLowerCase() === 'z9hg4bk') return bad('empty branch')
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
    for (const contact of splitList(line)) if (!parseNameAddr(contact).ok) return bad('bad Contact')
  }
  return undefined
}

function checkMaxForwards(text: string | undefined): Complaint | undefined {
  return text === undefined || readNumber(text, 0, text.length, 255) >= 0 ? undefined : bad('bad Max-Forwards')
}

function missing(name: string): Complaint {
  return { code: 'missing-header', message: `no ${name}`, status: 400 }
}

function repeated(name: string): Complaint {
  return { code: 'repeated-header', message: `more than one ${name}`, status: 400 }
}

function bad(message: string): Complaint {
  return { code: 'bad-header', message, status: 400 }
}
