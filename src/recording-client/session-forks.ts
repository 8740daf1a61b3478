// The forks of one recording session: one per stream of the call, made with shut gates, aimed as the recorder answered.

import type { ForkCounters, MediaCall, MediaLocal, SrtpSuite, Tap } from '#engine'
import { type Endpoint, type Ids, type Logger, messageOf } from '#kernel'
import type { AnsweredStream, OfferedStream } from './offer.ts'
import type { RecordingSurroundings, SessionPlan } from './session-port.ts'
import { StreamKeys } from './stream-keys.ts'
import { type CallStream, tapOf } from './streams.ts'

interface SessionFork {
  readonly id: string
  readonly stream: CallStream
  readonly local: MediaLocal
  readonly keys: StreamKeys
  tap: Tap
  state: 'live' | 'dropped' | 'closed'
}

/** Where a fork sends from and to. */
export interface ForkPath {
  readonly from: Endpoint
  readonly to: Endpoint
}

/** Forks of one recording session, in the order of its m-lines. */
export class SessionForks {
  readonly #plan: SessionPlan
  readonly #ids: Ids
  readonly #log: Logger
  readonly #onClosed: (counters: ForkCounters) => void
  #forks: readonly SessionFork[] = []
  #answered: readonly AnsweredStream[] = []
  readonly #removals: Promise<void>[] = []

  /** `onClosed` gets the last counters of each fork that is removed. */
  constructor(
    plan: SessionPlan,
    around: Pick<RecordingSurroundings, 'ids' | 'log'>,
    onClosed: (counters: ForkCounters) => void,
  ) {
    this.#plan = plan
    this.#ids = around.ids
    this.#log = around.log
    this.#onClosed = onClosed
  }

  /** The streams as offered; those that were dropped keep their place. */
  get streams(): readonly OfferedStream[] {
    return this.#forks.map(({ stream, local, keys, state }) => ({
      label: stream.label,
      local,
      keys,
      isRemoved: state === 'dropped',
    }))
  }

  get liveIds(): readonly string[] {
    return this.#live().map((fork) => fork.id)
  }

  /** Where a live fork sends from and to, once the recorder has said so. */
  pathOf(id: string): ForkPath | undefined {
    const fork = this.#live().find((each) => each.id === id)
    const to = this.#answered.find((answer) => answer.label === fork?.stream.label)?.remote?.remote.rtp
    if (fork === undefined || to === undefined) return undefined
    return { from: { host: fork.local.host, port: fork.local.rtpPort }, to }
  }

  /** Binds a port pair per stream, to be secured by one of `suites`, if any; rejects when one of them could not be had, the others stay until `close`. */
  async add(suites: readonly SrtpSuite[]): Promise<void> {
    const snapshot = this.#plan.call.snapshot()
    const added = await Promise.allSettled(
      this.#plan.streams.map(async (stream): Promise<SessionFork> => {
        const id = `${this.#plan.id}/${stream.label}`
        const tap = tapOf(stream, snapshot)
        const { replayFromMs, profile } = this.#plan
        const maskDtmf = this.#plan.maskDtmf ?? profile.media.maskDtmf
        const local = await this.#media.addFork({
          id,
          tap,
          open: false,
          ...(maskDtmf && { maskDtmf }),
          ...(replayFromMs !== undefined && { replayFromMs }),
        })
        const keys = new StreamKeys(suites, this.#ids)
        return { id, stream, local, keys, tap, state: 'live' }
      }),
    )
    this.#forks = added.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []))
    const failed = added.find((outcome) => outcome.status === 'rejected')
    if (failed !== undefined) throw failed.reason
    this.follow()
  }

  /** Moves the forks to what their streams are copied from now. */
  follow(): void {
    const snapshot = this.#plan.call.snapshot()
    for (const fork of this.#live()) {
      const tap = tapOf(fork.stream, snapshot)
      if (tap.leg === fork.tap.leg && tap.point === fork.tap.point) continue
      fork.tap = tap
      this.#watch(this.#media.moveFork(fork.id, tap))
    }
  }

  /** Aims the forks as the recorder answered and shuts the gates of streams that it does not want now. */
  async connect(answered: readonly AnsweredStream[]): Promise<void> {
    this.#answered = answered
    const commands: Promise<unknown>[] = []
    for (const { id, stream } of this.#live()) {
      const answer = answered.find((candidate) => candidate.label === stream.label)
      if (answer?.remote !== undefined) commands.push(this.#media.connectFork(id, answer.remote))
      if (!answer?.mayFlow) commands.push(this.#media.shutGates([id]))
    }
    for (const command of commands) this.#watch(command)
    await Promise.all(commands)
  }

  /** Opens the gates of all streams that the recorder takes. */
  open(): void {
    const flowing = new Set(this.#answered.filter((stream) => stream.mayFlow).map((stream) => stream.label))
    const ids = this.#live().filter((fork) => flowing.has(fork.stream.label))
    if (ids.length > 0) this.#watch(this.#media.openGates(ids.map((fork) => fork.id)))
  }

  /** Removes forks whose streams are no longer to be offered. */
  drop(ids: readonly string[]): void {
    for (const fork of this.#live()) if (ids.includes(fork.id)) this.#remove(fork, 'dropped')
  }

  /** Removes all forks, since the session is over. */
  close(): void {
    for (const fork of this.#live()) this.#remove(fork, 'closed')
  }

  /** Resolves when the last counters of all forks removed by now have been told. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#removals)
  }

  #remove(fork: SessionFork, state: 'dropped' | 'closed'): void {
    fork.state = state
    const removal = this.#media.removeFork(fork.id).then(this.#onClosed)
    this.#removals.push(removal)
    this.#watch(removal)
  }

  get #media(): MediaCall {
    return this.#plan.call.media
  }

  #live(): readonly SessionFork[] {
    return this.#forks.filter((fork) => fork.state === 'live')
  }

  #watch(command: Promise<unknown>): void {
    command.catch((fault: unknown) =>
      this.#log.warn('media command of a recording session failed', {
        session: this.#plan.id,
        fault: messageOf(fault),
      }),
    )
  }
}
