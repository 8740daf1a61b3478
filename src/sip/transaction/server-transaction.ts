// Driver of a server transaction: keeps the bytes of the last response, not the request.

import { type Machine, type StateTrace, stateTrace } from '#kernel'
import type { SipRequest } from '../message/message.ts'
import { TimerSet } from '../timer-set.ts'
import type { ReplyPath } from '../wire.ts'
import type { TransactionLink } from './client-transaction.ts'
import { type InviteServerInput, InviteServerMachine, type InviteServerOutput } from './invite-server.ts'
import { type NonInviteServerInput, NonInviteServerMachine, type NonInviteServerOutput } from './non-invite-server.ts'

/** What the transaction tells its user. */
export interface ServerTransactionUser {
  /** To-tag of the responses, for the answer to a CANCEL. */
  readonly toTag?: string
  /** A CANCEL for this INVITE came and was answered. */
  onCancel?(cancel: SipRequest): void
  /** ACK of a 2xx that carries the branch of the INVITE, as RFC 2543 clients send it. */
  onAck?(ack: SipRequest): void
  /** No ACK for a final response in time, or no way to send it. */
  onFailure?(cause: 'timeout' | 'transport', reason: string): void
  /** A non-INVITE request was not answered for so long that 100, or a final response, is due (RFC 4320). */
  onOverdue?(needed: 'trying' | 'final'): void
}

type Input = InviteServerInput | NonInviteServerInput
type Output = InviteServerOutput | NonInviteServerOutput
type ServerMachine = Machine<Input, Output> & { readonly state: string }

/** One server transaction; its `user` is set by whoever takes the request. */
export class ServerTransaction {
  readonly key: string
  readonly method: string
  readonly path: ReplyPath
  user: ServerTransactionUser = {}
  readonly #link: TransactionLink
  readonly #onEnd: () => void
  readonly #machine: ServerMachine
  readonly #timers: TimerSet<string>
  #lastResponse: Uint8Array | undefined
  #ack: SipRequest | undefined
  #isFinal = false
  #ended = false
  #failureReason = ''

  constructor(link: TransactionLink, parts: { key: string; method: string; path: ReplyPath }, onEnd: () => void) {
    this.key = parts.key
    this.method = parts.method
    this.path = parts.path
    this.#link = link
    this.#onEnd = onEnd
    const reliable = parts.path.flow.transport !== 'udp'
    this.#machine =
      parts.method === 'INVITE'
        ? new InviteServerMachine(link.timers, reliable)
        : new NonInviteServerMachine(link.timers, reliable)
    this.#timers = new TimerSet(link.clock, (timer) => this.#handle({ type: 'timer', timer } as Input))
  }

  get ended(): boolean {
    return this.#ended
  }

  start(): void {
    if (this.method !== 'INVITE') this.#handle({ type: 'start' })
  }

  /** A retransmission of the request came in. */
  repeat(): void {
    this.#handle({ type: 'request' })
  }

  acknowledge(ack: SipRequest): void {
    this.#ack = ack
    this.#handle({ type: 'ack' })
    this.#ack = undefined
  }

  respond(status: number, bytes: Uint8Array): void {
    // After a final response only the repetition of a 2xx is left to be sent.
    if (this.#ended || (this.#isFinal && (status < 200 || status > 299))) return
    this.#isFinal ||= status >= 200
    this.#lastResponse = bytes
    this.#handle({ type: 'respond', status })
  }

  #handle(input: Input): void {
    const from = this.#machine.state
    const outputs = this.#machine.handle(input)
    if (stateTrace.hasSubscribers) this.#trace(from)
    for (const output of outputs) {
      if (this.#ended) return
      this.#perform(output)
    }
  }

  #perform(output: Output): void {
    switch (output.type) {
      case 'send-response':
        if (this.#lastResponse !== undefined) this.#send(this.#lastResponse)
        return
      case 'pass-ack':
        if (this.#ack !== undefined) this.user.onAck?.(this.#ack)
        return
      case 'set-timer':
        this.#timers.set(output.timer, output.afterMs)
        return
      case 'clear-timer':
        this.#timers.clear(output.timer)
        return
      case 'need-trying':
        this.user.onOverdue?.('trying')
        return
      case 'need-final':
        this.user.onOverdue?.('final')
        return
      case 'timeout':
        this.user.onFailure?.('timeout', 'no ACK in time')
        return
      case 'transport-failed':
        this.user.onFailure?.('transport', this.#failureReason)
        return
      case 'terminated':
        this.#end()
    }
  }

  #send(bytes: Uint8Array): void {
    this.#link.wire.reply(this.path, bytes, (reason) => {
      this.#failureReason = reason
      this.#handle({ type: 'transport-error' })
    })
  }

  #end(): void {
    this.#ended = true
    this.#timers.clearAll()
    this.#lastResponse = undefined
    this.#onEnd()
  }

  #trace(from: string): void {
    const to = this.#machine.state
    if (from === to) return
    const machine = this.method === 'INVITE' ? 'invite-server' : 'non-invite-server'
    const change: StateTrace = {
      machine,
      id: this.key.replaceAll('\n', ' '),
      from,
      to,
      wallMs: this.#link.clock.wallMs(),
    }
    stateTrace.publish(change)
  }
}
