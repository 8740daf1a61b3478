// The spool as the recording client sees it: where recordings wait for which no recorder can be had.

import type { ForkMedia, MediaCodec, MediaLocal, MediaRemote } from '#engine'
import type { Result } from '#kernel'
import type { LedgerGap } from './ledger.ts'

/** The spool where recorders are named: in ledgers and results. */
export const SPOOL = 'spool'

/** A recording that waits for a recorder. */
export interface SpooledFile {
  readonly id: string
  /** Absent when it cannot be read. */
  readonly facts?: string
  readonly bytes: number
  /** When it was written to last: wall clock, ms since 1970. */
  readonly writtenAtMs: number
  /** Older than it may become. */
  readonly isExpired: boolean
  readonly problem?: string
}

/** What the spool reports by itself. */
export type SpoolEvent =
  /** A recording takes nothing more, or gives nothing more. */
  | { readonly type: 'stopped'; readonly id: string; readonly reason: string }
  /** All that there is of a recording has been sent. */
  | { readonly type: 'sent'; readonly id: string }

/** Keeps recordings, encrypted and within limits; `id` is of letters, digits and dashes, facts are text that it does not look into. */
export interface SpoolPort {
  /** How many times faster than they were made recordings are delivered. */
  readonly deliverySpeed: number
  /** Begins to take a recording in, a stream for each fork that sends; the error says why it is refused. */
  take(id: string, sources: readonly MediaLocal[], facts: string): Promise<Result<readonly MediaRemote[], string>>
  /** Notes the facts anew; the last ones count. */
  note(id: string, facts: string): Promise<void>
  /** It is complete. */
  finish(id: string, facts: string): Promise<void>
  /** What waits, oldest first. */
  list(): Promise<readonly SpooledFile[]>
  remove(id: string): Promise<void>
  /** Forks of what was kept; the leg of a tap is the number of the kept stream. `codecs`: what the payload types of the kept packets mean. */
  delivery(id: string, codecs: readonly MediaCodec[]): ForkMedia
  onEvent(listener: (event: SpoolEvent) => void): () => void
}

/** When a spooled recording was recorded, and what is missing in it; wall clock, ms since 1970. */
export interface SpooledSpan {
  readonly fromMs: number
  /** Absent when the program ended before the recording did. */
  readonly toMs?: number
  readonly gaps: readonly LedgerGap[]
}

/** The recording session of a delivery. */
export interface DeliverySession {
  readonly id: string
  readonly sipCallId?: string
}

/** What happens to what is spooled. */
export type SpoolHappening =
  | { readonly type: 'spool.began' | 'spool.kept' | 'spool.expired' }
  | { readonly type: 'spool.refused' | 'spool.stopped'; readonly reason: string }
  /** A recorder did not take it, or no recorder may; it is kept. */
  | { readonly type: 'spool.undelivered'; readonly reason: string; readonly session?: DeliverySession }
  | { readonly type: 'spool.delivered'; readonly packets: number; readonly session: DeliverySession }
