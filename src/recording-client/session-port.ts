// What a recording session needs from around it.

import type { DestinationPolicy, RecordableCall } from '#call'
import type { ForkMedia } from '#engine'
import type { Clock, Ids, Logger } from '#kernel'
import type { HeaderList, ServerInvite, SipCore } from '#sip'
import type { ApplicationIds } from './command.ts'
import type { IdleDialogs } from './idle-dialogs.ts'
import type { RecorderProfile } from './recorder-profile.ts'
import type { RecorderDirectory } from './recorders/recorder-directory.ts'
import type { RecordingMask } from './recording-mask.ts'
import type { ReplayMemory } from './replay-memory.ts'
import type { SessionState } from './session-machine.ts'
import type { SpooledSpan, SpoolPort } from './spool-port.ts'
import type { CallStreams } from './streams.ts'
import type { SuccessPolicy } from './success-policy.ts'

/** Times of the recording client, in milliseconds. */
export interface RecordingTimes {
  /** A start without any acceptance by then is answered 503. */
  readonly answerDeadlineMs: number
  /** After the first acceptance the other recorders may still answer until this long after the start. */
  readonly lateAnswerMs: number
  /** A recorder that gives no response at all within this is silent, and its next address is tried. */
  readonly firstResponseMs: number
  /** How long a pause waits for the recorders' answers once the cut is proved. */
  readonly signalWaitMs: number
  /** How long BYE waits for the last document. */
  readonly farewellMs: number
}

/** Values used unless configured otherwise. */
export const defaultTimes: RecordingTimes = {
  answerDeadlineMs: 5_000,
  lateAnswerMs: 32_000,
  firstResponseMs: 1_500,
  signalWaitMs: 1_500,
  farewellMs: 2_000,
}

/** Surroundings of the recording client. */
export interface RecordingSurroundings {
  readonly core: SipCore
  readonly clock: Clock
  readonly ids: Ids
  readonly log: Logger
  /** From of recording sessions as name-addr: the gateway, never a party of the call (SRC-04). */
  readonly from: string
  readonly times: RecordingTimes
  /** Where recordings may go; nowhere unless listed. */
  readonly destinations: DestinationPolicy
  /** What is known of the recorders. */
  readonly recorders: RecorderDirectory
  /** For starts that bring none. */
  readonly policy: SuccessPolicy
  /** How much of what was said is kept for recorders that come late or take another's place, in milliseconds; 0: nothing. */
  readonly replayMs: number
  /** How much of what is said before a start is kept and belongs to the recording, in milliseconds; 0: nothing. */
  readonly preStartMs: number
  /** Encodings that forks can send as G.711. */
  readonly transcodes: readonly string[]
  /** Tells the caller that the call is not recorded as it should be. */
  readonly announce: (call: RecordableCall) => void
  /** Where recordings go for which no recorder can be had; absent: they end. */
  readonly spool?: SpoolPort
}

/** The call of a recording session: one that lasts, or one that was spooled. */
export interface RecordedCall extends Pick<RecordableCall, 'callId' | 'snapshot'> {
  readonly media: ForkMedia
}

/** As `RecordingSurroundings`, with what the client itself keeps. */
export interface SessionSurroundings extends RecordingSurroundings {
  /** Sessions that wait for another call. */
  readonly idle: IdleDialogs
}

/** Headers that change with every pause and resumption. */
export interface SignalHeaders {
  headers: HeaderList
}

/** What a recording session is about. */
export interface SessionPlan {
  readonly id: string
  readonly uri: string
  readonly profile: RecorderProfile
  readonly call: RecordedCall
  readonly streams: Pick<CallStreams, 'now'>
  /** The page's "Call Recording ID"; empty means none. */
  readonly recordingId: string
  /** Headers of the asker's own for the INVITE to the recorders. */
  readonly headers: HeaderList
  /** Headers of the asker's own for the re-INVITEs that tell of the latest pause or resumption. */
  readonly signal?: SignalHeaders
  /** How the asker identifies the call. */
  readonly application?: ApplicationIds
  /** Whether keys are left out of what the recorder gets; absent: by its profile. */
  readonly mask?: RecordingMask
  /** What was said since then is sent first, marked as such: wall clock, ms since 1970. Absent: nothing. */
  readonly replayFromMs?: number
  /** Another recorder can take this one's place, so that a broken answer need not be made do with. */
  readonly hasStandIn?: boolean
  /** The recorder's own INVITE, which is answered instead of one of ours being sent. */
  readonly invitation?: ServerInvite
  /** The recording was spooled, and is delivered now. */
  readonly spooled?: SpooledSpan
  /** So many times faster than it was said; absent: it is said now. */
  readonly pace?: number
}

/** What is common to the sessions of one recording. */
export interface RecordingPlan
  extends Omit<
    SessionPlan,
    | 'id'
    | 'uri'
    | 'profile'
    | 'replayFromMs'
    | 'hasStandIn'
    | 'invitation'
    | 'spooled'
    | 'pace'
    | 'call'
    | 'streams'
    | 'mask'
    | 'signal'
  > {
  readonly signal: SignalHeaders
  readonly call: RecordableCall
  readonly streams: CallStreams
  readonly mask: RecordingMask
  /** What was kept before the start. */
  readonly early?: ReplayMemory
}

/** What an engine may fail to confirm of a fork that must be certain. */
export type ForkDoubt = 'cut' | 'mask'

/** What carries a recording: a session with a recorder, or the spool. */
export interface Carrier {
  readonly plan: Pick<SessionPlan, 'uri'>
  readonly state: SessionState
  /** Whether it is still to answer. */
  readonly isSignalling: boolean
  readonly forkIds: readonly string[]
  /** Removes forks of which that could not be confirmed. */
  dropForks(forkIds: readonly string[], doubt: ForkDoubt): void
}
