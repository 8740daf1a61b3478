// The spool in the place of a recorder: forks of the call that send to it, for as long as nobody else takes them.

import type { CallEvent, CallSnapshot } from '#call'
import type { ForkCounters, MediaCodec, MediaRemote } from '#engine'
import { messageOf, uuidText } from '#kernel'
import { texts } from './command.ts'
import type { LedgerRow } from './ledger.ts'
import { missingOf, type Shortfall, shortfallOf } from './missing-streams.ts'
import { PayloadTypes } from './offer.ts'
import { SessionForks } from './session-forks.ts'
import type { SessionState, Wish } from './session-machine.ts'
import type { Carrier, RecordingSurroundings, SessionPlan } from './session-port.ts'
import { type SpoolFacts, writeFacts } from './spool-facts.ts'
import { SPOOL, type SpoolPort } from './spool-port.ts'
import type { StreamNow } from './streams.ts'

/** What is spooled, beside the plan of its forks. */
export interface SpoolOrder {
  readonly plan: SessionPlan
  readonly recording: string
  readonly targets: readonly (readonly string[])[]
  /** A recorder would get video. */
  readonly hasVideo: boolean
  readonly ledger: () => readonly LedgerRow[]
}

/** Who is told about a spool session. */
export interface SpoolListener {
  onOpened(): void
  onResumed(): void
  /** The call has streams that it does not take, or no longer. */
  onOutgrown(): void
  /** It takes nothing, or nothing more. */
  onRefused(reason: string): void
  /** Another stream is lacking, or none is any more. */
  onShortfall(): void
  onForkClosed(counters: ForkCounters): void
}

/** One part of a recording in the spool. */
export class SpoolSession implements Carrier {
  readonly plan: SessionPlan
  /** Since when it is to have the call: wall clock, ms since 1970. */
  readonly fromMs: number
  readonly #order: SpoolOrder
  readonly #spool: SpoolPort
  readonly #around: RecordingSurroundings
  readonly #listener: SpoolListener
  readonly #forks: SessionForks
  readonly #payloadTypes = new PayloadTypes()
  readonly #codecs = new Map<string, MediaCodec>()
  readonly #file: string
  readonly #unsubscribe: () => void
  #remotes: ReadonlyMap<string, MediaRemote> = new Map()
  #labels: readonly string[] = []
  #live: CallSnapshot
  readonly #streams = new Map<string, StreamNow>()
  #wish: Wish
  #state: SessionState = 'preparing'
  #isTaken = false
  #opening: Promise<void> | undefined
  #ending: Promise<void> | undefined

  constructor(order: SpoolOrder, wish: Wish, spool: SpoolPort, around: RecordingSurroundings, listener: SpoolListener) {
    this.plan = order.plan
    this.#order = order
    this.#wish = wish
    this.#spool = spool
    this.#around = around
    this.#listener = listener
    this.#forks = new SessionForks(
      order.plan,
      around,
      (counters) => listener.onForkClosed(counters),
      () => this.#onForksLost(),
    )
    this.#file = uuidText(around.ids.uuid())
    this.fromMs = order.plan.replayFromMs ?? around.clock.wallMs()
    this.#live = order.plan.call.snapshot()
    this.#look()
    this.#unsubscribe = spool.onEvent((event) => {
      if (event.type === 'stopped' && event.id === this.#file) this.#refuse(event.reason)
    })
  }

  get state(): SessionState {
    return this.#state
  }

  get isSignalling(): boolean {
    return this.#state === 'preparing'
  }

  /** Whether the spool has taken anything of it. */
  get wasOpened(): boolean {
    return this.#isTaken
  }

  /** Why it does not get all that flows. */
  get shortfall(): Shortfall | undefined {
    const { call, streams, profile } = this.plan
    const all = this.#order.hasVideo ? streams.now(call.snapshot(), { ...profile.media, video: true }) : []
    const missing = missingOf(this.#forks)
    return shortfallOf([
      { what: texts.streamsMissing, labels: missing?.labels ?? [], why: missing?.reason },
      { what: texts.videoNotSpooled, labels: all.flatMap(({ kind, label }) => (kind === 'video' ? [label] : [])) },
    ])
  }

  get forkIds(): readonly string[] {
    return this.#forks.liveIds
  }

  /** Makes the forks and has the spool take them. */
  open(): Promise<void> {
    this.#opening ??= this.#open()
    return this.#opening
  }

  async #open(): Promise<void> {
    try {
      await this.#forks.add([])
      this.#learnCodecs()
      const { slots } = this.#forks
      this.#labels = slots.map(({ label }) => label)
      const sources = slots.map(({ local }) => local)
      const taken = await this.#spool.take(this.#file, sources, this.#facts())
      if (!taken.ok) {
        this.#refuse(taken.error)
        return
      }
      if (this.#state !== 'preparing') {
        await this.#discard().catch(this.#warn)
        return
      }
      this.#isTaken = true
      this.#remotes = new Map(taken.value.map((remote, index) => [this.#labels[index] ?? '', remote]))
      await this.#connect()
      if (this.#state !== 'preparing') return
      this.#follow()
      this.#listener.onOpened()
      // The call has gone on meanwhile.
      this.#note()
      await this.#outgrow()
    } catch (fault) {
      this.#refuse(messageOf(fault))
    }
  }

  /** For `paused` the gates have been shut before. */
  wish(wish: Wish): void {
    this.#wish = wish
    if (this.#state !== 'active' && this.#state !== 'gated') return
    const wasGated = this.#state === 'gated'
    this.#follow()
    if (wasGated && this.#state === 'active') this.#listener.onResumed()
    this.#note()
  }

  async callChanged(event: CallEvent): Promise<void> {
    this.#look()
    if (this.#state === 'closed') return
    if (event.type === 'codec-changed') {
      this.#learnCodecs()
      if (this.#remotes.size > 0) this.#connect().catch(() => {})
    }
    if (this.#state === 'preparing') return
    if (event.type === 'codec-changed') this.#follow()
    this.#note()
    await this.#outgrow()
    if (this.#state === 'active') this.#listener.onShortfall()
  }

  /** Removes forks whose cut or mask could not be confirmed; what they sent goes on in another part. */
  dropForks(forkIds: readonly string[]): void {
    if (forkIds.length === 0 || this.#state === 'closed') return
    this.#forks.drop(forkIds)
    this.#listener.onOutgrown()
  }

  /** Takes nothing more; resolves when all of it is kept. */
  end(): Promise<void> {
    this.#ending ??= this.#end()
    return this.#ending
  }

  /** Resolves when the last counters of its forks have been told, and all of it is kept. */
  async forksSettled(): Promise<void> {
    await this.#forks.settled()
    await this.#ending
  }

  async #end(): Promise<void> {
    const opening = this.#state === 'preparing' ? this.#opening : undefined
    this.#state = 'closed'
    this.#unsubscribe()
    this.#forks.close()
    await this.#forks.settled()
    if (opening !== undefined) await opening
    if (!this.#isTaken) return
    const ended = this.plan.call.snapshot()
    await this.#spool.finish(this.#file, this.#facts({ ended, toMs: this.#around.clock.wallMs() })).catch(this.#warn)
  }

  /** It ended while the spool was asked: nothing was sent there, and nothing is to wait there. */
  async #discard(): Promise<void> {
    await this.#spool.finish(this.#file, this.#facts())
    await this.#spool.remove(this.#file)
  }

  #refuse(reason: string): void {
    if (this.#state === 'closed') return
    void this.end()
    this.#listener.onRefused(reason)
  }

  /** What is left goes on; the next part tries the others again. */
  #onForksLost(): void {
    if (this.forkIds.length === 0) this.#refuse(texts.engineRefuses)
    else if (this.#state === 'active') this.#listener.onShortfall()
  }

  async #outgrow(): Promise<void> {
    if ((await this.#forks.follow()) && this.#state !== 'closed') this.#listener.onOutgrown()
  }

  /** Opens the gates, or takes them for shut. */
  #follow(): void {
    this.#state = this.#wish === 'recording' ? 'active' : 'gated'
    if (this.#state === 'active') this.#forks.open()
  }

  async #connect(): Promise<void> {
    const codecs = [...this.#codecs.values()]
    await this.#forks.connect(
      [...this.#remotes].map(([label, remote]) => ({
        label,
        isRefused: false,
        mayFlow: true,
        remote: { remote, codecs },
      })),
    )
  }

  /** Remembers the call as it is, and its streams as they were last. */
  #look(): void {
    const { call, streams, profile } = this.plan
    this.#live = call.snapshot()
    for (const stream of streams.now(this.#live, profile.media)) this.#streams.set(stream.label, stream)
  }

  #learnCodecs(): void {
    for (const { encoding, payloadType } of this.#payloadTypes.codecsFor(this.plan.call.snapshot().encodings)) {
      this.#codecs.set(encoding, { encoding, receivePayloadType: payloadType, sendPayloadType: payloadType })
    }
  }

  #note(): void {
    if (this.#isTaken) this.#spool.note(this.#file, this.#facts()).catch(this.#warn)
  }

  #facts(end?: { readonly ended: CallSnapshot; readonly toMs: number }): string {
    const ledger = this.#order.ledger()
    const gaps = ledger.find(({ recorder }) => recorder === SPOOL)?.gaps ?? []
    const facts: SpoolFacts = {
      recording: this.#order.recording,
      recordingId: this.plan.recordingId,
      headers: this.plan.headers,
      ...(this.plan.application !== undefined && { application: this.plan.application }),
      targets: this.#order.targets,
      streams: this.#labels.flatMap((label) => this.#streams.get(label) ?? []),
      codecs: [...this.#codecs.values()],
      span: {
        fromMs: this.fromMs,
        gaps: gaps.filter(({ toMs = Number.POSITIVE_INFINITY }) => toMs > this.fromMs),
        ...(end === undefined ? {} : { toMs: end.toMs }),
      },
      live: this.#live,
      ...(end === undefined ? {} : { ended: end.ended }),
      ledger,
    }
    return writeFacts(facts)
  }

  readonly #warn = (fault: unknown): void => {
    this.#around.log.warn('the spool failed', { session: this.plan.id, fault: messageOf(fault) })
  }
}
