// One recording session converging on what is desired (design, section 2): the state machine, without sockets, media or time.

import { assertNever, checkEdge, type Edges, type Machine } from '#kernel'
import type { Comeback } from './departure.ts'

/** What the recording wants of each of its sessions. */
export type Wish = 'recording' | 'paused' | 'stopped'

/** `active`: media may flow. `gated`: the dialog is up and the gates are shut. */
export type SessionState = 'preparing' | 'inviting' | 'active' | 'gated' | 'closing' | 'closed' | 'failed' | 'lost'

/** Direction of an offer of ours. */
export type OfferDirection = 'sendonly' | 'inactive'

/** What happens to a session. */
export type SessionInput =
  | { readonly type: 'ports-ready' }
  | { readonly type: 'accepted' }
  | { readonly type: 'refused'; readonly status: number; readonly reason: string }
  | { readonly type: 'answer-broken'; readonly status: number; readonly reason: string }
  | { readonly type: 'give-up' }
  | { readonly type: 'wish'; readonly wish: Wish }
  | { readonly type: 'document-changed' }
  | { readonly type: 'reoffer-answered' }
  | { readonly type: 'reoffer-failed'; readonly status: number }
  | { readonly type: 'held'; readonly isHeld: boolean }
  | { readonly type: 'retry-due' }
  /** `isHeard`: the recorder was there to the end. */
  | { readonly type: 'farewell-done'; readonly isHeard?: boolean }
  /** `comeback`: `never` unless it is by our doing. */
  | { readonly type: 'streams-gone'; readonly reason?: string; readonly comeback?: Comeback }
  /** The recorder does not seem to be there any more. */
  | { readonly type: 'abandoned'; readonly reason: string }
  | {
      readonly type: 'dialog-ended'
      readonly reason: string
      readonly comeback?: Comeback
      /** The recorder has ended it, and so was there to the end. */
      readonly isByRecorder?: boolean
    }

/** What is to be done, in order. */
export type SessionOutput =
  | { readonly type: 'invite'; readonly direction: OfferDirection }
  | { readonly type: 'reoffer'; readonly direction: OfferDirection; readonly withDocument: boolean }
  | { readonly type: 'cancel' }
  | { readonly type: 'bye' }
  | { readonly type: 'farewell' }
  | { readonly type: 'open-gates' }
  | { readonly type: 'remove-forks' }
  | { readonly type: 'set-retry'; readonly afterMs: number }
  | { readonly type: 'report'; readonly report: SessionReport }

/** What the recording hears of a session. */
export type SessionReport =
  | { readonly type: 'accepted' }
  | { readonly type: 'failed'; readonly status: number; readonly reason: string }
  | { readonly type: 'resumed' }
  | { readonly type: 'paused' }
  | { readonly type: 'signal-failed'; readonly direction: OfferDirection; readonly status: number }
  | { readonly type: 'paused-by-recorder' | 'resumed-by-recorder' }
  | { readonly type: 'streams-refused'; readonly labels: readonly string[] }
  /** It takes all that it had refused, or what comes in their place. */
  | { readonly type: 'streams-taken' }
  /** There is no copy of these to be had, and it is tried again. */
  | { readonly type: 'streams-missing'; readonly labels: readonly string[]; readonly reason: string }
  /** There are copies of all again, or what had none is over. */
  | { readonly type: 'streams-restored' }
  /** It takes no audio of these for now; none: it takes that of all again. */
  | { readonly type: 'streams-inactive'; readonly labels: readonly string[] }
  | { readonly type: 'streams-active' }
  /** It gets one stream of all voices in place of separate ones. */
  | { readonly type: 'mixed' }
  | { readonly type: 'lost'; readonly reason: string; readonly comeback?: Comeback }
  /** `isHeard`: the recorder answered to the last, and so has what it was sent as far as anybody can tell. */
  | { readonly type: 'closed'; readonly isHeard?: boolean }

/** Legal moves. */
export const sessionEdges: Edges<SessionState> = {
  preparing: ['inviting', 'closed', 'failed'],
  inviting: ['active', 'gated', 'closing', 'closed', 'failed'],
  active: ['gated', 'closing', 'lost'],
  gated: ['active', 'closing', 'lost'],
  closing: ['closed'],
  closed: [],
  failed: [],
  lost: [],
}

/** After these, which are each told, a refused re-offer is repeated in silence for as long as the session lasts. */
const retryDelaysMs = [2_000, 4_000, 8_000, 16_000, 32_000] as const
const longestRetryMs = 60_000

/** The machine of one recording session. */
export class SessionMachine implements Machine<SessionInput, SessionOutput> {
  #state: SessionState = 'preparing'
  #wish: Wish
  #signalled: OfferDirection | undefined
  #offering: OfferDirection | undefined
  #isHeld = false
  #isDocumentDue = false
  #isDocumentOffered = false
  #retries = 0
  readonly #onState: (from: SessionState, to: SessionState) => void

  /** `onState` is told each change of state. */
  constructor(wish: Wish, onState: (from: SessionState, to: SessionState) => void = () => {}) {
    this.#wish = wish
    this.#onState = onState
  }

  get state(): SessionState {
    return this.#state
  }

  /** Whether an offer of ours is unanswered. */
  get isOffering(): boolean {
    return this.#offering !== undefined
  }

  /** Whether the recorder takes nothing while we would send. */
  get isHeld(): boolean {
    return this.#isHeld
  }

  /** What is to be offered by now. */
  get wanted(): OfferDirection {
    return this.#wish === 'recording' ? 'sendonly' : 'inactive'
  }

  handle(input: SessionInput): SessionOutput[] {
    switch (input.type) {
      case 'ports-ready':
        return this.#onPortsReady()
      case 'accepted':
        return this.#onAccepted()
      case 'refused':
        return this.#onRefused(input.status, input.reason)
      case 'answer-broken':
        return [{ type: 'bye' }, ...this.#onRefused(input.status, input.reason)]
      case 'give-up':
        return this.#onGiveUp()
      case 'wish':
        return this.#onWish(input.wish)
      case 'document-changed':
        this.#isDocumentDue = true
        return this.#converge()
      case 'reoffer-answered':
        return this.#onReofferAnswered()
      case 'reoffer-failed':
        return this.#onReofferFailed(input.status)
      case 'held':
        return this.#onHeld(input.isHeld)
      case 'retry-due':
        return this.#converge()
      case 'farewell-done':
        return this.#state === 'closing' ? this.#close(input.isHeard) : []
      case 'streams-gone':
        return this.#onStreamsGone(input.reason, input.comeback)
      case 'abandoned':
        return this.#isUp ? [{ type: 'bye' }, ...this.#finish('lost', { type: 'lost', reason: input.reason })] : []
      case 'dialog-ended':
        return this.#state === 'closing'
          ? this.#close(input.isByRecorder)
          : this.#onDialogEnded(input.reason, input.comeback)
      default:
        return assertNever(input)
    }
  }

  #onPortsReady(): SessionOutput[] {
    if (this.#state !== 'preparing') return []
    this.#enter('inviting')
    this.#isDocumentDue = false
    this.#offering = this.wanted
    return [{ type: 'invite', direction: this.#offering }]
  }

  #onAccepted(): SessionOutput[] {
    if (this.#state !== 'inviting') return [{ type: 'bye' }]
    this.#signalled = this.#offering
    this.#offering = undefined
    const report: SessionOutput = { type: 'report', report: { type: 'accepted' } }
    if (this.#wish === 'recording' && this.#signalled === 'sendonly') {
      this.#enter('active')
      return [{ type: 'open-gates' }, report, ...this.#converge()]
    }
    this.#enter('gated')
    return [report, ...this.#converge()]
  }

  #onRefused(status: number, reason: string): SessionOutput[] {
    if (this.#state !== 'inviting' && this.#state !== 'preparing') return []
    return this.#finish('failed', { type: 'failed', status, reason })
  }

  #onGiveUp(): SessionOutput[] {
    const cancel: SessionOutput[] = this.#state === 'inviting' ? [{ type: 'cancel' }] : []
    return [...cancel, ...this.#onRefused(408, 'no answer in time')]
  }

  #onWish(wish: Wish): SessionOutput[] {
    this.#wish = wish
    this.#retries = 0
    if (wish === 'stopped') return this.#onStop()
    if (this.#state === 'active' && wish === 'paused') this.#enter('gated')
    return this.#converge()
  }

  #onStop(): SessionOutput[] {
    switch (this.#state) {
      case 'preparing':
        return this.#finish('closed', { type: 'closed' })
      case 'inviting':
        return [{ type: 'cancel' }, ...this.#finish('closed', { type: 'closed' })]
      case 'active':
      case 'gated':
        this.#enter('closing')
        return [{ type: 'remove-forks' }, { type: 'farewell' }]
      default:
        return []
    }
  }

  #onReofferAnswered(): SessionOutput[] {
    if (this.#offering === undefined) return []
    this.#signalled = this.#offering
    this.#offering = undefined
    this.#retries = 0
    const isPaused = this.#state === 'gated' && this.#wish === 'paused' && this.#signalled === 'inactive'
    const report: SessionOutput[] = isPaused ? [{ type: 'report', report: { type: 'paused' } }] : []
    return [...report, ...this.#converge()]
  }

  #onReofferFailed(status: number): SessionOutput[] {
    const direction = this.#offering
    if (direction === undefined) return []
    this.#offering = undefined
    this.#isDocumentDue ||= this.#isDocumentOffered
    if (!this.#isUp) return []
    const report: SessionOutput = { type: 'report', report: { type: 'signal-failed', direction, status } }
    if (direction !== this.wanted) return [report, ...this.#converge()]
    const isTold = this.#retries < retryDelaysMs.length
    const afterMs = retryDelaysMs[this.#retries] ?? longestRetryMs
    this.#retries += 1
    return [...(isTold ? [report] : []), { type: 'set-retry', afterMs }]
  }

  /** A recorder that takes nothing while we would send has paused by itself (AMB-09); it says so again after a pause of ours. */
  #onHeld(isHeld: boolean): SessionOutput[] {
    const isNews = this.#state === 'active' && isHeld !== this.#isHeld
    this.#isHeld = this.#state === 'active' && isHeld
    return isNews ? [{ type: 'report', report: { type: isHeld ? 'paused-by-recorder' : 'resumed-by-recorder' } }] : []
  }

  #onStreamsGone(reason = 'no stream is left', comeback: Comeback = 'never'): SessionOutput[] {
    return this.#isUp ? [{ type: 'bye' }, ...this.#finish('lost', { type: 'lost', reason, comeback })] : []
  }

  #onDialogEnded(reason: string, comeback?: Comeback): SessionOutput[] {
    if (this.#isUp) {
      return this.#finish(
        'lost',
        comeback === undefined ? { type: 'lost', reason } : { type: 'lost', reason, comeback },
      )
    }
    return this.#onRefused(480, reason)
  }

  get #isUp(): boolean {
    return this.#state === 'active' || this.#state === 'gated'
  }

  /** Brings the recorder to what is wanted, one offer at a time; media flows again once the recorder is known to expect it. */
  #converge(): SessionOutput[] {
    if (!this.#isUp || this.#offering !== undefined) return []
    const wanted = this.wanted
    const resumed =
      this.#state === 'gated' && wanted === 'sendonly' && this.#signalled === 'sendonly' ? this.#resume() : []
    if (wanted === this.#signalled && !this.#isDocumentDue) return resumed
    this.#offering = wanted
    this.#isDocumentOffered = this.#isDocumentDue
    this.#isDocumentDue = false
    return [...resumed, { type: 'reoffer', direction: wanted, withDocument: this.#isDocumentOffered }]
  }

  #resume(): SessionOutput[] {
    this.#enter('active')
    return [{ type: 'open-gates' }, { type: 'report', report: { type: 'resumed' } }]
  }

  #finish(state: 'closed' | 'failed' | 'lost', report: SessionReport): SessionOutput[] {
    this.#enter(state)
    return [{ type: 'remove-forks' }, { type: 'report', report }]
  }

  #close(isHeard = false): SessionOutput[] {
    this.#enter('closed')
    return [{ type: 'report', report: isHeard ? { type: 'closed', isHeard } : { type: 'closed' } }]
  }

  #enter(next: SessionState): void {
    checkEdge(sessionEdges, this.#state, next)
    const from = this.#state
    this.#state = next
    this.#onState(from, next)
  }
}
