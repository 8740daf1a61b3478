// What the peer asks within a dialog, early or confirmed, while it waits for our user: RFC 3261 section 14.2, RFC 3311 section 5.2, RFC 6086.

import { answer, answerBusy, answerOptions } from '../answer.ts'
import type { Arrived } from '../core-parts.ts'
import type { DialogContext } from '../dialog-context.ts'
import { PendingRequest } from '../pending-request.ts'
import type { IncomingRequest } from '../session.ts'
import type { SessionExpires } from '../session-timer/session-expires.ts'
import { timerHeaders } from '../session-timer/timer-terms.ts'
import { mayHoldOffer } from './offer-body.ts'

/** What the dialog knows and must be asked, and what it is told. */
export interface PeerRequestsUser {
  /** An offer of ours waits for its answer. */
  isOffering(): boolean
  /** Whoever answers; absent: nobody does. */
  onRequest(): ((incoming: IncomingRequest) => void) | undefined
  /** A re-INVITE was answered 2xx, to be repeated until its ACK. */
  onAccepted(arrived: Arrived, pending: PendingRequest, status: number, bytes: Uint8Array): void
  /** The re-INVITE of the peer is answered, however. */
  onFree(): void
  onAck(ack: PendingRequest['request'], cseqNumber: number): void
}

/** Requests of the peer other than BYE and PRACK. */
export class PeerRequests {
  readonly #context: DialogContext
  readonly #user: PeerRequestsUser
  readonly #pending = new Set<PendingRequest>()
  #invite: PendingRequest | undefined
  #update: PendingRequest | undefined
  #closed = false

  constructor(context: DialogContext, user: PeerRequestsUser) {
    this.#context = context
    this.#user = user
  }

  /** A re-INVITE waits for the user's answer. */
  get hasInvite(): boolean {
    return this.#invite !== undefined
  }

  /** Answers a request, or gives it to the user. */
  take(arrived: Arrived): void {
    const { parts } = this.#context
    switch (arrived.request.method) {
      case 'INVITE':
        this.#onInvite(arrived)
        return
      case 'UPDATE':
        this.#onUpdate(arrived)
        return
      case 'INFO':
        // RFC 6086 section 4.2.2: we have agreed to no Info Package; without one it is legacy use.
        if (arrived.request.headers.has('info-package')) {
          answer(parts, arrived, 469, { reason: 'Bad Info Package', headers: [['Recv-Info', '']] })
        } else this.#deliver(arrived, 405)
        return
      case 'OPTIONS':
        answerOptions(parts, arrived)
        return
      default:
        this.#deliver(arrived, 405)
    }
  }

  /** The dialog is over: nobody's answer is waited for. */
  close(): void {
    this.#closed = true
    for (const pending of [...this.#pending]) pending.respond(487)
  }

  #onInvite(arrived: Arrived): void {
    const { parts } = this.#context
    if (this.#invite !== undefined || this.#update !== undefined) answerBusy(parts, arrived)
    else if (this.#user.isOffering()) answer(parts, arrived, 491)
    else if (!this.#refusesTimer(arrived)) {
      answer(parts, arrived, 100)
      this.#invite = this.#deliver(arrived, 488, (pending, status, bytes) => {
        this.#invite = undefined
        if (status < 300) this.#user.onAccepted(arrived, pending, status, bytes)
        this.#user.onFree()
      })
    }
  }

  #onUpdate(arrived: Arrived): void {
    const { parts } = this.#context
    const { headers, body } = arrived.request
    const isOffer = body.length > 0 && mayHoldOffer(headers.get('content-type'))
    if (this.#update !== undefined || (isOffer && this.#invite !== undefined)) answerBusy(parts, arrived)
    else if (isOffer && this.#user.isOffering()) answer(parts, arrived, 491)
    else if (!this.#refusesTimer(arrived)) {
      this.#update = this.#deliver(arrived, 405, () => {
        this.#update = undefined
      })
    }
  }

  /** RFC 4028 section 9: a session interval that is too short gets 422. */
  #refusesTimer(arrived: Arrived): boolean {
    const headers = this.#context.terms?.refusalOf(arrived.request.headers)
    if (headers !== undefined) answer(this.#context.parts, arrived, 422, { headers })
    return headers !== undefined
  }

  /** Gives a request to the user; returns it while it is unanswered. */
  #deliver(
    arrived: Arrived,
    statusWithoutUser: number,
    onFinal?: (pending: PendingRequest, status: number, bytes: Uint8Array) => void,
  ): PendingRequest | undefined {
    const { parts, contact, state, terms } = this.#context
    const { method, headers } = arrived.request
    const onRequest = this.#user.onRequest()
    if (onRequest === undefined) {
      answer(parts, arrived, statusWithoutUser)
      return undefined
    }
    const refreshes = method === 'INVITE' || method === 'UPDATE'
    const agreed: SessionExpires | undefined = refreshes ? terms?.answerTo(headers) : undefined
    const pending: PendingRequest = new PendingRequest(parts, arrived, {
      sessionIds: state.sessionIds,
      ...(refreshes ? { contact, acceptHeaders: timerHeaders(agreed, headers) } : {}),
      onFinal: (status, bytes) => {
        this.#pending.delete(pending)
        if (this.#closed) return
        // RFC 7989 section 8: a request that is refused does not count.
        if (status < 300) state.sessionIds.hear(headers)
        if (refreshes && status < 300) {
          state.refreshTarget(headers)
          this.#context.timer?.onAnswered(agreed)
        }
        onFinal?.(pending, status, bytes)
      },
      onAck: (ack, cseqNumber) => this.#user.onAck(ack, cseqNumber),
    })
    this.#pending.add(pending)
    onRequest(pending)
    return pending.answered ? undefined : pending
  }
}
