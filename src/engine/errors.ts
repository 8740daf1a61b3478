// Failures of media commands; the codes are stable.

import { AppError, type VerdictResult } from '#kernel'

/** Codes of the failures that a media engine rejects with. */
export type MediaErrorCode =
  | 'media.no-ports'
  | 'media.bind-failed'
  | 'media.bad-address'
  | 'media.no-such-leg'
  | 'media.no-such-fork'
  | 'media.duplicate'
  | 'media.no-g711'
  | 'media.released'
  | 'media.worker-lost'
  | 'media.unsupported'
  | 'media.fault'

const VERDICTS: Readonly<Record<MediaErrorCode, readonly [VerdictResult, number]>> = {
  'media.no-ports': ['server', 503],
  'media.bind-failed': ['server', 500],
  'media.bad-address': ['client', 488],
  'media.no-such-leg': ['server', 500],
  'media.no-such-fork': ['server', 500],
  'media.duplicate': ['server', 500],
  'media.no-g711': ['client', 488],
  'media.released': ['server', 500],
  'media.worker-lost': ['server', 500],
  'media.unsupported': ['server', 501],
  'media.fault': ['server', 500],
}

/** Makes the error of a failed media command. */
export function mediaError(code: MediaErrorCode, message: string, cause?: unknown): AppError {
  const [result, sipStatus] = VERDICTS[code]
  return new AppError(code, message, { result, reason: code, sipStatus }, cause === undefined ? {} : { cause })
}

/** Whether a text is one of our codes, for errors that crossed a thread. */
export function isMediaErrorCode(code: unknown): code is MediaErrorCode {
  return typeof code === 'string' && Object.hasOwn(VERDICTS, code)
}
