// An INVITE received outside of a dialog: RFC 3261 section 13.3 from 100 to the final answer, RFC 3262 section 3.

import { answer, answerBusy } from './answer.ts'
import type { Arrived, CoreParts, DialogHolder } from './core-parts.ts'
import { DialogState } from './dialog/dialog-state.ts'
import { type DialogContext, snapshotOf } from './dialog-context.ts'
import { EarlyDialogSession } from './early-dialog.ts'
import { InviteDialogSession } from './invite-dialog.ts'
import type { SipRequest } from './message/message.ts'
import { type ContactShape, toWithTag } from './message-builder.ts'
import { NextHop } from './next-hop.ts'
import { PendingRequest } from './pending-request.ts'
import { ReliableProgress } from './reliability/reliable-progress.ts'
import { rackOf, reliabilityOf } from './reliability/rseq.ts'
import type {
  AcceptOptions,
  DialogHandlers,
  DialogSnapshot,
  HeaderList,
  IncomingRequest,
  InviteDialog,
  MessageOptions,
  ProgressOptions,
  ReplacedDialog,
  ServerInvite,
  SessionIds,
} from './session.ts'
import { lifeMs } from './session-timer/session-timer.ts'
import { type TimerTerms, timerHeaders } from './session-timer/timer-terms.ts'
import { TimerSet } from './timer-set.ts'
import type { SipFlow } from './transport-port.ts'

/** A provisional response is repeated each minute, so that no proxy gives up (section 13.3.1.1). */
const RING_REFRESH_MS = 60_000
const LONGEST_EXPIRES_S = 3600

/** What the core knows of an INVITE before its user does. */
export interface InviteTraits {
  readonly contact: ContactShape
  readonly replaced: ReplacedDialog | undefined
  readonly terms: TimerTerms | undefined
}

/** Where a request came from, as a URI. */
function sourceUri({ transport, remote: { host, port } }: SipFlow): string {
  return `sip:${host.includes(':') ? `[${host}]` : host}:${port};transport=${transport}`
}

/** An answer that waits for a PRACK. */
interface Held {
  readonly dialog: InviteDialogSession
  readonly send: () => void
}

/** ServerInvite over an INVITE server transaction; holds the early dialog. */
export class IncomingInvite implements ServerInvite, DialogHolder {
  readonly request: SipRequest
  readonly flow: SipFlow
  readonly localTag: string
  readonly replaced: ReplacedDialog | undefined
  readonly early: EarlyDialogSession
  /** An early dialog is replaced only by who started it (RFC 3891 section 3). */
  readonly replaceable = 'not-ours'
  onCancel?: (cancel: SipRequest | undefined) => void
  onPrack?: (incoming: IncomingRequest) => void
  readonly #parts: CoreParts
  readonly #arrived: Arrived
  #context: DialogContext
  readonly #timers: TimerSet<'ring-refresh' | 'expires'>
  readonly #reliable: ReliableProgress
  readonly #reliability: 'none' | 'supported' | 'required'
  #progress: { status: number; bytes: Uint8Array } | undefined
  #held: Held | undefined
  /** The user has given its final answer. */
  #settled = false

  constructor(parts: CoreParts, arrived: Arrived, { contact, replaced, terms }: InviteTraits) {
    const { request, facts, flow, transaction } = arrived
    this.request = request
    this.flow = flow
    this.localTag = parts.builder.newTag()
    this.replaced = replaced
    this.#parts = parts
    this.#arrived = arrived
    const localAddress = toWithTag(request.headers.get('to') ?? '', this.localTag)
    const source = parts.options.isTolerant === true ? sourceUri(flow) : undefined
    const state = DialogState.ofServer(request, localAddress, facts.cseqNumber, source)
    this.#context = { parts, state, contact, hop: new NextHop(parts, {}, flow), digest: undefined, terms }
    this.early = new EarlyDialogSession(this.#context)
    this.#reliability = parts.options.supported.includes('100rel') ? reliabilityOf(request.headers) : 'none'
    this.#reliable = new ReliableProgress(parts, () => this.#onUnacknowledged())
    this.#timers = new TimerSet(parts.clock, (name) => (name === 'expires' ? this.#expire() : this.#ringAgain()))
    transaction.user = {
      toTag: this.localTag,
      onCancel: (cancel) => this.#cancel(cancel),
      onFailure: () => this.#lose(),
    }
    parts.dialogs.add(state.key, this)
    const expiresS = Number.parseInt(request.headers.get('expires') ?? '', 10)
    if (expiresS > 0 && expiresS <= LONGEST_EXPIRES_S) this.#timers.set('expires', expiresS * 1000)
    answer(parts, arrived, 100)
  }

  get peerHost(): string {
    return this.flow.remote.host
  }

  get sessionIds(): SessionIds {
    return this.early.sessionIds
  }

  progress(status: number, options: ProgressOptions = {}): boolean {
    if (this.#settled || status <= 100 || status >= 200) return false
    const send = (headers: HeaderList): void => {
      const bytes = this.#build(status, withHeaders(options, headers))
      this.#progress = { status, bytes }
      this.#timers.set('ring-refresh', RING_REFRESH_MS)
      this.#arrived.transaction.respond(status, bytes)
    }
    const isReliable =
      this.#reliability === 'required' || (this.#reliability === 'supported' && options.reliable === true)
    if (isReliable) this.#reliable.send({ hasSession: options.body !== undefined, send })
    else send([])
    return isReliable
  }

  accept(handlers: DialogHandlers, options: AcceptOptions = {}): InviteDialog {
    const { contactParams: params } = options
    const { contact } = this.#context
    if (params !== undefined) this.#context = { ...this.#context, contact: { ...contact, params } }
    const dialog = new InviteDialogSession(this.#context)
    if (!this.#settle()) return stillborn(dialog, handlers)
    dialog.handlers = handlers
    const send = (): void => this.#sendAccepted(dialog, options)
    if (this.#reliable.holdsSession) {
      this.#held = { dialog, send }
      dialog.hold(() => this.#drop(487))
    } else send()
    return dialog
  }

  snapshot(): DialogSnapshot | undefined {
    const agreed = this.#context.terms?.answerTo(this.request.headers)
    const timer = agreed && {
      seconds: agreed.seconds,
      isOurs: agreed.refresher === 'uas',
      expiresInMs: lifeMs(agreed.seconds),
    }
    return snapshotOf(this.#context, timer)
  }

  reject(status: number, options: MessageOptions = {}): void {
    if (!this.#settle()) return
    this.#conclude()
    this.#arrived.transaction.respond(status, this.#build(status, options))
  }

  /** Requests within the early dialog. */
  onRequest(arrived: Arrived): void {
    if (this.early.take(arrived)) return
    switch (arrived.request.method) {
      case 'BYE':
        answer(this.#parts, arrived, 200)
        this.#cancel(arrived.request)
        return
      case 'INVITE':
        answerBusy(this.#parts, arrived)
        return
      case 'PRACK':
        this.#onPrack(arrived)
        return
      default:
        answer(this.#parts, arrived, 400, { reason: 'Call Not Answered' })
    }
  }

  onAck(): void {
    // No 2xx has been sent: there is nothing to acknowledge.
  }

  #onPrack(arrived: Arrived): void {
    const { headers, body } = arrived.request
    const rack = rackOf(headers)
    const isOurs = rack?.method === 'INVITE' && rack.cseqNumber === this.#arrived.facts.cseqNumber
    const acknowledged = isOurs ? this.#reliable.acknowledge(rack.rseq) : undefined
    if (acknowledged === undefined) {
      answer(this.#parts, arrived, 481)
      return
    }
    this.#context.state.acceptCSeq(arrived.facts.cseqNumber)
    const hasOffer = this.request.body.length > 0
    this.early.isAgreed ||= acknowledged.hasSession && (hasOffer || body.length > 0)
    if (body.length === 0) answer(this.#parts, arrived, 200)
    else if (this.onPrack !== undefined) this.onPrack(new PendingRequest(this.#parts, arrived))
    else answer(this.#parts, arrived, hasOffer ? 488 : 200)
    this.#reliable.proceed()
    const held = this.#held
    if (held === undefined || this.#reliable.holdsSession) return
    this.#held = undefined
    held.send()
  }

  #sendAccepted(dialog: InviteDialogSession, options: MessageOptions): void {
    const { transaction, facts } = this.#arrived
    this.#conclude()
    dialog.register((prack) => this.#onPrack(prack))
    const { cseqNumber } = facts
    // The transaction outlives the answer by half a minute: it need not hold the request as long.
    transaction.user = { toTag: this.localTag, onAck: (ack) => dialog.onAck(ack, cseqNumber) }
    const agreed = this.#context.terms?.answerTo(this.request.headers)
    const bytes = this.#build(200, withHeaders(options, timerHeaders(agreed, this.request.headers)))
    dialog.timer?.onAnswered(agreed)
    dialog.awaitAck(transaction, cseqNumber, 200, bytes)
    transaction.respond(200, bytes)
  }

  #cancel(cancel: SipRequest): void {
    if (this.#held !== undefined) this.#drop(487)
    if (this.#settled) return
    this.reject(487)
    this.onCancel?.(cancel)
  }

  #expire(): void {
    if (this.#settled) return
    this.reject(487)
    this.onCancel?.(undefined)
  }

  #lose(): void {
    if (this.#held !== undefined) this.#drop(487)
    if (!this.#settle()) return
    this.#conclude()
    this.onCancel?.(undefined)
  }

  /** No PRACK came (RFC 3262 section 3). */
  #onUnacknowledged(): void {
    if (this.#held !== undefined) this.#drop(504)
    if (this.#settled) return
    this.reject(504)
    this.onCancel?.(undefined)
  }

  /** The answer that waited is not sent any more. */
  #drop(status: number): void {
    const dialog = this.#held?.dialog
    this.#held = undefined
    this.#conclude()
    this.#arrived.transaction.respond(status, this.#build(status, {}))
    dialog?.abort({ cause: 'gone', status })
  }

  #ringAgain(): void {
    if (this.#progress === undefined) return
    this.#timers.set('ring-refresh', RING_REFRESH_MS)
    this.#arrived.transaction.respond(this.#progress.status, this.#progress.bytes)
  }

  /** True for the one who may give the final answer. */
  #settle(): boolean {
    if (this.#settled) return false
    this.#settled = true
    this.#progress = undefined
    this.#timers.clearAll()
    return true
  }

  /** The final response goes out: the early dialog is over. */
  #conclude(): void {
    this.#timers.clearAll()
    this.#reliable.finish()
    this.early.close()
    this.#parts.dialogs.remove(this.#context.state.key, this)
  }

  #build(status: number, options: MessageOptions): Uint8Array {
    return this.#parts.builder.response(this.request, status, {
      toTag: this.localTag,
      contact: this.#context.contact,
      sessionIds: this.#context.state.sessionIds,
      transport: this.flow.transport,
      options,
    })
  }
}

function withHeaders(options: MessageOptions, headers: HeaderList): MessageOptions {
  return { ...options, headers: [...headers, ...(options.headers ?? [])] }
}

/** The INVITE was cancelled before: its dialog has ended, and says so when the caller has it in hand. */
function stillborn(dialog: InviteDialogSession, handlers: DialogHandlers): InviteDialog {
  const end = { cause: 'gone', status: 487 } as const
  dialog.abort(end)
  dialog.handlers = handlers
  queueMicrotask(() => handlers.onEnd(end))
  return dialog
}
