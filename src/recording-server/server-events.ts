// What a recording server tells others, and how it shows its sessions.

import type { Alarm, Manifest, MediaKind, RecordingFacts, StreamTotals } from '#store'
import type { HerePause } from './session-pause.ts'
import type { StreamReading } from './watch/stream-watch.ts'

/** Events of recordings, in order per recording. */
export type RecordingServerEvent =
  | { readonly type: 'started'; readonly recordingId: string; readonly facts: RecordingFacts }
  /** The recorder died and goes on with the recording; what was sent meanwhile is missing. */
  | { readonly type: 'restarted'; readonly recordingId: string; readonly facts: RecordingFacts }
  | { readonly type: 'first-packet'; readonly recordingId: string; readonly channel: number; readonly atMs: number }
  /** Every stream is paused by the client. */
  | { readonly type: 'paused'; readonly recordingId: string }
  | { readonly type: 'resumed'; readonly recordingId: string }
  /** The recorder itself keeps nothing from now on, up to the time where one is given, in ms since 1970. */
  | { readonly type: 'paused-here'; readonly recordingId: string; readonly untilMs?: number }
  | { readonly type: 'resumed-here'; readonly recordingId: string; readonly by: 'command' | 'deadline' }
  | { readonly type: 'metadata'; readonly recordingId: string; readonly facts: RecordingFacts }
  | { readonly type: 'ended'; readonly recordingId: string; readonly manifest: Manifest; readonly folder: string }
  | { readonly type: 'alarm'; readonly recordingId: string; readonly alarm: Alarm }
  /** It has healed, or nothing is due on the stream any more. */
  | { readonly type: 'alarm-cleared'; readonly recordingId: string; readonly alarm: Alarm }

/** One stream of a live session. */
export interface LiveStream {
  readonly channel: number
  readonly kind: MediaKind
  readonly label?: string
  readonly isPaused: boolean
  readonly isRemoved: boolean
  readonly rtpPort: number
  readonly encodings: readonly string[]
  readonly totals?: StreamTotals
  readonly reading?: StreamReading
}

/** A recording session under way. */
export interface LiveSession {
  readonly recordingId: string
  readonly startedAtMs: number
  readonly isPaused: boolean
  /** While the recorder itself keeps nothing. */
  readonly pausedHere?: HerePause
  readonly facts: RecordingFacts
  readonly streams: readonly LiveStream[]
  /** Those that stand now. */
  readonly alarms?: readonly Alarm[]
}
