// In-memory call for tests of flows: notes what was asked, answers from a script, waits on an injected clock.

import type { Clock } from '#kernel'
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
} from './call-control.ts'

/** Answers of the call; what is left out succeeds. */
export interface CallScript {
  readonly answer?: boolean
  readonly play?: 'finished' | 'stopped' | 'hangup' | 'failed'
  readonly say?: 'finished' | 'stopped' | 'hangup' | 'failed'
  readonly collect?: CollectOutcome
  readonly dial?: DialOutcome
  readonly join?: JoinOutcome
  readonly refer?: ReferOutcome
  readonly request?: HttpOutcome
  readonly record?: (command: RecordingCommand) => Promise<RecordingResult>
}

/** One request of a flow, as method name and arguments. */
type CallRequest = readonly [method: string, ...values: unknown[]]

/** Twin of the app's adapter. */
export class MemoryCallControl implements CallControl {
  readonly requests: CallRequest[] = []
  readonly #clock: Clock
  readonly #script: CallScript
  readonly #onEnd = new Set<() => void>()
  #ended = false

  constructor(clock: Clock, script: CallScript = {}) {
    this.#clock = clock
    this.#script = script
  }

  get ended(): boolean {
    return this.#ended
  }

  /** The far end hangs up: every wait settles. */
  end(): void {
    this.#ended = true
    for (const settle of this.#onEnd) settle()
    this.#onEnd.clear()
  }

  async answer(): Promise<boolean> {
    this.requests.push(['answer'])
    return this.#script.answer ?? true
  }

  async play(file: string): Promise<'finished' | 'stopped' | 'hangup' | 'failed'> {
    this.requests.push(['play', file])
    return this.#script.play ?? 'finished'
  }

  async say(options: Parameters<CallControl['say']>[0]): Promise<'finished' | 'stopped' | 'hangup' | 'failed'> {
    this.requests.push(['say', options])
    return this.#script.say ?? 'finished'
  }

  async collect(options: Parameters<CallControl['collect']>[0]): Promise<CollectOutcome> {
    this.requests.push(['collect', options])
    return this.#script.collect ?? { digits: '1', reason: 'length' }
  }

  forgetKeys(): void {
    this.requests.push(['forgetKeys'])
  }

  async dial(options: Parameters<CallControl['dial']>[0]): Promise<DialOutcome> {
    this.requests.push(['dial', options])
    return this.#script.dial ?? { result: 'answered', sipStatus: 200 }
  }

  async join(options: Parameters<CallControl['join']>[0]): Promise<JoinOutcome> {
    this.requests.push(['join', options])
    return this.#script.join ?? { result: 'answered', leg: 'callee-2' }
  }

  leave(leg: string): boolean {
    this.requests.push(['leave', leg])
    return true
  }

  async refer(options: Parameters<CallControl['refer']>[0]): Promise<ReferOutcome> {
    this.requests.push(['refer', options])
    return this.#script.refer ?? { result: 'transferred', sipStatus: 200 }
  }

  async request(options: HttpRequest): Promise<HttpOutcome> {
    this.requests.push(['request', options])
    return this.#script.request ?? { result: 'answered', status: 200, body: {} }
  }

  async record(command: RecordingCommand): Promise<RecordingResult> {
    this.requests.push(['record', command])
    if (this.#script.record !== undefined) return await this.#script.record(command)
    return { status: 200, text: '', results: {} }
  }

  wait(ms: number): Promise<'elapsed' | 'hangup'> {
    this.requests.push(['wait', ms])
    return new Promise((resolve) => {
      const onEnd = (): void => {
        timer.cancel()
        resolve('hangup')
      }
      const timer = this.#clock.after(ms, 'flow wait', () => {
        this.#onEnd.delete(onEnd)
        resolve('elapsed')
      })
      this.#onEnd.add(onEnd)
    })
  }

  async hangup(reason?: string): Promise<void> {
    this.requests.push(['hangup', reason])
    this.end()
  }
}
