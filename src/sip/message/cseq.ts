// The CSeq value (RFC 3261 section 20.16).

import { err, ok, type Result } from '#kernel'
import { readNumber } from './characters.ts'
import { DIGIT, RawText, skip, TOKEN, WHITE } from './raw-text.ts'

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
  const raw = RawText.of(text)
  return scanCSeq(raw, 0, raw.bytes.length)
}

/** Parses the CSeq value in [from, end). */
export function scanCSeq(raw: RawText, from: number, end: number): Result<CSeq, CSeqError> {
  const { bytes } = raw
  const numberEnd = skip(DIGIT, bytes, from, end)
  const number = readNumber(raw.latin1, from, numberEnd, MAX_CSEQ)
  if (number < 0) return err({ code: 'malformed', message: 'bad sequence number' })
  const method = skip(WHITE, bytes, numberEnd, end)
  const methodEnd = skip(TOKEN, bytes, method, end)
  if (method === numberEnd || methodEnd === method || methodEnd !== end) {
    return err({ code: 'malformed', message: 'bad method' })
  }
  return ok({ number, method: raw.latin1.slice(method, end) })
}
