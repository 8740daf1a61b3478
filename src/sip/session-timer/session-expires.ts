// Session-Expires and Min-SE, and what of them is agreed on: RFC 4028 sections 4, 5 and 9.

import type { SipHeaders } from '../message/headers.ts'
import { readParams } from '../message/params.ts'
import { RawText } from '../message/raw-text.ts'

/** Who of one transaction's two sides is to refresh the session. */
export type Refresher = 'uac' | 'uas'

/** An interval, and who keeps it. */
export interface SessionExpires {
  readonly seconds: number
  /** Absent: not decided yet. */
  readonly refresher?: Refresher
}

/** The shortest interval there may be. */
export const LEAST_SECONDS = 90
const MOST_SECONDS = 2 ** 31 - 1

/** The Session-Expires of a message; undefined when it has none that can be read. */
export function readSessionExpires(headers: SipHeaders): SessionExpires | undefined {
  const value = headers.get('session-expires')
  if (value === undefined) return undefined
  const semicolon = value.indexOf(';')
  const seconds = readSeconds(semicolon < 0 ? value : value.slice(0, semicolon))
  if (seconds === undefined) return undefined
  const raw = RawText.of(semicolon < 0 ? '' : value.slice(semicolon))
  const refresher = readParams(raw, 0, raw.bytes.length).get('refresher')?.toLowerCase()
  return refresher === 'uac' || refresher === 'uas' ? { seconds, refresher } : { seconds }
}

/** The Min-SE of a message; the least there may be when it has none. */
export function readMinSe(headers: SipHeaders): number {
  const value = headers.get('min-se')?.split(';')[0]
  return Math.max(LEAST_SECONDS, value === undefined ? 0 : (readSeconds(value) ?? 0))
}

/** Whether the peer understands session timers. */
export function supportsTimer(headers: SipHeaders): boolean {
  return [...headers.list('supported'), ...headers.list('require')].some((tag) => tag.toLowerCase() === 'timer')
}

/** Writes the header value. */
export function sessionExpiresText({ seconds, refresher }: SessionExpires): string {
  return refresher === undefined ? `${seconds}` : `${seconds};refresher=${refresher}`
}

function readSeconds(text: string): number | undefined {
  const digits = text.trim()
  if (!/^\d{1,10}$/.test(digits)) return undefined
  return Math.min(Number(digits), MOST_SECONDS)
}
