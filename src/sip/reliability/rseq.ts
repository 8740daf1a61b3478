// RSeq, RAck and who can do with them: RFC 3262 sections 7.1 and 7.2.

import type { SipHeaders } from '../message/headers.ts'
import type { SipResponse } from '../message/message.ts'

/** What a PRACK acknowledges. */
export interface RAck {
  readonly rseq: number
  readonly cseqNumber: number
  readonly method: string
}

/** Whether an INVITE lets provisional responses be reliable, or demands it. */
export function reliabilityOf(headers: SipHeaders): 'none' | 'supported' | 'required' {
  const has = (name: string): boolean => headers.list(name).some((tag) => tag.toLowerCase() === '100rel')
  if (has('require')) return 'required'
  return has('supported') ? 'supported' : 'none'
}

/** The RSeq of a response that wants a PRACK; undefined for others. */
export function rseqOf({ headers }: SipResponse): number | undefined {
  const value = headers.get('rseq')
  if (value === undefined || reliabilityOf(headers) !== 'required') return undefined
  return readNumber(value)
}

/** The RAck of a PRACK; undefined when it has none that can be read. */
export function rackOf(headers: SipHeaders): RAck | undefined {
  const [rseqText = '', cseqText = '', method, ...rest] = (headers.get('rack') ?? '').split(/[ \t]{1,8}/)
  const rseq = readNumber(rseqText)
  const cseqNumber = readNumber(cseqText)
  if (rseq === undefined || cseqNumber === undefined || method === undefined || rest.length > 0) return undefined
  return { rseq, cseqNumber, method }
}

function readNumber(text: string): number | undefined {
  const number = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN
  return number < 2 ** 32 ? number : undefined
}
