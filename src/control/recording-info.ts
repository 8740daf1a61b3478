// Recording commands by INFO on one dialog: each is answered at its outcome, all of them when the call ends, and every one is told of.

import type { RecordingResult } from '#flow'
import { type Logger, messageOf, type Result } from '#kernel'
import type { IncomingRequest, SipFlow, SipRequest } from '#sip'
import { audiocodesActivity, parseAudiocodesInfo } from './audiocodes-dialect.ts'
import { type InfoRecordingCommand, type InfoRefusal, parseRecordingInfo, recordingActivity } from './info-dialect.ts'

/** `unknown`: it means to be a recording command, and is none. */
type Activity = InfoRecordingCommand['activity'] | 'unknown'

/** A command by INFO, and what its sender was answered. */
export interface InfoOutcome {
  readonly activity: Activity
  /** Address that it came from. */
  readonly from: string
  /** 200, 400, 403, 487, 500 or 503. */
  readonly status: number
  readonly text: string
}

/** What the handler needs. */
export interface RecordingInfoOptions {
  /** Carries out a command; the promise settles at the outcome. */
  readonly execute: (command: InfoRecordingCommand) => Promise<RecordingResult>
  /** Whether the sender may control recordings. */
  readonly isTrusted: (flow: SipFlow) => boolean
  /** Lists of recorders by the names that AudioCodes' dialect has for them. */
  readonly groups: ReadonlyMap<string, string>
  /** Told of each command once it is answered. */
  readonly onAnswered: (outcome: InfoOutcome) => void
  readonly log: Logger
}

/** Reason phrase towards a peer that may not control recordings. */
const UNTRUSTED_TEXT = 'recording control is not allowed from this peer'

/** Log message of a refusal whose text has the sender's own words in it. */
const UNKNOWN_MESSAGE = 'invalid record action'

/** Log messages for a command that came, as the original has them. */
const REQUEST_MESSAGES = {
  start: '_onInfo: got request startCallRecording',
  stop: '_onInfo: got request stopCallRecording',
  pause: '_onInfo: got request pauseCallRecording',
  resume: '_onInfo: got request resumeCallRecording',
  mask: '_onInfo: got request maskCallRecording',
  unmask: '_onInfo: got request unmaskCallRecording',
  unknown: '_onInfo: got request',
} as const

const START_MESSAGE = 'startCallRecording request for a call'
const STARTED_MESSAGE = 'successfully established siprec connection'

/** Log message for a 503, as the product page quotes it. */
const FAILED_MESSAGES = {
  start: '503 response to startCallRecording INFO',
  stop: '503 response to stopCallRecording INFO',
  pause: '503 response to pauseCallRecording INFO',
  resume: '503 response to resumeCallRecording INFO',
  mask: '503 response to maskCallRecording INFO',
  unmask: '503 response to unmaskCallRecording INFO',
} as const

/** The same as the original has it, for those who search for that. */
const ORIGINAL_FAILURES: Readonly<Partial<Record<Activity, string>>> = {
  start: 'Error starting SipRec call recording',
  stop: 'Error stopping SipRec call recording',
  pause: 'Error pausing SipRec call recording',
  resume: 'Error resuming SipRec call recording',
}

/** The recording commands of one call. */
export class RecordingInfo {
  readonly #options: RecordingInfoOptions
  readonly #pending = new Map<IncomingRequest, Activity>()

  constructor(options: RecordingInfoOptions) {
    this.#options = options
  }

  /** Takes an INFO that is a recording command, and answers it sooner or later; false when it is something else. */
  handle(incoming: IncomingRequest): boolean {
    const { isTrusted, log } = this.#options
    const parsed = this.#read(incoming.request)
    if (parsed === undefined) return false
    const activity = recordingActivity(incoming.request) ?? audiocodesActivity(incoming.request) ?? 'unknown'
    const action = parsed.ok ? undefined : parsed.error.unknownAction
    log.info(REQUEST_MESSAGES[activity], {
      from: incoming.flow.remote.host,
      ...(action === undefined ? {} : { action: phrase(action) }),
    })
    if (!isTrusted(incoming.flow)) this.#answer(incoming, activity, refusal(403, UNTRUSTED_TEXT))
    else if (!parsed.ok) {
      // What can be read is logged where it is carried out.
      if (activity === 'start') log.info(START_MESSAGE, { from: incoming.flow.remote.host })
      this.#answer(incoming, activity, refusal(parsed.error.status, parsed.error.text))
    } else void this.#execute(incoming, parsed.value)
    return true
  }

  /** The call ended: what is pending is answered 487. */
  abandon(): void {
    for (const [incoming, activity] of this.#pending) {
      incoming.respond(487, { reason: 'Request Terminated' })
      this.#tell(incoming, activity, 487, 'the call ended')
    }
    this.#pending.clear()
  }

  #read(request: SipRequest): Result<InfoRecordingCommand, InfoRefusal> | undefined {
    return parseRecordingInfo(request) ?? parseAudiocodesInfo(request, this.#options.groups)
  }

  async #execute(incoming: IncomingRequest, command: InfoRecordingCommand): Promise<void> {
    this.#pending.set(incoming, command.activity)
    const result = await this.#outcome(command)
    if (this.#pending.delete(incoming)) this.#answer(incoming, command.activity, result)
  }

  async #outcome(command: InfoRecordingCommand): Promise<RecordingResult> {
    try {
      return await this.#options.execute(command)
    } catch (fault) {
      const original = 'Error handing INFO request on uac leg'
      const { activity } = command
      this.#options.log.error('recording INFO failed', { activity, fault: messageOf(fault), original })
      return refusal(500, 'recording command failed')
    }
  }

  #answer(incoming: IncomingRequest, activity: Activity, result: RecordingResult): void {
    const { status, text, results } = result
    const { log } = this.#options
    const fields = { activity, status, text, results }
    if (status < 300) log.info(activity === 'start' ? STARTED_MESSAGE : 'recording INFO done', fields)
    else if (status === 503 && activity !== 'unknown') {
      const original = ORIGINAL_FAILURES[activity]
      log.error(FAILED_MESSAGES[activity], { ...fields, ...(original === undefined ? {} : { original }) })
    }
    // The product page tells operators to search for the text of a refusal, so that text is the message.
    else log.warn(activity === 'unknown' && status === 400 ? UNKNOWN_MESSAGE : text, fields)
    const reason = phrase(text)
    incoming.respond(status, reason === '' ? {} : { reason, headers: [['X-Reason', reason]] })
    this.#tell(incoming, activity, status, text)
  }

  #tell(incoming: IncomingRequest, activity: Activity, status: number, text: string): void {
    this.#options.onAnswered({ activity, from: incoming.flow.remote.host, status, text })
  }
}

function refusal(status: number, text: string): RecordingResult {
  return { status, text, results: {} }
}

/** Text fit for a status line: one line, printable, at most 200 characters. */
function phrase(text: string): string {
  return text
    .replace(/[^\x20-\x7e]/g, ' ')
    .slice(0, 200)
    .trim()
}
