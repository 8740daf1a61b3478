// The forks of one recording session: one per stream, in the order of its m-lines, made with shut gates, aimed as the recorder answered.

import type { ForkCounters, ForkMedia, MediaLocal, SrtpSuite } from '#engine'
import { type Endpoint, type Logger, messageOf } from '#kernel'
import { srtpSuites } from '#rtp'
import type { AnsweredStream } from './answer.ts'
import { ForkBinding, type Replayed, type SessionFork } from './fork-binding.ts'
import type { MediaStyle } from './recorder-profile.ts'
import type { RecordingSurroundings, SessionPlan } from './session-port.ts'
import type { StreamKeys } from './stream-keys.ts'
import { type CallStream, isSameTap, type StreamNow } from './streams.ts'

/** An m-line of the session: its stream, and where its fork sends from. */
export interface StreamSlot extends CallStream {
  readonly local: MediaLocal
  readonly keys: StreamKeys
  /** Its fork is gone: the m-line stays, with port 0 (SRC-34). */
  readonly isRemoved: boolean
  /** Absent: nothing. */
  readonly replayed?: Replayed
}

/** Why a stream has no fork. */
export interface ForkLack {
  readonly reason: string
  /** It has one again, of which the recorder has not said anything yet. */
  readonly isMade: boolean
}

/** Where a fork sends from and to. */
export interface ForkPath {
  readonly from: Endpoint
  readonly to: Endpoint
}

// Beyond this many m-lines those with port 0 are used again (SRC-35).
const maxSlots = 16

/** Forks of one recording session. */
export class SessionForks {
  readonly #plan: SessionPlan
  readonly #log: Logger
  readonly #onClosed: (counters: ForkCounters) => void
  readonly #onLost: () => void
  readonly #binding: ForkBinding
  readonly #forks: SessionFork[] = []
  #mix: { readonly stream: CallStream; readonly isTaken: boolean } | undefined
  #isHeld = false
  #answered: readonly AnsweredStream[] = []
  #suites: readonly SrtpSuite[] = []
  #isAdded = false
  #isClosed = false
  readonly #removals: Promise<void>[] = []
  readonly #missing = new Map<string, ForkLack>()
  readonly #takenAway = new Set<string>()

  /** `onClosed` gets the last counters of each fork that is removed; `onLost`: some do not do what they are to, and are removed. */
  constructor(
    plan: SessionPlan,
    around: Pick<RecordingSurroundings, 'ids' | 'log'>,
    onClosed: (counters: ForkCounters) => void,
    onLost: () => void,
  ) {
    this.#plan = plan
    this.#log = around.log
    this.#onClosed = onClosed
    this.#onLost = onLost
    this.#binding = new ForkBinding(plan, around.ids, (id, fault) => {
      this.#watch(this.#media.removeFork(id).then(onClosed))
      throw fault
    })
  }

  /** How the recorder is offered the call by now: as its profile says, or mixed instead. */
  get style(): MediaStyle {
    const { media } = this.#plan.profile
    return this.#mix === undefined ? media : { ...media, streams: 'mixed' }
  }

  /** What the m-lines of the next offer carry. */
  get offered(): StreamNow[] {
    const { call, streams } = this.#plan
    const now = streams.now(call.snapshot(), this.style)
    const mix = this.#mix
    return mix === undefined
      ? now
      : now.map((stream) => (stream.kind === 'audio' ? { ...stream, ...mix.stream } : stream))
  }

  /** The m-lines of the next offer; those whose streams are gone keep their place. */
  get slots(): readonly StreamSlot[] {
    return this.#forks.map(({ stream, local, keys, state, replayed }) => ({
      ...stream,
      local,
      keys,
      isRemoved: state === 'dropped' || this.#isMixedElsewhere(stream),
      ...(replayed && { replayed }),
    }))
  }

  /** Label of the stream that carries all voices, or is offered as that; undefined: none. */
  get mixLabel(): string | undefined {
    return this.#mix?.stream.label
  }

  /** Whether a stream has a fork, or had one to the end of the session. */
  has(label: string): boolean {
    return this.#forks.some((fork) => fork.stream.label === label && fork.state !== 'dropped')
  }

  /** Streams of the call without a fork that works, by label; they get one with the next `follow`. */
  get missing(): ReadonlyMap<string, ForkLack> {
    return this.#missing
  }

  /** Labels of streams of the call that the recorder wants none of any more. */
  get takenAway(): readonly string[] {
    return this.offered.flatMap(({ label }) => (this.#takenAway.has(label) ? [label] : []))
  }

  /** What is being bound for long counts as missing until it is there. */
  doubt(reason: string): void {
    for (const label of this.#binding.underWay) {
      if (!this.#missing.has(label)) this.#missing.set(label, { reason, isMade: false })
    }
  }

  get liveIds(): readonly string[] {
    return this.#live().map((fork) => fork.id)
  }

  /** Labels of the streams that are sent. */
  get labels(): readonly string[] {
    return this.#live().map((fork) => fork.stream.label)
  }

  /** The weakest suite in use; empty for plain RTP. */
  get weakestSuite(): readonly SrtpSuite[] {
    const inUse = this.#live().map((fork) => fork.keys.suite)
    return srtpSuites.filter((suite) => inUse.includes(suite)).slice(-1)
  }

  /** Where a live fork sends from and to, once the recorder has said so. */
  pathOf(id: string): ForkPath | undefined {
    const fork = this.#live().find((each) => each.id === id)
    const to = this.#answered.find((answer) => answer.label === fork?.stream.label)?.remote?.remote.rtp
    if (fork === undefined || to === undefined) return undefined
    return { from: { host: fork.local.host, port: fork.local.rtpPort }, to }
  }

  /** Binds a port pair per stream, to be secured by one of `suites`, if any; rejects when none could be had. Others that could not be are missing. */
  async add(suites: readonly SrtpSuite[]): Promise<void> {
    this.#suites = suites
    const { replayFromMs } = this.#plan
    const streams = this.#now()
    const added = await Promise.allSettled(streams.map((stream) => this.#binding.bind(stream, suites, replayFromMs)))
    for (const [index, outcome] of added.entries()) {
      const { label = '' } = streams[index] ?? {}
      if (outcome.status === 'fulfilled') this.#place(outcome.value)
      else this.#missing.set(label, { reason: messageOf(outcome.reason), isMade: false })
    }
    const failed = added.find((outcome) => outcome.status === 'rejected')
    if (failed !== undefined && this.#live().length === 0) throw failed.reason
    this.#isAdded = true
    await this.follow()
  }

  /**
   * Follows the call: forks move to what their streams are copied from now, streams that are over are dropped, and new ones get a
   * fork. Resolves to whether there are new m-lines to be offered.
   */
  async follow(): Promise<boolean> {
    if (!this.#isAdded || this.#isClosed) return false
    const now = this.#now()
    this.#move(now)
    for (const fork of this.#live()) {
      if (!now.some((stream) => stream.label === fork.stream.label)) this.#remove(fork, 'dropped')
    }
    const added = this.offered.filter(({ label }) => !this.#binding.isBinding(label) && this.#isToBeMade(label))
    const bound = await Promise.allSettled(added.map((stream) => this.#binding.bind(stream, this.#suites)))
    const wanted = new Set(this.#now().map(({ label }) => label))
    for (const [index, outcome] of bound.entries()) {
      const { label = '' } = added[index] ?? {}
      if (outcome.status === 'rejected') {
        this.#warn(outcome.reason)
        this.#missing.set(label, { reason: messageOf(outcome.reason), isMade: false })
      } else if (wanted.has(label)) this.#placeMissing(outcome.value)
      else this.#remove(outcome.value, 'closed')
    }
    const offered = new Set(this.offered.map(({ label }) => label))
    for (const label of this.#missing.keys()) if (!wanted.has(label) && !offered.has(label)) this.#missing.delete(label)
    if (added.length > 0) this.#move(this.#now())
    return bound.some((outcome) => outcome.status === 'fulfilled')
  }

  /**
   * Aims the forks as the recorder answered, shuts the gates of streams that it does not want now, and drops those that it has none of.
   */
  async connect(answered: readonly AnsweredStream[]): Promise<void> {
    this.#answered = answered
    for (const { label, isWithdrawn } of answered) {
      if (isWithdrawn !== true && this.#missing.get(label)?.isMade === true) this.#missing.delete(label)
    }
    const commands: Promise<unknown>[] = []
    for (const fork of this.#live()) {
      const { id, stream } = fork
      const answer = answered.find((candidate) => candidate.label === stream.label)
      if (answer?.isGone === true) {
        this.drop([id])
        this.#takenAway.add(stream.label)
        continue
      }
      if (answer?.remote !== undefined) {
        const connected = this.#media.connectFork(id, answer.remote)
        connected.catch((fault: unknown) => this.#lose(fork, fault))
        commands.push(connected)
      }
      if (!answer?.mayFlow) commands.push(this.#media.shutGates([id]))
    }
    for (const command of commands) this.#watch(command)
    await Promise.all(commands)
  }

  /** From the next offer on this stream is to carry all voices; until that is taken it and the others go on as they are. */
  offerMix({ label, streamId, kind }: CallStream): void {
    this.#mix = { stream: { label, streamId, kind }, isTaken: false }
  }

  /** The recorder has taken the mix. */
  adoptMix(): void {
    if (this.#mix === undefined) return
    this.#mix = { ...this.#mix, isTaken: true }
    for (const fork of this.#live()) if (this.#isMixedElsewhere(fork.stream)) this.#remove(fork, 'dropped')
    this.#move(this.#now())
  }

  /** The recorder does not take the mix: separate streams it is. */
  withdrawMix(): void {
    this.#mix = undefined
  }

  /** The next offer begins a dialog: it has the mix alone, and those that are gone leave no place. */
  beginAnew(): void {
    this.adoptMix()
    this.#forks.splice(0, this.#forks.length, ...this.#live())
  }

  /** Keeps the gates shut whatever is said, or no longer. */
  hold(isHeld: boolean): void {
    this.#isHeld = isHeld
  }

  /** Notes what a fork has replayed. */
  replayed(id: string, replayed: Replayed): void {
    for (const fork of this.#live()) if (fork.id === id) fork.replayed = replayed
  }

  /** Opens the gates of all streams that the recorder takes. */
  open(): void {
    if (this.#isHeld) return
    const flowing = new Set(this.#answered.filter((stream) => stream.mayFlow).map((stream) => stream.label))
    const ids = this.#live().filter((fork) => flowing.has(fork.stream.label))
    if (ids.length > 0) this.#need(this.#media.openGates(ids.map((fork) => fork.id)), ids)
  }

  /** Removes forks whose streams are no longer to be offered; with a reason, until they have others. */
  drop(ids: readonly string[], reason?: string): void {
    for (const fork of this.#live()) {
      if (!ids.includes(fork.id)) continue
      this.#remove(fork, 'dropped')
      if (reason !== undefined) this.#missing.set(fork.stream.label, { reason, isMade: false })
    }
  }

  /** Removes all forks, since the session is over. */
  close(): void {
    this.#isClosed = true
    for (const fork of this.#live()) this.#remove(fork, 'closed')
  }

  /** Appends an m-line, or takes the place of a removed one when there are many. */
  #place(fork: SessionFork): void {
    const free = this.#forks.length < maxSlots ? -1 : this.#forks.findIndex(({ state }) => state === 'dropped')
    if (free >= 0) this.#forks[free] = fork
    else this.#forks.push(fork)
    if (this.#isClosed) this.#remove(fork, 'closed')
  }

  /** One that was removed leaves its place to the next of its stream. */
  #placeMissing(fork: SessionFork): void {
    const { label } = fork.stream
    const lack = this.#missing.get(label)
    if (lack !== undefined) this.#missing.set(label, { ...lack, isMade: true })
    const before = this.#forks.findIndex(({ stream }) => stream.label === label)
    if (before < 0 || this.#isClosed) this.#place(fork)
    else this.#forks[before] = fork
  }

  #isToBeMade(label: string): boolean {
    const fork = this.#forks.find(({ stream }) => stream.label === label)
    return fork === undefined || (fork.state === 'dropped' && this.#missing.has(label))
  }

  /** A fork that cannot send gives its place to another one. */
  #lose(fork: SessionFork, fault: unknown): void {
    if (fork.state !== 'live') return
    this.#remove(fork, 'dropped')
    this.#missing.set(fork.stream.label, { reason: messageOf(fault), isMade: false })
  }

  #move(now: readonly StreamNow[]): void {
    for (const fork of this.#live()) {
      const tap = now.find((stream) => stream.label === fork.stream.label)?.tap
      if (tap === undefined || isSameTap(tap, fork.tap)) continue
      fork.tap = tap
      this.#need(this.#media.moveFork(fork.id, tap), [fork])
    }
  }

  /** Resolves when the last counters of all forks removed by now have been told. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#removals)
  }

  #remove(fork: SessionFork, state: 'dropped' | 'closed'): void {
    fork.state = state
    if (this.#mix?.isTaken === false && this.#mix.stream.label === fork.stream.label) this.#mix = undefined
    const removal = this.#media.removeFork(fork.id).then(this.#onClosed)
    this.#removals.push(removal)
    this.#watch(removal)
  }

  /** What is to have a fork: while a mix is but offered, the separate streams. */
  #now(): StreamNow[] {
    const { call, streams, profile } = this.#plan
    return this.#mix?.isTaken === true ? this.offered : streams.now(call.snapshot(), profile.media)
  }

  #isMixedElsewhere({ label, kind }: CallStream): boolean {
    return this.#mix !== undefined && kind === 'audio' && label !== this.#mix.stream.label
  }

  get #media(): ForkMedia {
    return this.#plan.call.media
  }

  #live(): readonly SessionFork[] {
    return this.#forks.filter((fork) => fork.state === 'live')
  }

  /** Forks for which this fails send nothing, or the wrong thing: others are to take their places. */
  #need(command: Promise<unknown>, forks: readonly SessionFork[]): void {
    command.catch((fault: unknown) => {
      this.#warn(fault)
      const failed = forks.filter(({ state }) => state === 'live')
      for (const fork of failed) this.#lose(fork, fault)
      if (failed.length > 0 && !this.#isClosed) this.#onLost()
    })
  }

  #watch(command: Promise<unknown>): void {
    command.catch((fault: unknown) => this.#warn(fault))
  }

  #warn(fault: unknown): void {
    this.#log.warn('media command of a recording session failed', { session: this.#plan.id, fault: messageOf(fault) })
  }
}
