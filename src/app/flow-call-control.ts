// The call control of a flow, over a call of the gateway and its recording client.

import type { Call } from '#call'
import type {
  CallControl,
  CollectOutcome,
  DialOutcome,
  HttpOutcome,
  HttpRequest,
  JoinOutcome,
  RecordingCommand,
  RecordingResult,
  ReferOutcome,
} from '#flow'
import type { Clock, Timer } from '#kernel'
import type { FlowRequests } from './flow-requests.ts'
import type { PromptLibrary } from './prompt-library.ts'
import type { Notices, RecordingCommands } from './recording-commands.ts'
import type { Speech } from './speech.ts'

/** Keys that are kept until they are asked for; nobody types more of them ahead. */
const MAX_TYPED_AHEAD = 64

/** What a flow's call control works with. */
export interface FlowCallControlOptions {
  readonly call: Call
  readonly commands: RecordingCommands
  readonly prompts: PromptLibrary
  readonly speech: Speech
  readonly requests: FlowRequests
  readonly notices: Notices
  readonly clock: Clock
  readonly log: { warn(message: string, fields?: Readonly<Record<string, unknown>>): void }
}

/** CallControl over a live call; no promise rejects. */
export class FlowCallControl implements CallControl {
  readonly #options: FlowCallControlOptions
  readonly #typedAhead: string[] = []
  #onDigit: ((digit: string) => void) | undefined
  readonly #hangup: Promise<'hangup'>

  constructor(options: FlowCallControlOptions) {
    this.#options = options
    const { call } = options
    this.#hangup = new Promise((resolve) => call.onEnded(() => resolve('hangup')))
    call.onDigit((digit) => {
      if (this.#onDigit !== undefined) this.#onDigit(digit)
      else if (this.#typedAhead.length < MAX_TYPED_AHEAD) this.#typedAhead.push(digit)
    })
  }

  get ended(): boolean {
    return this.#options.call.ended
  }

  answer(): Promise<boolean> {
    return this.#options.call.answer()
  }

  async play(file: string): Promise<'finished' | 'stopped' | 'hangup' | 'failed'> {
    const { call, prompts, notices, log } = this.#options
    const prompt = await prompts.load(file)
    if (!prompt.ok) {
      log.warn('prompt could not be played', { callId: call.callId, file, reason: prompt.error.message })
      return 'failed'
    }
    const end = await call.play(prompt.value)
    if (end === 'finished') notices.played(call)
    return end
  }

  async say(options: Parameters<CallControl['say']>[0]): Promise<'finished' | 'stopped' | 'hangup' | 'failed'> {
    const { call, speech, notices, log } = this.#options
    const prompt = await Promise.race([speech.speak(options), this.#hangup])
    if (prompt === 'hangup') return prompt
    if (!prompt.ok) {
      log.warn('text could not be spoken', { callId: call.callId, reason: prompt.error.message })
      return 'failed'
    }
    const end = await call.play(prompt.value)
    if (end === 'finished') notices.played(call)
    return end
  }

  collect(options: Parameters<CallControl['collect']>[0]): Promise<CollectOutcome> {
    return new Promise((resolve) => {
      let digits = ''
      let timer: Timer | undefined
      const finish = (reason: CollectOutcome['reason']): void => {
        timer?.cancel()
        this.#onDigit = undefined
        resolve({ digits, reason })
      }
      const arm = (ms: number): void => {
        timer?.cancel()
        timer = this.#options.clock.after(ms, 'collect digits', () => finish('timeout'))
      }
      const take = (digit: string): void => {
        const isTerminator = options.terminators.includes(digit)
        if (!isTerminator) digits += digit
        if (isTerminator) finish('terminator')
        else if (digits.length >= options.maxDigits) finish('length')
        else arm(options.interDigitTimeoutMs)
      }
      arm(options.timeoutMs)
      this.#onDigit = take
      void this.#hangup.then(() => {
        if (this.#onDigit === take) finish('hangup')
      })
      while (this.#typedAhead.length > 0 && this.#onDigit === take) take(this.#typedAhead.shift()!)
    })
  }

  forgetKeys(): void {
    this.#typedAhead.length = 0
  }

  async dial(options: Parameters<CallControl['dial']>[0]): Promise<DialOutcome> {
    const outcome = await this.#options.call.dial(options)
    // What was pressed meanwhile was for the callee; it answers no question of the flow.
    this.forgetKeys()
    return outcome
  }

  join(options: Parameters<CallControl['join']>[0]): Promise<JoinOutcome> {
    return this.#options.call.join(options)
  }

  leave(leg: string): boolean {
    return this.#options.call.dismiss(leg)
  }

  refer(options: Parameters<CallControl['refer']>[0]): Promise<ReferOutcome> {
    return this.#options.call.refer(options)
  }

  async request(options: HttpRequest): Promise<HttpOutcome> {
    const outcome = await Promise.race([this.#options.requests.send(options), this.#hangup])
    return outcome === 'hangup' ? { result: outcome } : outcome
  }

  record(command: RecordingCommand): Promise<RecordingResult> {
    const { call, commands } = this.#options
    const { headers } = command
    return commands.execute(call, command, { origin: 'flow', ...(headers === undefined ? {} : { headers }) })
  }

  async wait(ms: number): Promise<'elapsed' | 'hangup'> {
    let timer: Timer | undefined
    const elapsed = new Promise<'elapsed'>((resolve) => {
      timer = this.#options.clock.after(ms, 'flow wait', () => resolve('elapsed'))
    })
    const end = await Promise.race([elapsed, this.#hangup])
    timer?.cancel()
    return this.ended ? 'hangup' : end
  }

  async hangup(reason?: string): Promise<void> {
    this.#options.call.hangup(reason)
  }
}
