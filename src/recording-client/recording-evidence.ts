// What a recording can prove and what it keeps in mind: the ledger, the signs of life of its recorders, the replay memory.

import type { CallCounters, ForkCounters, MediaEvent } from '#engine'
import { Ledger, type LedgerRow } from './ledger.ts'
import type { SlotMove } from './recorder-slot.ts'
import { ProbeWatch } from './recorders/probe-watch.ts'
import { RecordingSession } from './recording-session.ts'
import { ReplayMemory } from './replay-memory.ts'
import type { SessionReport } from './session-machine.ts'
import type { Carrier, RecordingPlan, RecordingSurroundings } from './session-port.ts'
import { type SignsListener, SignsOfLife } from './signs-of-life.ts'
import { SPOOL } from './spool-port.ts'
import type { SpoolSession } from './spool-session.ts'

/** The evidence of one recording. */
export class RecordingEvidence {
  readonly #live: () => readonly Carrier[]
  readonly #ledger: Ledger
  readonly #signs: SignsOfLife
  readonly #probes: ProbeWatch
  readonly #memory: ReplayMemory
  readonly #replaysLoss: boolean
  readonly #unsubscribe: () => void

  /** `live`: what carries it now. */
  constructor(
    plan: RecordingPlan,
    { clock, log, replayMs, times, recorders }: RecordingSurroundings,
    live: () => readonly Carrier[],
    listener: SignsListener,
  ) {
    this.#live = live
    this.#ledger = new Ledger(clock)
    this.#signs = new SignsOfLife(clock, {
      ...listener,
      onUnconfirmed: (session, cause) => {
        this.#ledger.doubted(session.plan.uri, cause)
        listener.onUnconfirmed(session, cause)
      },
      onConfirmed: (session) => {
        this.#ledger.doubted(session.plan.uri, undefined)
        listener.onConfirmed(session)
      },
    })
    this.#probes = new ProbeWatch(recorders, (session, reason) => listener.onDead(session, reason))
    this.#memory = new ReplayMemory({ call: plan.call, keepMs: replayMs, clock, log })
    if (plan.early !== undefined) this.#memory.inherit(plan.early, times.answerDeadlineMs)
    this.#replaysLoss = replayMs > 0
    this.#unsubscribe = plan.call.media.onEvent((event) => this.#onMedia(event))
  }

  get rows(): readonly LedgerRow[] {
    return this.#ledger.rows
  }

  /** The likely cause why no audio arrives at a recorder; undefined: it does, or it is too early to say. */
  causeOf(session: RecordingSession): string | undefined {
    return this.#signs.causeOf(session)
  }

  /** From when on a new session is sent what was said before it; `lost` is the one whose place it takes. */
  replayFromMs(lost: RecordingSession | undefined): number | undefined {
    if (lost !== undefined && !this.#replaysLoss) return undefined
    return this.#memory.fromMs(lost === undefined ? undefined : this.#signs.lastGoodAtMs(lost))
  }

  /** Audio is recorded from now on. */
  flows(): void {
    this.#memory.keep()
  }

  /** Audio is cut: what is kept goes first. */
  cut(reason: 'paused' | 'stopped'): void {
    this.#memory.forget()
    if (reason === 'stopped') return
    for (const session of this.#live()) {
      if (session.state === 'active' || session.state === 'gated') this.#ledger.gapBegins(session.plan.uri, 'pause')
    }
  }

  /** The same for one recorder: what is kept is for the others. */
  cutOne({ plan, state }: Pick<Carrier, 'plan' | 'state'>): void {
    if (state === 'active' || state === 'gated') this.#ledger.gapBegins(plan.uri, 'pause')
  }

  callChanged(): void {
    this.#memory.follow()
  }

  asked({ plan }: Pick<Carrier, 'plan'>): void {
    this.#ledger.asked(plan.uri)
  }

  reported(session: RecordingSession, report: SessionReport, result: string): void {
    const { uri, call } = session.plan
    this.#ledger.outcome(uri, result)
    if (report.type === 'accepted') this.#probes.follow(session)
    if (report.type === 'failed' || report.type === 'lost' || report.type === 'closed') this.#probes.leave(session)
    if (report.type === 'accepted') {
      this.#ledger.answered(uri)
      if (session.state !== 'active')
        this.#ledger.gapBegins(uri, call.snapshot().state === 'answered' ? 'pause' : 'call not answered')
    } else if (report.type === 'lost') {
      this.#ledger.gapBegins(uri, `lost: ${report.reason}`, this.#signs.silentSinceMs(session))
    }
    // A pause of ours outweighs what the recorder takes.
    if (session.state !== 'active') return
    const { shortfall } = session
    if (shortfall === undefined) this.#ledger.gapEnds(uri)
    else this.#ledger.gapBegins(uri, shortfall.reason, undefined, shortfall.streams)
  }

  /** What is thought of a recorder has changed without a report of its own. */
  judged({ plan }: Pick<Carrier, 'plan'>, result: string): void {
    this.#ledger.outcome(plan.uri, result)
  }

  /** The spool takes what is recorded, from `fromMs` on if that is not paused. */
  spoolOpened(session: SpoolSession): void {
    this.#ledger.outcome(SPOOL, 'accepted')
    this.#ledger.answered(SPOOL)
    if (session.state === 'active') this.spoolFlows(session)
    else this.#ledger.gapBegins(SPOOL, 'pause', session.fromMs)
  }

  /** What has become of what the spool was to take. */
  spooled(outcome: string): void {
    this.#ledger.outcome(SPOOL, outcome)
  }

  /** The spool gets what flows, but for what it lacks. */
  spoolFlows({ shortfall }: SpoolSession): void {
    if (shortfall === undefined) this.#ledger.gapEnds(SPOOL)
    else this.#ledger.gapBegins(SPOOL, shortfall.reason, undefined, shortfall.streams)
  }

  moved({ from, to, afterMs }: SlotMove): void {
    this.#ledger.moved(from, to, afterMs)
  }

  counted({ plan }: Pick<Carrier, 'plan'>, counters: ForkCounters): void {
    this.#ledger.counted(plan.uri, counters)
  }

  /** Takes the counters of all forks of the call. */
  refreshed({ forks }: CallCounters): void {
    for (const counters of forks) {
      const session = this.#owner(counters.fork)
      if (session !== undefined) this.counted(session, counters)
    }
  }

  /** Nothing is recorded any more. */
  close(): void {
    this.#memory.forget()
    this.#probes.close()
    this.#ledger.close()
    this.#unsubscribe()
  }

  #onMedia(event: MediaEvent): void {
    if (!('fork' in event)) return
    const session = this.#owner(event.fork)
    if (session === undefined) return
    if (event.type === 'fork-first-packet') this.#ledger.firstPacket(session.plan.uri, event.atMs)
    if (!(session instanceof RecordingSession)) return
    if (event.type === 'fork-replayed') session.replayed(event.fork, event)
    this.#signs.onMedia(session, event)
  }

  #owner(fork: string): Carrier | undefined {
    return this.#live().find((session) => session.forkIds.includes(fork))
  }
}
