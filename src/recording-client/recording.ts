// One recording: start..stop on a call, towards any number of recorders (design, section 2). What is wanted, and what came of it.

import type { CallEvent } from '#call'
import type { ForkCounters } from '#engine'
import { assertNever } from '#kernel'
import { type CommandOutcome, outcome, type PauseLimit, texts } from './command.ts'
import type { CutProof } from './cut.ts'
import { PauseDeadline } from './pause-deadline.ts'
import { PolicyWatch } from './policy-watch.ts'
import type { RecorderEntry } from './recorder-list.ts'
import type { SlotMove } from './recorder-slot.ts'
import { RecordingEvidence } from './recording-evidence.ts'
import { RecordingGates } from './recording-gates.ts'
import type { RecordingEnd, RecordingNews, ReportedState } from './recording-news.ts'
import type { RecordingSession } from './recording-session.ts'
import { RecordingSlots } from './recording-slots.ts'
import { resultOf } from './results.ts'
import type { SessionReport, Wish } from './session-machine.ts'
import type { RecordingPlan, RecordingSurroundings } from './session-port.ts'
import type { SuccessPolicy } from './success-policy.ts'
import { Waiting } from './waiting.ts'

/** A recording and its recorders. */
export class Recording {
  readonly evidence: RecordingEvidence
  readonly #around: RecordingSurroundings
  readonly #plan: RecordingPlan
  readonly #onNews: (news: RecordingNews) => void
  readonly #slots: RecordingSlots
  readonly #gates: RecordingGates
  readonly #policy: PolicyWatch
  readonly #pauseDeadline: PauseDeadline
  readonly #results: Record<string, string>
  readonly #starting = new Waiting<CommandOutcome>()
  readonly #resuming = new Waiting<CommandOutcome>()
  #wish: Wish = 'recording'
  #isBegun = false
  #isAccepted = false
  #isOver = false
  #isCallEnded = false
  #pausing: Promise<CommandOutcome> | undefined
  #stopping: Promise<CommandOutcome> | undefined

  constructor(
    id: string,
    entries: readonly RecorderEntry[],
    plan: RecordingPlan,
    policy: SuccessPolicy,
    around: RecordingSurroundings,
    onNews: (news: RecordingNews) => void,
  ) {
    this.#around = around
    this.#plan = plan
    this.#onNews = onNews
    this.evidence = new RecordingEvidence(plan, around, () => this.#slots.live, {
      onUnconfirmed: (session, cause) => onNews({ type: 'unconfirmed', session, cause }),
      onConfirmed: (session) => onNews({ type: 'confirmed', session }),
      onDead: (session, reason) => session.abandon(reason),
    })
    this.#slots = new RecordingSlots({
      id,
      entries,
      plan,
      isPersistent: policy.unmet === 'retry',
      around,
      replayFromMs: (lost) => this.evidence.replayFromMs(lost),
      listener: {
        onOpened: (session) => this.#onOpened(session),
        onReport: (session, report) => this.#onReport(session, report),
        onForkClosed: (session, counters) => this.#onForkClosed(session, counters),
        onMoved: (move) => this.#onMoved(move),
        onChanged: () => this.#onChanged(),
      },
    })
    this.#gates = new RecordingGates(() => this.#slots.live, plan.call.media, around)
    this.#results = { ...this.#slots.firstResults }
    this.#policy = new PolicyWatch(policy, around.clock, around.times.answerDeadlineMs, (verdict) =>
      verdict === 'met' ? this.#onMet() : this.#onUnmet(),
    )
    this.#pauseDeadline = new PauseDeadline(around.clock, (next) => this.#onPauseExpired(next))
  }

  /** The latest session with each recorder that was asked. */
  get sessions(): readonly RecordingSession[] {
    return this.#slots.sessions
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
    switch (this.#wish) {
      case 'stopped':
        return 'stopping'
      case 'paused':
        return this.#gates.isShutting ? 'pausing' : 'paused'
      case 'recording':
        if (this.#resuming.isOpen) return 'resuming'
        return this.#isAccepted ? 'recording' : 'starting'
      default:
        return assertNever(this.#wish)
    }
  }

  /** Waits for `start`: the call is not answered yet. */
  hold(): Promise<CommandOutcome> {
    return this.#starting.open()
  }

  /** The call was answered: a start that was held begins, and recorders that were asked before get audio now. */
  answered(): void {
    if (!this.#isBegun) void this.start()
    else if (this.#wish === 'recording') {
      this.evidence.flows()
      this.#slots.wish('recording')
      this.#slots.callChanged({ type: 'codec-changed' })
    }
  }

  /** Invites recorders, before the answer of the call without audio; settles as soon as the policy is met, or when it is clear that it will not be in time. */
  start(): Promise<CommandOutcome> {
    const settled = this.#starting.open()
    if (this.#slots.isEmpty) this.#fail(texts.notAllowed)
    else {
      this.#isBegun = true
      if (this.#plan.call.snapshot().state !== 'answered') this.#slots.wish('paused')
      else if (this.#wish === 'recording') this.evidence.flows()
      this.#policy.look(this.#slots.standings)
      if (!this.#isOver) this.#slots.begin()
    }
    return settled
  }

  /** Cuts first, signals second; settles once the cut is proved and the recorders have answered or used up their time. */
  pause(limit?: PauseLimit): Promise<CommandOutcome> {
    this.#pauseDeadline.set(limit)
    if (this.reported === 'pausing' && this.#pausing !== undefined) return this.#pausing
    this.#wish = 'paused'
    this.#resuming.settle(this.#outcome(503, texts.noneResumed))
    this.#pausing = this.#provePause(this.#cut('paused'))
    return this.#pausing
  }

  /** Settles 200 when one recorder accepted; with none the recording stays paused. */
  resume(): Promise<CommandOutcome> {
    if (this.#resuming.isOpen) return this.#resuming.open()
    const { clock, times } = this.#around
    const settled = this.#resuming.open()
    this.#resuming.limit(clock.after(times.answerDeadlineMs, 'recording resume', () => this.#failResume()))
    this.#pauseDeadline.set(undefined)
    this.#wish = 'recording'
    this.#gates.hurry()
    this.#slots.wish('recording')
    this.#judgeResume()
    return settled
  }

  /** Shuts the gates, then ends every session; settles when the gates are shut. */
  stop(reason: 'stopped' | 'call-ended'): Promise<CommandOutcome> {
    this.#stopping ??= this.#stop(reason)
    return this.#stopping
  }

  /** The call changed: parties, hold. */
  callChanged(event: CallEvent): void {
    if (this.#wish === 'stopped') return
    this.evidence.callChanged()
    this.#slots.callChanged(event)
  }

  async #stop(reason: 'stopped' | 'call-ended'): Promise<CommandOutcome> {
    this.#wish = 'stopped'
    this.#isCallEnded = reason === 'call-ended'
    const refusal = this.#outcome(487, this.#isCallEnded ? texts.callEnded : texts.aborted)
    for (const waiting of [this.#starting, this.#resuming]) waiting.settle(refusal)
    this.#gates.hurry()
    this.#policy.close()
    await this.#cut('stopped')
    this.#end(reason)
    return this.#outcome(200, 'OK')
  }

  /** Shuts every gate before it returns, and forgets what is kept, then tells the sessions. */
  #cut(wish: 'paused' | 'stopped'): Promise<CutProof> {
    this.evidence.cut(wish)
    const proof = this.#gates.shut()
    this.#slots.wish(wish)
    return proof
  }

  async #provePause(cut: Promise<CutProof>): Promise<CommandOutcome> {
    const { receipts, isProved } = await cut
    if (isProved && this.#wish === 'paused') this.#onNews({ type: 'paused', receipts })
    await this.#gates.signalled()
    if (this.#isCallEnded) return this.#outcome(487, texts.callEnded)
    if (!isProved) return this.#outcome(503, texts.cutUnproved)
    return { ...this.#outcome(200, 'OK'), receipts }
  }

  #onPauseExpired(next: PauseLimit['next']): void {
    if (this.#wish !== 'paused') return
    this.#onNews({ type: 'pause-expired', next })
    void (next === 'resume' ? this.resume() : this.stop('stopped'))
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

  #onReport(session: RecordingSession, report: SessionReport): void {
    const { uri } = session.plan
    const result = resultOf(this.#results[uri] ?? 'pending', report)
    this.#results[uri] = result
    this.evidence.reported(session, report, result)
    this.#onNews({ type: 'report', session, report })
    if (report.type === 'accepted' && !this.#isAccepted) {
      this.#isAccepted = true
      this.#onNews({ type: 'started' })
    }
    if (report.type === 'failed' || report.type === 'lost' || report.type === 'closed') {
      this.#onNews({ type: 'session-gone', session })
    }
  }

  /** Some recorder did something; who carries what is known again. */
  #onChanged(): void {
    this.#gates.look()
    if (this.#wish === 'stopped' || this.#isOver) return
    this.#policy.look(this.#slots.standings)
    if (!this.#isOver && this.#slots.isGone) this.#onNobodyLeft()
    this.#judgeResume()
  }

  #onNobodyLeft(): void {
    if (this.#isAccepted) {
      this.#resuming.settle(this.#outcome(503, texts.noneResumed))
      this.#end('lost')
    } else this.#fail(this.#isSilence() ? texts.noAnswer : texts.allRefused)
  }

  #isSilence(): boolean {
    return this.sessions.every((session) => this.#results[session.plan.uri] === 'failed(408)')
  }

  #onMet(): void {
    if (this.#starting.isOpen) this.#starting.settle(this.#outcome(200, 'OK'))
    else this.#onNews({ type: 'policy', verdict: 'met' })
  }

  /** The policy will not be met, or not in time: only here may a recording be felt by its call. */
  #onUnmet(): void {
    const { call } = this.#plan
    const { unmet } = this.#policy.policy
    if (unmet === 'refuse' || unmet === 'end') {
      this.#fail(texts.mandatory)
      if (call.snapshot().state === 'ringing') call.refuse(503)
      else call.hangup(texts.mandatory)
      return
    }
    if (unmet === 'announce') this.#around.announce(call)
    if (this.#slots.isGone) return
    const isRecorded = this.#slots.isCarried
    if (!isRecorded && !this.#isAccepted && unmet !== 'retry') {
      this.#fail(texts.noAnswer)
      return
    }
    this.#onNews({ type: 'policy', verdict: 'unmet' })
    this.#starting.settle(isRecorded ? this.#outcome(200, texts.policyUnmet) : this.#outcome(503, texts.triedAgain))
  }

  /** A resume has succeeded with the first recorder, and failed when nobody is left that could still accept it. */
  #judgeResume(): void {
    if (!this.#resuming.isOpen || this.#wish !== 'recording') return
    if (this.#slots.live.some((session) => session.state === 'active')) {
      this.evidence.flows()
      this.#resuming.settle(this.#outcome(200, 'OK'))
      this.#onNews({ type: 'resumed' })
    } else if (!this.#slots.isSeeking && !this.#slots.live.some((session) => session.isSignalling)) this.#failResume()
  }

  #failResume(): void {
    this.#wish = 'paused'
    void this.#cut('paused')
    this.#resuming.settle(this.#outcome(503, texts.noneResumed))
  }

  #fail(text: string): void {
    if (this.#isOver) return
    this.#wish = 'stopped'
    this.#slots.giveUp()
    void this.#cut('stopped')
    this.#end('failed')
    for (const waiting of [this.#starting, this.#resuming]) waiting.settle(this.#outcome(503, text))
  }

  #end(reason: RecordingEnd): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#pauseDeadline.set(undefined)
    this.#policy.close()
    this.#slots.close()
    this.evidence.close()
    this.#onNews({ type: 'over', reason })
  }

  #outcome(status: number, text: string): CommandOutcome {
    return { ...outcome(status, text, this.results), policy: this.policy }
  }
}
