// Why bytes are not a message for us, and what may be answered (RFC 3261 sections 8.2, 16.3, 18.3).

import { err, type Result } from '#kernel'
import type { SipRequest } from './message.ts'

/** A refused message. */
export interface SipParseError {
  /** Stable and of low cardinality. */
  readonly code: SipParseErrorCode
  /** What is wrong, without any of the peer's text. */
  readonly message: string
  /** Where, in characters from the start of the message; 0 when unknown. */
  readonly offset: number
  /** Response status to answer a request with; 0 means to drop it in silence. */
  readonly status: number
  /** Present when `status` is not 0: as much of the request as an answer needs. Its headers may be malformed. */
  readonly partial?: SipRequest
}

/** All codes of SipParseError. */
export type SipParseErrorCode =
  | 'empty'
  | 'too-large'
  | 'no-end-of-head'
  | 'bad-start-line'
  | 'bad-version'
  | 'bad-header-line'
  | 'missing-header'
  | 'repeated-header'
  | 'bad-header'
  | 'bad-content-length'
  | 'short-body'

/** A failure that is dropped in silence. */
export function dropped(code: SipParseErrorCode, message: string, offset = 0): Result<never, SipParseError> {
  return err({ code, message, offset, status: 0 })
}
