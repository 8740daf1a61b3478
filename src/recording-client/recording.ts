// One recording: start..stop on a call, towards any number of recorders (design, section 2). What is wanted, and what came of it.

import type { CallEvent } from '#call'
import type { ForkCounters } from '#engine'
import { assertNever, err, type Result } from '#kernel'
import type { HeaderList, ServerInvite } from '#sip'
import { type CommandOutcome, outcome, type PauseLimit, texts } from './command.ts'
import { OneRecorder, type OneRecorderActivity } from './one-recorder.ts'
import { PolicyWatch } from './policy-watch.ts'
import type { RecorderEntry } from './recorder-list.ts'
import type { SlotMove, Steadiness } from './recorder-slot.ts'
import { RecordingEvidence } from './recording-evidence.ts'
import type { RecordingEnd, RecordingNews, ReportedState } from './recording-news.ts'
import { type PausedRecording, RecordingPauses } from './recording-pauses.ts'
import type { RecordingSession } from './recording-session.ts'
import { RecordingSlots } from './recording-slots.ts'
import { RecordingSpool } from './recording-spool.ts'
import { resultOf } from './results.ts'
import type { SessionReport, Wish } from './session-machine.ts'
import type { Carrier, RecordingPlan, SessionSurroundings } from './session-port.ts'
import { SPOOL, type SpoolHappening } from './spool-port.ts'
import { isMandatory, type SuccessPolicy } from './success-policy.ts'
import { Waiting } from './waiting.ts'

/** A recording and its recorders. */
export class Recording implements PausedRecording {
  readonly evidence: RecordingEvidence
  readonly #around: SessionSurroundings
  readonly plan: RecordingPlan
  readonly #onNews: (news: RecordingNews) => void
  readonly slots: RecordingSlots
  readonly #spool: RecordingSpool
  readonly #pauses: RecordingPauses
  readonly #one: OneRecorder
  readonly #policy: PolicyWatch
  readonly #results: Record<string, string>
  readonly #starting = new Waiting<CommandOutcome>()
  /** What is wanted of every recorder. */
  wish: Wish = 'recording'
  #isBegun = false
  #isAccepted = false
  #isOver = false
  #lost: RecordingSession | undefined
  #stopping: Promise<CommandOutcome> | undefined

  constructor(
    id: string,
    entries: readonly RecorderEntry[],
    plan: RecordingPlan,
    policy: SuccessPolicy,
    around: SessionSurroundings,
    onNews: (news: RecordingNews) => void,
    invitation?: ServerInvite,
  ) {
    this.#around = around
    this.plan = plan
    this.#onNews = onNews
    this.evidence = new RecordingEvidence(plan, around, () => this.live, {
      onUnconfirmed: (session, cause) => onNews({ type: 'unconfirmed', session, cause }),
      onConfirmed: (session) => onNews({ type: 'confirmed', session }),
      onDead: (session, reason) => session.abandon(reason),
    })
    const spool = isMandatory(policy) ? undefined : around.spool
    this.slots = new RecordingSlots({
      id,
      entries,
      plan,
      invitation,
      // What is spooled meanwhile goes on at a recorder as soon as there is one.
      isPersistent: policy.unmet === 'retry' || spool !== undefined,
      around,
      // What the spool has meanwhile is delivered from there.
      replayFromMs: (lost) => (this.#spool.isOn ? undefined : this.evidence.replayFromMs(lost)),
      listener: {
        onOpened: (session) => this.#onOpened(session),
        onReport: (session, report) => this.#onReport(session, report),
        onForkClosed: (session, counters) => this.#onForkClosed(session, counters),
        onMoved: (move) => this.#onMoved(move),
        onSteadiness: (session, steadiness) => this.#onSteadiness(session, steadiness),
        onChanged: () => this.#onChanged(),
      },
    })
    this.#spool = new RecordingSpool(id, spool, plan, around, this.evidence, {
      onOpened: (session) => onNews({ type: 'session-opened', session }),
      onHappening: (happening) => this.#onSpool(happening),
      onForkClosed: (counters) => onNews({ type: 'fork-closed', counters }),
      onGone: (session) => onNews({ type: 'session-gone', session }),
      onChanged: () => this.#onChanged(),
    })
    this.#pauses = new RecordingPauses(this, around)
    this.#one = new OneRecorder(this, around)
    this.#results = { ...this.slots.firstResults }
    this.#policy = new PolicyWatch(policy, around.clock, around.times.answerDeadlineMs, (verdict) =>
      verdict === 'met' ? this.#onMet() : this.#onUnmet(),
    )
  }

  /** What carries it now. */
  get live(): readonly Carrier[] {
    return [...this.slots.live, ...this.#spool.live]
  }

  /** The latest session with each recorder that was asked. */
  get sessions(): readonly RecordingSession[] {
    return this.slots.sessions
  }

  /** Results per recorder URI as known by now. */
  get results(): Readonly<Record<string, string>> {
    return { ...this.#results }
  }

  /** Whether the recorders that there are at this moment are what the policy wants. */
  get policy(): 'met' | 'unmet' {
    return this.#policy.isMet ? 'met' : 'unmet'
  }

  /** What the next command meets. */
  get reported(): ReportedState {
    if (this.#isOver) return 'none'
    switch (this.wish) {
      case 'stopped':
        return 'stopping'
      case 'paused':
        return this.#pauses.isCutting ? 'pausing' : 'paused'
      case 'recording':
        if (this.#pauses.isResuming) return 'resuming'
        return this.#isAccepted && !this.#isInterrupted ? 'recording' : 'starting'
      default:
        return assertNever(this.wish)
    }
  }

  /** Recorders accept and leave at once, and nobody has it at this moment; a loss that is made up for in time is no interruption. */
  get #isInterrupted(): boolean {
    const isHad = this.live.some(({ state }) => state === 'active' || state === 'gated')
    return this.slots.isUnsteady && !isHad
  }

  /** An outcome with what is known of every recorder. */
  outcome(status: number, text: string): CommandOutcome {
    return { ...outcome(status, text, this.results), policy: this.policy }
  }

  /** Tells what is wanted to all that carries it. */
  spread(wish: Wish): void {
    this.slots.wish(wish)
    this.#spool.wish(wish)
  }

  /** Tells the client. */
  tell(news: RecordingNews): void {
    this.#onNews(news)
  }

  /** Waits for `start`: the call is not answered yet. */
  hold(): Promise<CommandOutcome> {
    return this.#starting.open()
  }

  /** The call was answered: a start that was held begins, and recorders that were asked before get audio now. */
  answered(): void {
    if (!this.#isBegun) void this.start()
    else if (this.wish === 'recording') {
      this.evidence.flows()
      this.slots.wish('recording')
      this.slots.callChanged({ type: 'codec-changed' })
      this.#onChanged()
    }
  }

  /** Invites recorders, before the answer of the call without audio; settles as soon as the policy is met, or when it is clear that it will not be in time. */
  start(): Promise<CommandOutcome> {
    const settled = this.#starting.open()
    if (this.slots.isEmpty) this.#fail(texts.notAllowed)
    else {
      this.#isBegun = true
      if (this.plan.call.snapshot().state !== 'answered') this.slots.wish('paused')
      else if (this.wish === 'recording') this.evidence.flows()
      this.#policy.look(this.slots.standings)
      if (!this.#isOver) this.slots.begin()
    }
    return settled
  }

  /** Takes in a recorder that asks for the call by itself; the reason if it cannot be. */
  join(uri: string, invitation: ServerInvite): Result<void, string> {
    if (this.#results[uri] !== undefined && this.live.some(({ plan }) => plan.uri === uri)) {
      return err(texts.knownRecorder)
    }
    const isAnswered = this.plan.call.snapshot().state === 'answered'
    return this.slots.join(uri, invitation, isAnswered ? this.wish : 'paused')
  }

  /** Cuts first, signals second; settles once the cut is proved and the recorders have answered or used up their time. */
  pause(limit?: PauseLimit, headers: HeaderList = []): Promise<CommandOutcome> {
    this.plan.signal.headers = headers
    return this.#pauses.pause(limit)
  }

  /** Settles 200 when one recorder accepted; with none the recording stays paused. */
  resume(headers: HeaderList = []): Promise<CommandOutcome> {
    this.plan.signal.headers = headers
    return this.#pauses.resume()
  }

  /** Leaves keys out of what every recorder gets, or not, while speech goes on; settles once that is true of every fork. */
  async mask(isOn: boolean): Promise<CommandOutcome> {
    const isProved = await this.plan.mask.turn(isOn, () => this.live, this.#around)
    if (this.plan.call.snapshot().state === 'ended') return this.outcome(487, texts.callEnded)
    if (!isProved) return this.outcome(503, isOn ? texts.maskUnproved : texts.stillMasked)
    this.#onNews({ type: isOn ? 'masked' : 'unmasked' })
    return this.outcome(200, 'OK')
  }

  /** Pauses, resumes or stops one recorder; the others go on. */
  commandOne(activity: OneRecorderActivity, uri: string): Promise<CommandOutcome> {
    this.plan.signal.headers = []
    return this.#one.command(activity, uri)
  }

  /** Shuts the gates, then ends every session; settles when the gates are shut. */
  stop(reason: 'stopped' | 'call-ended'): Promise<CommandOutcome> {
    this.#stopping ??= this.#stop(reason)
    return this.#stopping
  }

  /** The call changed: parties, hold. */
  callChanged(event: CallEvent): void {
    if (this.wish === 'stopped') return
    this.evidence.callChanged()
    this.slots.callChanged(event)
    this.#spool.callChanged(event)
  }

  async #stop(reason: 'stopped' | 'call-ended'): Promise<CommandOutcome> {
    this.wish = 'stopped'
    const refusal = this.outcome(487, reason === 'call-ended' ? texts.callEnded : texts.aborted)
    this.#starting.settle(refusal)
    this.#pauses.end(refusal)
    this.#one.end(refusal)
    this.#policy.close()
    await this.#pauses.cut('stopped')
    this.#end(reason)
    return this.outcome(200, 'OK')
  }

  #onOpened(session: RecordingSession): void {
    const { uri } = session.plan
    this.#results[uri] = 'pending'
    this.evidence.asked(session)
    this.#onNews({ type: 'session-opened', session })
  }

  #onForkClosed(session: RecordingSession, counters: ForkCounters): void {
    this.evidence.counted(session, counters)
    this.#onNews({ type: 'fork-closed', counters })
  }

  #onMoved(move: SlotMove): void {
    this.evidence.moved(move)
    this.#onNews({ type: 'moved', move })
  }

  #onSteadiness(session: RecordingSession, steadiness: Steadiness): void {
    const { uri } = session.plan
    this.#results[uri] = steadiness === 'steady' ? 'accepted' : 'unsteady'
    this.evidence.judged(session, this.#results[uri])
    this.#onNews({ type: 'steadiness', session, steadiness })
  }

  #onReport(session: RecordingSession, report: SessionReport): void {
    const { uri } = session.plan
    const result = resultOf(this.#results[uri] ?? 'pending', report)
    this.#results[uri] = result
    this.evidence.reported(session, report, result)
    this.#onNews({ type: 'report', session, report })
    if (report.type === 'accepted') this.#accept()
    if (report.type === 'lost') this.#lost = session
    if (report.type === 'failed' || report.type === 'lost' || report.type === 'closed') {
      this.#onNews({ type: 'session-gone', session })
    }
  }

  /** Some recorder did something; who carries what is known again. */
  #onChanged(): void {
    this.#pauses.look()
    this.#one.look()
    if (this.wish === 'stopped' || this.#isOver) return
    this.#policy.look(this.slots.standings)
    if (this.#isOver) return
    if (this.slots.isCarried) this.#spool.end()
    else if (this.slots.isAtRest) this.#toSpool()
    const isHopeless = this.slots.isAtRest && this.#spool.isRefused && !this.#isAccepted
    if ((this.slots.isGone || (isHopeless && this.#policy.policy.unmet !== 'retry')) && !this.#spool.isOn) {
      this.#onNobodyLeft()
    }
  }

  #toSpool(): void {
    if (this.slots.targets.length === 0) return
    this.#spool.begin(this.wish, this.slots.targets, this.evidence.replayFromMs(this.#lost))
  }

  #onSpool(happening: SpoolHappening): void {
    this.#onNews({ type: 'spool', happening })
    if (happening.type !== 'spool.began') return
    this.#results[SPOOL] = 'spooled'
    this.#accept()
    this.#starting.settle(this.outcome(200, texts.spooled))
  }

  #accept(): void {
    if (this.#isAccepted) return
    this.#isAccepted = true
    this.#onNews({ type: 'started' })
  }

  #onNobodyLeft(): void {
    if (this.#isAccepted) this.#end('lost')
    else this.#fail(this.#isSilence() ? texts.noAnswer : texts.allRefused)
  }

  #isSilence(): boolean {
    return this.sessions.every((session) => this.#results[session.plan.uri] === 'failed(408)')
  }

  #onMet(): void {
    if (this.#starting.isOpen) this.#starting.settle(this.outcome(200, 'OK'))
    else this.#onNews({ type: 'policy', verdict: 'met' })
  }

  /** The policy will not be met, or not in time: only here may a recording be felt by its call. */
  #onUnmet(): void {
    const { call } = this.plan
    const { unmet } = this.#policy.policy
    if (unmet === 'refuse' || unmet === 'end') {
      this.#fail(texts.mandatory)
      if (call.snapshot().state === 'ringing') call.refuse(503)
      else call.hangup(texts.mandatory)
      return
    }
    if (unmet === 'announce') this.#around.announce(call)
    if (this.slots.isGone) return
    if (!this.slots.isCarried) this.#toSpool()
    const isRecorded = this.slots.isCarried || this.#spool.isOn
    if (!isRecorded && !this.#isAccepted && unmet !== 'retry') {
      this.#fail(texts.noAnswer)
      return
    }
    this.#onNews({ type: 'policy', verdict: 'unmet' })
    this.#starting.settle(isRecorded ? this.outcome(200, texts.policyUnmet) : this.outcome(503, texts.triedAgain))
  }

  #fail(text: string): void {
    if (this.#isOver) return
    this.wish = 'stopped'
    this.slots.giveUp()
    void this.#pauses.cut('stopped')
    this.#end('failed')
    this.#starting.settle(this.outcome(503, text))
  }

  #end(reason: RecordingEnd): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#pauses.end(this.outcome(503, texts.noneResumed))
    this.#one.end(this.outcome(503, texts.noneResumed))
    this.#policy.close()
    this.slots.close()
    this.evidence.close()
    this.#onNews({ type: 'over', reason })
  }
}
