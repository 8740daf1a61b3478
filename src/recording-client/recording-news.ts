// What a recording is and tells: the state that commands meet, what happens meanwhile, and how it ended.

import type { ForkCounters } from '#engine'
import type { PauseEnd, PauseLimit, RecorderReceipt } from './command.ts'
import type { SlotMove, Steadiness } from './recorder-slot.ts'
import type { RecordingSession } from './recording-session.ts'
import type { SessionReport } from './session-machine.ts'
import type { SpoolHappening } from './spool-port.ts'

/** The state that commands are judged by. */
export type ReportedState = 'none' | 'starting' | 'recording' | 'pausing' | 'paused' | 'resuming' | 'stopping'

/** How a recording ended. */
export type RecordingEnd = 'stopped' | 'failed' | 'lost' | 'call-ended'

/** A session with a recorder or with the spool, as its end is waited for. */
export interface OpenedSession {
  /** Resolves when the last counters of its forks have been told. */
  forksSettled(): Promise<void>
}

/** What a recording tells the client: `over` comes once, when nothing is recorded any more and the slot is free. */
export type RecordingNews =
  | { readonly type: 'report'; readonly session: RecordingSession; readonly report: SessionReport }
  | { readonly type: 'started' | 'resumed' | 'masked' | 'unmasked' }
  | { readonly type: 'paused'; readonly receipts: readonly RecorderReceipt[]; readonly end?: PauseEnd }
  | { readonly type: 'pause-expired'; readonly next: PauseLimit['next'] }
  | { readonly type: 'resume-failed'; readonly text: string }
  | { readonly type: 'moved'; readonly move: SlotMove }
  | { readonly type: 'steadiness'; readonly session: RecordingSession; readonly steadiness: Steadiness }
  | { readonly type: 'unconfirmed'; readonly session: RecordingSession; readonly cause: string }
  | { readonly type: 'confirmed'; readonly session: RecordingSession }
  | { readonly type: 'policy'; readonly verdict: 'met' | 'unmet' }
  | { readonly type: 'over'; readonly reason: RecordingEnd }
  | { readonly type: 'session-opened' | 'session-gone'; readonly session: OpenedSession }
  | { readonly type: 'spool'; readonly happening: SpoolHappening }
  | { readonly type: 'fork-closed'; readonly counters: ForkCounters }
