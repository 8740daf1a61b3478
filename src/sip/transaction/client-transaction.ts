// Driver of a client transaction: carries out what its machine says, over the wire and the clock.

import { type Clock, type Machine, type StateTrace, stateTrace } from '#kernel'
import { ackFor } from '../hop-requests.ts'
import type { SipRequest, SipResponse } from '../message/message.ts'
import { serializeMessage } from '../message/serializer.ts'
import { TimerSet } from '../timer-set.ts'
import type { SipTarget } from '../transport-port.ts'
import type { Wire } from '../wire.ts'
import { type InviteClientInput, InviteClientMachine, type InviteClientOutput } from './invite-client.ts'
import { type NonInviteClientInput, NonInviteClientMachine, type NonInviteClientOutput } from './non-invite-client.ts'
import type { TimerValues } from './timer-values.ts'

/** What the transaction tells its user. After `onFailure` or `onEnd` nothing more comes. */
export interface ClientTransactionUser {
  /** Each provisional response, the final one, and every 2xx to an INVITE while Accepted lasts. */
  onResponse(response: SipResponse): void
  onFailure(cause: 'timeout' | 'transport', reason: string): void
}

/** What a transaction is given by its layer. */
export interface TransactionLink {
  readonly clock: Clock
  readonly timers: TimerValues
  readonly wire: Wire
}

type Input = InviteClientInput | NonInviteClientInput
type Output = InviteClientOutput | NonInviteClientOutput
type ClientMachine = Machine<Input, Output> & { readonly state: string }

/** One client transaction under way. */
export class ClientTransaction {
  readonly key: string
  readonly branch: string
  readonly target: SipTarget
  readonly request: SipRequest
  readonly #link: TransactionLink
  readonly #user: ClientTransactionUser
  readonly #onEnd: () => void
  readonly #machine: ClientMachine
  readonly #timers: TimerSet<string>
  #bytes: Uint8Array | undefined
  #ackBytes: Uint8Array | undefined
  #response: SipResponse | undefined
  #ended = false
  #failureReason = ''

  constructor(
    link: TransactionLink,
    parts: { key: string; branch: string; request: SipRequest; bytes: Uint8Array; target: SipTarget },
    user: ClientTransactionUser,
    onEnd: () => void,
  ) {
    this.key = parts.key
    this.branch = parts.branch
    this.target = parts.target
    this.request = parts.request
    this.#bytes = parts.bytes
    this.#link = link
    this.#user = user
    this.#onEnd = onEnd
    const reliable = parts.target.transport !== 'udp'
    this.#machine =
      parts.request.method === 'INVITE'
        ? new InviteClientMachine(link.timers, reliable)
        : new NonInviteClientMachine(link.timers, reliable)
    this.#timers = new TimerSet(link.clock, (timer) => this.#handle({ type: 'timer', timer } as Input))
  }

  get ended(): boolean {
    return this.#ended
  }

  start(): void {
    this.#handle({ type: 'start' })
  }

  receive(response: SipResponse): void {
    this.#response = response
    this.#handle({ type: 'response', status: response.status })
    this.#response = undefined
  }

  /** Gives up a pending INVITE without a word to the user. */
  abandon(): void {
    this.#handle({ type: 'abandon' })
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
      case 'send-request':
        if (this.#bytes !== undefined) this.#send(this.#bytes)
        return
      case 'send-ack':
        this.#sendAck()
        return
      case 'pass-response':
        if (this.#response !== undefined) this.#pass(this.#response)
        return
      case 'set-timer':
        this.#timers.set(output.timer, output.afterMs)
        return
      case 'clear-timer':
        this.#timers.clear(output.timer)
        return
      case 'timeout':
        this.#end()
        this.#user.onFailure('timeout', 'no final response in time')
        return
      case 'transport-failed':
        this.#end()
        this.#user.onFailure('transport', this.#failureReason)
        return
      case 'terminated':
        this.#end()
    }
  }

  #pass(response: SipResponse): void {
    if (response.status >= 200) this.#bytes = undefined
    this.#user.onResponse(response)
  }

  #sendAck(): void {
    if (this.#response !== undefined) this.#ackBytes ??= serializeMessage(ackFor(this.request, this.#response))
    if (this.#ackBytes !== undefined) this.#send(this.#ackBytes)
  }

  #send(bytes: Uint8Array): void {
    this.#link.wire.send(this.target, bytes, (reason) => {
      this.#failureReason = reason
      this.#handle({ type: 'transport-error' })
    })
  }

  #end(): void {
    if (this.#ended) return
    this.#ended = true
    this.#timers.clearAll()
    this.#onEnd()
  }

  #trace(from: string): void {
    const to = this.#machine.state
    if (from === to) return
    const machine = this.request.method === 'INVITE' ? 'invite-client' : 'non-invite-client'
    const change: StateTrace = { machine, id: this.branch, from, to, wallMs: this.#link.clock.wallMs() }
    stateTrace.publish(change)
  }
}
