// The SIP dialog of a recording session: INVITE, re-offers, the last document, BYE, and what the recorder asks (RFC 7866 sections 7 to 9).

import { invariant } from '#kernel'
import type {
  ClientInvite,
  DialogHandlers,
  InviteDialog,
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
  /** Whether an offer of ours is unanswered. */
  isSignalling(): boolean
  feed(input: SessionInput): void
  /** The answer to the INVITE: the session counts as accepted once its forks are aimed. */
  onFirstAnswer(answered: readonly AnsweredStream[]): void
  /** The answer to a re-offer; undefined when nothing was offered. */
  onAnswer(answered: readonly AnsweredStream[] | undefined): void
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
    const idle = this.#around.idle.take(this.#plan.uri)
    if (idle === undefined) this.#sendInvite(direction)
    else void this.#takeOver(idle, direction)
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
    const isUpdateKnown = withDocument && dialog.remoteAllow.has('UPDATE')
    const changes = isUpdateKnown ? offers.changes(direction) : undefined
    const sent =
      changes === undefined
        ? dialog.reinvite(() => offers.next(direction, withDocument))
        : dialog.request('UPDATE', changes)
    void sent.then((outcome) => this.#onReofferDone(offers, outcome, changes === undefined))
  }

  /**
   * The last document of the call, then BYE, which goes out even if nobody answers the document (SRC-69); a recorder whose sessions stay
   * up keeps this one without streams (SRC-70).
   */
  farewell(): void {
    const { dialog, offers } = this.#established()
    const isKept = this.#plan.profile.idleSessionMs !== undefined
    let isSaid = false
    const leave = (outcome?: RequestOutcome): void => {
      if (isSaid) return
      isSaid = true
      timer.cancel()
      if (isKept && outcome !== undefined && outcome.status < 300 && !dialog.ended) this.#keep()
      else this.bye()
      this.#user.feed({ type: 'farewell-done' })
    }
    const timer = this.#around.clock.after(this.#around.times.farewellMs, 'recording session farewell', () => leave())
    const canUpdate = dialog.remoteAllow.has('UPDATE') && !this.#user.isSignalling()
    const last = isKept ? () => offers.lastOfCall() : () => offers.last()
    void (
      canUpdate ? dialog.request('UPDATE', last()) : isKept ? dialog.reinvite(last) : dialog.lastReinvite(last)
    ).then(leave)
  }

  bye(): void {
    const dialog = this.#agreed?.dialog
    if (dialog === undefined || dialog.ended) return
    void dialog.bye({ headers: withDate(this.#around.clock.wallMs()) })
  }

  #sendInvite(direction: OfferDirection): void {
    const plan = this.#plan
    const { core, log, ids, from, times, recorders } = this.#around
    const address = this.#forks.slots[0]?.local.host
    const continuity = new Continuity(address, ids, plan.profile.metadata)
    const offers = this.#offers(continuity)
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
        onAccepted: (dialog, response) => this.#onAccepted({ dialog, offers }, response),
        onFailed: (outcome) => {
          const { status, reason } = outcome
          recorders.report(plan.uri, attemptOutcome(outcome))
          this.#user.feed({ type: 'refused', status, reason })
        },
      },
    )
  }

  /** Our 200 to a recorder's INVITE has offer and document, its ACK the answer (RFC 7866 sections 7.2 and 9.1, SRC-43). */
  #answerInvitation(invite: ServerInvite, direction: OfferDirection): void {
    const { clock, ids } = this.#around
    const continuity = new Continuity(this.#forks.slots[0]?.local.host, ids, this.#plan.profile.metadata)
    const offers = this.#offers(continuity)
    const onAck = (ack: SipRequest): void => {
      const answer = offers.readFirst(ack)
      if (answer.ok) {
        offers.documents.acknowledge()
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
    this.#agreed = { dialog, offers }
    dialog.handlers = { ...this.#handlers(offers), onEnd: () => {} }
    const silence = this.#around.clock.after(this.#around.times.firstResponseMs, 'recording session silence', () => {
      this.bye()
    })
    const { response } = await dialog.reinvite(() => ({ ...offers.next(direction, true), headers }))
    silence.cancel()
    if (response !== undefined && response.status < 300 && !dialog.ended) {
      this.#onAccepted({ dialog, offers }, response)
      return
    }
    this.bye()
    this.#agreed = undefined
    if (!this.#isCancelled) this.#sendInvite(direction)
  }

  /** An answer that cannot be used ends the session (SRC-38). */
  #onAccepted(agreed: Agreed, response: SipResponse): void {
    const { dialog, offers } = agreed
    this.#agreed = agreed
    this.#around.recorders.report(this.#plan.uri, { status: response.status, cause: 'response' })
    dialog.handlers = this.#handlers(offers)
    if (!/\+sip\.srs\b/i.test(response.headers.get('contact') ?? '')) {
      this.#around.log.warn('recorder does not say that it is one', { session: this.#plan.id })
    }
    const answer = offers.readFirst(response)
    if (!answer.ok) this.#user.feed({ type: 'answer-broken', status: 488, reason: answer.error })
    else {
      offers.documents.acknowledge()
      this.#user.onFirstAnswer(answer.value)
    }
  }

  #onReofferDone(offers: SessionOffers, { status, response }: RequestOutcome, hasOffer: boolean): void {
    if (status >= 300 || response === undefined) {
      offers.documents.forget()
      this.#user.feed({ type: 'reoffer-failed', status })
      return
    }
    offers.documents.acknowledge()
    const answer = hasOffer ? offers.read(response) : undefined
    if (answer?.ok === false) {
      this.#warnUnusable(answer.error)
      this.#user.feed({ type: 'reoffer-failed', status: 488 })
    } else this.#user.onAnswer(answer?.value)
  }

  #handlers(offers: SessionOffers): DialogHandlers {
    return {
      onRequest: (incoming) =>
        answerRecorder(incoming, {
          streams: offers.streams,
          ours: this.#user.direction(),
          describe: (media) => offers.describe(media),
          onStreams: (answered) => this.#user.onRecorderOffer(answered),
          onUnusable: (problem) => this.#warnUnusable(problem),
          onSnapshotRequest: () => {
            offers.documents.forget()
            this.#user.feed({ type: 'document-changed' })
          },
        }),
      onRefreshDue: () => this.#user.feed({ type: 'document-changed' }),
      onEnd: (end) => this.#user.feed({ type: 'dialog-ended', ...departureOf(end) }),
    }
  }

  #keep(): void {
    const { dialog, offers } = this.#established()
    const { uri, profile } = this.#plan
    this.#around.idle.keep({ uri, dialog, continuity: offers.continuity }, profile.idleSessionMs ?? 0)
  }

  #offers(continuity: Continuity): SessionOffers {
    return new SessionOffers(this.#plan, this.#around, this.#forks, continuity)
  }

  #warnUnusable(problem: string): void {
    this.#around.log.warn('answer of the recorder is unusable', { session: this.#plan.id, problem })
  }

  #established(): Agreed {
    invariant(this.#agreed !== undefined, 'an established session has a dialog')
    return this.#agreed
  }
}
