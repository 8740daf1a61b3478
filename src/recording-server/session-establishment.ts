// How a session gets its folder and its ports, before the client is told.

import { AppError, messageOf } from '#kernel'
import type { SipMessage } from '#sip'
import type { MetadataDocument } from '#store'
import type { RequestBodies } from './recording-request.ts'
import type { SessionContext } from './session-context.ts'
import type { SessionParts } from './session-parts.ts'

/** Ready to be accepted. */
export interface Established {
  readonly answer: Uint8Array
  /** Metadata that is still to be kept. */
  readonly documents: readonly MetadataDocument[]
}

/** Why it cannot be accepted; open: there is a folder that has to be closed. */
export interface Unestablished {
  readonly status: number
  readonly reason: string
  readonly isOpen: boolean
}

/** Opens folder and ports for an opening. */
export async function establish(
  parts: SessionParts,
  { media, store }: Pick<SessionContext, 'media' | 'store'>,
  message: SipMessage,
  bodies: RequestBodies,
): Promise<Established | Unestablished> {
  const { recordingId, record, streams, offers } = parts
  const { offer } = bodies
  const problem = offer === undefined ? 'no offer' : streams.problemOf(offer)
  if (offer === undefined || problem !== undefined) {
    return { status: 488, reason: problem ?? 'no offer', isOpen: false }
  }
  const refusal = await store.refusal()
  if (refusal !== undefined) return { status: 503, reason: refusal, isOpen: false }
  const documents = record.apply(message, bodies)
  try {
    const { startedAtMs } = await media.ask({ type: 'open', recordingId, facts: record.facts() })
    record.startedAtMs = startedAtMs
  } catch (thrown) {
    return { status: 503, reason: messageOf(thrown), isOpen: false }
  }
  record.announce()
  try {
    return { answer: await offers.answer({ ...bodies, offer }), documents }
  } catch (thrown) {
    return { status: 503, reason: thrown instanceof AppError ? thrown.code : messageOf(thrown), isOpen: true }
  }
}
