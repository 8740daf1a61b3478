// Recording commands by INFO on one dialog: each is answered at its outcome, all of them when the call ends.

import type { RecordingResult } from '#flow'
import { type Logger, messageOf } from '#kernel'
import type { IncomingRequest, SipFlow } from '#sip'
import { type InfoRecordingCommand, parseRecordingInfo, recordingActivity } from './info-dialect.ts'

/** What the handler needs. */
export interface RecordingInfoOptions {
  /** Carries out a command; the promise settles at the outcome. */
  readonly execute: (command: InfoRecordingCommand) => Promise<RecordingResult>
  /** Whether the sender may control recordings. */
  readonly isTrusted: (flow: SipFlow) => boolean
  readonly log: Logger
}

/** Reason phrase towards a peer that may not control recordings. */
const UNTRUSTED_TEXT = 'recording control is not allowed from this peer'

/** Log message for a 503, as the product page quotes it. */
const FAILED_MESSAGES = {
  start: '503 response to startCallRecording INFO',
  stop: '503 response to stopCallRecording INFO',
  pause: '503 response to pauseCallRecording INFO',
  resume: '503 response to resumeCallRecording INFO',
  mask: '503 response to maskCallRecording INFO',
  unmask: '503 response to unmaskCallRecording INFO',
} as const

/** The recording commands of one dialog. */
export class RecordingInfo {
  readonly #options: RecordingInfoOptions
  readonly #pending = new Set<IncomingRequest>()

  constructor(options: RecordingInfoOptions) {
    this.#options = options
  }

  /** Takes an INFO that is a recording command, and answers it sooner or later; false when it is something else. */
  handle(incoming: IncomingRequest): boolean {
    const activity = recordingActivity(incoming.request)
    const parsed = parseRecordingInfo(incoming.request)
    if (activity === undefined || parsed === undefined) return false
    if (!this.#options.isTrusted(incoming.flow)) this.#answer(incoming, activity, refusal(403, UNTRUSTED_TEXT))
    else if (!parsed.ok) this.#answer(incoming, activity, refusal(parsed.error.status, parsed.error.text))
    else void this.#execute(incoming, parsed.value)
    return true
  }

  /** The call ended: what is pending is answered 487. */
  abandon(): void {
    for (const incoming of this.#pending) incoming.respond(487, { reason: 'Request Terminated' })
    this.#pending.clear()
  }

  async #execute(incoming: IncomingRequest, command: InfoRecordingCommand): Promise<void> {
    this.#pending.add(incoming)
    const result = await this.#outcome(command)
    if (this.#pending.delete(incoming)) this.#answer(incoming, command.activity, result)
  }

  async #outcome(command: InfoRecordingCommand): Promise<RecordingResult> {
    try {
      return await this.#options.execute(command)
    } catch (fault) {
      this.#options.log.error('recording INFO failed', { activity: command.activity, fault: messageOf(fault) })
      return refusal(500, 'recording command failed')
    }
  }

  #answer(incoming: IncomingRequest, activity: InfoRecordingCommand['activity'], result: RecordingResult): void {
    const { status, text, results } = result
    const { log } = this.#options
    const fields = { activity, status, text, results }
    if (status < 300) log.info('recording INFO done', fields)
    else if (status === 503) log.error(FAILED_MESSAGES[activity], fields)
    // The product page tells operators to search for the text of a refusal, so that text is the message.
    else log.warn(text, fields)
    const reason = phrase(text)
    incoming.respond(status, reason === '' ? {} : { reason, headers: [['X-Reason', reason]] })
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
