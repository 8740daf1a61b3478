// An INVITE received outside of a dialog: RFC 3261 section 13.3 from 100 to the final answer.

import { answer, answerBusy, answerOptions } from './answer.ts'
import type { Arrived, CoreParts, DialogHolder } from './core-parts.ts'
import { DialogState, dialogKey } from './dialog/dialog-state.ts'
import { InviteDialogSession } from './invite-dialog.ts'
import type { SipRequest } from './message/message.ts'
import { type ContactShape, toWithTag } from './message-builder.ts'
import { NextHop } from './next-hop.ts'
import type { DialogHandlers, InviteDialog, MessageOptions, ReplacedDialog, ServerInvite } from './session.ts'
import { type TimerTerms, timerHeaders } from './session-timer/timer-terms.ts'
import { TimerSet } from './timer-set.ts'
import type { SipFlow } from './transport-port.ts'

/** A provisional response is repeated each minute, so that no proxy gives up (section 13.3.1.1). */
const RING_REFRESH_MS = 60_000
const LONGEST_EXPIRES_S = 3600

/** ServerInvite over an INVITE server transaction; holds the early dialog. */
export class IncomingInvite implements ServerInvite, DialogHolder {
  readonly request: SipRequest
  readonly flow: SipFlow
  readonly localTag: string
  readonly replaced: ReplacedDialog | undefined
  /** An early dialog is replaced only by who started it (RFC 3891 section 3). */
  readonly replaceable = 'not-ours'
  onCancel?: (cancel: SipRequest | undefined) => void
  readonly #parts: CoreParts
  readonly #arrived: Arrived
  readonly #contact: ContactShape
  readonly #key: string
  readonly #timers: TimerSet<'ring-refresh' | 'expires'>
  #progress: { status: number; bytes: Uint8Array } | undefined
  readonly #terms: TimerTerms | undefined
  #settled = false

  constructor(
    parts: CoreParts,
    arrived: Arrived,
    contact: ContactShape,
    replaced: ReplacedDialog | undefined,
    terms: TimerTerms | undefined,
  ) {
    this.request = arrived.request
    this.flow = arrived.flow
    this.localTag = parts.builder.newTag()
    this.replaced = replaced
    this.#parts = parts
    this.#arrived = arrived
    this.#contact = contact
    this.#terms = terms
    this.#key = dialogKey(arrived.facts.callId, this.localTag, arrived.facts.fromTag)
    this.#timers = new TimerSet(parts.clock, (name) => (name === 'expires' ? this.#expire() : this.#ringAgain()))
    arrived.transaction.user = {
      toTag: this.localTag,
      onCancel: (cancel) => this.#cancel(cancel),
      onFailure: () => this.#lose(),
    }
    parts.dialogs.add(this.#key, this)
    const expiresS = Number.parseInt(arrived.request.headers.get('expires') ?? '', 10)
    if (expiresS > 0 && expiresS <= LONGEST_EXPIRES_S) this.#timers.set('expires', expiresS * 1000)
    answer(parts, arrived, 100)
  }

  progress(status: number, options: MessageOptions = {}): void {
    if (this.#settled || status <= 100 || status >= 200) return
    const bytes = this.#build(status, options)
    this.#progress = { status, bytes }
    this.#timers.set('ring-refresh', RING_REFRESH_MS)
    this.#arrived.transaction.respond(status, bytes)
  }

  accept(handlers: DialogHandlers, options: MessageOptions = {}): InviteDialog {
    const { transaction, facts } = this.#arrived
    const localAddress = toWithTag(this.request.headers.get('to') ?? '', this.localTag)
    const state = DialogState.ofServer(this.request, localAddress, facts.cseqNumber)
    const dialog = new InviteDialogSession({
      parts: this.#parts,
      state,
      contact: this.#contact,
      hop: new NextHop(this.#parts, {}),
      digest: undefined,
      terms: this.#terms,
    })
    if (!this.#settle()) return stillborn(dialog, handlers)
    dialog.handlers = handlers
    dialog.register()
    const { cseqNumber } = facts
    // The transaction outlives the answer by half a minute: it need not hold the request as long.
    transaction.user = { toTag: this.localTag, onAck: (ack) => dialog.onAck(ack, cseqNumber) }
    const agreed = this.#terms?.answerTo(this.request.headers)
    const bytes = this.#build(200, { ...options, headers: [...timerHeaders(agreed), ...(options.headers ?? [])] })
    dialog.timer?.onAnswered(agreed)
    dialog.awaitAck(transaction, cseqNumber, 200, bytes)
    transaction.respond(200, bytes)
    return dialog
  }

  reject(status: number, options: MessageOptions = {}): void {
    if (!this.#settle()) return
    this.#arrived.transaction.respond(status, this.#build(status, options))
  }

  /** Requests within the early dialog. */
  onRequest(arrived: Arrived): void {
    switch (arrived.request.method) {
      case 'BYE':
        answer(this.#parts, arrived, 200)
        this.#cancel(arrived.request)
        return
      case 'INVITE':
      case 'UPDATE':
        answerBusy(this.#parts, arrived)
        return
      case 'OPTIONS':
        answerOptions(this.#parts, arrived)
        return
      case 'PRACK':
        answer(this.#parts, arrived, 481)
        return
      default:
        answer(this.#parts, arrived, 400, { reason: 'Call Not Answered' })
    }
  }

  onAck(): void {
    // No 2xx has been sent: there is nothing to acknowledge.
  }

  #cancel(cancel: SipRequest): void {
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
    if (this.#settle()) this.onCancel?.(undefined)
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
    this.#parts.dialogs.remove(this.#key, this)
    return true
  }

  #build(status: number, options: MessageOptions): Uint8Array {
    return this.#parts.builder.response(this.request, status, {
      toTag: this.localTag,
      contact: this.#contact,
      transport: this.flow.transport,
      options,
    })
  }
}

/** The INVITE was cancelled before: its dialog has ended, and says so when the caller has it in hand. */
function stillborn(dialog: InviteDialogSession, handlers: DialogHandlers): InviteDialog {
  const end = { cause: 'gone', status: 487 } as const
  dialog.abort(end)
  dialog.handlers = handlers
  queueMicrotask(() => handlers.onEnd(end))
  return dialog
}
