// What the catalogue and a manifest know of a recording, as the HTTP API says it.

import type { RecordingSummary, RecordingView } from '#control'
import type { CatalogueRow, Manifest, ParticipantFacts, StreamManifest } from '#store'

type StreamView = RecordingView['streams'][number]
type SipView = NonNullable<RecordingView['sip']>

/** A row of a list. */
export function summaryOf(row: CatalogueRow): RecordingSummary {
  const { recordingId, state, cause, sipCallId, durationMs, streams, packets, warnings, deletion } = row
  return {
    recordingId,
    state,
    ...(cause !== undefined && { cause }),
    isRecovered: row.recovered,
    startedAt: timeOf(row.startedAtMs),
    ...(row.endedAtMs !== undefined && { endedAt: timeOf(row.endedAtMs) }),
    durationMs,
    ...(row.reference !== undefined && { callRecordingId: row.reference }),
    sipCallId,
    participants: partiesOf(row).map(participantOf),
    hasAudio: deletion === undefined && (row.hasAudio ?? state === 'published'),
    streamCount: streams,
    packets,
    warningCount: warnings,
    ...(row.sizeBytes !== undefined && { sizeBytes: row.sizeBytes }),
    tags: [...(row.tags ?? [])],
    isHeld: (row.holds ?? []).length > 0,
    upload: row.uploadState ?? 'none',
    ...(row.vendor !== undefined && { vendor: row.vendor }),
    ...(row.verdict !== undefined && { verdict: row.verdict }),
    custom: { ...row.custom },
    ...(deletion !== undefined && { deletion: actOf(deletion) }),
  }
}

/** All of a recording; without a manifest only what its row says. */
export function detailOf(row: CatalogueRow, manifest: Manifest | undefined): RecordingView {
  const facts = manifest?.facts
  return {
    ...summaryOf(row),
    ...(facts !== undefined && { participants: facts.participants.map(participantOf) }),
    ...(manifest !== undefined && { hasAudio: manifest.audioFile !== undefined, streamCount: manifest.streams.length }),
    sessionIds: [...(facts?.sessionIds ?? row.sessionIds)],
    groupIds: [...(facts?.groupIds ?? row.groupIds)],
    ...(facts !== undefined && { sip: sipOf(facts.sip) }),
    streams: manifest?.streams.map((stream) => streamOf(stream, manifest)) ?? [],
    alarms: (manifest?.alarms ?? []).map((alarm) => ({ ...alarm })),
    holds: (row.holds ?? []).map(actOf),
    documents: manifest?.metadata.length ?? 0,
    isMetadataInvalid: facts?.metadataInvalid ?? false,
    formats: formatsOf(manifest),
    warnings: [...(facts?.warnings ?? [])],
  }
}

/** The formats in which the audio is kept. */
function formatsOf(manifest: Manifest | undefined): string[] {
  const { audioFile, archiveFile } = manifest ?? {}
  return [audioFile, archiveFile].flatMap((file) => (file === undefined ? [] : [file.slice(file.lastIndexOf('.') + 1)]))
}

function streamOf(stream: StreamManifest, { facts }: Manifest): StreamView {
  const { channel, kind = 'audio', label, participants, runs, gaps, events, account, clock } = stream
  const { pauses, pausesForgotten: _forgotten, ...totals } = stream.totals
  const evidence = facts.speakerEvidence?.[channel]
  return {
    channel,
    kind,
    ...(label !== undefined && { label }),
    speakers: [...participants],
    ...(evidence !== undefined && { speakerEvidence: evidence }),
    codecs: runs.map(({ encoding, startMs, bytes, decoded }) => ({ encoding, startMs, bytes, isDecoded: decoded })),
    gaps: gaps.map(({ fromMs, toMs, cause }) => ({ fromMs, toMs, cause })),
    ...unlistedOf(stream),
    events: events.map((event) => ({ ...event })),
    pauses: pauses.map((pause) => ({ ...pause })),
    ...(account !== undefined && { account: { audioMs: account.audioMs, missingMs: { ...account.missingMs } } }),
    ...(clock !== undefined && { clock: { ...clock } }),
    totals,
  }
}

/** Milliseconds of gaps that are in the sums and not in the list, which is bounded. */
export function unlistedOf({ gaps, account }: Pick<StreamManifest, 'gaps' | 'account'>): { unlistedMs?: number } {
  const missingMs = Object.values(account?.missingMs ?? {}).reduce((sum, ms) => sum + ms, 0)
  const unlistedMs = Math.round(missingMs - gaps.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0))
  return unlistedMs > 0 ? { unlistedMs } : {}
}

function sipOf({ callId: _callId, ...facts }: Manifest['facts']['sip']): SipView {
  return facts
}

/** Who takes part by a row; rows of before know names and AORs alone. */
export function partiesOf({ parties, participants }: CatalogueRow): readonly Partial<ParticipantFacts>[] {
  return parties ?? participants.map((text) => (/^(sips?|tel):/i.test(text) ? { aor: text } : { name: text }))
}

/** Someone as the API says it. */
export function participantOf({ participantId, aor, name }: Partial<ParticipantFacts>) {
  return {
    ...(participantId !== undefined && { participantId }),
    ...(aor !== undefined && { aor }),
    ...(name !== undefined && { name }),
  }
}

function actOf({ atMs, actor, reason }: NonNullable<CatalogueRow['deletion']>) {
  return { at: timeOf(atMs), actor, reason }
}

function timeOf(wallMs: number): string {
  return new Date(wallMs).toISOString()
}
