// Recording commands by INFO put together as in the gateway, over the recording client on the in-memory network.

import type { Call } from '#call'
import { type InfoOutcome, RecordingInfo } from '#control'
import { type Logger, MemoryLogger } from '#kernel'
import { type IncomingRequest, type MessageOptions, request, type SipFlow, SipHeaders } from '#sip'
import { CommandReports } from '../../src/app/command-reports.ts'
import { PromptLibrary } from '../../src/app/prompt-library.ts'
import { Notices, RecordingCommands } from '../../src/app/recording-commands.ts'
import type { RecordingBench } from './recording-bench.ts'

const flow: SipFlow = {
  transport: 'udp',
  local: { host: '10.0.0.1', port: 5060 },
  remote: { host: '10.0.0.99', port: 5060 },
}

const noPrompts = new PromptLibrary({
  base: '.',
  allowed: 'prompts',
  files: { realPath: async (path) => path, read: async () => undefined },
})

/** An INFO and what it was answered. */
class Asked implements IncomingRequest {
  readonly request
  readonly flow = flow
  /** Whether it was taken for a recording command. */
  isTaken = false
  status: number | 'pending' = 'pending'
  reason = ''
  answers = 0

  constructor(headers: readonly (readonly [string, string])[], body: string) {
    this.request = request('INFO', 'sip:call@gw.example', SipHeaders.of(headers), Buffer.from(body))
  }

  respond(status: number, { reason = '' }: MessageOptions = {}): boolean {
    this.answers += 1
    this.status = status
    this.reason = reason
    return this.answers === 1
  }
}

/** The recording commands of a gateway over a bench, without notices. */
export function benchCommands(bench: RecordingBench, log: Logger): RecordingCommands {
  return new RecordingCommands({
    client: () => bench.client,
    notices: new Notices(),
    prompts: noPrompts,
    reports: new CommandReports(bench.clock),
    log,
    notice: undefined,
    honoursPreferences: false,
    unmetPrompt: undefined,
  })
}

/** A feature server within a dialog of the bench's call. */
export class InfoBench {
  readonly bench: RecordingBench
  readonly log = new MemoryLogger()
  readonly told: InfoOutcome[] = []
  readonly #info: RecordingInfo

  constructor(bench: RecordingBench) {
    this.bench = bench
    const commands = benchCommands(bench, this.log)
    this.#info = new RecordingInfo({
      // The bench's call has all of a call that commands without a notice look at.
      execute: (command) => {
        const { headers, application } = command
        const context = { origin: 'info' as const, headers, ...(application && { application }) }
        return commands.execute(bench.call as unknown as Call, command, context)
      },
      isTrusted: () => true,
      groups: new Map(),
      onAnswered: (outcome) => this.told.push(outcome),
      log: this.log,
    })
  }

  /** Sends an INFO with `X-Reason`; a body is JSON. */
  ask(reason: string, headers: Readonly<Record<string, string>> = {}, body = ''): Asked {
    const type: readonly (readonly [string, string])[] = body === '' ? [] : [['Content-Type', 'application/json']]
    const asked = new Asked([['X-Reason', reason], ...Object.entries(headers), ...type], body)
    asked.isTaken = this.#info.handle(asked)
    return asked
  }

  /** The same, and lets time pass for recorders that answer at once. */
  async done(reason: string, headers: Readonly<Record<string, string>> = {}, body = ''): Promise<Asked> {
    const asked = this.ask(reason, headers, body)
    await this.bench.pass()
    return asked
  }

  /** A start at some recorders, answered. */
  start(servers: string): Promise<Asked> {
    return this.done('startCallRecording', { 'X-Srs-Url': servers, 'X-Srs-Recording-ID': 'rec-1' })
  }

  /** Whether the log has a message, of the commands or of the recording client. */
  says(message: string): boolean {
    return [...this.log.messages(), ...this.bench.log.messages()].includes(message)
  }
}
