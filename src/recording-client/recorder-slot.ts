// One entry of the parallel list: the recorder that carries it, and those that may take its place (rows SRC-60, SRC-63).

import type { CallEvent } from '#call'
import type { ForkCounters } from '#engine'
import { assertNever, type Clock, type Timer } from '#kernel'
import type { ServerInvite } from '#sip'
import type { RecorderProfile } from './recorder-profile.ts'
import type { RecordingSession, SessionListener } from './recording-session.ts'
import type { SessionReport, Wish } from './session-machine.ts'
import type { RecordingTimes } from './session-port.ts'
import { SlotMachine, type SlotOutput } from './slot-machine.ts'
import type { SlotStanding } from './success-policy.ts'

/** A recorder that may carry a slot. */
export interface Candidate {
  readonly uri: string
  readonly profile: RecorderProfile
  /** Its own INVITE: when it is lost it may ask again, and nobody is asked in its place. */
  readonly invitation?: ServerInvite
}

/** A slot went on with another recorder, or with the same again. */
export interface SlotMove {
  readonly type: 'failed-over' | 're-homed'
  readonly from: string
  readonly to: string
  /** Since the start was asked for, or since the recorder was lost. */
  readonly afterMs: number
}

/** Whether a recorder that accepts can be counted upon. */
export type Steadiness = 'unsteady' | 'steady'

/** Who is told about a slot. */
export interface SlotListener {
  onOpened(session: RecordingSession): void
  onReport(session: RecordingSession, report: SessionReport): void
  onForkClosed(session: RecordingSession, counters: ForkCounters): void
  onMoved(move: SlotMove): void
  /** A recorder has accepted and left so often that it is not counted upon any more, or has stayed for once. */
  onSteadiness(session: RecordingSession, steadiness: Steadiness): void
  /** A report has been dealt with: who carries the slot is known again. */
  onChanged(): void
}

/** What a slot works with. */
export interface SlotSurroundings {
  readonly clock: Clock
  readonly times: RecordingTimes
  /** Makes the session with a recorder; `lost` is the one whose place it takes. */
  readonly makeSession: (
    candidate: Candidate & { readonly hasStandIn: boolean; readonly hasReplay: boolean },
    listener: SessionListener,
    lost?: RecordingSession,
  ) => RecordingSession
}

/** What the slot last lost or could not have. */
interface Predecessor {
  readonly session: RecordingSession
  readonly wasCarrying: boolean
  readonly atMs: number
}

/** One entry of the parallel list. */
export class RecorderSlot {
  readonly candidates: readonly Candidate[]
  readonly #around: SlotSurroundings
  readonly #listener: SlotListener
  readonly #machine: SlotMachine
  readonly #names: readonly string[]
  readonly #latest = new Map<string, RecordingSession>()
  #wish: Wish = 'recording'
  #isHeld = false
  #wasHeld = false
  #isDismissed = false
  #current: RecordingSession | undefined
  #predecessor: Predecessor | undefined
  #begunAtMs = 0
  #acceptedAtMs: number | undefined
  #turn: Timer | undefined

  /** `isPersistent`: asks again and again while the start is wanted. */
  constructor(
    candidates: readonly Candidate[],
    isPersistent: boolean,
    around: SlotSurroundings,
    listener: SlotListener,
  ) {
    this.candidates = candidates
    this.#around = around
    this.#listener = listener
    this.#machine = new SlotMachine(candidates.length, isPersistent)
    this.#names = candidates.flatMap(({ uri, profile }) => [uri, profile.name])
  }

  /** The session under way, if any. */
  get current(): RecordingSession | undefined {
    return this.#current
  }

  /** The latest session with each recorder that was asked. */
  get sessions(): readonly RecordingSession[] {
    return [...this.#latest.values()]
  }

  get standing(): SlotStanding {
    const { state } = this.#machine
    const carried = this.#isHeld ? 'held' : 'carried'
    const standing = state === 'carried' ? carried : state === 'over' ? 'gone' : 'open'
    return { names: this.#names, standing }
  }

  /** Whether nobody is asked now, and nobody carries it who can be counted upon. */
  get isAtRest(): boolean {
    const { state } = this.#machine
    return state === 'waiting' || state === 'proving' || state === 'over'
  }

  /** Whether its recorders accept and leave at once. */
  get isUnsteady(): boolean {
    return this.#machine.isUnsteady
  }

  /** Whether any recorder has carried it yet. */
  get wasCarried(): boolean {
    return this.#acceptedAtMs !== undefined
  }

  /** Invites the first recorder. */
  begin(): void {
    this.#begunAtMs = this.#around.clock.nowMs()
    this.#carryOut(this.#machine.handle({ type: 'begin' }))
  }

  /** Tells what the recording wants from now on, of recorders to come as well. The gates have been shut before. */
  wish(wish: Wish): void {
    if (this.#isDismissed) return
    this.#wish = wish
    const session = this.#current
    if (wish === 'stopped') this.#end()
    session?.wish(this.#wanted)
  }

  /** Whether this recorder is paused by a command of its own. */
  get isHeld(): boolean {
    return this.#isHeld
  }

  /** Whether it ever was: then nothing that was said before is sent to it later, as part of it must not be. */
  get wasHeld(): boolean {
    return this.#wasHeld
  }

  /** Whether it was told to stop by a command of its own. */
  get isDismissed(): boolean {
    return this.#isDismissed
  }

  /** Pauses this recorder whatever the others do, or no longer. For a pause the gates have been shut before. */
  hold(isHeld: boolean): void {
    this.#isHeld = isHeld
    this.#wasHeld ||= isHeld
    this.#current?.wish(this.#wanted)
  }

  /** Ends this recorder's part for good. The gates have been shut before. */
  dismiss(): void {
    this.wish('stopped')
    this.#isDismissed = true
  }

  get #wanted(): Wish {
    return this.#isHeld && this.#wish === 'recording' ? 'paused' : this.#wish
  }

  /** Gives up a slot that nobody carries. */
  giveUp(): void {
    if (this.#machine.state === 'carried' || this.#machine.state === 'proving') return
    const session = this.#current
    this.#end()
    session?.giveUp()
  }

  callChanged(event: CallEvent): void {
    this.#current?.callChanged(event)
  }

  #end(): void {
    this.#turn?.cancel()
    this.#machine.handle({ type: 'end' })
  }

  #carryOut(outputs: readonly SlotOutput[]): void {
    for (const output of outputs) {
      switch (output.type) {
        case 'open':
          this.#open(this.candidates[output.candidate]!)
          break
        case 'wait':
          this.#setTurn(output.afterMs, 'recorder slot back-off', () =>
            this.#carryOut(this.#machine.handle({ type: 'due' })),
          )
          break
        case 'prove':
          this.#setTurn(output.afterMs, 'recorder slot proof', () => this.#onProved())
          break
        case 'over':
          this.#turn?.cancel()
          break
        default:
          assertNever(output)
      }
    }
  }

  #open(candidate: Candidate): void {
    const lost = this.#predecessor?.wasCarrying === true ? this.#predecessor.session : undefined
    const session: RecordingSession = this.#around.makeSession(
      { ...candidate, hasStandIn: this.#machine.hasNext, hasReplay: !this.#wasHeld },
      {
        onReport: (report) => this.#onReport(session, report),
        onForkClosed: (counters) => this.#listener.onForkClosed(session, counters),
      },
      lost,
    )
    this.#current = session
    this.#latest.delete(candidate.uri)
    this.#latest.set(candidate.uri, session)
    this.#limitTurn(session)
    session.wish(this.#wanted)
    this.#listener.onOpened(session)
    session.open()
  }

  /** A recorder that has others behind it has its share of the deadline; the last one of a start may be late. */
  #limitTurn(session: RecordingSession): void {
    this.#turn?.cancel()
    const { answerDeadlineMs } = this.#around.times
    if (!this.#machine.hasNext && !this.wasCarried) return
    const shareMs = this.#machine.hasNext ? answerDeadlineMs / this.candidates.length : answerDeadlineMs
    this.#setTurn(shareMs, 'recorder slot turn', () => session.giveUp())
  }

  #setTurn(afterMs: number, name: string, act: () => void): void {
    this.#turn?.cancel()
    this.#turn = this.#around.clock.after(afterMs, `recording: ${name}`, act)
  }

  #onReport(session: RecordingSession, report: SessionReport): void {
    this.#listener.onReport(session, report)
    this.#carryOut(this.#judge(session, report))
    this.#listener.onChanged()
  }

  #onProved(): void {
    const session = this.#current
    this.#carryOut(this.#machine.handle({ type: 'proved' }))
    if (session === undefined) return
    this.#listener.onSteadiness(session, 'steady')
    this.#tellMove(session, this.#around.clock.nowMs())
    this.#listener.onChanged()
  }

  #judge(session: RecordingSession, report: SessionReport): SlotOutput[] {
    const nowMs = this.#around.clock.nowMs()
    switch (report.type) {
      case 'accepted': {
        this.#turn?.cancel()
        this.#acceptedAtMs = nowMs
        const outputs = this.#machine.handle({ type: 'accepted' })
        if (this.#machine.isUnsteady) this.#listener.onSteadiness(session, 'unsteady')
        else this.#tellMove(session, nowMs)
        return outputs
      }
      case 'failed':
        this.#leave(session, { session, wasCarrying: false, atMs: nowMs })
        if (session.plan.invitation !== undefined) return this.#machine.handle({ type: 'end' })
        return this.#machine.handle({ type: 'refused' })
      case 'lost': {
        this.#leave(session, { session, wasCarrying: true, atMs: nowMs })
        const carriedMs = nowMs - (this.#acceptedAtMs ?? nowMs)
        if (session.plan.invitation !== undefined) return this.#machine.handle({ type: 'end' })
        const { isUnsteady } = this.#machine
        const outputs = this.#machine.handle({ type: 'lost', comeback: report.comeback ?? 'again', carriedMs })
        if (this.#machine.isUnsteady && !isUnsteady) this.#listener.onSteadiness(session, 'unsteady')
        return outputs
      }
      case 'closed':
        this.#leave(session, undefined)
        return this.#machine.handle({ type: 'end' })
      default:
        return []
    }
  }

  /** The recorder that was lost stays the predecessor while others are tried in its place. */
  #leave(session: RecordingSession, predecessor: Predecessor | undefined): void {
    if (this.#current === session) this.#current = undefined
    if (this.#predecessor?.wasCarrying !== true || predecessor?.wasCarrying === true) this.#predecessor = predecessor
  }

  #tellMove({ plan }: RecordingSession, nowMs: number): void {
    const before = this.#predecessor
    this.#predecessor = undefined
    if (before === undefined) return
    this.#listener.onMoved({
      type: before.wasCarrying ? 're-homed' : 'failed-over',
      from: before.session.plan.uri,
      to: plan.uri,
      afterMs: nowMs - (before.wasCarrying ? before.atMs : this.#begunAtMs),
    })
  }
}
