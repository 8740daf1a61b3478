// INVITE server transaction: RFC 3261 section 17.2.1 with the Accepted state of RFC 6026 section 8.7.
// The core sends 100 at once, so no timer for it is needed here.

import { assertNever, checkEdge, type Edges, type Machine } from '#kernel'
import { type TimerValues, timeoutMs } from './timer-values.ts'

/** States of figure 7, as amended. */
export type InviteServerState = 'proceeding' | 'accepted' | 'completed' | 'confirmed' | 'terminated'

/** Timers by their letters. */
export type InviteServerTimer = 'G' | 'H' | 'I' | 'L'

/** `request` is a retransmitted INVITE, `respond` a response of the core with the given status. */
export type InviteServerInput =
  | { readonly type: 'request' | 'ack' | 'transport-error' }
  | { readonly type: 'respond'; readonly status: number }
  | { readonly type: 'timer'; readonly timer: InviteServerTimer }

/** `send-response` sends the response last given; `pass-ack` hands the ACK of a 2xx to the core. */
export type InviteServerOutput =
  | { readonly type: 'send-response' | 'pass-ack' | 'timeout' | 'transport-failed' | 'terminated' }
  | { readonly type: 'set-timer'; readonly timer: InviteServerTimer; readonly afterMs: number }
  | { readonly type: 'clear-timer'; readonly timer: InviteServerTimer }

const EDGES: Edges<InviteServerState> = {
  proceeding: ['accepted', 'completed', 'terminated'],
  accepted: ['terminated'],
  completed: ['confirmed', 'terminated'],
  confirmed: ['terminated'],
  terminated: [],
}

/** Sans-IO machine of one INVITE server transaction. */
export class InviteServerMachine implements Machine<InviteServerInput, InviteServerOutput> {
  readonly #timers: TimerValues
  readonly #reliable: boolean
  #state: InviteServerState = 'proceeding'
  #hasResponse = false
  #intervalMs: number

  constructor(timers: TimerValues, reliable: boolean) {
    this.#timers = timers
    this.#reliable = reliable
    this.#intervalMs = timers.t1Ms
  }

  get state(): InviteServerState {
    return this.#state
  }

  handle(input: InviteServerInput): InviteServerOutput[] {
    switch (this.#state) {
      case 'proceeding':
        return this.#onProceeding(input)
      case 'accepted':
        return this.#onAccepted(input)
      case 'completed':
        return this.#onCompleted(input)
      case 'confirmed':
        return input.type === 'timer' && input.timer === 'I' ? this.#end() : []
      case 'terminated':
        return []
      default:
        return assertNever(this.#state)
    }
  }

  #onProceeding(input: InviteServerInput): InviteServerOutput[] {
    switch (input.type) {
      case 'request':
        return this.#hasResponse ? [{ type: 'send-response' }] : []
      case 'respond':
        return this.#respond(input.status)
      case 'transport-error':
        return this.#end({ type: 'transport-failed' })
      case 'ack':
      case 'timer':
        return []
      default:
        return assertNever(input)
    }
  }

  #respond(status: number): InviteServerOutput[] {
    this.#hasResponse = true
    if (status < 200) return [{ type: 'send-response' }]
    if (status < 300) {
      this.#enter('accepted')
      return [{ type: 'send-response' }, { type: 'set-timer', timer: 'L', afterMs: timeoutMs(this.#timers) }]
    }
    this.#enter('completed')
    const outputs: InviteServerOutput[] = [{ type: 'send-response' }]
    if (!this.#reliable) outputs.push({ type: 'set-timer', timer: 'G', afterMs: this.#intervalMs })
    outputs.push({ type: 'set-timer', timer: 'H', afterMs: timeoutMs(this.#timers) })
    return outputs
  }

  /** Retransmitted INVITEs are absorbed: the core repeats its 2xx by its own timer (RFC 6026 section 7.1). */
  #onAccepted(input: InviteServerInput): InviteServerOutput[] {
    if (input.type === 'respond') return input.status >= 200 && input.status < 300 ? [{ type: 'send-response' }] : []
    if (input.type === 'ack') return [{ type: 'pass-ack' }]
    if (input.type === 'transport-error') return [{ type: 'transport-failed' }]
    return input.type === 'timer' && input.timer === 'L' ? this.#end() : []
  }

  #onCompleted(input: InviteServerInput): InviteServerOutput[] {
    switch (input.type) {
      case 'request':
        return [{ type: 'send-response' }]
      case 'ack':
        return this.#confirm()
      case 'timer':
        if (input.timer === 'G') return this.#retransmit()
        return input.timer === 'H' ? this.#end({ type: 'timeout' }) : []
      case 'transport-error':
        return this.#end({ type: 'transport-failed' })
      case 'respond':
        return []
      default:
        return assertNever(input)
    }
  }

  #confirm(): InviteServerOutput[] {
    this.#enter('confirmed')
    const quiet: InviteServerOutput[] = [
      { type: 'clear-timer', timer: 'G' },
      { type: 'clear-timer', timer: 'H' },
    ]
    if (this.#reliable) return [...quiet, ...this.#end()]
    return [...quiet, { type: 'set-timer', timer: 'I', afterMs: this.#timers.t4Ms }]
  }

  #retransmit(): InviteServerOutput[] {
    this.#intervalMs = Math.min(2 * this.#intervalMs, this.#timers.t2Ms)
    return [{ type: 'send-response' }, { type: 'set-timer', timer: 'G', afterMs: this.#intervalMs }]
  }

  #end(...first: InviteServerOutput[]): InviteServerOutput[] {
    this.#enter('terminated')
    return [...first, { type: 'terminated' }]
  }

  #enter(next: InviteServerState): void {
    checkEdge(EDGES, this.#state, next)
    this.#state = next
  }
}
