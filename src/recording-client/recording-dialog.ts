// The SIP dialog of a recording session: INVITE, re-offers, the last document, BYE, and what the recorder asks (RFC 7866 sections 7 to 9).

import { invariant, settledWithin } from '#kernel'
import type {
  ClientInvite,
  DialogHandlers,
  InviteDialog,
  MessageOptions,
  RequestOutcome,
  ServerInvite,
  SipRequest,
  SipResponse,
} from '#sip'
import type { AnsweredStream } from './answer.ts'
import { Continuity } from './continuity.ts'
import { departureOf } from './departure.ts'
import type { IdleDialog } from './idle-dialogs.ts'
import { hopOf } from './recorder-profile.ts'
import { answerRecorder } from './recorder-request.ts'
import { attemptOutcome } from './recorders/recorder-directory.ts'
import type { SessionForks } from './session-forks.ts'
import type { OfferDirection, SessionInput } from './session-machine.ts'
import { inviteHeaders, wantsLegacyType, withDate } from './session-messages.ts'
import { SessionOffers } from './session-offers.ts'
import type { SessionPlan, SessionSurroundings } from './session-port.ts'

/** The session whose dialog it is. */
export interface DialogUser {
  /** What we would send at this moment. */
  direction(): OfferDirection
  /** What is wanted of the recorder by now. */
  wished(): OfferDirection
  /** Whether an offer of ours is unanswered. */
  isSignalling(): boolean
  feed(input: SessionInput): void
  /** Whether the INVITE, which was refused with this status, is to be sent again with a mix instead of separate streams. */
  mixInstead(status: number): boolean
  /** The answer to the INVITE: the session counts as accepted once its forks are aimed. */
  onFirstAnswer(answered: readonly AnsweredStream[]): void
  /** The answer to a re-offer; undefined when nothing was offered. */
  onAnswer(answered: readonly AnsweredStream[] | undefined): void
  /** A re-offer was refused, or its answer is of no use. */
  onReofferRefused(status: number): void
  /** An offer of the recorder's own, or its answer to an offer that it asked for. */
  onRecorderOffer(answered: readonly AnsweredStream[]): void
}

/** What there is once a recorder has accepted. */
interface Agreed {
  readonly dialog: InviteDialog
  readonly offers: SessionOffers
}

/** The dialog with one recorder, or the attempt at one. */
export class RecordingDialog {
  readonly #plan: SessionPlan
  readonly #around: SessionSurroundings
  readonly #forks: SessionForks
  readonly #user: DialogUser
  #invite: ClientInvite | undefined
  #agreed: Agreed | undefined
  #isCancelled = false

  constructor(plan: SessionPlan, around: SessionSurroundings, forks: SessionForks, user: DialogUser) {
    this.#plan = plan
    this.#around = around
    this.#forks = forks
    this.#user = user
  }

  /** SIP Call-ID, once invited. */
  get callId(): string | undefined {
    return this.#agreed?.dialog.callId ?? this.#invite?.callId
  }

  /** Puts the call into a session that waits for one, or sends an INVITE. */
  open(direction: OfferDirection): void {
    if (this.#plan.invitation !== undefined) {
      this.#answerInvitation(this.#plan.invitation, direction)
      return
    }
    const { idle } = this.#around
    const { uri } = this.#plan
    const pending = this.#maxCalls > 1 ? idle.pending(uri) : undefined
    if (pending !== undefined) {
      void pending.then(() => {
        if (!this.#isCancelled) this.open(this.#user.wished())
      })
      return
    }
    const known = (this.#maxCalls > 1 ? idle.join(uri) : undefined) ?? idle.take(uri)
    if (known === undefined) this.#sendInvite(direction)
    else void this.#takeOver(known, direction)
  }

  /** Takes the INVITE back. */
  cancel(): void {
    this.#isCancelled = true
    this.#invite?.cancel()
    if (this.#invite === undefined) this.bye()
  }

  /** Refuses the recorder's INVITE, if there is one that is not answered yet. */
  decline(status: number): void {
    this.#plan.invitation?.reject(status)
  }

  reoffer(direction: OfferDirection, withDocument: boolean): void {
    const { dialog, offers } = this.#established()
    // Where several calls tell, they tell one after another.
    const isUpdateKnown = withDocument && this.#maxCalls === 1 && dialog.remoteAllow.has('UPDATE')
    const changes = isUpdateKnown ? offers.changes(direction) : undefined
    const sent =
      changes === undefined
        ? dialog.reinvite(() => offers.next(direction, withDocument))
        : dialog.request('UPDATE', changes)
    void sent.then((outcome) => this.#onReofferDone(offers, outcome, changes === undefined))
  }

  /**
   * The last document of the call, then BYE, which goes out even if nobody answers the document (SRC-69); a recorder whose sessions stay
   * up keeps this one without streams (SRC-70), and one that has other calls goes on with those (SRC-71).
   */
  farewell(): void {
    const { dialog, offers } = this.#established()
    const { continuity } = offers
    const isKept = this.#plan.profile.idleSessionMs !== undefined || continuity.hasOthers(offers)
    let isSaid = false
    const leave = (outcome?: RequestOutcome): void => {
      if (isSaid) return
      isSaid = true
      timer.cancel()
      const isTold = outcome !== undefined && outcome.status < 300
      if (continuity.hasOthers(offers)) this.#leave(isTold)
      else if (this.#plan.profile.idleSessionMs !== undefined && isTold && !dialog.ended) this.#keep()
      else {
        const bye = this.#hangUp()
        // What was spooled is deleted when it has been delivered: whether anybody is there still is worth the wait.
        if (this.#plan.spooled !== undefined && !isAnswered(outcome) && bye !== undefined) {
          void bye.then((last) => this.#user.feed({ type: 'farewell-done', isHeard: isAnswered(last) }))
          return
        }
      }
      this.#user.feed({ type: 'farewell-done', isHeard: isAnswered(outcome) })
    }
    const timer = this.#around.clock.after(this.#around.times.farewellMs, 'recording session farewell', () => leave())
    const canUpdate = this.#maxCalls === 1 && dialog.remoteAllow.has('UPDATE') && !this.#user.isSignalling()
    const last = isKept ? () => offers.lastOfCall() : () => offers.last()
    void (
      canUpdate ? dialog.request('UPDATE', last()) : isKept ? dialog.reinvite(last) : dialog.lastReinvite(last)
    ).then(leave)
  }

  bye(): void {
    void this.#hangUp()
  }

  /** Whether the recorder answers a question within the session, with whatever status; undefined: there is no session to ask in. */
  async ask(patienceMs: number): Promise<boolean | undefined> {
    const dialog = this.#agreed?.dialog
    if (dialog === undefined || dialog.ended) return undefined
    const heard: { cause?: RequestOutcome['cause'] } = {}
    const answer = dialog.request('OPTIONS', { outlivesSilence: true }).then(({ cause }) => {
      heard.cause = cause
    })
    await settledWithin(this.#around.clock, patienceMs, answer)
    return heard.cause === 'dialog-gone' ? undefined : heard.cause === 'response'
  }

  /** The answer to BYE; undefined when none was sent. */
  #hangUp(): Promise<RequestOutcome> | undefined {
    if (this.#agreed === undefined || this.#agreed.dialog.ended) return undefined
    const { dialog, offers } = this.#agreed
    if (offers.continuity.hasOthers(offers)) {
      this.#leave(false)
      return undefined
    }
    return dialog.bye({ headers: withDate(this.#around.clock.wallMs()) })
  }

  /** Leaves a dialog to the other calls in it, one of which says so if this one could not. */
  #leave(isTold: boolean): void {
    const { dialog, offers } = this.#established()
    const { continuity } = offers
    continuity.leave(offers)
    if (isTold || dialog.ended) return
    const [other] = [...continuity.members].filter(({ isJoining }) => !isJoining)
    other?.user.feed({ type: 'document-changed' })
  }

  get #maxCalls(): number {
    return this.#plan.profile.callsPerSession ?? 1
  }

  #sendInvite(direction: OfferDirection): void {
    const plan = this.#plan
    const { core, log, ids, from, times, recorders } = this.#around
    const address = this.#forks.slots[0]?.local.host
    const continuity = new Continuity(address, ids, plan.profile)
    const offers = this.#offers(continuity)
    const settled = this.#maxCalls > 1 ? this.#around.idle.expect(plan.uri) : undefined
    this.#invite = core.invite(
      {
        uri: plan.uri,
        ...hopOf(plan.profile),
        from,
        contactParams: '+sip.src',
        firstResponseTimeoutMs: times.firstResponseMs,
        headers: inviteHeaders(this.#around.clock.wallMs(), plan),
        body: offers.first(direction),
        insteadAfter: (refusal) => {
          if (refusal.status !== 415 || continuity.isLegacyType || !wantsLegacyType(refusal)) return undefined
          continuity.useLegacyType()
          return { body: offers.first(direction) }
        },
        onTargetFailed: (target, { status, cause }) =>
          log.warn('recorder address failed', { session: plan.id, target, status, cause }),
      },
      {
        onAccepted: (dialog, response) => {
          this.#onAccepted({ dialog, offers }, response)
          settled?.()
        },
        onFailed: (outcome) => {
          settled?.()
          recorders.report(plan.uri, attemptOutcome(outcome))
          if (this.#user.mixInstead(outcome.status)) this.#sendInvite(direction)
          else this.#user.feed({ type: 'refused', status: outcome.status, reason: outcome.reason })
        },
      },
    )
  }

  /** Our 200 to a recorder's INVITE has offer and document, its ACK the answer (RFC 7866 sections 7.2 and 9.1, SRC-43). */
  #answerInvitation(invite: ServerInvite, direction: OfferDirection): void {
    const { clock, ids } = this.#around
    const profile = { ...this.#plan.profile, callsPerSession: 1 }
    const continuity = new Continuity(this.#forks.slots[0]?.local.host, ids, profile)
    const offers = this.#offers(continuity)
    const onAck = (ack: SipRequest): void => {
      const answer = offers.readFirst(ack)
      if (answer.ok) {
        offers.settle(true)
        this.#user.onFirstAnswer(answer.value)
      } else this.#user.feed({ type: 'answer-broken', status: 488, reason: answer.error })
    }
    const dialog = invite.accept(
      { ...this.#handlers(offers), onAck },
      { contactParams: '+sip.src', headers: withDate(clock.wallMs()), body: offers.first(direction) },
    )
    this.#agreed = { dialog, offers }
  }

  /** A session that does not answer at once, or refuses the call, is given up for one of its own. */
  async #takeOver({ dialog, continuity }: IdleDialog, direction: OfferDirection): Promise<void> {
    const offers = this.#offers(continuity)
    const headers = inviteHeaders(this.#around.clock.wallMs(), this.#plan)
    offers.isJoining = true
    this.#agreed = { dialog, offers }
    dialog.handlers = this.#handlers(offers)
    const response = await this.#answered(dialog, () => ({ ...offers.next(direction, true), headers }))
    if (response !== undefined && response.status < 300 && !dialog.ended) {
      offers.isJoining = false
      this.#onAccepted({ dialog, offers }, response)
      return
    }
    offers.settle(false)
    this.bye()
    this.#agreed = undefined
    if (!this.#isCancelled) this.#sendInvite(direction)
  }

  /** The answer to an offer; undefined when none has come soon, though it may come yet. */
  #answered(dialog: InviteDialog, offer: () => MessageOptions): Promise<SipResponse | undefined> {
    const { clock, times } = this.#around
    return new Promise((resolve) => {
      const silence = clock.after(times.firstResponseMs, 'recording session silence', () => resolve(undefined))
      void dialog.reinvite(offer).then(({ response }) => {
        silence.cancel()
        resolve(response)
      })
    })
  }

  /** An answer that cannot be used ends the session (SRC-38). */
  #onAccepted(agreed: Agreed, response: SipResponse): void {
    const { dialog, offers } = agreed
    this.#agreed = agreed
    this.#around.recorders.report(this.#plan.uri, { status: response.status, cause: 'response' })
    dialog.handlers = this.#handlers(offers)
    if (offers.continuity.maxCalls > 1) {
      this.#around.idle.share({ uri: this.#plan.uri, dialog, continuity: offers.continuity })
    }
    if (!/\+sip\.srs\b/i.test(response.headers.get('contact') ?? '')) {
      this.#around.log.warn('recorder does not say that it is one', { session: this.#plan.id })
    }
    const answer = offers.readFirst(response)
    if (!answer.ok) this.#user.feed({ type: 'answer-broken', status: 488, reason: answer.error })
    else {
      offers.settle(true)
      this.#user.onFirstAnswer(answer.value)
    }
  }

  #onReofferDone(offers: SessionOffers, { status, response }: RequestOutcome, hasOffer: boolean): void {
    if (status >= 300 || response === undefined) {
      offers.settle(false)
      this.#user.onReofferRefused(status)
      return
    }
    offers.settle(true)
    const answer = hasOffer ? offers.read(response) : undefined
    if (answer?.ok === false) {
      this.#warnUnusable(answer.error)
      this.#user.onReofferRefused(488)
    } else this.#user.onAnswer(answer?.value)
  }

  /** Serves all calls in the dialog. */
  #handlers({ continuity }: SessionOffers): DialogHandlers {
    const present = (): SessionOffers[] => [...continuity.members].filter(({ isJoining }) => !isJoining)
    const tellAnew = (): void => present()[0]?.user.feed({ type: 'document-changed' })
    return {
      onRequest: (incoming) =>
        answerRecorder(incoming, {
          streams: continuity.streamsNow,
          describe: (media) => continuity.sdp.describe(media),
          onStreams: (answered) => continuity.deliver(answered),
          onUnusable: (problem) => this.#warnUnusable(problem),
          onSnapshotRequest: () => {
            continuity.documents.forget()
            tellAnew()
          },
        }),
      onRefreshDue: tellAnew,
      onEnd: (end) => {
        // Whoever says BYE here knows.
        if (end.cause === 'local-bye') return
        for (const { user } of present()) user.feed({ type: 'dialog-ended', ...departureOf(end) })
      },
    }
  }

  #keep(): void {
    const { dialog, offers } = this.#established()
    const { uri, profile } = this.#plan
    offers.continuity.leave(offers)
    this.#around.idle.keep({ uri, dialog, continuity: offers.continuity }, profile.idleSessionMs ?? 0)
  }

  #offers(continuity: Continuity): SessionOffers {
    return new SessionOffers(this.#plan, this.#around, this.#forks, continuity, this.#user)
  }

  #warnUnusable(problem: string): void {
    this.#around.log.warn('answer of the recorder is unusable', { session: this.#plan.id, problem })
  }

  #established(): Agreed {
    invariant(this.#agreed !== undefined, 'an established session has a dialog')
    return this.#agreed
  }
}

/** Whether a recorder has said anything of a session that it knows. */
function isAnswered(outcome: RequestOutcome | undefined): boolean {
  return outcome?.response !== undefined && outcome.status !== 481 && outcome.status !== 408
}
