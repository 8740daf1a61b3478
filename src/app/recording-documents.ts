// The ledger of a recording, and its metadata read again, as the HTTP API says them.

import type { HistoryView, LedgerView } from '#control'
import { MetadataHistory, type MetadataMoment } from '#recording-server'
import type { Manifest, ParticipantFacts } from '#store'
import { participantOf, unlistedOf } from './recording-facts.ts'

/** Documents that are read again at most: a client may have sent many thousands. */
const MOST_DOCUMENTS = 500

/** What a document led to, and when. */
export interface HistoryMoment extends MetadataMoment {
  readonly receivedAt: string
  /** Since the start of the recording. */
  readonly atMs: number
  readonly transaction: string
  readonly isKept: boolean
}

/** Where the time of a recording went. */
export function ledgerOf(manifest: Manifest): LedgerView {
  const { recordingId, state, recovered, notResumed, startedAt, endedAt, durationMs, alarms = [] } = manifest
  return {
    recordingId,
    state,
    isRecovered: recovered,
    ...(notResumed !== undefined && { notResumed }),
    startedAt,
    ...(endedAt !== undefined && { endedAt }),
    durationMs,
    streams: manifest.streams.map(({ channel, kind = 'audio', label, participants, account, gaps, totals }) => ({
      channel,
      kind,
      ...(label !== undefined && { label }),
      speakers: [...participants],
      ...(account !== undefined && { audioMs: account.audioMs }),
      missingMs: { ...account?.missingMs },
      gaps: gaps.map((gap) => ({ ...gap })),
      ...unlistedOf({ gaps, ...(account !== undefined && { account }) }),
      pauses: totals.pauses.map((pause) => ({ ...pause })),
      pausesForgotten: totals.pausesForgotten,
    })),
    alarms: alarms.map((alarm) => ({ ...alarm })),
  }
}

/** Reads the documents of a recording again, one at a time. */
export async function momentsOf(
  manifest: Manifest,
  read: (file: string) => Promise<Uint8Array | undefined>,
): Promise<HistoryMoment[]> {
  const labels = manifest.streams.map(({ label = '' }) => label)
  const history = new MetadataHistory(
    labels,
    manifest.streams.map(({ kind = 'audio' }) => kind),
  )
  const moments: HistoryMoment[] = []
  for (const { receivedAt, transaction, file } of manifest.metadata.slice(0, MOST_DOCUMENTS)) {
    const content = file === undefined ? undefined : await read(file)
    const atMs = Math.max(0, Date.parse(receivedAt) - Date.parse(manifest.startedAt))
    moments.push({ receivedAt, atMs, transaction, isKept: content !== undefined, ...history.next(content) })
  }
  return moments
}

/** The moments with the names of those whom they concern. */
export function historyOf(manifest: Manifest, moments: readonly HistoryMoment[]): HistoryView {
  const names = namesOf(moments)
  return {
    total: manifest.metadata.length,
    items: moments.map(({ participants, speakers, warnings, changes, ...moment }, index) => ({
      number: index + 1,
      ...moment,
      warnings: [...warnings],
      participants: participants.map(participantOf),
      speakers: speakers.map((own) => [...own]),
      changes: changes.map(({ kind, participantId = '', channel }) => {
        const participant = names.get(participantId)
        return { kind, ...(participant !== undefined && { participant }), ...(channel !== undefined && { channel }) }
      }),
    })),
  }
}

function namesOf(moments: readonly HistoryMoment[]): Map<string, string> {
  const all: ParticipantFacts[] = moments.flatMap(({ participants }) => participants)
  return new Map(all.map(({ participantId, name, aor }) => [participantId, name ?? aor ?? participantId]))
}
