// What became of recording commands, whichever way they came: told to events, audit and trace, and the refusal that stands on each call.

import type { Call } from '#call'
import type { InfoOutcome } from '#control'
import { type Clock, Listeners } from '#kernel'
import type { CommandOrigin } from '#recording-client'

/** A recording command that has been answered. */
export interface CommandReport extends Pick<InfoOutcome, 'activity' | 'status' | 'text'> {
  readonly callId: string
  readonly by: CommandOrigin
  /** Address that it came from, of one by INFO. */
  readonly from?: string
  /** Wall clock, ms since 1970. */
  readonly atMs: number
}

/** The answer to a command that the end of its recording or call cut off. */
const CUT_OFF = 487

/** The commands of all calls. */
export class CommandReports {
  readonly told = new Listeners<CommandReport>()
  readonly #clock: Clock
  readonly #refusals = new WeakMap<Call, CommandReport>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** A command was answered. */
  add(call: Call, what: Omit<CommandReport, 'callId' | 'atMs'>): void {
    const report = { ...what, callId: call.callId, atMs: this.#clock.wallMs() }
    if (report.status < 300) this.#refusals.delete(call)
    else if (report.status !== CUT_OFF) this.#refusals.set(call, report)
    this.told.emit(report)
  }

  /** The latest refusal, unless a later command was carried out. */
  refusalOf(call: Call): CommandReport | undefined {
    return this.#refusals.get(call)
  }
}
