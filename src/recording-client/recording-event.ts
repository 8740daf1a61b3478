// What the recording client tells others: events as they happen, and recordings as shown to operators.

import type { PauseEnd, PauseLimit, RecorderReceipt } from './command.ts'
import type { LedgerRow } from './ledger.ts'
import type { Missing } from './missing-streams.ts'
import type { RecordingEnd, RecordingNews, ReportedState } from './recording-news.ts'
import type { SessionReport, SessionState } from './session-machine.ts'
import type { SpoolHappening } from './spool-port.ts'

/** What a recording tells that others hear of as well, but its end. */
type HappeningNews = Exclude<
  RecordingNews,
  { readonly type: 'over' | 'session-opened' | 'session-gone' | 'fork-closed' }
>

/** What happened to a recording or to one of its recorders. */
export type RecordingHappening =
  | {
      readonly type:
        | 'recording.started'
        | 'recording.resumed'
        | 'recording.stopped'
        | 'recording.lost'
        | 'recording.failed'
        | 'recording.policy-met'
        | 'recording.policy-unmet'
        | 'recording.masked'
        | 'recording.unmasked'
    }
  | { readonly type: 'recording.paused'; readonly receipts: readonly RecorderReceipt[]; readonly end?: PauseEnd }
  /** A pause has ended by its deadline. */
  | { readonly type: 'recording.pause-expired'; readonly next: PauseLimit['next'] }
  /** Nobody resumed at the deadline of a pause; it is tried again. */
  | { readonly type: 'recording.resume-failed'; readonly text: string }
  /** Nothing of it is left, with the ledger of all its recorders. */
  | { readonly type: 'recording.closed'; readonly ledger: readonly LedgerRow[] }
  /** Another recorder has accepted instead, so long after the start. */
  | { readonly type: 'recorder.failed-over'; readonly from: string; readonly to: string; readonly afterMs: number }
  /** A recorder has taken the place of one that was lost so long ago. */
  | { readonly type: 'recorder.re-homed'; readonly from: string; readonly to: string; readonly gapMs: number }
  /** Nothing says that audio arrives; the likely cause. */
  | { readonly type: 'recorder.no-audio-confirmed'; readonly cause: string }
  | { readonly type: 'recorder.audio-confirmed' }
  /** Accepts and leaves at once, again and again, and counts as no recorder; or has stayed for once. */
  | { readonly type: 'recorder.unsteady' | 'recorder.steady' }
  | { readonly type: 'recorder.accepted' | 'recorder.resumed' | 'recorder.paused' | 'recorder.closed' }
  | { readonly type: 'recorder.failed'; readonly status: number; readonly reason: string }
  | { readonly type: 'recorder.signal-failed'; readonly status: number }
  | { readonly type: 'recorder.paused-by-recorder' | 'recorder.resumed-by-recorder' }
  | { readonly type: 'recorder.streams-refused'; readonly labels: readonly string[] }
  | { readonly type: 'recorder.streams-taken' }
  /** There is no copy of these streams for it, and it is tried again; then there is, or they are over. */
  | { readonly type: 'recorder.streams-missing'; readonly labels: readonly string[]; readonly reason: string }
  | { readonly type: 'recorder.streams-restored' }
  /** It takes no audio of these streams for now, while it takes that of others. */
  | { readonly type: 'recorder.streams-inactive'; readonly labels: readonly string[] }
  | { readonly type: 'recorder.streams-active' }
  /** It does not take separate streams, and gets one of all voices instead. */
  | { readonly type: 'recorder.mixed' }
  | { readonly type: 'recorder.lost'; readonly reason: string }
  | SpoolHappening

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
  readonly policy: 'met' | 'unmet'
  /** When its pause ends by itself. */
  readonly pauseEnd?: PauseEnd
  /** Why nobody resumed at the deadline of a pause or after a notice, as long as that is tried. */
  readonly resumeFailure?: string
  /** Whether keys are left out of what every recorder gets; absent: as their profiles say, or not known. */
  readonly maskDtmf?: boolean
  /** One row per recorder that was asked. */
  readonly ledger: readonly LedgerRow[]
  /** Proof of the latest pause, one per fork. */
  readonly receipts: readonly RecorderReceipt[]
  readonly sessions: ReadonlyArray<{
    readonly id: string
    readonly uri: string
    readonly state: SessionState
    readonly sipCallId?: string
    readonly result: string
    /** Why no audio may arrive there, as long as nothing says that it does. */
    readonly noAudio?: string
    /** Streams that there is no copy of for it, which is tried again. */
    readonly missing?: Missing
    readonly forks: readonly string[]
    /** Of the streams that are sent there; a session that several calls share has streams of the others too. */
    readonly labels: readonly string[]
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

/** Event of what a recording tells of itself, but its end. */
export function happeningOf(news: HappeningNews): RecordingHappening {
  switch (news.type) {
    case 'report':
      return recorderHappening(news.report)
    case 'paused':
      return { type: 'recording.paused', receipts: news.receipts, ...(news.end && { end: news.end }) }
    case 'pause-expired':
      return { type: 'recording.pause-expired', next: news.next }
    case 'resume-failed':
      return { type: 'recording.resume-failed', text: news.text }
    case 'moved': {
      const { type, from, to, afterMs } = news.move
      return type === 're-homed'
        ? { type: 'recorder.re-homed', from, to, gapMs: afterMs }
        : { type: 'recorder.failed-over', from, to, afterMs }
    }
    case 'unconfirmed':
      return { type: 'recorder.no-audio-confirmed', cause: news.cause }
    case 'confirmed':
      return { type: 'recorder.audio-confirmed' }
    case 'steadiness':
      return { type: `recorder.${news.steadiness}` }
    case 'spool':
      return news.happening
    case 'policy':
      return { type: `recording.policy-${news.verdict}` }
    default:
      return { type: `recording.${news.type}` }
  }
}

function recorderHappening(report: SessionReport): RecordingHappening {
  switch (report.type) {
    case 'failed':
      return { type: 'recorder.failed', status: report.status, reason: report.reason }
    case 'signal-failed':
      return { type: 'recorder.signal-failed', status: report.status }
    case 'streams-refused':
    case 'streams-inactive':
      return { type: `recorder.${report.type}`, labels: report.labels }
    case 'streams-missing':
      return { type: 'recorder.streams-missing', labels: report.labels, reason: report.reason }
    case 'lost':
      return { type: 'recorder.lost', reason: report.reason }
    default:
      return { type: `recorder.${report.type}` }
  }
}
