// Who carries one recording: the slots of its recorders, the spool where nobody else does, and what came of each.

import type { CallEvent } from '#call'
import type { ServerInvite } from '#sip'
import type { RecorderEntry } from './recorder-list.ts'
import { RecordingEvidence } from './recording-evidence.ts'
import type { RecordingNews } from './recording-news.ts'
import type { RecordingSession } from './recording-session.ts'
import { RecordingSlots } from './recording-slots.ts'
import { RecordingSpool } from './recording-spool.ts'
import { resultOf } from './results.ts'
import type { SessionReport, Wish } from './session-machine.ts'
import type { Carrier, RecordingPlan, SessionSurroundings } from './session-port.ts'
import { SPOOL, type SpoolHappening } from './spool-port.ts'

/** What the carriers of a recording are made of. */
export interface CarriersOptions {
  readonly id: string
  readonly entries: readonly RecorderEntry[]
  readonly plan: RecordingPlan
  /** The INVITE of the recorder of the only entry. */
  readonly invitation: ServerInvite | undefined
  /** Recorders are asked again and again while the start is wanted. */
  readonly isRetried: boolean
  /** What no recorder takes may be spooled. */
  readonly maySpool: boolean
  readonly around: SessionSurroundings
}

/** Who is told what the carriers do. */
export interface CarriersListener {
  tell(news: RecordingNews): void
  /** Some recorder has accepted, or the spool takes it. */
  onAccepted(): void
  /** The spool takes it. */
  onSpooled(): void
  /** Some recorder did something; who carries what is known again. */
  onChanged(): void
}

/** The carriers of one recording. */
export class RecordingCarriers {
  readonly evidence: RecordingEvidence
  readonly slots: RecordingSlots
  readonly #spool: RecordingSpool
  readonly #listener: CarriersListener
  readonly #results: Record<string, string>
  #lost: RecordingSession | undefined

  constructor(options: CarriersOptions, listener: CarriersListener) {
    const { id, entries, plan, invitation, isRetried, maySpool, around } = options
    this.#listener = listener
    this.evidence = new RecordingEvidence(plan, around, () => this.live, {
      onUnconfirmed: (session, cause) => listener.tell({ type: 'unconfirmed', session, cause }),
      onConfirmed: (session) => listener.tell({ type: 'confirmed', session }),
      onDead: (session, reason) => session.abandon(reason),
    })
    const spool = maySpool ? around.spool : undefined
    this.slots = new RecordingSlots({
      id,
      entries,
      plan,
      invitation,
      // What is spooled meanwhile goes on at a recorder as soon as there is one.
      isPersistent: isRetried || spool !== undefined,
      around,
      // What the spool has meanwhile is delivered from there.
      replayFromMs: (lost) => (this.#spool.isOn ? undefined : this.#replayFromMs(lost)),
      listener: {
        onOpened: (session) => this.#onOpened(session),
        onReport: (session, report) => this.#onReport(session, report),
        onForkClosed: (session, counters) => {
          this.evidence.counted(session, counters)
          listener.tell({ type: 'fork-closed', counters })
        },
        onMoved: (move) => {
          this.evidence.moved(move)
          listener.tell({ type: 'moved', move })
        },
        onSteadiness: (session, steadiness) => {
          const result = steadiness === 'steady' ? 'accepted' : 'unsteady'
          this.#results[session.plan.uri] = result
          this.evidence.judged(session, result)
          listener.tell({ type: 'steadiness', session, steadiness })
        },
        onChanged: () => listener.onChanged(),
      },
    })
    this.#spool = new RecordingSpool(id, spool, plan, around, this.evidence, {
      onOpened: (session) => listener.tell({ type: 'session-opened', session }),
      onHappening: (happening) => this.#onSpool(happening),
      onForkClosed: (counters) => listener.tell({ type: 'fork-closed', counters }),
      onGone: (session) => listener.tell({ type: 'session-gone', session }),
      onChanged: () => listener.onChanged(),
    })
    this.#results = { ...this.slots.firstResults }
  }

  /** What carries it now. */
  get live(): readonly Carrier[] {
    return [...this.slots.live, ...this.#spool.live]
  }

  /** Results per recorder URI as known by now. */
  get results(): Readonly<Record<string, string>> {
    return { ...this.#results }
  }

  /** Whether a recorder or the spool has it. */
  get isRecorded(): boolean {
    return this.slots.isCarried || this.#spool.isOn
  }

  /** Recorders accept and leave at once, and nobody has it at this moment; a loss that is made up for in time is no interruption. */
  get isInterrupted(): boolean {
    const isHad = this.live.some(({ state }) => state === 'active' || state === 'gated')
    return this.slots.isUnsteady && !isHad
  }

  /** Whether nobody carries it, nobody is being asked, and the spool has refused. */
  get isRefusedByAll(): boolean {
    return this.slots.isAtRest && this.#spool.isRefused && !this.#spool.isOn
  }

  /** Whether nobody carries it, nor will. */
  get isGone(): boolean {
    return this.slots.isGone && !this.#spool.isOn
  }

  /** Whether every recorder that was asked has been silent. */
  get isSilence(): boolean {
    return this.slots.sessions.every((session) => this.#results[session.plan.uri] === 'failed(408)')
  }

  /** Tells what is wanted to all that carries it. */
  spread(wish: Wish): void {
    this.slots.wish(wish)
    this.#spool.wish(wish)
  }

  callChanged(event: CallEvent): void {
    this.evidence.callChanged()
    this.slots.callChanged(event)
    this.#spool.callChanged(event)
  }

  /** The spool steps in while nobody else carries it and nobody is being asked, and steps back when a recorder does. */
  shareWithSpool(wish: Wish): void {
    if (this.slots.isCarried) this.#spool.end()
    else if (this.slots.isAtRest) this.toSpool(wish)
  }

  /** The spool steps in. */
  toSpool(wish: Wish): void {
    if (this.slots.targets.length === 0) return
    this.#spool.begin(wish, this.slots.targets, this.#replayFromMs(this.#lost))
  }

  /** Nothing is awaited and nothing is recorded any more. */
  close(): void {
    this.slots.close()
    this.evidence.close()
  }

  /** What the spool has is not sent again. */
  #replayFromMs(lost: RecordingSession | undefined): number | undefined {
    const fromMs = this.evidence.replayFromMs(lost)
    return fromMs === undefined ? undefined : Math.max(fromMs, this.#spool.hadUntilMs ?? fromMs)
  }

  #onOpened(session: RecordingSession): void {
    this.#results[session.plan.uri] = 'pending'
    this.evidence.asked(session)
    this.#listener.tell({ type: 'session-opened', session })
  }

  #onReport(session: RecordingSession, report: SessionReport): void {
    const { uri } = session.plan
    const result = resultOf(this.#results[uri] ?? 'pending', report)
    this.#results[uri] = result
    this.evidence.reported(session, report, result)
    this.#listener.tell({ type: 'report', session, report })
    if (report.type === 'accepted') this.#listener.onAccepted()
    if (report.type === 'lost') this.#lost = session
    if (report.type === 'failed' || report.type === 'lost' || report.type === 'closed') {
      this.#listener.tell({ type: 'session-gone', session })
    }
  }

  #onSpool(happening: SpoolHappening): void {
    this.#listener.tell({ type: 'spool', happening })
    if (happening.type !== 'spool.began') return
    this.#results[SPOOL] = 'spooled'
    this.#listener.onAccepted()
    this.#listener.onSpooled()
  }
}
