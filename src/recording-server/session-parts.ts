// What one session is made of: its streams, its record, its verdict, and what reads and answers requests with them.

import { type Logger, uuidText } from '#kernel'
import { PictureRequests } from './picture-requests.ts'
import { logFieldsOf, partiesOf } from './recording-request.ts'
import type { Judgement, SessionContext } from './session-context.ts'
import { SessionOffers } from './session-offers.ts'
import type { SessionOpening } from './session-opening.ts'
import { SessionRecord } from './session-record.ts'
import { SessionRequests } from './session-requests.ts'
import { SessionStreams } from './session-streams.ts'
import { SessionVerdict } from './session-verdict.ts'
import { SnapshotRequests } from './snapshot-requests.ts'

/** The parts of a session. */
export interface SessionParts {
  readonly recordingId: string
  readonly log: Logger
  readonly streams: SessionStreams
  readonly record: SessionRecord
  readonly offers: SessionOffers
  readonly requests: SessionRequests
  readonly snapshots: SnapshotRequests
  readonly pictures: PictureRequests
}

/** Makes the parts of a new session, or of one that goes on. */
export function sessionParts(opening: SessionOpening, judgement: Judgement, context: SessionContext): SessionParts {
  const { media, address, clock, ids, suitesOver, keepsKeys, onDeviations, emit } = context
  const { policy, isPlain } = judgement
  const { message, sip, kept } = opening
  const recordingId = kept?.manifest.recordingId ?? uuidText(ids.uuid())
  const log = context.log.child({ recordingId, ...logFieldsOf(sip) })
  const sessionId = kept?.session.media?.description.sessionId
  const streams = new SessionStreams({
    ...{ recordingId, media, ids, address, keepsKeys },
    suites: suitesOver(sip.transport),
    kinds: context.kinds,
    ...(sessionId !== undefined && { sessionId }),
  })
  const verdict = new SessionVerdict(message, policy, isPlain)
  const parties = isPlain ? partiesOf(message) : []
  const labels = (): string[] => streams.labels
  const record = new SessionRecord({
    ...context,
    log,
    recordingId,
    sip,
    labels,
    lines: () => streams.lines,
    verdict,
    parties,
  })
  return {
    recordingId,
    log,
    streams,
    record,
    offers: new SessionOffers({ recordingId, streams, record, log, emit }),
    requests: new SessionRequests({ policy, verdict, streams, record, onDeviations }),
    snapshots: new SnapshotRequests(clock, log),
    pictures: new PictureRequests(clock, log),
  }
}
