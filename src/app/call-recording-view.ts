// The recording of a call as the HTTP API shows it.

import type { CallView } from '#control'
import type { RecorderReceipt, RecordingView } from '#recording-client'

type CallRecordingView = NonNullable<CallView['recording']>

/** The view of a recording, with ISO times. */
export function callRecordingOf(recording: RecordingView): CallRecordingView {
  return {
    state: recording.state,
    ...(recording.recordingId === '' ? {} : { recordingId: recording.recordingId }),
    policy: recording.policy,
    ...(recording.maskDtmf === undefined ? {} : { maskDtmf: recording.maskDtmf }),
    sessions: recording.sessions.map(({ uri, state, result, noAudio }) => ({
      uri,
      state,
      result,
      ...(noAudio === undefined ? {} : { noAudio }),
    })),
    receipts: recording.receipts.map(receiptOf),
    ledger: recording.ledger.map(ledgerRowOf),
  }
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
  const { askedAtMs, answeredAtMs, firstPacketAtMs, lastPacketAtMs, gaps, ...counts } = row
  return {
    ...counts,
    askedAt: iso(askedAtMs),
    ...at('answeredAt', answeredAtMs),
    ...at('firstPacketAt', firstPacketAtMs),
    ...at('lastPacketAt', lastPacketAtMs),
    gaps: gaps.map(({ reason, fromMs, toMs }) => ({ reason, from: iso(fromMs), ...at('to', toMs) })),
  }
}

function at<Name extends string>(name: Name, ms: number | undefined): { readonly [key in Name]?: string } {
  return ms === undefined ? {} : ({ [name]: iso(ms) } as { readonly [key in Name]?: string })
}

function iso(ms: number): string {
  return new Date(ms).toISOString()
}
