// Recording commands from any side, with what has to be heard and asked before a recording starts.

import type { Call } from '#call'
import type { RecordingCommand } from '#flow'
import { type Logger, messageOf } from '#kernel'
import type { ApplicationIds, CommandOrigin, CommandOutcome, RecordingClient } from '#recording-client'
import type { ServerInvite } from '#sip'
import type { CommandReports } from './command-reports.ts'
import type { PromptLibrary } from './prompt-library.ts'
import { preferenceOf } from './recording-indicator.ts'

/** Calls on which an announcement was played before they were recorded. */
export class Notices {
  readonly #calls = new WeakSet<Call>()
  /** Told of each call whose first announcement was heard. */
  onPlayed: (call: Call) => void = () => {}

  played(call: Call): void {
    this.#calls.add(call)
    this.onPlayed(call)
  }

  wasPlayed(call: Call): boolean {
    return this.#calls.has(call)
  }
}

/** What commands are carried out with. */
export interface RecordingCommandsOptions {
  readonly client: () => RecordingClient
  readonly notices: Notices
  readonly prompts: PromptLibrary
  /** Told of each command once it is answered. */
  readonly reports: CommandReports
  readonly log: Logger
  /** Prompt that comes before anything is recorded. */
  readonly notice: string | undefined
  readonly honoursPreferences: boolean
  /** Prompt for callers whose recording is not what its policy wants. */
  readonly unmetPrompt: string | undefined
}

/** Where a command came from. */
export interface CommandContext {
  readonly origin: CommandOrigin
  readonly headers?: ReadonlyArray<readonly [string, string]>
  readonly application?: ApplicationIds
  /** The INVITE of the recorder that asks. */
  readonly invitation?: ServerInvite
}

const partyRefuses = 'a party of the call asked not to be recorded'

/** Carries out recording commands. */
export class RecordingCommands {
  readonly #options: RecordingCommandsOptions
  /** Calls that hear their notice now, or will when they are answered. */
  readonly #noticed = new WeakSet<Call>()

  constructor(options: RecordingCommandsOptions) {
    this.#options = options
  }

  async execute(call: Call, command: RecordingCommand, context: CommandContext): Promise<CommandOutcome> {
    const outcome = await this.#carryOut(call, command, context)
    const { status, text } = outcome
    const { origin: by } = context
    // One by INFO is reported where it is answered, since many are without coming here.
    if (by !== 'info') this.#options.reports.add(call, { activity: command.activity, by, status, text })
    return outcome
  }

  async #carryOut(call: Call, command: RecordingCommand, context: CommandContext): Promise<CommandOutcome> {
    const client = this.#options.client()
    const { activity, recorder } = command
    if (recorder !== undefined) {
      if (activity === 'pause' || activity === 'resume' || activity === 'stop') {
        return await client.commandOne(call, activity, recorder, context.origin)
      }
      return { status: 400, text: `${activity} is of every recorder: leave recorder out`, results: {} }
    }
    switch (command.activity) {
      case 'start':
        return await this.#start(client, call, command, context)
      case 'stop':
        return await client.stop(call, context.origin)
      case 'pause':
        return await client.pause(call, {
          origin: context.origin,
          ...(context.headers && { headers: context.headers }),
          ...(command.limit === undefined ? {} : { limit: command.limit }),
        })
      case 'resume':
        return await client.resume(call, context.origin, context.headers)
      case 'mask':
      case 'unmask':
        return await client.mask(call, command.activity === 'mask', context.origin)
    }
  }

  /** Tells the caller that the call is not recorded as it should be. */
  announce(call: Call): void {
    const { prompts, unmetPrompt } = this.#options
    if (unmetPrompt !== undefined) this.#play(prompts, call, unmetPrompt).catch(this.#onFault)
  }

  #start(
    client: RecordingClient,
    call: Call,
    command: RecordingCommand,
    context: CommandContext,
  ): Promise<CommandOutcome> {
    const { notices, notice, honoursPreferences, log } = this.#options
    const preference = honoursPreferences ? preferenceOf(call.snapshot().parties) : undefined
    if (preference === 'off') {
      log.warn(partyRefuses, { callId: call.callId, origin: context.origin })
      return Promise.resolve({ status: 400, text: partyRefuses, results: {} })
    }
    const wasPlayed = notices.wasPlayed(call)
    const isNoticeDue = notice !== undefined && !wasPlayed && client.stateOf(call.callId) === 'none'
    const started = client.start(call, {
      servers: command.server,
      recordingId: command.recordingId,
      noticePlayed: wasPlayed || isNoticeDue,
      ...(command.policy === undefined ? {} : { policy: command.policy }),
      ...(command.maskDtmf === undefined ? {} : { maskDtmf: command.maskDtmf }),
      ...context,
    })
    if (client.stateOf(call.callId) !== 'starting') return started
    // Born paused: the gates open after the notice, and when the party allows it.
    if (isNoticeDue) void client.pause(call, { origin: 'notice' })
    if (preference === 'pause') void client.pause(call, { origin: 'party' })
    if (isNoticeDue && !this.#noticed.has(call)) this.#giveNotice(client, call, notice).catch(this.#onFault)
    return started
  }

  async #giveNotice(client: RecordingClient, call: Call, file: string): Promise<void> {
    const { prompts, notices, log } = this.#options
    this.#noticed.add(call)
    const isHeard = (await answered(call)) && (await this.#play(prompts, call, file))
    this.#noticed.delete(call)
    if (call.ended) return
    if (isHeard) {
      notices.played(call)
      await client.resume(call, 'notice')
      return
    }
    log.error('notice could not be played, so the call is not recorded', { callId: call.callId, file })
    await client.stop(call, 'notice')
  }

  async #play(prompts: PromptLibrary, call: Call, file: string): Promise<boolean> {
    const prompt = await prompts.load(file)
    return prompt.ok && (await call.play(prompt.value)) === 'finished'
  }

  readonly #onFault = (fault: unknown): void => {
    this.#options.log.error('fault in a recording command', { fault: messageOf(fault) })
  }
}

/** Resolves when the caller is answered; false when the call ends instead. */
function answered(call: Call): Promise<boolean> {
  if (call.snapshot().state !== 'ringing') return Promise.resolve(!call.ended)
  return new Promise((resolve) => {
    const unsubscribe = call.onEvent(({ type }) => {
      if (type !== 'answered' && type !== 'ended') return
      unsubscribe()
      resolve(type === 'answered')
    })
  })
}
