// One recording session (RFC 7866): the SIP dialog with one recorder, its forks and its documents. Carries out what the machine says.

import type { CallEvent } from '#call'
import type { ForkCounters } from '#engine'
import { assertNever, invariant, messageOf, stateTrace, type Timer } from '#kernel'
import type { ClientInvite, DialogEnd, IncomingRequest, InviteDialog, RequestOutcome, SipResponse } from '#sip'
import type { AnsweredStream } from './answer.ts'
import { departureOf } from './departure.ts'
import { suitesFor } from './protection.ts'
import { hopOf } from './recorder-profile.ts'
import { answerRecorder } from './recorder-request.ts'
import { attemptOutcome } from './recorders/recorder-directory.ts'
import { type ForkPath, type Replayed, SessionForks } from './session-forks.ts'
import {
  type OfferDirection,
  type SessionInput,
  SessionMachine,
  type SessionOutput,
  type SessionReport,
  type SessionState,
  type Wish,
} from './session-machine.ts'
import { inviteHeaders, wantsLegacyType, withDate } from './session-messages.ts'
import { SessionOffers } from './session-offers.ts'
import type { RecordingSurroundings, SessionPlan } from './session-port.ts'

/** Who is told about a session. */
export interface SessionListener {
  onReport(report: SessionReport): void
  /** Last counters of a fork that was removed. */
  onForkClosed(counters: ForkCounters): void
}

/** What there is once a recorder has accepted. */
interface Agreed {
  readonly dialog: InviteDialog
  readonly offers: SessionOffers
}

/** Changes of a call within this time go into one document. */
const gatherMs = 200

/** A recording session with one recorder. */
export class RecordingSession {
  readonly plan: SessionPlan
  readonly #around: RecordingSurroundings
  readonly #machine: SessionMachine
  readonly #listener: SessionListener
  readonly #forks: SessionForks
  #invite: ClientInvite | undefined
  #agreed: Agreed | undefined
  #retry: Timer | undefined
  /** Labels of streams that the recorder refuses. */
  #refused: readonly string[] = []
  #gathering: Timer | undefined

  constructor(plan: SessionPlan, around: RecordingSurroundings, listener: SessionListener) {
    this.plan = plan
    this.#around = around
    this.#listener = listener
    this.#forks = new SessionForks(plan, around, (counters) => listener.onForkClosed(counters))
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

  /** SIP Call-ID of the recording session, once invited. */
  get sipCallId(): string | undefined {
    return this.#invite?.callId
  }

  /** Where a fork sends from and to; undefined when there is no such fork, or nobody has said where to. */
  pathOf(fork: string): ForkPath | undefined {
    return this.#forks.pathOf(fork)
  }

  /** Resolves when the last counters of the forks removed by now have been told. */
  forksSettled(): Promise<void> {
    return this.#forks.settled()
  }

  /** Binds the ports and sends the INVITE; every outcome comes by report. */
  open(): void {
    const { call, uri, profile, id } = this.plan
    const suites = suitesFor(call.snapshot().protection, uri, profile)
    if (!suites.ok) {
      this.#around.log.warn('recorder refused for its protection', {
        session: id,
        profile: profile.name,
        reason: suites.error,
      })
      this.#feed({ type: 'refused', status: 488, reason: suites.error })
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
    void this.#forks.follow().then((hasNewStreams) => hasNewStreams && this.#tellChanges())
    if (this.state === 'preparing') return
    if (event.type === 'codec-changed') this.#tellChanges()
    else this.#tellLater()
  }

  /** A fork has sent what was said before the session; the recorder is told which part of the stream that is. */
  replayed(fork: string, { fromMs, toMs }: Replayed): void {
    this.#forks.replayed(fork, { fromMs, toMs })
    this.#tellLater()
  }

  /** Removes forks whose cut could not be confirmed; a session without any stream ends. */
  dropForks(forkIds: readonly string[]): void {
    if (forkIds.length === 0) return
    this.#forks.drop(forkIds)
    this.#feed({ type: this.forkIds.length === 0 ? 'streams-gone' : 'document-changed' })
  }

  #tellLater(): void {
    this.#gathering ??= this.#around.clock.after(gatherMs, 'recording session changes', () => this.#tellChanges())
  }

  #tellChanges(): void {
    this.#gathering?.cancel()
    this.#gathering = undefined
    this.#feed({ type: 'document-changed' })
  }

  #feed(input: SessionInput): void {
    for (const output of this.#machine.handle(input)) this.#carryOut(output)
  }

  #carryOut(output: SessionOutput): void {
    switch (output.type) {
      case 'invite':
        this.#sendInvite(output.direction)
        break
      case 'reoffer':
        this.#sendReoffer(output.direction, output.withDocument)
        break
      case 'cancel':
        this.#invite?.cancel()
        break
      case 'bye':
        this.#sendBye()
        break
      case 'farewell':
        this.#sayFarewell()
        break
      case 'open-gates':
        this.#forks.open()
        break
      case 'remove-forks':
        this.#retry?.cancel()
        this.#gathering?.cancel()
        this.#forks.close()
        break
      case 'set-retry':
        this.#setRetry(output.afterMs)
        break
      case 'report':
        this.#listener.onReport(output.report)
        break
      default:
        assertNever(output)
    }
  }

  #setRetry(afterMs: number): void {
    this.#retry?.cancel()
    this.#retry = this.#around.clock.after(afterMs, 'recording session retry', () => this.#feed({ type: 'retry-due' }))
  }

  #sendInvite(direction: OfferDirection, isLegacyType = this.plan.profile.metadata.mediaType === 'legacy'): void {
    const { plan } = this
    const { core, log, from, times, recorders } = this.#around
    const offers = new SessionOffers(plan, this.#around, this.#forks, isLegacyType)
    this.#invite = core.invite(
      {
        uri: plan.uri,
        ...hopOf(plan.profile),
        from,
        contactParams: '+sip.src',
        firstResponseTimeoutMs: times.firstResponseMs,
        headers: inviteHeaders(offers.associatedAtMs, plan),
        body: offers.first(direction),
        onTargetFailed: (target, { status, cause }) =>
          log.warn('recorder address failed', { session: plan.id, target, status, cause }),
      },
      {
        onAccepted: (dialog, response) => {
          recorders.report(plan.uri, { status: response.status, cause: 'response' })
          this.#onAccepted({ dialog, offers }, response)
        },
        onFailed: (outcome) => {
          const { status, reason, response } = outcome
          const isTypeRefused = status === 415 && response !== undefined && wantsLegacyType(response)
          if (isTypeRefused && !isLegacyType && this.state === 'inviting') {
            this.#sendInvite(direction, true)
            return
          }
          recorders.report(plan.uri, attemptOutcome(outcome))
          this.#feed({ type: 'refused', status, reason })
        },
      },
    )
  }

  /** The session counts as accepted once its forks are aimed; an answer that cannot be used ends it (SRC-38). */
  #onAccepted(agreed: Agreed, response: SipResponse): void {
    const { dialog, offers } = agreed
    this.#agreed = agreed
    dialog.handlers = {
      onRequest: (incoming) => this.#onRequest(offers, incoming),
      onRefreshDue: () => this.#feed({ type: 'document-changed' }),
      onEnd: (end) => this.#onDialogEnd(end),
    }
    if (!/\+sip\.srs\b/i.test(response.headers.get('contact') ?? '')) {
      this.#around.log.warn('recorder does not say that it is one', { session: this.plan.id })
    }
    const answer = offers.readFirst(response)
    if (!answer.ok) this.#feed({ type: 'answer-broken', status: 488, reason: answer.error })
    else {
      offers.documents.acknowledge()
      this.#forks.connect(answer.value).then(
        () => {
          this.#feed({ type: 'accepted' })
          this.#judge(answer.value)
        },
        (fault: unknown) => this.#feed({ type: 'answer-broken', status: 500, reason: messageOf(fault) }),
      )
    }
  }

  #connect(answered: readonly AnsweredStream[]): void {
    // The forks log what fails.
    this.#forks.connect(answered).catch(() => {})
    if (this.state === 'active') this.#forks.open()
  }

  /** Tells what the recorder has refused or holds, and names each slip in what it said. */
  #judge(answered: readonly AnsweredStream[]): void {
    for (const { label, problem } of answered) {
      if (problem !== undefined)
        this.#around.log.warn('recorder said odd things of a stream', { session: this.plan.id, label, problem })
    }
    const refused = answered.filter((stream) => stream.isRefused && stream.isWithdrawn !== true)
    const labels = refused.map((stream) => stream.label)
    if (labels.length > 0 && labels.join() !== this.#refused.join()) {
      this.#listener.onReport({ type: 'streams-refused', labels })
    }
    this.#refused = labels
    if (this.forkIds.length === 0) this.#feed({ type: 'streams-gone' })
    const taken = answered.filter((stream) => !stream.isRefused)
    this.#feed({ type: 'held', isHeld: taken.length > 0 && !taken.some((stream) => stream.mayFlow) })
  }

  #sendReoffer(direction: OfferDirection, withDocument: boolean): void {
    const { dialog, offers } = this.#established()
    const isUpdateKnown = withDocument && dialog.remoteAllow.has('UPDATE')
    const changes = isUpdateKnown ? offers.changes(direction) : undefined
    const sent =
      changes === undefined
        ? dialog.reinvite(() => offers.next(direction, withDocument))
        : dialog.request('UPDATE', changes)
    void sent.then((outcome) => this.#onReofferDone(offers, outcome, changes === undefined))
  }

  #onReofferDone(offers: SessionOffers, { status, response }: RequestOutcome, hasOffer: boolean): void {
    if (status >= 300 || response === undefined) {
      offers.documents.forget()
      this.#feed({ type: 'reoffer-failed', status })
      return
    }
    offers.documents.acknowledge()
    const answer = hasOffer ? offers.read(response) : undefined
    if (answer?.ok === false) {
      this.#warnUnusable(answer.error)
      this.#feed({ type: 'reoffer-failed', status: 488 })
    } else {
      if (answer !== undefined) this.#connect(answer.value)
      this.#feed({ type: 'reoffer-answered' })
      if (answer !== undefined) this.#judge(answer.value)
    }
  }

  /** The last document, then BYE; BYE goes out even if nobody answers the document (SRC-69). */
  #sayFarewell(): void {
    const { dialog, offers } = this.#established()
    let isSaid = false
    const leave = (): void => {
      if (isSaid) return
      isSaid = true
      timer.cancel()
      this.#sendBye()
      this.#feed({ type: 'farewell-done' })
    }
    const timer = this.#around.clock.after(this.#around.times.farewellMs, 'recording session farewell', leave)
    const canUpdate = dialog.remoteAllow.has('UPDATE') && !this.isSignalling
    const said = canUpdate ? dialog.request('UPDATE', offers.last()) : dialog.reinvite(() => offers.last())
    void said.then(leave)
  }

  #sendBye(): void {
    const dialog = this.#agreed?.dialog
    if (dialog === undefined || dialog.ended) return
    void dialog.bye({ headers: withDate(this.#around.clock.wallMs()) })
  }

  #onRequest(offers: SessionOffers, incoming: IncomingRequest): void {
    answerRecorder(incoming, {
      streams: offers.streams,
      ours: this.state === 'active' ? 'sendonly' : 'inactive',
      describe: (media) => offers.describe(media),
      onStreams: (answered) => {
        this.#connect(answered)
        this.#judge(answered)
      },
      onUnusable: (problem) => this.#warnUnusable(problem),
      onSnapshotRequest: () => {
        offers.documents.forget()
        this.#feed({ type: 'document-changed' })
      },
    })
  }

  #warnUnusable(problem: string): void {
    this.#around.log.warn('answer of the recorder is unusable', { session: this.plan.id, problem })
  }

  #onDialogEnd(end: DialogEnd): void {
    this.#feed({ type: 'dialog-ended', ...departureOf(end) })
  }

  #established(): Agreed {
    invariant(this.#agreed !== undefined, 'an established session has a dialog')
    return this.#agreed
  }

  #trace(from: SessionState, to: SessionState): void {
    this.#around.log.debug('recording session changed state', { session: this.plan.id, from, to })
    if (!stateTrace.hasSubscribers) return
    const wallMs = this.#around.clock.wallMs()
    stateTrace.publish({ machine: 'recording-session', id: this.plan.id, from, to, wallMs })
  }
}
