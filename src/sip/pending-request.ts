// A received request that waits for its user's answer, given exactly once.

import type { Arrived, CoreParts } from './core-parts.ts'
import type { SipRequest } from './message/message.ts'
import type { ContactShape } from './message-builder.ts'
import type { HeaderList, IncomingRequest, MessageOptions } from './session.ts'
import type { DialogSessionIds } from './session-id.ts'
import type { SipFlow } from './transport-port.ts'

/** What the holder of the dialog is told. */
export interface PendingRequestUser {
  readonly contact?: ContactShape
  readonly sessionIds?: DialogSessionIds
  /** Put into a 2xx. */
  readonly acceptHeaders?: HeaderList
  /** The final answer has been handed to the transaction. */
  onFinal?(status: number, bytes: Uint8Array): void
  /** ACK of a 2xx to INVITE with the branch of the INVITE. */
  onAck?(ack: SipRequest, cseqNumber: number): void
}

/** IncomingRequest over a server transaction. */
export class PendingRequest implements IncomingRequest {
  readonly request: SipRequest
  readonly flow: SipFlow
  onAck?: (ack: SipRequest) => void
  onCancel?: () => void
  readonly #parts: CoreParts
  readonly #arrived: Arrived
  readonly #user: PendingRequestUser
  readonly #toTag: string
  #answered = false

  constructor(parts: CoreParts, arrived: Arrived, user: PendingRequestUser = {}) {
    this.request = arrived.request
    this.flow = arrived.flow
    this.#parts = parts
    this.#arrived = arrived
    this.#user = user
    this.#toTag = arrived.facts.toTag === '' ? parts.builder.newTag() : arrived.facts.toTag
    arrived.transaction.user = {
      toTag: this.#toTag,
      onOverdue: (needed) => this.#onOverdue(needed),
      onFailure: () => this.#settle(),
      onCancel: () => {
        if (this.respond(487)) this.onCancel?.()
      },
      onAck: (ack) => this.#user.onAck?.(ack, arrived.facts.cseqNumber),
    }
  }

  get answered(): boolean {
    return this.#answered
  }

  respond(status: number, options: MessageOptions = {}): boolean {
    if (this.#answered) return false
    const isInvite = this.request.method === 'INVITE'
    // RFC 4320 section 4.1: to other requests no provisional response but the core's own 100.
    if (status < 200 && !isInvite) return false
    if (status === 408 && !isInvite) return this.respond(500, options)
    const bytes = this.#build(status, options)
    this.#answered = status >= 200
    this.#arrived.transaction.respond(status, bytes)
    if (status < 200) return true
    // The transaction outlives the answer by half a minute: it need not hold the request as long.
    if (!isInvite) this.#arrived.transaction.user = {}
    this.#user.onFinal?.(status, bytes)
    return true
  }

  /** The way back is gone; whoever waits for the answer is not to wait any longer. */
  #settle(): void {
    if (this.#answered) return
    this.#answered = true
    this.#user.onFinal?.(503, new Uint8Array(0))
  }

  #onOverdue(needed: 'trying' | 'final'): void {
    if (this.#answered) return
    if (needed === 'trying') this.#arrived.transaction.respond(100, this.#build(100, {}))
    else this.respond(500, { reason: 'No Answer In Time' })
  }

  #build(status: number, options: MessageOptions): Uint8Array {
    const { contact, sessionIds, acceptHeaders = [] } = this.#user
    const headers = status >= 200 && status < 300 ? [...acceptHeaders, ...(options.headers ?? [])] : options.headers
    return this.#parts.builder.response(this.request, status, {
      toTag: this.#toTag,
      transport: this.flow.transport,
      options: headers === undefined ? options : { ...options, headers },
      ...(contact === undefined ? {} : { contact }),
      ...(sessionIds === undefined ? {} : { sessionIds }),
    })
  }
}
