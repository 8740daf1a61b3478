// A confirmed INVITE dialog: RFC 3261 sections 12.2, 14, 15; RFC 3311 (UPDATE) and RFC 6086 (INFO) as server.

import { type StateTrace, stateTrace } from '#kernel'
import { AcceptedResponse } from './accepted-response.ts'
import { Acknowledgement } from './acknowledgement.ts'
import { answer, answerBusy, answerOptions } from './answer.ts'
import type { Arrived, CoreParts, DialogHolder } from './core-parts.ts'
import type { DialogState } from './dialog/dialog-state.ts'
import { type DialogContext, planWithin } from './dialog-context.ts'
import { glareWaitMs, MAX_OFFER_TRIES } from './glare-wait.ts'
import type { SipRequest } from './message/message.ts'
import { PendingRequest } from './pending-request.ts'
import { sendPlain } from './plain-request.ts'
import { ReinviteQueue } from './reinvite-queue.ts'
import type {
  DialogEnd,
  DialogHandlers,
  InviteDialog,
  MessageOptions,
  ReinviteOptions,
  ReplacedDialog,
  RequestOutcome,
  SipBody,
} from './session.ts'
import type { ServerTransaction } from './transaction/server-transaction.ts'

const GONE: RequestOutcome = { status: 481, reason: 'Dialog Ended', cause: 'dialog-gone' }

interface UnackedAccept {
  readonly response: AcceptedResponse
  readonly onAck: (ack: SipRequest) => void
}

/** InviteDialog of one core; registered in the core's table while it lives. */
export class InviteDialogSession implements InviteDialog, DialogHolder {
  handlers: DialogHandlers = { onEnd: () => {} }
  readonly #parts: CoreParts
  readonly #state: DialogState
  readonly #context: DialogContext
  readonly #reinvites: ReinviteQueue
  /** 2xx that we sent, by CSeq number of the INVITE. */
  readonly #unacked = new Map<number, UnackedAccept>()
  readonly #pending = new Set<PendingRequest>()
  readonly #awaited = new Set<(outcome: RequestOutcome) => void>()
  #peerInvite: PendingRequest | undefined
  #peerUpdate: PendingRequest | undefined
  #ownUpdates = 0
  /** Our initial INVITE, as long as its 2xx is not acknowledged. */
  #unconfirmed: SipRequest | undefined
  #acknowledgement: Acknowledgement | undefined
  #byeWaiting: (() => void) | undefined
  #ended = false

  constructor(context: DialogContext) {
    const { parts, state } = context
    this.#parts = parts
    this.#state = state
    this.#context = context
    this.#reinvites = new ReinviteQueue(this.#context, {
      isBusy: () => this.#peerInvite !== undefined || this.#unacked.size > 0 || this.#unconfirmed !== undefined,
      onAccepted: (response) => {
        state.refreshTarget(response.headers)
        state.noteAllow(response.headers)
      },
      onOutcome: (outcome) => this.#onOutcome(outcome),
    })
  }

  get callId(): string {
    return this.#state.callId
  }

  get localTag(): string {
    return this.#state.local.tag
  }

  get remoteTag(): string {
    return this.#state.remote.tag
  }

  get localUri(): string {
    return this.#state.local.uri
  }

  get remoteUri(): string {
    return this.#state.remote.uri
  }

  get remoteAllow(): ReadonlySet<string> {
    return this.#state.remoteAllow
  }

  get ended(): boolean {
    return this.#ended
  }

  get replaceable(): ReplacedDialog | 'ended' {
    return this.#ended ? 'ended' : { kind: 'confirmed', dialog: this }
  }

  /** Puts the dialog into the table: requests find it from now on. */
  register(): void {
    this.#parts.dialogs.add(this.#state.key, this)
    this.#trace('early', 'confirmed')
  }

  /** As server: the 2xx has been sent; it is repeated until its ACK (section 13.3.1.4). */
  awaitAck(transaction: ServerTransaction, cseqNumber: number, status: number, bytes: Uint8Array): void {
    this.#accept(transaction, cseqNumber, status, bytes, (ack) => this.handlers.onAck?.(ack))
  }

  /** As client: the 2xx came, `confirm` is to follow. */
  expectConfirmation(invite: SipRequest): void {
    this.#unconfirmed = invite
  }

  /** As client: sends the ACK of the initial 2xx; only the first call counts. */
  confirm(body: SipBody | undefined): void {
    if (this.#unconfirmed === undefined) return
    this.#acknowledgement = new Acknowledgement(this.#context, this.#unconfirmed, body)
    this.#unconfirmed = undefined
    this.#acknowledgement.send()
    this.#reinvites.pump()
  }

  /** As client: the initial 2xx came once more. */
  confirmAgain(): void {
    this.#acknowledgement?.send()
  }

  request(method: string, options: MessageOptions = {}): Promise<RequestOutcome> {
    if (this.#ended) return Promise.resolve(GONE)
    return new Promise((resolve) => {
      const settle = this.#await(resolve)
      const done = (outcome: RequestOutcome): void => {
        settle(outcome)
        if (!this.#ended) this.#onOutcome(outcome)
      }
      if (method === 'UPDATE') this.#update(options, 1, done)
      else this.#send(method, options, done)
    })
  }

  reinvite(options: ReinviteOptions | (() => ReinviteOptions)): Promise<RequestOutcome> {
    if (this.#ended) return Promise.resolve(GONE)
    const ask = typeof options === 'function' ? options : () => options
    return new Promise((resolve) => this.#reinvites.add(ask, this.#await(resolve)))
  }

  bye(options: MessageOptions = {}): Promise<RequestOutcome> {
    if (this.#ended) return Promise.resolve(GONE)
    return this.#hangUp({ cause: 'local-bye' }, options)
  }

  /** Ends the dialog without BYE: the INVITE was cancelled while the user accepted it. */
  abort(end: DialogEnd): void {
    this.#end(end)
  }

  onAck(ack: SipRequest, cseqNumber: number): void {
    const accepted = this.#unacked.get(cseqNumber)
    if (accepted === undefined) return
    accepted.response.stop()
    this.#unacked.delete(cseqNumber)
    if (this.#ended) this.#runWaitingBye()
    else {
      accepted.onAck(ack)
      this.#reinvites.pump()
    }
  }

  onRequest(arrived: Arrived): void {
    const { method, headers } = arrived.request
    if (this.#ended) answer(this.#parts, arrived, method === 'BYE' ? 200 : 481)
    else if (!this.#state.acceptCSeq(arrived.facts.cseqNumber)) answer(this.#parts, arrived, 500)
    else {
      this.#state.noteAllow(headers)
      this.#dispatch(arrived, method)
    }
  }

  #dispatch(arrived: Arrived, method: string): void {
    switch (method) {
      case 'BYE':
        answer(this.#parts, arrived, 200)
        this.#end({ cause: 'remote-bye', request: arrived.request })
        return
      case 'INVITE':
        this.#onInvite(arrived)
        return
      case 'UPDATE':
        this.#onUpdate(arrived)
        return
      case 'INFO':
        // RFC 6086 section 4.2.2: we have agreed to no Info Package; without one it is legacy use.
        if (arrived.request.headers.has('info-package')) {
          answer(this.#parts, arrived, 469, { reason: 'Bad Info Package', headers: [['Recv-Info', '']] })
        } else this.#deliver(arrived, 405)
        return
      case 'OPTIONS':
        answerOptions(this.#parts, arrived)
        return
      default:
        this.#deliver(arrived, 405)
    }
  }

  #onInvite(arrived: Arrived): void {
    if (this.#peerInvite !== undefined || this.#peerUpdate !== undefined) answerBusy(this.#parts, arrived)
    else if (this.#reinvites.isInFlight || this.#ownUpdates > 0) answer(this.#parts, arrived, 491)
    else {
      answer(this.#parts, arrived, 100)
      this.#peerInvite = this.#deliver(arrived, 488, (pending, status, bytes) => {
        this.#peerInvite = undefined
        if (status < 300) {
          const onAck = (ack: SipRequest): void => pending.onAck?.(ack)
          this.#accept(arrived.transaction, arrived.facts.cseqNumber, status, bytes, onAck)
        }
        this.#reinvites.pump()
      })
    }
  }

  #onUpdate(arrived: Arrived): void {
    const isOffer = arrived.request.body.length > 0
    if (this.#peerUpdate !== undefined || (isOffer && this.#peerInvite !== undefined)) answerBusy(this.#parts, arrived)
    else if (isOffer && (this.#reinvites.isInFlight || this.#ownUpdates > 0)) answer(this.#parts, arrived, 491)
    else {
      this.#peerUpdate = this.#deliver(arrived, 405, () => {
        this.#peerUpdate = undefined
      })
    }
  }

  /** Gives a request to the user; returns it while it is unanswered. */
  #deliver(
    arrived: Arrived,
    statusWithoutUser: number,
    onFinal?: (pending: PendingRequest, status: number, bytes: Uint8Array) => void,
  ): PendingRequest | undefined {
    if (this.handlers.onRequest === undefined) {
      answer(this.#parts, arrived, statusWithoutUser)
      return undefined
    }
    const refreshes = arrived.request.method === 'INVITE' || arrived.request.method === 'UPDATE'
    const pending: PendingRequest = new PendingRequest(this.#parts, arrived, {
      ...(refreshes ? { contact: this.#context.contact } : {}),
      onFinal: (status, bytes) => {
        this.#pending.delete(pending)
        if (this.#ended) return
        if (refreshes && status < 300) this.#state.refreshTarget(arrived.request.headers)
        onFinal?.(pending, status, bytes)
      },
      onAck: (ack, cseqNumber) => this.onAck(ack, cseqNumber),
    })
    this.#pending.add(pending)
    this.handlers.onRequest(pending)
    return pending.answered ? undefined : pending
  }

  #accept(
    transaction: ServerTransaction,
    cseqNumber: number,
    status: number,
    bytes: Uint8Array,
    onAck: (ack: SipRequest) => void,
  ): void {
    const response = new AcceptedResponse(
      this.#parts.clock,
      this.#parts.timers,
      () => transaction.respond(status, bytes),
      () => {
        this.#unacked.delete(cseqNumber)
        if (this.#ended) this.#runWaitingBye()
        else void this.#hangUp({ cause: 'no-ack' }, {})
      },
    )
    this.#unacked.set(cseqNumber, { response, onAck })
  }

  /** UPDATE: may change the remote target, and after glare is tried again (RFC 3311 section 5). */
  #update(options: MessageOptions, tries: number, done: (outcome: RequestOutcome) => void): void {
    const isOffer = options.body !== undefined
    if (isOffer) this.#ownUpdates += 1
    this.#send('UPDATE', options, (outcome) => {
      const { response } = outcome
      if (isOffer) this.#ownUpdates -= 1
      if (response !== undefined && outcome.status < 300) this.#state.refreshTarget(response.headers)
      const { clock, options: core } = this.#parts
      const waitMs = response && glareWaitMs(response, this.#state.ownsCallId, core.ids)
      if (waitMs === undefined || tries === MAX_OFFER_TRIES || this.#ended) done(outcome)
      else {
        clock.after(waitMs, 'update-retry', () => {
          if (!this.#ended) this.#update(options, tries + 1, done)
        })
      }
    })
  }

  /** 481, 408 and silence end the dialog (section 12.2.1.2). */
  #onOutcome(outcome: RequestOutcome): void {
    if (outcome.cause === 'transport') this.#context.hop.forget()
    if (outcome.status === 481 || outcome.status === 408) {
      void this.#hangUp({ cause: 'gone', status: outcome.status }, {})
    }
  }

  /** Ends the dialog and sends BYE: not before the ACK of our 2xx (section 15), and not before our own ACK. */
  #hangUp(end: DialogEnd, options: MessageOptions): Promise<RequestOutcome> {
    this.confirm(undefined)
    const outcome = new Promise<RequestOutcome>((resolve) => {
      const send = (): void => this.#send('BYE', options, resolve)
      if (this.#unacked.size > 0) this.#byeWaiting = send
      else send()
    })
    this.#end(end)
    return outcome
  }

  #runWaitingBye(): void {
    if (this.#unacked.size > 0) return
    const send = this.#byeWaiting
    this.#byeWaiting = undefined
    this.#unregister()
    send?.()
  }

  #send(method: string, options: MessageOptions, done: (outcome: RequestOutcome) => void): void {
    const { plan, hop } = planWithin(this.#context, method, this.#state.nextCSeq(), options)
    this.#context.hop.resolve(hop, (located) => sendPlain(this.#parts, plan, located, done))
  }

  /** Makes the outcome come once, and come at the latest when the dialog ends. */
  #await(resolve: (outcome: RequestOutcome) => void): (outcome: RequestOutcome) => void {
    const settle = (outcome: RequestOutcome): void => {
      if (this.#awaited.delete(settle)) resolve(outcome)
    }
    this.#awaited.add(settle)
    return settle
  }

  #end(end: DialogEnd): void {
    if (this.#ended) return
    this.#ended = true
    this.#reinvites.close()
    for (const settle of [...this.#awaited]) settle(GONE)
    for (const pending of [...this.#pending]) pending.respond(487)
    if (this.#byeWaiting === undefined) {
      for (const { response } of this.#unacked.values()) response.stop()
      this.#unacked.clear()
      this.#unregister()
    }
    this.#trace('confirmed', 'ended')
    this.handlers.onEnd(end)
  }

  #unregister(): void {
    this.#parts.dialogs.remove(this.#state.key, this)
  }

  #trace(from: string, to: string): void {
    if (!stateTrace.hasSubscribers) return
    const change: StateTrace = { machine: 'dialog', id: this.callId, from, to, wallMs: this.#parts.clock.wallMs() }
    stateTrace.publish(change)
  }
}
