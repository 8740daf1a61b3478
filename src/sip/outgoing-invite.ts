// An INVITE that we send: RFC 3261 section 13.2 with CANCEL (section 9.1), forked 2xx (13.2.2.4) and failover.

import type { DigestClient } from './auth/digest-client.ts'
import { cancelInvite } from './cancel-invite.ts'
import type { CoreParts } from './core-parts.ts'
import { DialogState } from './dialog/dialog-state.ts'
import type { DialogContext } from './dialog-context.ts'
import { readEssentials } from './essentials.ts'
import { initialPlan } from './initial-plan.ts'
import { InviteDialogSession } from './invite-dialog.ts'
import type { SipRequest, SipResponse } from './message/message.ts'
import type { RequestPlan } from './message-builder.ts'
import { type Located, locate, NextHop } from './next-hop.ts'
import { unlocated } from './plain-request.ts'
import { EarlyProgress } from './reliability/early-progress.ts'
import type { ClientInvite, ClientInviteHandlers, InviteOptions, MessageOptions, RequestOutcome } from './session.ts'
import type { TimerTerms } from './session-timer/timer-terms.ts'
import { TargetWalk } from './target-walk.ts'
import type { ClientTransaction } from './transaction/client-transaction.ts'

/** ClientInvite over a target walk. */
export class OutgoingInvite implements ClientInvite {
  readonly #parts: CoreParts
  readonly #options: InviteOptions
  readonly #handlers: ClientInviteHandlers
  readonly #plan: RequestPlan
  readonly #hop: string
  readonly #digest: DigestClient | undefined
  readonly #terms: TimerTerms | undefined
  readonly #dialogsByTag = new Map<string, InviteDialogSession>()
  readonly #cancelled = new Set<ClientTransaction>()
  readonly #early: EarlyProgress
  #walk: TargetWalk | undefined
  #settled = false
  #cancelOptions: MessageOptions | undefined

  constructor(parts: CoreParts, options: InviteOptions, handlers: ClientInviteHandlers) {
    const { plan, hop, digest, terms } = initialPlan(parts, 'INVITE', options)
    this.#parts = parts
    this.#options = options
    this.#handlers = handlers
    this.#plan = plan
    this.#hop = hop
    this.#digest = digest
    this.#terms = terms
    this.#early = new EarlyProgress(parts, {
      invite: this,
      hasOffer: options.body !== undefined,
      contextOf: (response, invite) => this.#contextOf(response, invite),
      answerTo: (response) => handlers.ackBody?.(response),
    })
  }

  get callId(): string {
    return this.#plan.callId
  }

  start(): void {
    locate(this.#parts, this.#hop, this.#options, (located) => this.#begin(located))
  }

  cancel(options: MessageOptions = {}): void {
    if (this.#settled) return
    this.#cancelOptions = options
    this.#walk?.stop()
    const transaction = this.#walk?.transaction
    if (transaction !== undefined && this.#walk?.answered) this.#sendCancel(transaction)
    this.#fail({ status: 487, reason: 'Request Terminated', cause: 'cancelled' })
  }

  #begin(located: Located): void {
    if (this.#settled) return
    if (!located.ok || located.value.length === 0) {
      this.#fail(unlocated(located))
      return
    }
    const { onTargetFailed, firstResponseTimeoutMs } = this.#options
    this.#walk = new TargetWalk(
      this.#parts,
      this.#plan,
      located.value,
      {
        onResponse: (response, transaction) => this.#onResponse(response, transaction),
        onStray: (response, transaction) => this.#onUnwanted(response, transaction),
        onExhausted: (outcome) => this.#fail(outcome),
        ...(onTargetFailed === undefined ? {} : { onTargetFailed }),
      },
      firstResponseTimeoutMs,
    )
    this.#walk.start()
  }

  #onResponse(response: SipResponse, transaction: ClientTransaction): void {
    const { status } = response
    if (this.#settled) this.#onUnwanted(response, transaction)
    else if (status < 200) {
      if (status > 100 && this.#early.take(response, transaction.request)) {
        this.#handlers.onProgress?.(response, this.#early.of(response))
      }
    } else {
      this.#walk?.stop()
      if (status < 300) this.#onFirstAccept(response, transaction)
      else this.#fail({ status, reason: response.reason, cause: 'response', response })
    }
  }

  #onFirstAccept(response: SipResponse, transaction: ClientTransaction): void {
    const isOffer = this.#options.body === undefined && this.#early.of(response)?.isAgreed !== true
    const dialog = this.#dialogOf(response, transaction)
    this.#settle()
    dialog.register()
    const body = isOffer ? this.#handlers.ackBody?.(response) : undefined
    if (body instanceof Promise) {
      body.then(
        (ready) => dialog.confirm(ready),
        () => dialog.confirm(undefined),
      )
    } else dialog.confirm(body)
    this.#handlers.onAccepted(dialog, response)
  }

  /** After cancel, failover or the first 2xx: nothing of this INVITE may live on elsewhere. */
  #onUnwanted(response: SipResponse, transaction: ClientTransaction): void {
    if (response.status < 200) {
      // A provisional response that follows a 2xx belongs to another branch, which the forking proxy cancels.
      if (this.#dialogsByTag.size === 0) this.#sendCancel(transaction)
      return
    }
    if (response.status >= 300) return
    const facts = readEssentials(response.headers)
    const known = facts.ok ? this.#dialogsByTag.get(facts.value.toTag) : undefined
    if (known !== undefined) {
      known.confirmAgain()
      return
    }
    void this.#dialogOf(response, transaction).bye()
  }

  #dialogOf(response: SipResponse, transaction: ClientTransaction): InviteDialogSession {
    const context = { ...this.#contextOf(response, transaction.request), invited: transaction.target }
    const { state } = context
    state.confirm(response)
    const dialog = new InviteDialogSession(context)
    this.#dialogsByTag.set(state.remote.tag, dialog)
    dialog.expectConfirmation(transaction.request)
    dialog.timer?.onAccepted(response.headers)
    return dialog
  }

  /** Of a dialog that was early, the state goes on. */
  #contextOf(response: SipResponse, invite: SipRequest): DialogContext {
    return {
      parts: this.#parts,
      state: this.#early.stateOf(response) ?? this.#newState(response, invite),
      contact: this.#plan.contact,
      hop: new NextHop(this.#parts, this.#options),
      digest: this.#digest,
      terms: this.#terms,
    }
  }

  #newState(response: SipResponse, invite: SipRequest): DialogState {
    const { represented } = this.#options
    const state = DialogState.ofClient(invite, response)
    if (represented !== undefined) state.sessionIds.represent(represented)
    return state
  }

  #sendCancel(transaction: ClientTransaction): void {
    if (this.#cancelled.has(transaction)) return
    this.#cancelled.add(transaction)
    cancelInvite(this.#parts, transaction, this.#cancelOptions)
  }

  #fail(outcome: RequestOutcome): void {
    if (this.#settled) return
    this.#settle()
    this.#handlers.onFailed(outcome)
  }

  #settle(): void {
    this.#settled = true
    this.#early.close()
  }
}
