// One recording: start..stop on a call, towards any number of recorders (design, section 2).

import type { CallEvent } from '#call'
import type { ForkCounters } from '#engine'
import { assertNever, type Timer } from '#kernel'
import { type CommandOutcome, outcome, type RecorderReceipt, texts } from './command.ts'
import { type CutProof, cutMedia } from './cut.ts'
import type { RecorderEntry } from './recorder-list.ts'
import { RecordingSession } from './recording-session.ts'
import type { SessionReport, Wish } from './session-machine.ts'
import type { RecordingSurroundings, SessionPlan } from './session-port.ts'
import { Waiting } from './waiting.ts'

/** The state that commands are judged by. */
export type ReportedState = 'none' | 'starting' | 'recording' | 'pausing' | 'paused' | 'resuming' | 'stopping'

/** How a recording ended. */
export type RecordingEnd = 'stopped' | 'failed' | 'lost' | 'call-ended'

/** What a recording tells the client: `over` comes once, when nothing is recorded any more and the slot is free. */
export type RecordingNews =
  | { readonly type: 'report'; readonly session: RecordingSession; readonly report: SessionReport }
  | { readonly type: 'paused'; readonly receipts: readonly RecorderReceipt[] }
  | { readonly type: 'resumed' }
  | { readonly type: 'over'; readonly reason: RecordingEnd }
  | { readonly type: 'session-gone'; readonly session: RecordingSession }
  | { readonly type: 'fork-closed'; readonly counters: ForkCounters }

/** A recording and its sessions. */
export class Recording {
  readonly sessions: readonly RecordingSession[]
  readonly #around: RecordingSurroundings
  readonly #plan: Omit<SessionPlan, 'id' | 'uri' | 'profile'>
  readonly #onNews: (news: RecordingNews) => void
  readonly #results: Record<string, string> = {}
  readonly #starting = new Waiting<CommandOutcome>()
  readonly #resuming = new Waiting<CommandOutcome>()
  /** Open while a pause waits for the recorders, after its cut is proved. */
  readonly #signalling = new Waiting<void>()
  #lateAnswers: Timer | undefined
  #wish: Wish = 'recording'
  #isAccepted = false
  #isOver = false
  #isCallEnded = false
  #cutsUnderWay = 0
  #pausing: Promise<CommandOutcome> | undefined
  #stopping: Promise<CommandOutcome> | undefined

  constructor(
    id: string,
    entries: readonly RecorderEntry[],
    plan: Omit<SessionPlan, 'id' | 'uri' | 'profile'>,
    around: RecordingSurroundings,
    onNews: (news: RecordingNews) => void,
  ) {
    this.#around = around
    this.#plan = plan
    this.#onNews = onNews
    const sessions: RecordingSession[] = []
    for (const entry of entries) {
      const isAllowed = entry.valid && around.destinations.allows(entry.target)
      this.#results[entry.uri] = isAllowed ? 'pending' : `failed(${entry.valid ? 403 : 503})`
      if (!isAllowed) continue
      const profile = around.recorders.profileOf(entry.target)
      const sessionPlan = { ...plan, id: `${id}/${sessions.length + 1}`, uri: entry.uri, profile }
      const session: RecordingSession = new RecordingSession(sessionPlan, around, {
        onReport: (report) => this.#onReport(session, report),
        onForkClosed: (counters) => this.#onNews({ type: 'fork-closed', counters }),
      })
      sessions.push(session)
    }
    this.sessions = sessions
  }

  /** Results per recorder URI as known by now. */
  get results(): Readonly<Record<string, string>> {
    return { ...this.#results }
  }

  /** What the next command meets. */
  get reported(): ReportedState {
    if (this.#isOver) return 'none'
    switch (this.#wish) {
      case 'stopped':
        return 'stopping'
      case 'paused':
        return this.#cutsUnderWay > 0 ? 'pausing' : 'paused'
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

  /** Invites every recorder; settles at the first acceptance, the last refusal or the deadline. */
  start(): Promise<CommandOutcome> {
    const { clock, times } = this.#around
    const settled = this.#starting.open()
    this.#starting.limit(clock.after(times.answerDeadlineMs, 'recording start', () => this.#fail(texts.noAnswer)))
    this.#lateAnswers = clock.after(times.lateAnswerMs, 'recording late answers', () => this.#giveUpPending())
    for (const session of this.sessions) session.open()
    if (this.sessions.length === 0) this.#fail(texts.notAllowed)
    return settled
  }

  /** Cuts first, signals second; settles once the cut is proved and the recorders have answered or used up their time. */
  pause(): Promise<CommandOutcome> {
    if (this.reported === 'pausing' && this.#pausing !== undefined) return this.#pausing
    this.#wish = 'paused'
    this.#resuming.settle(outcome(503, texts.noneResumed, this.results))
    this.#pausing = this.#provePause(this.#cut('paused'))
    return this.#pausing
  }

  /** Settles 200 when one recorder accepted; with none the recording stays paused. */
  resume(): Promise<CommandOutcome> {
    if (this.#resuming.isOpen) return this.#resuming.open()
    const { clock, times } = this.#around
    const settled = this.#resuming.open()
    this.#resuming.limit(clock.after(times.answerDeadlineMs, 'recording resume', () => this.#failResume()))
    this.#wish = 'recording'
    this.#signalling.settle()
    for (const session of this.sessions) session.wish('recording')
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
    for (const session of this.sessions) session.callChanged(event)
  }

  async #stop(reason: 'stopped' | 'call-ended'): Promise<CommandOutcome> {
    this.#wish = 'stopped'
    this.#isCallEnded = reason === 'call-ended'
    const refusal = outcome(487, this.#isCallEnded ? texts.callEnded : texts.aborted, this.results)
    for (const waiting of [this.#starting, this.#resuming]) waiting.settle(refusal)
    this.#signalling.settle()
    await this.#cut('stopped')
    this.#end(reason)
    return outcome(200, 'OK', this.results)
  }

  /** Shuts every gate before it returns, then tells the sessions. */
  async #cut(wish: 'paused' | 'stopped'): Promise<CutProof> {
    const { clock, times } = this.#around
    this.#cutsUnderWay += 1
    const cut = cutMedia(this.sessions, this.#plan.call.media, clock, times.signalWaitMs)
    for (const session of this.sessions) session.wish(wish)
    const proof = await cut
    this.#cutsUnderWay -= 1
    return proof
  }

  async #provePause(cut: Promise<CutProof>): Promise<CommandOutcome> {
    const { receipts, isProved } = await cut
    if (isProved && this.#wish === 'paused') this.#onNews({ type: 'paused', receipts })
    await this.#signalled()
    if (this.#isCallEnded) return outcome(487, texts.callEnded, this.results)
    if (!isProved) return outcome(503, texts.cutUnproved, this.results)
    return { ...outcome(200, 'OK', this.results), receipts }
  }

  /** Waits until every dialog has answered the pause, or another command takes over; bounded. */
  async #signalled(): Promise<void> {
    if (!this.#isSignalling()) return
    const { clock, times } = this.#around
    const settled = this.#signalling.open()
    this.#signalling.limit(clock.after(times.signalWaitMs, 'recording pause', () => this.#signalling.settle()))
    await settled
  }

  #isSignalling(): boolean {
    return this.sessions.some((session) => session.state === 'gated' && session.isSignalling)
  }

  #onReport(session: RecordingSession, report: SessionReport): void {
    this.#results[session.plan.uri] = this.#resultOf(session, report)
    if (report.type === 'accepted') {
      this.#isAccepted = true
      this.#starting.settle(outcome(200, 'OK', this.results))
    }
    this.#onNews({ type: 'report', session, report })
    if (report.type === 'failed' || report.type === 'lost' || report.type === 'closed') this.#onSessionGone(session)
    if (!this.#isSignalling()) this.#signalling.settle()
    this.#judgeResume()
  }

  #resultOf(session: RecordingSession, report: SessionReport): string {
    const known = this.#results[session.plan.uri] ?? 'pending'
    switch (report.type) {
      case 'accepted':
      case 'resumed':
      case 'resumed-by-recorder':
        return 'accepted'
      case 'paused-by-recorder':
        return 'paused by the recorder'
      case 'streams-refused':
        return known
      case 'failed':
        return `failed(${report.status})`
      case 'signal-failed':
        return `${report.direction === 'inactive' ? 'paused, ' : ''}signalled: false (${report.status})`
      case 'closed':
        return known === 'pending' ? 'failed(487)' : known
      case 'paused':
      case 'lost':
        return report.type
      default:
        return assertNever(report)
    }
  }

  #onSessionGone(session: RecordingSession): void {
    this.#onNews({ type: 'session-gone', session })
    if (this.#wish === 'stopped' || this.#isOver || this.sessions.some((other) => !isGone(other))) return
    if (this.#isAccepted) {
      this.#resuming.settle(outcome(503, texts.noneResumed, this.results))
      this.#end('lost')
    } else this.#fail(this.#isSilence() ? texts.noAnswer : texts.allRefused)
  }

  #isSilence(): boolean {
    return this.sessions.every((session) => this.#results[session.plan.uri] === 'failed(408)')
  }

  /** A resume has succeeded with the first recorder, and failed when no session is left that could still accept it. */
  #judgeResume(): void {
    if (!this.#resuming.isOpen || this.#wish !== 'recording') return
    if (this.sessions.some((session) => session.state === 'active')) {
      this.#resuming.settle(outcome(200, 'OK', this.results))
      this.#onNews({ type: 'resumed' })
    } else if (!this.sessions.some(mayAccept)) this.#failResume()
  }

  #failResume(): void {
    this.#wish = 'paused'
    void this.#cut('paused')
    this.#resuming.settle(outcome(503, texts.noneResumed, this.results))
  }

  #fail(text: string): void {
    if (this.#isOver) return
    this.#wish = 'stopped'
    this.#giveUpPending()
    this.#end('failed')
    for (const waiting of [this.#starting, this.#resuming]) waiting.settle(outcome(503, text, this.results))
  }

  #giveUpPending(): void {
    for (const session of this.sessions) session.giveUp()
  }

  #end(reason: RecordingEnd): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#lateAnswers?.cancel()
    this.#onNews({ type: 'over', reason })
  }
}

function isGone(session: RecordingSession): boolean {
  return session.state === 'closed' || session.state === 'failed' || session.state === 'lost'
}

function mayAccept(session: RecordingSession): boolean {
  return session.state === 'preparing' || session.state === 'inviting' || session.isSignalling
}
