// What the recording client tells others: events as they happen, and recordings as shown to operators.

import type { RecorderReceipt } from './command.ts'
import type { RecordingEnd, ReportedState } from './recording.ts'
import type { SessionReport, SessionState } from './session-machine.ts'

/** What happened to a recording or to one of its recorders. */
export type RecordingHappening =
  | {
      readonly type:
        | 'recording.started'
        | 'recording.resumed'
        | 'recording.stopped'
        | 'recording.lost'
        | 'recording.failed'
    }
  | { readonly type: 'recording.paused'; readonly receipts: readonly RecorderReceipt[] }
  | { readonly type: 'recorder.accepted' | 'recorder.resumed' | 'recorder.paused' | 'recorder.closed' }
  | { readonly type: 'recorder.failed' | 'recorder.signal-failed'; readonly status: number }
  | { readonly type: 'recorder.paused-by-recorder' | 'recorder.resumed-by-recorder' }
  | { readonly type: 'recorder.streams-refused'; readonly labels: readonly string[] }
  | { readonly type: 'recorder.lost'; readonly reason: string }

/** What happens to recordings, for flow, API, webhooks, console and log. */
export type RecordingEvent = {
  readonly callId: string
  readonly recording: string
  readonly recorder?: string
} & RecordingHappening

/** A recording as shown to operators. */
export interface RecordingView {
  readonly id: string
  readonly recordingId: string
  readonly state: ReportedState
  readonly startedAtMs: number
  /** Proof of the latest pause, one per fork. */
  readonly receipts: readonly RecorderReceipt[]
  readonly sessions: ReadonlyArray<{
    readonly id: string
    readonly uri: string
    readonly state: SessionState
    readonly sipCallId?: string
    readonly result: string
    readonly forks: readonly string[]
  }>
}

/** Event of a recording's end. */
export function endEvent(reason: RecordingEnd): RecordingHappening {
  switch (reason) {
    case 'failed':
      return { type: 'recording.failed' }
    case 'lost':
      return { type: 'recording.lost' }
    default:
      return { type: 'recording.stopped' }
  }
}

/** Event of what a recording session reported. */
export function recorderEvent(report: SessionReport): RecordingHappening {
  switch (report.type) {
    case 'failed':
      return { type: 'recorder.failed', status: report.status }
    case 'signal-failed':
      return { type: 'recorder.signal-failed', status: report.status }
    case 'streams-refused':
      return { type: 'recorder.streams-refused', labels: report.labels }
    case 'lost':
      return { type: 'recorder.lost', reason: report.reason }
    default:
      return { type: `recorder.${report.type}` }
  }
}
