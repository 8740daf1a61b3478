// A flow run on no call: node by node what would happen, with answers that are given beforehand. Nothing is waited for.

import type { Logger } from '#kernel'
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
import type { DryAnswers } from './dry-answers.ts'
import { type FlowEnd, runFlow } from './engine.ts'
import type { Flow } from './flow.ts'
import type { Sandbox } from './sandbox.ts'

/** What one node would do. */
export interface DryStep {
  /** Place and type, such as `nodes[2] play`. */
  readonly node: string
  /** What it asks of the call, and the answer that it gets. */
  readonly actions: readonly { readonly asks: string; readonly with?: unknown; readonly gets?: unknown }[]
  /** Texts of `log` nodes, and warnings. */
  readonly says: readonly string[]
}

/** How a dry run went. */
export interface DryRun {
  /** `cut`: it did not end within 1,000 nodes. */
  readonly end: FlowEnd | 'cut'
  readonly steps: readonly DryStep[]
  /** The context as the flow left it. */
  readonly context: Readonly<Record<string, unknown>>
}

/** What a dry run starts with. */
export interface DryRunOptions {
  readonly input: Readonly<Record<string, unknown>>
  readonly profile?: Readonly<Record<string, unknown>>
  readonly answers: DryAnswers
  readonly sandbox: Sandbox
}

const MAX_STEPS = 1_000

/** Runs the flow; what is not answered beforehand goes well, and no digit is dialled. Never rejects. */
export async function dryRun(flow: Flow, { input, profile = {}, answers, sandbox }: DryRunOptions): Promise<DryRun> {
  const trace = new Trace()
  const call = new DryCall(trace, answers)
  const context: Record<string, unknown> = {}
  let isCut = false
  const onNode = (node: string): void => {
    isCut = trace.steps.length >= MAX_STEPS
    if (isCut) call.end()
    else trace.enter(node)
  }
  const end = await runFlow(flow, { call, input, profile, context, sandbox, log: trace.log, onNode })
  return { end: isCut ? 'cut' : end, steps: trace.steps, context }
}

interface OpenStep extends DryStep {
  readonly actions: DryStep['actions'][number][]
  readonly says: string[]
}

class Trace {
  readonly steps: OpenStep[] = []
  readonly log: Logger

  constructor() {
    const say =
      (level: string) =>
      (message: string, fields: Readonly<Record<string, unknown>> = {}): void => {
        const { node: _node, flow: _flow, text, ...rest } = fields
        const more = Object.keys(rest).length === 0 ? '' : ` ${JSON.stringify(rest)}`
        if (message === 'flow says') this.steps.at(-1)?.says.push(String(text))
        else if (level !== 'info') this.steps.at(-1)?.says.push(`${level}: ${message}${more}`)
      }
    this.log = { debug: () => {}, info: say('info'), warn: say('warning'), error: say('error'), child: () => this.log }
  }

  enter(node: string): void {
    this.steps.push({ node, actions: [], says: [] })
  }

  /** Notes what was asked and what came back. */
  note<T>(asks: string, options: unknown, gets: T): T {
    const detail = options === undefined ? {} : { with: options }
    this.steps.at(-1)?.actions.push({ asks, ...detail, ...(gets === undefined ? {} : { gets }) })
    return gets
  }
}

class DryCall implements CallControl {
  readonly #trace: Trace
  readonly #answers: DryAnswers
  #ended = false

  constructor(trace: Trace, answers: DryAnswers) {
    this.#trace = trace
    this.#answers = answers
  }

  get ended(): boolean {
    return this.#ended
  }

  end(): void {
    this.#ended = true
  }

  async answer(): Promise<boolean> {
    return this.#trace.note('answer', undefined, this.#take('answer', 'true') === 'true')
  }

  async play(file: string): Promise<'finished' | 'stopped' | 'hangup' | 'failed'> {
    return this.#trace.note('play', file, this.#take('play', 'finished') as 'finished' | 'hangup' | 'failed')
  }

  async say(options: Parameters<CallControl['say']>[0]): Promise<'finished' | 'stopped' | 'hangup' | 'failed'> {
    return this.#trace.note('say', options, this.#take('say', 'finished') as 'finished' | 'hangup' | 'failed')
  }

  async collect(options: Parameters<CallControl['collect']>[0]): Promise<CollectOutcome> {
    const typed = this.#take('collect', 'timeout')
    const outcome: CollectOutcome =
      typed === 'timeout' || typed === 'hangup' ? { digits: '', reason: typed } : collected(typed, options)
    return this.#trace.note('collect', options, outcome)
  }

  /** What a dry run types, it types when it is asked. */
  forgetKeys(): void {}

  async dial(options: Parameters<CallControl['dial']>[0]): Promise<DialOutcome> {
    return this.#trace.note('dial', options, this.#dialled('dial'))
  }

  async join(options: Parameters<CallControl['join']>[0]): Promise<JoinOutcome> {
    const outcome = this.#dialled('join')
    return this.#trace.note('join', options, outcome.result === 'answered' ? { ...outcome, leg: 'callee-2' } : outcome)
  }

  leave(leg: string): boolean {
    return this.#trace.note('leave', leg, true)
  }

  async refer(options: Parameters<CallControl['refer']>[0]): Promise<ReferOutcome> {
    const result = this.#take('refer', 'transferred') as ReferOutcome['result']
    return this.#trace.note('refer', options, { result })
  }

  async request(options: HttpRequest): Promise<HttpOutcome> {
    const answer = this.#take('request', '200')
    const outcome: HttpOutcome = /^\d/.test(answer)
      ? { result: 'answered', status: Number(answer), body: {} }
      : { result: answer as HttpOutcome['result'] }
    return this.#trace.note('request', options, outcome)
  }

  async record(command: RecordingCommand): Promise<RecordingResult> {
    const answer = this.#take('record', '200')
    const status = answer === 'hangup' ? 481 : Number(answer)
    return this.#trace.note('record', command, { status, text: '', results: {} })
  }

  async wait(ms: number): Promise<'elapsed' | 'hangup'> {
    return this.#trace.note('wait', ms, this.#take('wait', 'elapsed') as 'elapsed' | 'hangup')
  }

  async hangup(reason?: string): Promise<void> {
    this.#trace.note('hangup', reason, undefined)
    this.end()
  }

  #dialled(kind: 'dial' | 'join'): DialOutcome {
    const result = this.#take(kind, 'answered')
    return { result: result === 'hangup' ? 'failed' : (result as DialOutcome['result']) }
  }

  #take(kind: string, standard: string): string {
    const answer = this.#answers.take(kind) ?? standard
    if (answer === 'hangup') this.end()
    return answer
  }
}

function collected(typed: string, options: Parameters<CallControl['collect']>[0]): CollectOutcome {
  let digits = ''
  for (const digit of typed) {
    if (options.terminators.includes(digit)) return { digits, reason: 'terminator' }
    digits += digit
    if (digits.length >= options.maxDigits) return { digits, reason: 'length' }
  }
  return { digits, reason: 'timeout' }
}
