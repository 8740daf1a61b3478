// A dialog before its INVITE is answered: RFC 3261 section 12.1, with UPDATE in it (RFC 3311).

import { answer, answerBusy, answerOptions } from './answer.ts'
import type { Arrived } from './core-parts.ts'
import { PeerRequests } from './dialog/peer-requests.ts'
import { UpdateSender } from './dialog/update-sender.ts'
import type { DialogContext } from './dialog-context.ts'
import type { EarlyDialog, IncomingRequest, MessageOptions, RequestOutcome, SessionIds } from './session.ts'

const NOT_YET: RequestOutcome = { status: 491, reason: 'Offer Not Answered', cause: 'dialog-gone' }

/** EarlyDialog of either side; its state goes on in the confirmed dialog. */
export class EarlyDialogSession implements EarlyDialog {
  onUpdate?: (incoming: IncomingRequest) => void
  readonly context: DialogContext
  /** The first offer has been answered by messages that cannot be lost: another may follow. */
  isAgreed = false
  readonly #updates: UpdateSender
  readonly #peer: PeerRequests
  #isOver = false

  constructor(context: DialogContext) {
    this.context = context
    this.#updates = new UpdateSender(context, () => this.#isOver)
    this.#peer = new PeerRequests(context, {
      isOffering: () => this.#updates.isOffering,
      onRequest: () => this.onUpdate,
      onAccepted: () => {},
      onFree: () => {},
      onAck: () => {},
    })
  }

  get remoteTag(): string {
    return this.context.state.remote.tag
  }

  get sessionIds(): SessionIds {
    return this.context.state.sessionIds
  }

  get canUpdate(): boolean {
    return this.isAgreed && !this.#isOver && this.context.state.remoteAllow.has('UPDATE')
  }

  update(options: MessageOptions): Promise<RequestOutcome> {
    if (!this.canUpdate) return Promise.resolve(NOT_YET)
    return new Promise((resolve) => this.#updates.send(options, resolve))
  }

  /** UPDATE and OPTIONS of the peer; false for other methods. An offer before the first is answered gets 500 (RFC 3311 section 5.2). */
  take(arrived: Arrived): boolean {
    const { parts, state } = this.context
    const { method, headers, body } = arrived.request
    if (method !== 'UPDATE' && method !== 'OPTIONS') return false
    if (!state.acceptCSeq(arrived.facts.cseqNumber)) answer(parts, arrived, 500)
    else if (method === 'OPTIONS') answerOptions(parts, arrived)
    else {
      state.noteAllow(headers)
      if (this.onUpdate === undefined || (body.length > 0 && !this.isAgreed)) answerBusy(parts, arrived)
      else this.#peer.take(arrived)
    }
    return true
  }

  /** The INVITE has its final answer. */
  close(): void {
    this.#isOver = true
    this.#peer.close()
  }
}
