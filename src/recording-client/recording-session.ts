// One recording session (RFC 7866): its machine, its dialog with one recorder, and its forks. Carries out what the machine says.

import type { CallEvent } from '#call'
import type { ForkCounters } from '#engine'
import { assertNever, messageOf, stateTrace, type Timer } from '#kernel'
import type { AnsweredStream } from './answer.ts'
import { texts } from './command.ts'
import type { Comeback } from './departure.ts'
import type { Replayed } from './fork-binding.ts'
import { type Missing, MissingStreams, type Shortfall, shortfallOf } from './missing-streams.ts'
import { MixFallback, type MixVerdict } from './mix-fallback.ts'
import { type RecorderWay, suitesFor } from './protection.ts'
import { type DialogUser, RecordingDialog } from './recording-dialog.ts'
import { type ForkPath, SessionForks } from './session-forks.ts'
import {
  type SessionInput,
  SessionMachine,
  type SessionOutput,
  type SessionReport,
  type SessionState,
  type Wish,
} from './session-machine.ts'
import { audibleEncodings } from './session-offers.ts'
import type { ForkDoubt, SessionPlan, SessionSurroundings } from './session-port.ts'

/** Who is told about a session. */
export interface SessionListener {
  onReport(report: SessionReport): void
  /** Last counters of a fork that was removed. */
  onForkClosed(counters: ForkCounters): void
}

/** Changes of a call within this time go into one document. */
const gatherMs = 200

/** A recording session with one recorder. */
export class RecordingSession {
  readonly plan: SessionPlan
  readonly #around: SessionSurroundings
  readonly #machine: SessionMachine
  readonly #listener: SessionListener
  readonly #forks: SessionForks
  readonly #dialog: RecordingDialog
  readonly #mix: MixFallback
  readonly #missing: MissingStreams
  #retry: Timer | undefined
  /** Labels of streams that the recorder refuses. */
  #refused: readonly string[] = []
  /** Labels of streams that it takes, and wants no audio of for now. */
  #inactive: readonly string[] = []
  #gathering: Timer | undefined
  /** With the media engine, which has forks to make. */
  readonly #patience = new Set<Timer>()

  constructor(plan: SessionPlan, around: SessionSurroundings, listener: SessionListener) {
    this.plan = plan
    this.#around = around
    this.#listener = listener
    this.#forks = new SessionForks(
      plan,
      around,
      (counters) => listener.onForkClosed(counters),
      () => this.#onForksLost(texts.engineRefuses, 'again'),
    )
    this.#mix = new MixFallback(plan, around, this.#forks, () => this.#letFlow())
    this.#missing = new MissingStreams(around.clock, this.#forks, {
      onMissing: (missing) => this.#tellMissing(missing),
      onMade: () => this.#tellChanges(),
    })
    this.#dialog = new RecordingDialog(plan, around, this.#forks, this.#asDialogUser())
    this.#machine = new SessionMachine('recording', (from, to) => this.#trace(from, to))
  }

  get state(): SessionState {
    return this.#machine.state
  }

  /** Whether an offer of ours is unanswered. */
  get isSignalling(): boolean {
    return this.#machine.isOffering
  }

  /** Ids of the forks that exist, for the gates of the whole recording to be shut at once. */
  get forkIds(): readonly string[] {
    return this.#forks.liveIds
  }

  /** Labels of the streams that this recorder is sent. */
  get labels(): readonly string[] {
    return this.#forks.labels
  }

  /** Streams that there is no copy of for this recorder. */
  get missing(): Missing | undefined {
    return this.#missing.now
  }

  /** Why the recorder does not get all that flows. */
  get shortfall(): Shortfall | undefined {
    if (this.#machine.isHeld) return { reason: texts.pausedByRecorder }
    return shortfallOf([
      { what: texts.streamsRefused, labels: this.#refused },
      { what: texts.streamsInactive, labels: this.#inactive },
      { what: texts.streamsMissing, labels: this.missing?.labels ?? [], why: this.missing?.reason },
    ])
  }

  /** SIP Call-ID of the recording session, once invited. */
  get sipCallId(): string | undefined {
    return this.#dialog.callId
  }

  /** Where a fork sends from and to; undefined when there is no such fork, or nobody has said where to. */
  pathOf(fork: string): ForkPath | undefined {
    return this.#forks.pathOf(fork)
  }

  /** Resolves when the last counters of the forks removed by now have been told. */
  forksSettled(): Promise<void> {
    return this.#forks.settled()
  }

  get #way(): RecorderWay {
    const { uri, profile, invitation } = this.plan
    return { uri, profile, invitedOver: invitation?.flow.transport }
  }

  /** Binds the ports and sends the INVITE; every outcome comes by report. */
  open(): void {
    const { call, profile, id } = this.plan
    const suites = suitesFor(call.snapshot().protection, this.#way)
    if (!suites.ok) {
      this.#around.log.warn('recorder refused for its protection', {
        session: id,
        profile: profile.name,
        reason: suites.error,
      })
      this.#feed({ type: 'refused', status: 488, reason: suites.error })
      return
    }
    if (audibleEncodings(this.plan, this.#around, profile.media).length === 0) {
      const { encodings } = call.snapshot()
      this.#around.log.warn('recorder refused for its codecs', { session: id, profile: profile.name, encodings })
      this.#feed({ type: 'refused', status: 488, reason: texts.unreadable })
      return
    }
    this.#forks.add(suites.value).then(
      () => (this.state === 'preparing' ? this.#feed({ type: 'ports-ready' }) : this.#forks.close()),
      (fault: unknown) => {
        this.#feed({ type: 'refused', status: 500, reason: messageOf(fault) })
        this.#forks.close()
      },
    )
  }

  /** Whether the recorder answers within so many milliseconds; undefined: there is no session to ask in. */
  ask(patienceMs: number): Promise<boolean | undefined> {
    return this.#dialog.ask(patienceMs)
  }

  /** Tells the session what the recording wants from now on. For `paused` and `stopped` the gates have been shut before. */
  wish(wish: Wish): void {
    this.#feed({ type: 'wish', wish })
  }

  /** Takes an unanswered session for failed. */
  giveUp(): void {
    this.#feed({ type: 'give-up' })
  }

  /** Takes an accepted session for lost, with BYE for a recorder that hears it after all. */
  abandon(reason: string): void {
    this.#feed({ type: 'abandoned', reason })
  }

  /**
   * The call changed: what is copied may move, and the recorder gets a new document. Changes that come together are told together
   * (SRC-51), but for codecs, without which nothing can be copied.
   */
  callChanged(event: CallEvent): void {
    if (this.#leaveIfWeaker() || event.type === 'protection-changed') return
    this.#follow()
    if (this.state === 'preparing') return
    if (event.type === 'codec-changed') this.#tellChanges()
    else this.#tellLater()
  }

  /** A fork has sent what was said before the session; the recorder is told which part of the stream that is. */
  replayed(fork: string, { fromMs, toMs }: Replayed): void {
    this.#forks.replayed(fork, { fromMs, toMs })
    this.#tellLater()
  }

  /**
   * A call that has become better protected than its way to the recorder leaves it (SEC-06); another recorder, or this one by a better
   * way, takes over. A party alone waits for the next one, as in a transfer: what the call is like is seen then. Returns whether it left.
   */
  #leaveIfWeaker(): boolean {
    const { call, profile, id } = this.plan
    const { protection, parties } = call.snapshot()
    const present = parties.filter(({ leftAtMs }) => leftAtMs === undefined)
    const isUp = this.state === 'active' || this.state === 'gated'
    if (!isUp || this.forkIds.length === 0 || present.length < 2) return false
    const verdict = suitesFor(protection, this.#way, this.#forks.weakestSuite)
    if (verdict.ok) return false
    this.#around.log.warn('recorder left for its protection', {
      session: id,
      profile: profile.name,
      reason: verdict.error,
    })
    this.abandon(verdict.error)
    return true
  }

  /** Removes forks of which that could not be confirmed; a session without any stream ends. Where the mask is in doubt, another one is masked. */
  dropForks(forkIds: readonly string[], doubt: ForkDoubt): void {
    if (forkIds.length === 0) return
    const reason = doubt === 'cut' ? texts.cutUnproved : texts.maskUnproved
    this.#forks.drop(forkIds, reason)
    this.#onForksLost(reason, doubt === 'cut' ? 'never' : 'again')
  }

  /** A session without any stream ends. */
  #onForksLost(reason: string, comeback: Comeback): void {
    if (this.forkIds.length === 0) {
      this.#feed({ type: 'streams-gone', reason, comeback })
      return
    }
    this.#feed({ type: 'document-changed' })
    this.#lookForMissing()
  }

  #follow(): void {
    const { clock, times } = this.#around
    const patience = clock.after(times.signalWaitMs, 'recording session forks', () => {
      this.#patience.delete(patience)
      this.#forks.doubt(texts.engineSilent)
      this.#lookForMissing()
    })
    this.#patience.add(patience)
    void this.#forks.follow().then((hasNewStreams) => {
      patience.cancel()
      this.#patience.delete(patience)
      if (hasNewStreams) this.#tellChanges()
      this.#lookForMissing()
    })
  }

  #tellLater(): void {
    this.#gathering ??= this.#around.clock.after(gatherMs, 'recording session changes', () => this.#tellChanges())
  }

  #gathered(): void {
    this.#gathering?.cancel()
    this.#gathering = undefined
  }

  #tellChanges(): void {
    this.#gathered()
    this.#feed({ type: 'document-changed' })
  }

  #feed(input: SessionInput): void {
    for (const output of this.#machine.handle(input)) this.#carryOut(output)
  }

  #carryOut(output: SessionOutput): void {
    switch (output.type) {
      case 'invite':
        this.#dialog.open(output.direction)
        break
      case 'reoffer':
        // It has what is still being gathered.
        if (output.withDocument) this.#gathered()
        this.#dialog.reoffer(output.direction, output.withDocument)
        break
      case 'cancel':
        this.#dialog.cancel()
        break
      case 'bye':
        this.#dialog.bye()
        break
      case 'farewell':
        this.#dialog.farewell()
        break
      case 'open-gates':
        this.#forks.open()
        break
      case 'remove-forks':
        this.#retry?.cancel()
        this.#gathering?.cancel()
        this.#mix.close()
        this.#missing.close()
        for (const patience of this.#patience) patience.cancel()
        this.#forks.close()
        break
      case 'set-retry':
        this.#setRetry(output.afterMs)
        break
      case 'report':
        if (output.report.type === 'failed') this.#dialog.decline(output.report.status)
        if (output.report.type === 'closed') this.#dialog.decline(487)
        this.#listener.onReport(output.report)
        break
      default:
        assertNever(output)
    }
  }

  #asDialogUser(): DialogUser {
    return {
      direction: () => (this.state === 'active' ? 'sendonly' : 'inactive'),
      wished: () => this.#machine.wanted,
      isSignalling: () => this.isSignalling,
      feed: (input) => this.#feed(input),
      mixInstead: (status) => this.#mix.insteadOfRefused(status),
      onFirstAnswer: (answered) => this.#onFirstAnswer(answered),
      onAnswer: (answered) => this.#onAnswer(answered),
      onReofferRefused: (status) => this.#onReofferRefused(status),
      onRecorderOffer: (answered) => this.#onRecorderOffer(answered),
    }
  }

  #setRetry(afterMs: number): void {
    this.#retry?.cancel()
    this.#retry = this.#around.clock.after(afterMs, 'recording session retry', () => this.#feed({ type: 'retry-due' }))
  }

  /** The session counts as accepted once its forks are aimed, or at least some of them. */
  #onFirstAnswer(answered: readonly AnsweredStream[]): void {
    this.#forks.connect(answered).then(
      () => this.#onAimed(answered),
      (fault: unknown) => {
        if (this.forkIds.length === 0) this.#feed({ type: 'answer-broken', status: 500, reason: messageOf(fault) })
        else {
          this.#onAimed(answered)
          this.#tellChanges()
        }
      },
    )
  }

  #onAimed(answered: readonly AnsweredStream[]): void {
    if (this.state === 'inviting' && this.#mix.insteadOfSome(answered, true)) this.#tellChanges()
    this.#feed({ type: 'accepted' })
    if (this.#mix.isTaken) this.#listener.onReport({ type: 'mixed' })
    this.#judge(answered)
    this.#lookForMissing()
    this.#leaveIfWeaker()
  }

  #onAnswer(answered: readonly AnsweredStream[] | undefined): void {
    const verdict = answered && this.#mix.answered(answered)
    if (answered !== undefined) this.#connect(answered)
    if (answered !== undefined && verdict === undefined && this.#mix.insteadOfSome(answered, false)) this.#tellChanges()
    this.#feed({ type: 'reoffer-answered' })
    if (answered !== undefined) this.#judge(answered)
    if (verdict !== undefined) this.#onMix(verdict)
  }

  #onReofferRefused(status: number): void {
    const verdict = this.#mix.offerRefused(status)
    this.#feed({ type: 'reoffer-failed', status })
    if (verdict !== undefined) this.#onMix(verdict)
  }

  #onMix(verdict: MixVerdict): void {
    this.#letFlow()
    if (verdict === 'taken') this.#listener.onReport({ type: 'mixed' })
    else if (this.#mix.isHopeless) this.abandon(texts.partOfStreams)
    else this.#tellChanges()
  }

  #onRecorderOffer(answered: readonly AnsweredStream[]): void {
    this.#connect(answered)
    this.#judge(answered)
  }

  #connect(answered: readonly AnsweredStream[]): void {
    // The forks log what fails.
    const settled = this.#forks.connect(answered).catch(() => this.#tellChanges())
    void settled.then(() => this.#lookForMissing())
    this.#letFlow()
  }

  #letFlow(): void {
    if (this.state === 'active') this.#forks.open()
  }

  /** Tells what the recorder has refused or holds, and names each slip in what it said. */
  #judge(answered: readonly AnsweredStream[]): void {
    for (const { label, problem } of answered) {
      if (problem !== undefined)
        this.#around.log.warn('recorder said odd things of a stream', { session: this.plan.id, label, problem })
    }
    const { takenAway } = this.#forks
    const refused = answered.filter(
      (stream) => stream.isRefused && (stream.isWithdrawn !== true || takenAway.includes(stream.label)),
    )
    const labels = refused.map((stream) => stream.label)
    const isNews = labels.join() !== this.#refused.join()
    this.#refused = labels
    if (isNews)
      this.#listener.onReport(labels.length > 0 ? { type: 'streams-refused', labels } : { type: 'streams-taken' })
    if (this.forkIds.length === 0) this.#feed({ type: 'streams-gone' })
    const taken = answered.filter((stream) => !stream.isRefused)
    this.#judgeActivity(taken)
    this.#feed({ type: 'held', isHeld: taken.length > 0 && !taken.some((stream) => stream.mayFlow) })
  }

  /** In a pause of ours, and of all of them, it is no matter of single streams. */
  #judgeActivity(taken: readonly AnsweredStream[]): void {
    if (this.state !== 'active') return
    const isSome = taken.some(({ mayFlow }) => mayFlow)
    const labels = isSome ? taken.filter(({ mayFlow }) => !mayFlow).map(({ label }) => label) : []
    if (labels.join() === this.#inactive.join()) return
    this.#inactive = labels
    this.#listener.onReport(labels.length > 0 ? { type: 'streams-inactive', labels } : { type: 'streams-active' })
  }

  #lookForMissing(): void {
    if (this.state === 'active' || this.state === 'gated') this.#missing.look()
  }

  #tellMissing(missing: Missing | undefined): void {
    this.#listener.onReport(
      missing === undefined ? { type: 'streams-restored' } : { type: 'streams-missing', ...missing },
    )
  }

  #trace(from: SessionState, to: SessionState): void {
    this.#around.log.debug('recording session changed state', { session: this.plan.id, from, to })
    if (!stateTrace.hasSubscribers) return
    const wallMs = this.#around.clock.wallMs()
    stateTrace.publish({ machine: 'recording-session', id: this.plan.id, from, to, wallMs })
  }
}
