// One recording: start..stop on a call, towards any number of recorders (design, section 2). What is wanted, and what is made of it.

import type { CallEvent } from '#call'
import type { ForkCounters } from '#engine'
import { assertNever } from '#kernel'
import { type CommandOutcome, outcome, type RecorderReceipt, texts } from './command.ts'
import { type CutProof, cutMedia } from './cut.ts'
import type { LedgerRow } from './ledger.ts'
import { PauseDeadline, type PauseLimit } from './pause-deadline.ts'
import { PolicyWatch } from './policy-watch.ts'
import type { RecorderEntry } from './recorder-list.ts'
import type { RecorderSlot, SlotMove } from './recorder-slot.ts'
import { RecordingEvidence } from './recording-evidence.ts'
import type { RecordingSession } from './recording-session.ts'
import { RecordingSlots } from './recording-slots.ts'
import { resultOf } from './results.ts'
import type { SessionReport, Wish } from './session-machine.ts'
import type { RecordingPlan, RecordingSurroundings } from './session-port.ts'
import type { SuccessPolicy } from './success-policy.ts'
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
  | { readonly type: 'pause-expired'; readonly next: PauseLimit['next'] }
  | { readonly type: 'moved'; readonly move: SlotMove }
  | { readonly type: 'unconfirmed'; readonly session: RecordingSession; readonly cause: string }
  | { readonly type: 'confirmed'; readonly session: RecordingSession }
  | { readonly type: 'policy'; readonly verdict: 'met' | 'unmet' }
  | { readonly type: 'over'; readonly reason: RecordingEnd }
  | { readonly type: 'session-opened' | 'session-gone'; readonly session: RecordingSession }
  | { readonly type: 'fork-closed'; readonly counters: ForkCounters }

/** A recording and its recorders. */
export class Recording {
  readonly #around: RecordingSurroundings
  readonly #plan: RecordingPlan
  readonly #onNews: (news: RecordingNews) => void
  readonly #slots: RecordingSlots
  readonly #evidence: RecordingEvidence
  readonly #policy: PolicyWatch
  readonly #results: Record<string, string>
  readonly #starting = new Waiting<CommandOutcome>()
  readonly #resuming = new Waiting<CommandOutcome>()
  /** Open while a pause waits for the recorders, after its cut is proved. */
  readonly #signalling = new Waiting<void>()
  readonly #pauseDeadline: PauseDeadline
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
    plan: RecordingPlan,
    policy: SuccessPolicy,
    around: RecordingSurroundings,
    onNews: (news: RecordingNews) => void,
  ) {
    this.#around = around
    this.#plan = plan
    this.#onNews = onNews
    this.#evidence = new RecordingEvidence(plan, around, {
      sessions: () => this.#live,
      onUnconfirmed: (session, cause) => onNews({ type: 'unconfirmed', session, cause }),
      onConfirmed: (session) => onNews({ type: 'confirmed', session }),
      onDead: (session, reason) => session.desert(reason),
    })
    this.#slots = new RecordingSlots(id, entries, plan, policy.unmet === 'retry', around, this.#evidence, {
      onOpened: (session) => onNews({ type: 'session-opened', session }),
      onReport: (session, report) => this.#onReport(session, report),
      onForkClosed: (session, counters) => this.#onForkClosed(session, counters),
      onMoved: (move) => this.#onMoved(move),
      onChanged: () => this.#onChanged(),
    })
    this.#results = { ...this.#slots.firstResults }
    this.#policy = new PolicyWatch(policy, around.clock, around.times.answerDeadlineMs, (verdict) =>
      this.#onPolicy(verdict),
    )
    this.#pauseDeadline = new PauseDeadline(around.clock, (next) => this.#onPauseExpired(next))
  }
