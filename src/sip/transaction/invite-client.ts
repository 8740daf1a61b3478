// INVITE client transaction: RFC 3261 section 17.1.1 with the Accepted state of RFC 6026 section 8.4.

import { assertNever, checkEdge, type Edges, type Machine } from '#kernel'
import { type TimerValues, timeoutMs, timerDMs } from './timer-values.ts'

/** States of figure 5, as amended. */
export type InviteClientState = 'initial' | 'calling' | 'proceeding' | 'accepted' | 'completed' | 'terminated'

/** Timers by their letters. */
export type InviteClientTimer = 'A' | 'B' | 'D' | 'M'

/** What happens to the transaction; `abandon` ends it when no final response follows a CANCEL (section 9.1). */
export type InviteClientInput =
  | { readonly type: 'start' | 'transport-error' | 'abandon' }
  | { readonly type: 'response'; readonly status: number }
  | { readonly type: 'timer'; readonly timer: InviteClientTimer }

/** What the driver is to do, in order. */
export type InviteClientOutput =
  | { readonly type: 'send-request' | 'send-ack' | 'pass-response' | 'timeout' | 'transport-failed' | 'terminated' }
  | { readonly type: 'set-timer'; readonly timer: InviteClientTimer; readonly afterMs: number }
  | { readonly type: 'clear-timer'; readonly timer: InviteClientTimer }

const EDGES: Edges<InviteClientState> = {
  initial: ['calling'],
  calling: ['proceeding', 'accepted', 'completed', 'terminated'],
  proceeding: ['accepted', 'completed', 'terminated'],
  accepted: ['terminated'],
  completed: ['terminated'],
  terminated: [],
}

/** Sans-IO machine of one INVITE client transaction. */
export class InviteClientMachine implements Machine<InviteClientInput, InviteClientOutput> {
  readonly #timers: TimerValues
  readonly #reliable: boolean
  #state: InviteClientState = 'initial'
  #intervalMs: number

  constructor(timers: TimerValues, reliable: boolean) {
    this.#timers = timers
    this.#reliable = reliable
    this.#intervalMs = timers.t1Ms
  }

  get state(): InviteClientState {
    return this.#state
  }

  handle(input: InviteClientInput): InviteClientOutput[] {
    switch (this.#state) {
      case 'initial':
        return input.type === 'start' ? this.#start() : []
      case 'calling':
      case 'proceeding':
        return this.#onPending(input)
      case 'accepted':
        return this.#onAccepted(input)
      case 'completed':
        return this.#onCompleted(input)
      case 'terminated':
        return []
      default:
        return assertNever(this.#state)
    }
  }

  #start(): InviteClientOutput[] {
    this.#enter('calling')
    const outputs: InviteClientOutput[] = [{ type: 'send-request' }]
    if (!this.#reliable) outputs.push({ type: 'set-timer', timer: 'A', afterMs: this.#intervalMs })
    outputs.push({ type: 'set-timer', timer: 'B', afterMs: timeoutMs(this.#timers) })
    return outputs
  }

  #onPending(input: InviteClientInput): InviteClientOutput[] {
    switch (input.type) {
      case 'response':
        return this.#onResponse(input.status)
      case 'timer':
        if (this.#state !== 'calling') return []
        if (input.timer === 'A') return this.#retransmit()
        return input.timer === 'B' ? this.#end({ type: 'timeout' }) : []
      case 'transport-error':
        return this.#end({ type: 'transport-failed' })
      case 'abandon':
        return this.#end()
      case 'start':
        return []
      default:
        return assertNever(input)
    }
  }

  #onResponse(status: number): InviteClientOutput[] {
    if (status < 200) {
      if (this.#state === 'proceeding') return [{ type: 'pass-response' }]
      this.#enter('proceeding')
      return [...this.#quiet(), { type: 'pass-response' }]
    }
    const quiet = this.#state === 'calling' ? this.#quiet() : []
    if (status < 300) {
      this.#enter('accepted')
      return [...quiet, { type: 'pass-response' }, { type: 'set-timer', timer: 'M', afterMs: timeoutMs(this.#timers) }]
    }
    this.#enter('completed')
    const outputs: InviteClientOutput[] = [...quiet, { type: 'send-ack' }, { type: 'pass-response' }]
    if (this.#reliable) return [...outputs, ...this.#end()]
    outputs.push({ type: 'set-timer', timer: 'D', afterMs: timerDMs(this.#timers) })
    return outputs
  }

  #onAccepted(input: InviteClientInput): InviteClientOutput[] {
    if (input.type === 'response' && input.status >= 200 && input.status < 300) return [{ type: 'pass-response' }]
    return input.type === 'timer' && input.timer === 'M' ? this.#end() : []
  }

  #onCompleted(input: InviteClientInput): InviteClientOutput[] {
    if (input.type === 'response' && input.status >= 300) return [{ type: 'send-ack' }]
    if (input.type === 'transport-error') return this.#end({ type: 'transport-failed' })
    return input.type === 'timer' && input.timer === 'D' ? this.#end() : []
  }

  #retransmit(): InviteClientOutput[] {
    this.#intervalMs *= 2
    return [{ type: 'send-request' }, { type: 'set-timer', timer: 'A', afterMs: this.#intervalMs }]
  }

  #quiet(): InviteClientOutput[] {
    return [
      { type: 'clear-timer', timer: 'A' },
      { type: 'clear-timer', timer: 'B' },
    ]
  }

  #end(...first: InviteClientOutput[]): InviteClientOutput[] {
    this.#enter('terminated')
    return [...first, { type: 'terminated' }]
  }

  #enter(next: InviteClientState): void {
    checkEdge(EDGES, this.#state, next)
    this.#state = next
  }
}
