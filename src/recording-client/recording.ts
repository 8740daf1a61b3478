// One recording: start..stop on a call, towards any number of recorders (design, section 2). What is wanted, and what came of it.

import type { CallEvent } from '#call'
import { assertNever, err, type Result } from '#kernel'
import type { HeaderList, ServerInvite } from '#sip'
import { type CommandOutcome, outcome, type PauseEnd, type PauseHolder, type PauseLimit, texts } from './command.ts'
import { OneRecorder, type OneRecorderActivity } from './one-recorder.ts'
import { PolicyWatch } from './policy-watch.ts'
import type { RecorderEntry } from './recorder-list.ts'
import { RecordingCarriers } from './recording-carriers.ts'
import type { RecordingEvidence } from './recording-evidence.ts'
import type { RecordingEnd, RecordingNews, ReportedState } from './recording-news.ts'
import { type PausedRecording, RecordingPauses } from './recording-pauses.ts'
import type { RecordingSession } from './recording-session.ts'
import type { RecordingSlots } from './recording-slots.ts'
import type { Wish } from './session-machine.ts'
import type { Carrier, RecordingPlan, SessionSurroundings } from './session-port.ts'
import { isMandatory, type SuccessPolicy } from './success-policy.ts'
import { Waiting } from './waiting.ts'

/** What a recording leaves that has failed or was lost: nobody has ended that. */
export interface RecordingLegacy {
  /** The pause that was commanded. */
  readonly pause: { readonly end: PauseEnd | undefined } | undefined
  readonly isMasked: boolean
}

/** A recording and its recorders. */
export class Recording implements PausedRecording {
  readonly plan: RecordingPlan
  readonly #around: SessionSurroundings
  readonly #onNews: (news: RecordingNews) => void
  readonly #carriers: RecordingCarriers
  readonly #pauses: RecordingPauses
  readonly #one: OneRecorder
  readonly #policy: PolicyWatch
  readonly #starting = new Waiting<CommandOutcome>()
  /** What is wanted of every recorder. */
  wish: Wish = 'recording'
  /** Once it is over, unless it was stopped. */
  legacy: RecordingLegacy | undefined
  #isBegun = false
  #isAccepted = false
  #isOver = false
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
    const [isRetried, maySpool] = [policy.unmet === 'retry', !isMandatory(policy)]
    this.#carriers = new RecordingCarriers(
      { id, entries, plan, invitation, isRetried, maySpool, around },
      {
        tell: onNews,
        onAccepted: () => {
          this.#accept()
          this.#pauses.accepted()
        },
        onSpooled: () => this.#starting.settle(this.outcome(200, texts.spooled)),
        onChanged: () => this.#onChanged(),
      },
    )
    this.#pauses = new RecordingPauses(this, around)
    this.#one = new OneRecorder(this, around)
    this.#policy = new PolicyWatch(policy, around.clock, around.times.answerDeadlineMs, (verdict) =>
      verdict === 'met' ? this.#onMet() : this.#onUnmet(),
    )
  }

  get slots(): RecordingSlots {
    return this.#carriers.slots
  }

  get evidence(): RecordingEvidence {
    return this.#carriers.evidence
  }

  /** What carries it now. */
  get live(): readonly Carrier[] {
    return this.#carriers.live
  }

  /** The latest session with each recorder that was asked. */
  get sessions(): readonly RecordingSession[] {
    return this.slots.sessions
  }

  /** Results per recorder URI as known by now. */
  get results(): Readonly<Record<string, string>> {
    return this.#carriers.results
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
        return this.#isAccepted && !this.#carriers.isInterrupted ? 'recording' : 'starting'
      default:
        return assertNever(this.wish)
    }
  }

  /** When its pause ends by itself; undefined when it does not, or nothing is paused. */
  get pauseEnd(): PauseEnd | undefined {
    return this.wish === 'paused' && !this.#isOver ? this.#pauses.expiry : undefined
  }

  /** Why nobody resumed at the deadline of a pause or after a notice, as long as that is tried. */
  get resumeFailure(): string | undefined {
    return this.#pauses.resumeFailure
  }

  /** An outcome with what is known of every recorder. */
  outcome(status: number, text: string): CommandOutcome {
    return { ...outcome(status, text, this.results), policy: this.policy }
  }

  /** Tells what is wanted to all that carries it. */
  spread(wish: Wish): void {
    this.#carriers.spread(wish)
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
    if (this.results[uri] !== undefined && this.live.some(({ plan }) => plan.uri === uri)) {
      return err(texts.knownRecorder)
    }
    const isAnswered = this.plan.call.snapshot().state === 'answered'
    return this.slots.join(uri, invitation, isAnswered ? this.wish : 'paused')
  }

  /** Cuts first, signals second; settles once the cut is proved and the recorders have answered or used up their time. */
  pause(holder: PauseHolder, limit?: PauseLimit, headers: HeaderList = []): Promise<CommandOutcome> {
    this.plan.signal.headers = headers
    return this.#pauses.pause(holder, limit)
  }

  /** Settles 200 when one recorder accepted; with none the recording stays paused. */
  resume(holder: PauseHolder, headers: HeaderList = []): Promise<CommandOutcome> {
    this.plan.signal.headers = headers
    return this.#pauses.resume(holder)
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
    if (this.wish !== 'stopped') this.#carriers.callChanged(event)
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

  /** Some recorder did something; who carries what is known again. */
  #onChanged(): void {
    this.#pauses.look()
    this.#one.look()
    if (this.wish === 'stopped' || this.#isOver) return
    this.#policy.look(this.slots.standings)
    if (this.#isOver) return
    this.#carriers.shareWithSpool(this.wish)
    const isHopeless = this.#carriers.isRefusedByAll && !this.#isAccepted && this.#policy.policy.unmet !== 'retry'
    if (this.#carriers.isGone || isHopeless) this.#onNobodyLeft()
  }

  #accept(): void {
    if (this.#isAccepted) return
    this.#isAccepted = true
    this.#onNews({ type: 'started' })
  }

  #onNobodyLeft(): void {
    if (this.#isAccepted) this.#end('lost')
    else this.#fail(this.#carriers.isSilence ? texts.noAnswer : texts.allRefused)
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
    if (!this.slots.isCarried) this.#carriers.toSpool(this.wish)
    const { isRecorded } = this.#carriers
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
    if (reason === 'lost' || reason === 'failed') {
      this.legacy = { pause: this.#pauses.commanded, isMasked: this.plan.mask.isOn(false) }
    }
    this.#pauses.end(this.outcome(503, texts.noneResumed))
    this.#one.end(this.outcome(503, texts.noneResumed))
    this.#policy.close()
    this.#carriers.close()
    this.#onNews({ type: 'over', reason })
  }
}
