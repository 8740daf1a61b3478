// Communication sessions and their groups, out of the catalogue and the manifests of their takes, as the HTTP API shows them.

import type { LogicalRecordingView, SessionGroupView } from '#control'
import type { Clock } from '#kernel'
import { type CatalogueRow, logicalRecording, type RecordingLibrary, type SipFacts, type Take } from '#store'
import { participantOf, partiesOf } from './recording-facts.ts'

type TakeView = LogicalRecordingView['takes'][number]
type Participant = LogicalRecordingView['participants'][number]

/** What they are looked up in. */
export interface LogicalRecordingSources {
  readonly library: Pick<RecordingLibrary, 'search'>
  /** What SIP told of a recording; undefined where its folder is not here. */
  readonly sipOf: (row: CatalogueRow) => Promise<SipFacts | undefined>
  readonly clock: Clock
}

const MOST_TAKES = 200

/** The communication session of an id; undefined where nothing was recorded of it. */
export async function sessionOf(
  sources: LogicalRecordingSources,
  sessionId: string,
): Promise<LogicalRecordingView | undefined> {
  const { rows, isWhole } = await takesOf(sources, sessionId, ({ sessionIds }) => sessionIds)
  return await viewOf(sources, sessionId, rows, isWhole)
}

/** The communication sessions of a group; undefined where nothing was recorded of it. */
export async function groupOf(
  sources: LogicalRecordingSources,
  groupId: string,
): Promise<SessionGroupView | undefined> {
  const { rows, isWhole } = await takesOf(sources, groupId, ({ groupIds }) => groupIds)
  if (rows.length === 0) return undefined
  const items: LogicalRecordingView[] = []
  for (const sessionId of new Set(rows.toReversed().flatMap(({ sessionIds }) => sessionIds))) {
    const takes = rows.filter(({ sessionIds }) => sessionIds.includes(sessionId))
    const session = await viewOf(sources, sessionId, takes, isWhole)
    if (session !== undefined) items.push(session)
  }
  return { groupId, isWhole, total: items.length, items }
}

/** Newest first; ids are found without regard to case, and are not the same for that. */
async function takesOf(
  { library }: LogicalRecordingSources,
  id: string,
  idsOf: (row: CatalogueRow) => readonly string[],
): Promise<{ rows: CatalogueRow[]; isWhole: boolean }> {
  const { rows } = await library.search({ id, deleted: 'with', limit: MOST_TAKES + 1 })
  const newest = rows.slice(0, MOST_TAKES)
  return { rows: newest.filter((row) => idsOf(row).includes(id)), isWhole: newest.length === rows.length }
}

async function viewOf(
  { sipOf, clock }: LogicalRecordingSources,
  sessionId: string,
  rows: readonly CatalogueRow[],
  isWhole: boolean,
): Promise<LogicalRecordingView | undefined> {
  const facts = new Map<CatalogueRow, SipFacts | undefined>()
  for (const row of rows) facts.set(row, row.deletion === undefined ? await sipOf(row) : undefined)
  const taken = rows.map((row) => {
    const ended = facts.get(row)?.ended
    return { row, ...(ended !== undefined && { ended }) }
  })
  const whole = logicalRecording(taken, clock.wallMs())
  if (whole === undefined) return undefined
  const { startedAtMs, endedAtMs, durationMs, coveredMs, takes, overlaps, gaps } = whole
  return {
    sessionId,
    groupIds: [...new Set(rows.flatMap(({ groupIds }) => groupIds))],
    startedAt: timeOf(startedAtMs),
    ...(endedAtMs !== undefined && { endedAt: timeOf(endedAtMs) }),
    durationMs,
    coveredMs,
    isWhole,
    participants: distinct(takes.flatMap(({ row }) => partiesOf(row).map(participantOf))),
    takes: takes.map((take) => takeOf(take, startedAtMs, facts.get(take.row)?.source)),
    overlaps: overlaps.map(({ takes: both, ...span }) => ({ ...span, takes: [...both] })),
    gaps: gaps.map((gap) => ({ ...gap })),
  }
}

function takeOf({ row, number, fromMs, toMs, lane, ended }: Take, startedAtMs: number, source?: string): TakeView {
  const { recordingId, state, cause, recovered, store, deletion } = row
  const isReceiving = state === 'receiving' && deletion === undefined
  return {
    number,
    recordingId,
    state,
    ...(cause !== undefined && { cause }),
    isDeleted: deletion !== undefined,
    isRecovered: recovered,
    hasAudio: deletion === undefined && (row.hasAudio ?? state === 'published'),
    ...(store !== undefined && { store }),
    startedAt: timeOf(row.startedAtMs),
    ...(!isReceiving && { endedAt: timeOf(startedAtMs + toMs) }),
    fromMs,
    toMs,
    lane,
    ...(source !== undefined && { source }),
    ...(ended !== undefined && { ended }),
    participants: partiesOf(row).map(participantOf),
  }
}

/** Each participant once: by id, else by all that is known. */
function distinct(participants: readonly Participant[]): Participant[] {
  return [...new Map(participants.map((one) => [one.participantId ?? JSON.stringify(one), one])).values()]
}

function timeOf(wallMs: number): string {
  return new Date(wallMs).toISOString()
}
