// What several recording sessions have of one communication session (RFC 7865 section 6.3): takes of one logical recording, and what lies between them.

import type { CatalogueRow } from '../catalogue/catalogue.ts'

/** Why there is no recording of a time. */
export type TakeGapCause =
  /** The take before ended; the next one is of another recorder. */
  | 'failover'
  /** The recorder died during the take before. */
  | 'recorder-restart'
  /** The recorder ended the take before: it was stopped, or could not go on. */
  | 'recorder-ended'
  /** The session of the take before was lost: nothing more was heard of its client. */
  | 'session-lost'
  /** The client ended the take before, and began another one later. */
  | 'client-ended'
  | 'unknown'
  /** There is a take of this time, but without audio. */
  | 'no-audio'
  /** There was a take of this time; it has been deleted. */
  | 'deleted'

/** A row, and how its recording session ended where that is known. */
export interface TakenRow {
  readonly row: CatalogueRow
  readonly ended?: string
}

/** One recording session of the communication session; times in milliseconds from the start of the first take. */
export interface Take extends TakenRow {
  /** From 1, by their beginning. */
  readonly number: number
  readonly fromMs: number
  readonly toMs: number
  /** Takes of the same time have different ones, from 0. */
  readonly lane: number
}

/** A time of which two takes tell. */
export interface TakeOverlap {
  readonly fromMs: number
  readonly toMs: number
  readonly takes: readonly [number, number]
}

/** A time of which there is no recording. */
export interface TakeGap {
  readonly fromMs: number
  readonly toMs: number
  readonly cause: TakeGapCause
  /** Number of the last take that ended before it, where there is one. */
  readonly after?: number
}

/** All that was recorded of one communication session. */
export interface LogicalRecording {
  readonly startedAtMs: number
  /** Of the last take; undefined while one is being received. */
  readonly endedAtMs?: number
  /** From the first take to the end of the last. */
  readonly durationMs: number
  /** Time of which there is a recording. */
  readonly coveredMs: number
  readonly takes: readonly Take[]
  readonly overlaps: readonly TakeOverlap[]
  readonly gaps: readonly TakeGap[]
}

/** Brings takes together; undefined for none. `nowMs` is where those end that are being received. */
export function logicalRecording(rows: readonly TakenRow[], nowMs: number): LogicalRecording | undefined {
  const sorted = rows.toSorted(
    (a, b) => a.row.startedAtMs - b.row.startedAtMs || (a.row.recordingId < b.row.recordingId ? -1 : 1),
  )
  const startedAtMs = sorted[0]?.row.startedAtMs
  if (startedAtMs === undefined) return undefined
  const takes: Take[] = []
  for (const taken of sorted) {
    const fromMs = taken.row.startedAtMs - startedAtMs
    const toMs = Math.max(fromMs, endOf(taken.row, nowMs) - startedAtMs)
    takes.push({ ...taken, number: takes.length + 1, fromMs, toMs, lane: freeLane(takes, fromMs) })
  }
  const durationMs = Math.max(...takes.map(({ toMs }) => toMs))
  const gaps = gapsOf(takes, durationMs)
  const isUnderWay = takes.some(({ row }) => isReceiving(row))
  return {
    startedAtMs,
    ...(!isUnderWay && { endedAtMs: startedAtMs + durationMs }),
    durationMs,
    coveredMs: durationMs - gaps.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0),
    takes,
    overlaps: overlapsOf(takes),
    gaps,
  }
}

function isReceiving({ state, deletion }: CatalogueRow): boolean {
  return state === 'receiving' && deletion === undefined
}

function endOf(row: CatalogueRow, nowMs: number): number {
  return isReceiving(row) ? nowMs : (row.endedAtMs ?? row.startedAtMs + row.durationMs)
}

/** The first lane in which nothing is at that time. */
function freeLane(takes: readonly Take[], fromMs: number): number {
  const taken = new Set(takes.filter(({ toMs }) => toMs > fromMs).map(({ lane }) => lane))
  let lane = 0
  while (taken.has(lane)) lane += 1
  return lane
}

function overlapsOf(takes: readonly Take[]): TakeOverlap[] {
  return takes.flatMap((one, at) =>
    takes.slice(at + 1).flatMap((other): TakeOverlap[] => {
      const toMs = Math.min(one.toMs, other.toMs)
      return toMs > other.fromMs ? [{ fromMs: other.fromMs, toMs, takes: [one.number, other.number] }] : []
    }),
  )
}

/** What no recording covers, in parts that have one cause each. */
function gapsOf(takes: readonly Take[], durationMs: number): TakeGap[] {
  const edges = [...new Set([0, durationMs, ...takes.flatMap(({ fromMs, toMs }) => [fromMs, toMs])])].sort(
    (a, b) => a - b,
  )
  const gaps: TakeGap[] = []
  for (const [at, fromMs] of edges.entries()) {
    const toMs = edges[at + 1]
    if (toMs === undefined) break
    const during = takes.filter((take) => take.fromMs <= fromMs && take.toMs >= toMs)
    if (during.some(({ row }) => isRecorded(row))) continue
    const before = takes.filter((take) => take.toMs <= fromMs).reduce(later, undefined)
    const cause = causeOf(
      during,
      before,
      takes.find((take) => take.fromMs >= toMs),
    )
    const last = gaps.at(-1)
    if (last?.toMs === fromMs && last.cause === cause) gaps[gaps.length - 1] = { ...last, toMs }
    else gaps.push({ fromMs, toMs, cause, ...(before && { after: before.number }) })
  }
  return gaps
}

function later(one: Take | undefined, other: Take): Take {
  return one === undefined || other.toMs >= one.toMs ? other : one
}

function isRecorded({ state, deletion }: CatalogueRow): boolean {
  return deletion === undefined && state !== 'no-audio'
}

function causeOf(during: readonly Take[], before: Take | undefined, next: Take | undefined): TakeGapCause {
  if (during.some(({ row }) => row.deletion === undefined)) return 'no-audio'
  if (during.length > 0 || before === undefined) return 'deleted'
  const { row, ended } = before
  if (next !== undefined && row.store !== next.row.store) return 'failover'
  switch (ended) {
    // Recovery closed it, or its folder is not here.
    case undefined:
      return row.recovered ? 'recorder-restart' : 'unknown'
    case 'recorder ended the session':
    case 'shutdown':
    case 'local-bye':
      return 'recorder-ended'
    case 'gone':
    case 'transport':
    case 'no-ack':
    case 'session-expired':
      return 'session-lost'
    default:
      return 'client-ended'
  }
}
