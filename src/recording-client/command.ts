// Recording commands and their outcomes, with the codes and texts of the product page.

import type { GateReceipt } from '#engine'
import type { HeaderList, ServerInvite } from '#sip'

/** Where a command came from; it decides the wording of some refusals, and whose pause it ends. */
export type CommandOrigin = 'flow' | 'info' | 'rest' | 'party' | 'notice' | 'recorder'

/** Whose pause it is: that of a notice ends with the notice, a party's by that or by a command, a commanded one by a command alone. */
export type PauseHolder = 'notice' | 'party' | 'command'

/** Who holds a pause that came from there. */
export function holderOf(origin: CommandOrigin): PauseHolder {
  return origin === 'notice' || origin === 'party' ? origin : 'command'
}

/** How the application that asks identifies a call; recorders of jambonz find calls by it. */
export interface ApplicationIds {
  readonly callSid?: string
  readonly accountSid?: string
  readonly applicationSid?: string
}

/** Start of a recording. */
export interface StartCommand {
  /** The page's "Call Recording Server": a SIP URI or a comma-separated list. */
  readonly servers: string
  /** The page's "Call Recording ID"; empty means none. */
  readonly recordingId: string
  readonly origin: CommandOrigin
  /** Whether the caller has heard an announcement on this call. */
  readonly noticePlayed: boolean
  /** Headers of the asker's own for the INVITE to the recorders. */
  readonly headers?: HeaderList
  /** Absent: recorders are told our own id of the call. */
  readonly application?: ApplicationIds
  /** As `parsePolicy` reads it; absent or empty: as configured. */
  readonly policy?: string
  /** Digits are left out of what recorders get; absent: by their profiles. */
  readonly maskDtmf?: boolean
  /** The INVITE of the only recorder, which asks for the call by itself. */
  readonly invitation?: ServerInvite
}

/** How long a pause lasts, and what comes then. */
export interface PauseLimit {
  readonly maxSeconds: number
  readonly next: 'resume' | 'stop'
}

/** When a pause ends by itself, and what comes then. */
export interface PauseEnd {
  /** Wall clock, ms since 1970. */
  readonly atMs: number
  readonly next: PauseLimit['next']
}

/** Pause of a recording. */
export interface PauseCommand {
  readonly origin: CommandOrigin
  /** Headers of the asker's own for the re-INVITE to the recorders. */
  readonly headers?: HeaderList
  /** Absent: until it is resumed. */
  readonly limit?: PauseLimit
}

/** Proof of a pause at one recorder. */
export interface RecorderReceipt extends GateReceipt {
  readonly recorder: string
}

/** What became of a command. */
export interface CommandOutcome {
  /** 200, 400, 487 or 503. */
  readonly status: number
  readonly text: string
  /** Per recorder URI, e.g. `accepted`, `pending`, `failed(486)`. */
  readonly results: Readonly<Record<string, string>>
  /** Whether the recorders that there are at this moment are what the policy wants. */
  readonly policy?: 'met' | 'unmet'
  /** For a pause: one per fork. */
  readonly receipts?: readonly RecorderReceipt[]
}

/** Texts that operators search their logs for; the first four stand on the product page. */
export const texts = {
  duplicateStart: 'discarding duplicate startCallRecording request for a call',
  duplicateStartInFlow: 'Cannot start recording when recording is already started',
  missingServer: 'startCallRecording request is missing X-Srs-Url header',
  noUsableServer: 'no valid SIP URI in Call Recording Server',
  notAllowed: 'no recorder of Call Recording Server is allowed here',
  notRecording: 'discarding stopCallRecording request because we are not recording',
  invalidPause: 'discarding invalid pauseCallRecording request',
  invalidResume: 'discarding invalid resumeCallRecording request',
  stillPaused: 'the recording is paused for another reason as well',
  knownRecorder: 'this recorder has the call already',
  noSuchRecorder: 'the recorder does not record this call now',
  notAnswered: 'the call is not answered',
  allRefused: 'no recorder accepted the recording',
  noAnswer: 'no recorder answered in time',
  aborted: 'the recording was stopped',
  callEnded: 'the call ended',
  invalidMask: 'discarding invalid maskCallRecording request',
  invalidUnmask: 'discarding invalid unmaskCallRecording request',
  maskUnproved: 'the media engine did not confirm the mask; the streams were removed',
  stillMasked: 'the media engine did not confirm the end of the mask',
  unreadable: 'nothing that the call speaks can be converted into what the recorder takes',
  partOfStreams: 'the recorder takes only part of the streams, and no mix',
  cutUnproved: 'the media engine did not confirm the cut; the streams were removed',
  engineSilent: 'the media engine does not answer',
  engineRefuses: 'the media engine refused to send it',
  videoNotSpooled: 'video is not spooled',
  policyUnmet: 'fewer recorders than the policy wants',
  spooled: 'no recorder accepted the recording yet; it is spooled',
  triedAgain: 'no recorder accepted the recording yet; they are asked again',
  mandatory: 'recording is mandatory and cannot be had',
  noneResumed: 'no recorder accepted the resumption; the recording is still paused',
  pausedByRecorder: 'paused by the recorder',
  streamsRefused: 'streams refused',
  streamsInactive: 'streams inactive',
  streamsMissing: 'no copy of streams',
} as const

/** Builds an outcome. */
export function outcome(status: number, text: string, results: Readonly<Record<string, string>> = {}): CommandOutcome {
  return { status, text, results }
}
