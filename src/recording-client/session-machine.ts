// One recording session converging on what is desired (design, section 2): the state machine, without sockets, media or time.

import { assertNever, checkEdge, type Edges, type Machine } from '#kernel'

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
  | { readonly type: 'answer-broken'; readonly reason: string }
  | { readonly type: 'wish'; readonly wish: Wish }
  | { readonly type: 'document-changed' }
  | { readonly type: 'reoffer-answered' }
  | { readonly type: 'reoffer-failed'; readonly status: number }
  | { readonly type: 'timer'; readonly timer: 'retry' }
  | { readonly type: 'farewell-done' }
  | { readonly type: 'dialog-ended'; readonly reason: string }

/** What is to be done, in order. */
export type SessionOutput =
  | { readonly type: 'invite'; readonly direction: OfferDirection }
  | { readonly type: 'reoffer'; readonly direction: OfferDirection; readonly withDocument: boolean }
  | { readonly type: 'cancel' }
  | { readonly type: 'bye' }
  | { readonly type: 'farewell' }
  | { readonly type: 'open-gates' }
  | { readonly type: 'remove-forks' }
  | { readonly type: 'set-timer'; readonly timer: 'retry'; readonly afterMs: number }
  | { readonly type: 'report'; readonly report: SessionReport }

/** What the recording hears of a session. */
export type SessionReport =
  | { readonly type: 'accepted' }
  | { readonly type: 'failed'; readonly status: number; readonly reason: string }
  | { readonly type: 'resumed' }
  | { readonly type: 'paused' }
  | { readonly type: 'signal-failed'; readonly direction: OfferDirection; readonly status: number }
  | { readonly type: 'lost'; readonly reason: string }
  | { readonly type: 'closed' }

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

const retryDelaysMs = [2_000, 4_000, 8_000, 16_000, 32_000] as const

/** The machine of one recording session. */
export class SessionMachine implements Machine<SessionInput, SessionOutput> {
  #state: SessionState = 'preparing'
  #wish: Wish
  #signalled: OfferDirection | undefined
  #offering: OfferDirection | undefined
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

  /** Direction of the last offer that the recorder accepted. */
  get signalled(): OfferDirection | undefined {
    return this.#signalled
  }

  /** Whether an offer of ours is unanswered. */
  get isOffering(): boolean {
    return this.#offering !== undefined
  }

  handle(input: SessionInput): SessionOutput[] {
    switch (input.type) {
      case 'ports-ready':
        return this.#onPortsReady()
      case 'accepted':
        return this.#onAccepted()
      case 'refused':
        return this.#onRefused(input.status, input.reason, [])
      case 'answer-broken':
        return this.#onRefused(488, input.reason, [{ type: 'bye' }])
      case 'wish':
        return this.#onWish(input.wish)
      case 'document-changed':
        this.#isDocumentDue = true
        return this.#converge()
      case 'reoffer-answered':
        return this.#onReofferAnswered()
      case 'reoffer-failed':
        return this.#onReofferFailed(input.status)
      case 'timer':
        return this.#converge()
      case 'farewell-done':
        return this.#state === 'closing' ? this.#close() : []
      case 'dialog-ended':
        return this.#onDialogEnded(input.reason)
      default:
        return assertNever(input)
    }
  }

  #onPortsReady(): SessionOutput[] {
    if (this.#state !== 'preparing') return []
    this.#enter('inviting')
    this.#offering = this.#wanted()
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

  #onRefused(status: number, reason: string, first: SessionOutput[]): SessionOutput[] {
    if (this.#state !== 'inviting' && this.#state !== 'preparing') return first
    return [...first, ...this.#finish('failed', { type: 'failed', status, reason })]
  }

  #onWish(wish: Wish): SessionOutput[] {
    this.#wish = wish
    if (wish === 'stopped') return this.#onStop()
    if (this.#state === 'active' && wish === 'paused') this.#enter('gated')
    if (this.#state === 'gated' && wish === 'recording') return this.#resumeIfSignalled()
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
    if (this.#state !== 'active' && this.#state !== 'gated') return []
    if (this.#state === 'gated' && this.#wish === 'recording') return this.#resumeIfSignalled()
    if (this.#state === 'gated' && this.#signalled === 'inactive') {
      return [{ type: 'report', report: { type: 'paused' } }, ...this.#converge()]
    }
    return this.#converge()
  }

  #onReofferFailed(status: number): SessionOutput[] {
    const direction = this.#offering
    if (direction === undefined) return []
    this.#offering = undefined
    this.#isDocumentDue ||= this.#isDocumentOffered
    if (this.#state !== 'active' && this.#state !== 'gated') return []
    const afterMs = retryDelaysMs[this.#retries++]
    const report: SessionOutput = { type: 'report', report: { type: 'signal-failed', direction, status } }
    return afterMs === undefined ? [report] : [report, { type: 'set-timer', timer: 'retry', afterMs }]
  }

  #onDialogEnded(reason: string): SessionOutput[] {
    if (this.#state === 'closing') return this.#close()
    if (this.#state !== 'active' && this.#state !== 'gated') return []
    return this.#finish('lost', { type: 'lost', reason })
  }

  #resumeIfSignalled(): SessionOutput[] {
    if (this.#offering !== undefined || this.#signalled !== 'sendonly') return this.#converge()
    this.#enter('active')
    return [{ type: 'open-gates' }, { type: 'report', report: { type: 'resumed' } }, ...this.#converge()]
  }

  /** Offers what is wanted unless it is what the recorder already has, one offer at a time. */
  #converge(): SessionOutput[] {
    if ((this.#state !== 'active' && this.#state !== 'gated') || this.#offering !== undefined) return []
    const wanted = this.#wanted()
    if (wanted === this.#signalled && !this.#isDocumentDue) return []
    this.#offering = wanted
    this.#isDocumentOffered = this.#isDocumentDue
    this.#isDocumentDue = false
    return [{ type: 'reoffer', direction: wanted, withDocument: this.#isDocumentOffered }]
  }

  #wanted(): OfferDirection {
    return this.#wish === 'recording' ? 'sendonly' : 'inactive'
  }

  #finish(state: 'closed' | 'failed' | 'lost', report: SessionReport): SessionOutput[] {
    this.#enter(state)
    return [{ type: 'remove-forks' }, { type: 'report', report }]
  }

  #close(): SessionOutput[] {
    this.#enter('closed')
    return [{ type: 'report', report: { type: 'closed' } }]
  }

  #enter(next: SessionState): void {
    checkEdge(sessionEdges, this.#state, next)
    const from = this.#state
    this.#state = next
    this.#onState(from, next)
  }
}
