// How long to wait before a refused offer is made again: RFC 3261 section 14.1, RFC 3311 section 5.1.

import type { Ids } from '#kernel'
import type { SipResponse } from './message/message.ts'

const LONGEST_RETRY_AFTER_S = 32

/** How often an offer is made before its refusal counts. */
export const MAX_OFFER_TRIES = 5

/** 491: 2.1 to 4 s if the Call-ID is ours, else 0 to 2 s, in steps of 10 ms; 500 with Retry-After: as told; else undefined. */
export function glareWaitMs(response: SipResponse, ownsCallId: boolean, ids: Ids): number | undefined {
  if (response.status === 491) return ownsCallId ? 2100 + 10 * ids.integer(191) : 10 * ids.integer(201)
  if (response.status !== 500) return undefined
  const seconds = Number.parseInt(response.headers.get('retry-after') ?? '', 10)
  return seconds >= 0 && seconds <= LONGEST_RETRY_AFTER_S ? seconds * 1000 : undefined
}
