// A confirmed INVITE dialog: RFC 3261 sections 12.2, 14, 15, with its session timer (RFC 4028).

import { type StateTrace, stateTrace } from '#kernel'
import { Acknowledgement } from './acknowledgement.ts'
import { answer } from './answer.ts'
import type { Arrived, CoreParts, DialogHolder } from './core-parts.ts'
import { AcceptedInvites } from './dialog/accepted-invites.ts'
import type { DialogState } from './dialog/dialog-state.ts'
import { PeerRequests } from './dialog/peer-requests.ts'
import { UpdateSender } from './dialog/update-sender.ts'
import { type DialogContext, sendWithin, snapshotOf } from './dialog-context.ts'
import type { SipRequest } from './message/message.ts'
import { ReinviteQueue } from './reinvite-queue.ts'
import type {
  DialogEnd,
  DialogHandlers,
  DialogSnapshot,
  InviteDialog,
  MessageOptions,
  ReinviteOptions,
  ReplacedDialog,
  RequestOutcome,
  SessionIds,
  SipBody,
} from './session.ts'
import { SessionTimer } from './session-timer/session-timer.ts'
import type { ServerTransaction } from './transaction/server-transaction.ts'

const GONE: RequestOutcome = { status: 481, reason: 'Dialog Ended', cause: 'dialog-gone' }

/** Requests that cannot be sent one after another show that the peer is out of reach. */
const MAX_UNSENT = 2

/** InviteDialog of one core; registered in the core's table while it lives. */
export class InviteDialogSession implements InviteDialog, DialogHolder {
  handlers: DialogHandlers = { onEnd: () => {} }
  /** Absent when session timers are not supported. */
  readonly timer: SessionTimer | undefined
  readonly #parts: CoreParts
  readonly #state: DialogState
  readonly #context: DialogContext
  readonly #reinvites: ReinviteQueue
  readonly #updates: UpdateSender
  readonly #peer: PeerRequests
  readonly #accepted: AcceptedInvites
  readonly #awaited = new Set<(outcome: RequestOutcome) => void>()
  /** Our initial INVITE, as long as its 2xx is not acknowledged. */
  #unconfirmed: SipRequest | undefined
  #acknowledgement: Acknowledgement | undefined
  #byeWaiting: (() => void) | undefined
  #isRefreshing = false
  /** Requests in a row that could not be sent. */
  #unsent = 0
  #onPrack: ((arrived: Arrived) => void) | undefined
  /** Set while our 2xx waits. */
  #onGone: (() => void) | undefined
  #ended = false

  constructor(context: DialogContext) {
    const { parts, state, terms } = context
    this.#parts = parts
    this.#state = state
    this.timer =
      terms &&
      new SessionTimer(parts.clock, terms, {
        refresh: () => this.#refresh(),
        expire: () => void this.#hangUp({ cause: 'session-expired' }, {}),
      })
    this.#context = this.timer === undefined ? context : { ...context, timer: this.timer }
    this.#accepted = new AcceptedInvites(parts)
    this.#updates = new UpdateSender(this.#context, () => this.#ended)
    this.#peer = new PeerRequests(this.#context, {
      isOffering: () => this.#reinvites.isInFlight || this.#updates.isOffering,
      onRequest: () => this.handlers.onRequest?.bind(this.handlers),
      onAccepted: ({ transaction, facts }, pending, status, bytes) =>
        this.#awaitAck(transaction, facts.cseqNumber, status, bytes, (ack) => pending.onAck?.(ack)),
      onFree: () => this.#reinvites.pump(),
      onAck: (ack, cseqNumber) => this.onAck(ack, cseqNumber),
    })
    this.#reinvites = new ReinviteQueue(this.#context, {
      isBusy: () =>
        this.#onGone !== undefined ||
        this.#peer.hasInvite ||
        this.#accepted.isWaiting ||
        this.#unconfirmed !== undefined,
      onAccepted: (response) => {
        state.refreshTarget(response.headers)
        state.noteAllow(response.headers)
        if (!this.#ended) this.timer?.onAccepted(response.headers)
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

  get sessionIds(): SessionIds {
    return this.#state.sessionIds
  }

  get peerHost(): string | undefined {
    return this.#context.hop.flow?.remote.host
  }

  get ended(): boolean {
    return this.#ended
  }

  get replaceable(): ReplacedDialog | 'ended' {
    return this.#ended ? 'ended' : { kind: 'confirmed', dialog: this }
  }

  snapshot(): DialogSnapshot | undefined {
    return snapshotOf(this.#context, this.timer?.kept)
  }

  /** Puts the dialog into the table: requests find it from now on. `onPrack` takes those that were under way. */
  register(onPrack?: (arrived: Arrived) => void): void {
    this.#onGone = undefined
    this.#onPrack = onPrack
    this.#parts.dialogs.add(this.#state.key, this)
    this.#trace('early', 'confirmed')
  }

  /** As server: the 2xx has to wait, until `register`. Should the dialog end before, `onGone` is called instead. */
  hold(onGone: () => void): void {
    this.#onGone = onGone
  }

  /** As server: the 2xx has been sent; it is repeated until its ACK (section 13.3.1.4). */
  awaitAck(transaction: ServerTransaction, cseqNumber: number, status: number, bytes: Uint8Array): void {
    this.#awaitAck(transaction, cseqNumber, status, bytes, (ack) => this.handlers.onAck?.(ack))
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
        // 481 to a NOTIFY ends its subscription only (RFC 5057 section 5.1).
        const isSubscriptionOnly = method === 'NOTIFY' && outcome.status === 481
        const isOutlived = options.outlivesSilence === true && outcome.cause === 'timeout'
        if (!this.#ended && !isSubscriptionOnly && !isOutlived) this.#onOutcome(outcome)
      }
      if (method === 'UPDATE') this.#updates.send(options, done)
      else sendWithin(this.#context, method, options, done)
    })
  }

  reinvite(options: ReinviteOptions | (() => ReinviteOptions)): Promise<RequestOutcome> {
    if (this.#ended) return Promise.resolve(GONE)
    const ask = typeof options === 'function' ? options : () => options
    return new Promise((resolve) => this.#reinvites.add(ask, this.#await(resolve)))
  }

  lastReinvite(options: () => ReinviteOptions): Promise<RequestOutcome> {
    if (this.#ended) return Promise.resolve(GONE)
    return new Promise((resolve) => this.#reinvites.addLast(options, this.#await(resolve)))
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
    const onAck = this.#accepted.acknowledge(cseqNumber)
    if (onAck === undefined) return
    this.#state.sessionIds.hear(ack.headers)
    if (this.#ended) this.#runWaitingBye()
    else {
      onAck(ack)
      this.#reinvites.pump()
    }
  }

  onRequest(arrived: Arrived): void {
    const { method, headers } = arrived.request
    if (this.#ended) answer(this.#parts, arrived, method === 'BYE' ? 200 : 481)
    else if (!this.#state.acceptCSeq(arrived.facts.cseqNumber)) answer(this.#parts, arrived, 500)
    else if (method === 'PRACK') {
      if (this.#onPrack === undefined) answer(this.#parts, arrived, 481)
      else this.#onPrack(arrived)
    } else if (method === 'BYE') {
      answer(this.#parts, arrived, 200)
      this.#end({ cause: 'remote-bye', request: arrived.request })
    } else {
      this.#state.noteAllow(headers)
      this.#context.hop.heardFrom(arrived.flow)
      this.#peer.take(arrived)
    }
  }

  #awaitAck(
    transaction: ServerTransaction,
    cseqNumber: number,
    status: number,
    bytes: Uint8Array,
    onAck: (ack: SipRequest) => void,
  ): void {
    this.#accepted.add(
      cseqNumber,
      () => transaction.respond(status, bytes),
      onAck,
      () => {
        if (this.#ended) this.#runWaitingBye()
        else void this.#hangUp({ cause: 'no-ack' }, {})
      },
    )
  }

  /** UPDATE without an offer where the peer takes it (RFC 4028 section 7.4); else its user re-INVITEs. */
  #refresh(): void {
    if (!this.#state.remoteAllow.has('UPDATE')) this.handlers.onRefreshDue?.()
    else if (!this.#isRefreshing) {
      this.#isRefreshing = true
      void this.request('UPDATE').then(() => {
        this.#isRefreshing = false
      })
    }
  }

  /** 481, 408 and silence end the dialog (section 12.2.1.2). A failure to send counts as 503, which does not (RFC 5057), until it repeats. */
  #onOutcome(outcome: RequestOutcome): void {
    const isUnsent = outcome.cause === 'transport' || outcome.cause === 'dns'
    this.#unsent = isUnsent ? this.#unsent + 1 : 0
    if (isUnsent) this.#context.hop.forget()
    if (this.#unsent === MAX_UNSENT) void this.#hangUp({ cause: 'transport' }, {})
    if (outcome.status === 481 || outcome.status === 408) {
      void this.#hangUp({ cause: 'gone', status: outcome.status }, {})
    }
  }

  /** Ends the dialog and sends BYE: not before the ACK of our 2xx (section 15), and not before our own ACK. */
  #hangUp(end: DialogEnd, options: MessageOptions): Promise<RequestOutcome> {
    const onGone = this.#onGone
    if (onGone !== undefined) {
      this.#onGone = undefined
      this.#end(end)
      onGone()
      return Promise.resolve(GONE)
    }
    this.confirm(undefined)
    const outcome = new Promise<RequestOutcome>((resolve) => {
      const send = (): void => sendWithin(this.#context, 'BYE', options, resolve)
      if (this.#accepted.isWaiting) this.#byeWaiting = send
      else send()
    })
    this.#end(end)
    return outcome
  }

  #runWaitingBye(): void {
    if (this.#accepted.isWaiting) return
    const send = this.#byeWaiting
    this.#byeWaiting = undefined
    this.#unregister()
    send?.()
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
    this.timer?.stop()
    this.#reinvites.close()
    for (const settle of [...this.#awaited]) settle(GONE)
    this.#peer.close()
    if (this.#byeWaiting === undefined) {
      this.#accepted.clear()
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
