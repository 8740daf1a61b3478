// One recording: start..stop on a call, towards any number of recorders (design, section 2).

import type { ForkCounters } from '#engine'
import { assertNever, type Timer } from '#kernel'
import { type CommandOutcome, outcome, type RecorderReceipt, texts } from './command.ts'
import { RecordingSession } from './recording-session.ts'
import type { RecorderEntry } from './recorder-list.ts'
import type { SessionReport, Wish } from './session-machine.ts'
import type { RecordingSurroundings, SessionPlan } from './session-port.ts'
import { Waiting } from './waiting.ts'

/** The state that commands are judged by. */
export type ReportedState = 'none' | 'starting' | 'recording' | 'pausing' | 'paused' | 'resuming' | 'stopping'

/** What a recording tells the client: `over` comes once, when nothing is recorded any more and the slot is free. */
export type RecordingNews =
  | { readonly type: 'report'; readonly session: RecordingSession; readonly report: SessionReport }
  | { readonly type: 'paused'; readonly receipts: readonly RecorderReceipt[] }
  | { readonly type: 'over'; readonly reason: 'stopped' | 'failed' | 'lost' | 'call-ended' }
  | { readonly type: 'session-gone'; readonly session: RecordingSession }
  | { readonly type: 'fork-closed'; readonly counters: ForkCounters }

/** A recording and its sessions. */
export class Recording {
  readonly sessions: readonly RecordingSession[]
  readonly #around: RecordingSurroundings
  readonly #plan: Omit<SessionPlan, 'id' | 'uri'>
  readonly #onNews: (news: RecordingNews) => void
  readonly #results: Record<string, string> = {}
  readonly #starting = new Waiting()
  readonly #resuming = new Waiting()
  readonly #signalling = new Waiting()
  readonly #timers = new Set<Timer>()
  #wish: Wish = 'recording'
  #isAccepted = false
  #isOver = false
  #pauses = 0
  #pausing: Promise<CommandOutcome> | undefined

  constructor(
    id: string,
    entries: readonly RecorderEntry[],
    plan: Omit<SessionPlan, 'id' | 'uri'>,
    around: RecordingSurroundings,
    onNews: (news: RecordingNews) => void,
  ) {
    this.#around = around
    this.#plan = plan
    this.#onNews = onNews
    const sessions: RecordingSession[] = []
    for (const entry of entries) {
      if (!entry.valid) this.#results[entry.uri] = 'failed(503)'
      else if (!around.destinations.allows(entry.target)) this.#results[entry.uri] = 'failed(403)'
      else {
        this.#results[entry.uri] = 'pending'
        const sessionPlan = { ...plan, id: `${id}/${sessions.length + 1}`, uri: entry.uri }
        const session: RecordingSession = new RecordingSession(sessionPlan, around, 'recording', {
          onReport: (report) => this.#onReport(session, report),
          onForkClosed: (counters) => this.#onNews({ type: 'fork-closed', counters }),
        })
        sessions.push(session)
      }
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
        return this.#pauses > 0 ? 'pausing' : 'paused'
      case 'recording':
        if (!this.#isAccepted) return 'starting'
        return this.#resuming.isOpen ? 'resuming' : 'recording'
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
    const settled = this.#starting.open()
    for (const session of this.sessions) session.open()
    if (this.sessions.length === 0) this.#fail(texts.noUsableServer)
    else {
      this.#after(this.#around.times.answerDeadlineMs, 'recording start deadline', () => {
        if (!this.#isAccepted) this.#fail(texts.noAnswer)
      })
      this.#after(this.#around.times.lateAnswerMs, 'recording late answers', () => this.#giveUpLate())
    }
    return settled
  }

  /** Cuts first, signals second; settles once the cut is proved and the recorders have answered or used up their time. */
  pause(): Promise<CommandOutcome> {
    if (this.reported === 'pausing' && this.#pausing !== undefined) return this.#pausing
    if (this.#wish === 'paused') return Promise.resolve(outcome(200, 'OK', this.results))
    this.#wish = 'paused'
    this.#resuming.settle(outcome(503, texts.noneResumed, this.results))
    this.#pauses += 1
    const cut = this.#cut()
    for (const session of this.sessions) session.wish('paused')
    this.#pausing = cut.then(
      async (proof) => {
        this.#pauses -= 1
        if (this.#wish === 'paused') this.#onNews({ type: 'paused', receipts: proof.receipts })
        await this.#signalled()
        if (!proof.isProved) return outcome(503, texts.cutUnproved, this.results)
        return { ...outcome(200, 'OK', this.results), receipts: proof.receipts }
      },
    )
    return this.#pausing
  }

  /** Settles 200 when one recorder accepted; with none the recording stays paused. */
  resume(): Promise<CommandOutcome> {
    if (this.#resuming.isOpen) return this.#resuming.open()
    const settled = this.#resuming.open()
    this.#wish = 'recording'
    for (const session of this.sessions) session.wish('recording')
    this.#judgeResume()
    if (this.#resuming.isOpen) {
      this.#after(this.#around.times.answerDeadlineMs, 'recording resume deadline', () => this.#failResume())
    }
    return settled
  }

  /** Shuts the gates, then ends every session; settles when the gates are shut. */
  async stop(reason: 'stopped' | 'call-ended'): Promise<CommandOutcome> {
    this.#wish = 'stopped'
    const refusal = reason === 'stopped' ? texts.aborted : texts.callEnded
    for (const waiting of [this.#starting, this.#resuming, this.#signalling]) waiting.settle(outcome(487, refusal, this.results))
    const cut = this.#cut()
    for (const session of this.sessions) session.wish('stopped')
    await cut
    this.#end(reason)
    return outcome(200, 'OK', this.results)
  }

  /** The call changed: parties, hold. */
  callChanged(): void {
    if (this.#wish === 'stopped') return
    for (const session of this.sessions) session.callChanged()
  }

  /** Shuts all gates at once; forks whose cut is not confirmed are removed. */
  async #cut(): Promise<{ readonly receipts: readonly RecorderReceipt[]; readonly isProved: boolean }> {
    const owners = new Map(this.sessions.flatMap((session) => session.forkIds.map((id) => [id, session] as const)))
    if (owners.size === 0) return { receipts: [], isProved: true }
    const proof = await this.#plan.call.media.shutGates([...owners.keys()]).catch(() => [])
    const drained = proof.filter((receipt) => receipt.drained)
    const unproved = [...owners.keys()].filter((id) => !drained.some((receipt) => receipt.fork === id))
    const dropped = unproved.filter((id) => owners.get(id)?.forkIds.includes(id))
    for (const session of this.sessions) session.dropForks(dropped.filter((id) => owners.get(id) === session))
    const receipts = drained.map((receipt) => ({ ...receipt, recorder: owners.get(receipt.fork)?.plan.uri ?? '' }))
    return { receipts, isProved: dropped.length === 0 }
  }

  /** Waits until every dialog has answered the pause, bounded. */
  async #signalled(): Promise<void> {
    if (!this.#isSignalling()) return
    const waiting = this.#signalling.open()
    this.#after(this.#around.times.signalWaitMs, 'recording pause signalling', () =>
      this.#signalling.settle(outcome(200, 'OK')),
    )
    await waiting
  }

  #isSignalling(): boolean {
    return this.sessions.some((session) => session.state === 'gated' && session.isSignalling)
  }

  #onReport(session: RecordingSession, report: SessionReport): void {
    const { uri } = session.plan
    switch (report.type) {
      case 'accepted':
        this.#results[uri] = 'accepted'
        this.#isAccepted = true
        this.#starting.settle(outcome(200, 'OK', this.results))
        break
      case 'failed':
        this.#results[uri] = `failed(${report.status})`
        break
      case 'resumed':
        this.#results[uri] = 'accepted'
        this.#resuming.settle(outcome(200, 'OK', this.results))
        break
      case 'paused':
        this.#results[uri] = 'paused'
        break
      case 'signal-failed':
        this.#results[uri] = `${report.direction === 'inactive' ? 'paused, ' : ''}signalled: false (${report.status})`
        break
      case 'lost':
        this.#results[uri] = 'lost'
        break
      case 'closed':
        if (this.#results[uri] === 'pending') this.#results[uri] = 'failed(487)'
        break
      default:
        assertNever(report)
    }
    this.#onNews({ type: 'report', session, report })
    if (report.type === 'failed' || report.type === 'lost' || report.type === 'closed') this.#onSessionGone(session)
    if (!this.#isSignalling()) this.#signalling.settle(outcome(200, 'OK'))
    this.#judgeResume()
  }

  #onSessionGone(session: RecordingSession): void {
    this.#onNews({ type: 'session-gone', session })
    if (this.#wish === 'stopped' || this.#isOver || this.sessions.some((other) => !isGone(other))) return
    if (!this.#isAccepted) return this.#fail(texts.allRefused)
    this.#resuming.settle(outcome(503, texts.noneResumed, this.results))
    this.#end('lost')
  }

  /** A resume has failed when no session is left that could still accept it. */
  #judgeResume(): void {
    if (!this.#resuming.isOpen) return
    if (this.sessions.some((session) => session.state === 'active')) {
      this.#resuming.settle(outcome(200, 'OK', this.results))
    } else if (!this.sessions.some((session) => session.state === 'inviting' || session.state === 'preparing' || session.isSignalling)) {
      this.#failResume()
    }
  }

  #failResume(): void {
    if (!this.#resuming.isOpen) return
    this.#wish = 'paused'
    void this.#cut()
    for (const session of this.sessions) session.wish('paused')
    this.#resuming.settle(outcome(503, texts.noneResumed, this.results))
  }

  #fail(text: string): void {
    if (this.#isOver) return
    this.#wish = 'stopped'
    for (const session of this.sessions) session.wish('stopped')
    this.#end('failed')
    this.#starting.settle(outcome(503, text, this.results))
    this.#resuming.settle(outcome(503, text, this.results))
  }

  #giveUpLate(): void {
    for (const session of this.sessions) if (session.state === 'inviting') session.wish('stopped')
  }

  #end(reason: 'stopped' | 'failed' | 'lost' | 'call-ended'): void {
    if (this.#isOver) return
    this.#isOver = true
    for (const timer of this.#timers) timer.cancel()
    this.#timers.clear()
    this.#onNews({ type: 'over', reason })
  }

  #after(delayMs: number, name: string, fire: () => void): void {
    const timer = this.#around.clock.after(delayMs, name, () => {
      this.#timers.delete(timer)
      fire()
    })
    this.#timers.add(timer)
  }
}

function isGone(session: RecordingSession): boolean {
  return session.state === 'closed' || session.state === 'failed' || session.state === 'lost'
}
