// The recording of a call as the HTTP API shows it.

import type { CallView } from '#control'
import type { PauseEnd, RecorderReceipt, RecordingView } from '#recording-client'

type CallRecordingView = NonNullable<CallView['recording']>

/** Something that is wrong at a recorder of ours with a session. */
export type StandingAlarm = NonNullable<CallRecordingView['sessions'][number]['alarms']>[number]

/** What stands at our own recorders about the session with this SIP Call-ID; undefined where the session is not there. */
export type SessionAlarms = (sipCallId: string) => readonly StandingAlarm[] | undefined

/** The view of a recording, with ISO times and what our recorder says of it. */
export function callRecordingOf(recording: RecordingView, alarmsOf: SessionAlarms): CallRecordingView {
  return {
    state: recording.state,
    ...(recording.recordingId === '' ? {} : { recordingId: recording.recordingId }),
    policy: recording.policy,
    ...pauseEndOf(recording.pauseEnd),
    ...(recording.resumeFailure === undefined ? {} : { resumeFailure: recording.resumeFailure }),
    ...(recording.maskDtmf === undefined ? {} : { maskDtmf: recording.maskDtmf }),
    sessions: recording.sessions.map((session) => sessionOf(session, alarmsOf)),
    receipts: recording.receipts.map(receiptOf),
    ledger: recording.ledger.map(ledgerRowOf),
  }
}

function sessionOf(
  { uri, state, result, sipCallId, noAudio, missing, labels }: RecordingView['sessions'][number],
  alarmsOf: SessionAlarms,
): CallRecordingView['sessions'][number] {
  const alarms = sipCallId === undefined ? undefined : alarmsOf(sipCallId)
  // Where calls share a session, the other calls' streams have labels of their own.
  const own = alarms?.filter(({ label }) => label === undefined || labels.includes(label))
  return {
    uri,
    state,
    result,
    ...(sipCallId === undefined ? {} : { sipCallId }),
    ...(noAudio === undefined ? {} : { noAudio }),
    ...(missing === undefined ? {} : { missing: { labels: [...missing.labels], reason: missing.reason } }),
    ...(own === undefined ? {} : { alarms: own.map((alarm) => ({ ...alarm })) }),
  }
}

/** When a pause ends by itself, with an ISO time; nothing when it does not. */
export function pauseEndOf(end: PauseEnd | undefined): { readonly pausedUntil?: string; readonly next?: string } {
  return end === undefined ? {} : { pausedUntil: iso(end.atMs), next: end.next }
}

/** A receipt with an ISO time. */
export function receiptOf(receipt: RecorderReceipt): CallRecordingView['receipts'][number] {
  const { recorder, ssrc, lastSequence, lastSentAtMs, packetsSent, packetsHeld } = receipt
  return {
    recorder,
    ssrc,
    ...(lastSequence === undefined ? {} : { lastSequence }),
    ...at('lastSentAt', lastSentAtMs),
    packetsSent,
    packetsHeld,
  }
}

/** A row of a ledger with ISO times. */
export function ledgerRowOf(row: RecordingView['ledger'][number]): CallRecordingView['ledger'][number] {
  const { askedAtMs, answeredAtMs, firstPacketAtMs, lastPacketAtMs, noAudio, gaps, ...counts } = row
  return {
    ...counts,
    askedAt: iso(askedAtMs),
    ...at('answeredAt', answeredAtMs),
    ...at('firstPacketAt', firstPacketAtMs),
    ...at('lastPacketAt', lastPacketAtMs),
    ...(noAudio && { noAudio: { cause: noAudio.cause, from: iso(noAudio.fromMs), ...at('to', noAudio.toMs) } }),
    gaps: gaps.map(({ reason, streams, fromMs, toMs }) => ({
      reason,
      ...(streams && { streams: [...streams] }),
      from: iso(fromMs),
      ...at('to', toMs),
    })),
  }
}

function at<Name extends string>(name: Name, ms: number | undefined): { readonly [key in Name]?: string } {
  return ms === undefined ? {} : ({ [name]: iso(ms) } as { readonly [key in Name]?: string })
}

function iso(ms: number): string {
  return new Date(ms).toISOString()
}
