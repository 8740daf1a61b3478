// The CSeq value (RFC 3261 section 20.16).

import { err, ok, type Result } from '#kernel'
import { readNumber, skipDigits, skipSpace, skipToken } from './characters.ts'

/** Largest sequence number: below 2^31 (RFC 3261 section 8.1.1.5). */
const MAX_CSEQ = 0x7fff_ffff

/** A parsed CSeq value. */
export interface CSeq {
  readonly number: number
  readonly method: string
}

/** Why text is not a CSeq value. */
export interface CSeqError {
  readonly code: 'malformed'
  readonly message: string
}

/** Parses a CSeq value. */
export function parseCSeq(text: string): Result<CSeq, CSeqError> {
  const numberEnd = skipDigits(text, 0)
  const number = readNumber(text, 0, numberEnd, MAX_CSEQ)
  if (number < 0) return err({ code: 'malformed', message: 'bad sequence number' })
  const method = skipSpace(text, numberEnd)
  const methodEnd = skipToken(text, method)
  if (method === numberEnd || methodEnd === method || methodEnd !== text.length) {
    return err({ code: 'malformed', message: 'bad method' })
  }
  return ok({ number, method: text.slice(method) })
}
