// Non-INVITE client transaction: RFC 3261 section 17.1.2.

import { assertNever, checkEdge, type Edges, type Machine } from '#kernel'
import { type TimerValues, timeoutMs } from './timer-values.ts'

/** States of figure 6. */
export type NonInviteClientState = 'initial' | 'trying' | 'proceeding' | 'completed' | 'terminated'

/** Timers by their letters. */
export type NonInviteClientTimer = 'E' | 'F' | 'K'

/** What happens to the transaction. */
export type NonInviteClientInput =
  | { readonly type: 'start' | 'transport-error' }
  | { readonly type: 'response'; readonly status: number }
  | { readonly type: 'timer'; readonly timer: NonInviteClientTimer }

/** What the driver is to do, in order. */
export type NonInviteClientOutput =
  | { readonly type: 'send-request' | 'pass-response' | 'timeout' | 'transport-failed' | 'terminated' }
  | { readonly type: 'set-timer'; readonly timer: NonInviteClientTimer; readonly afterMs: number }
  | { readonly type: 'clear-timer'; readonly timer: NonInviteClientTimer }

const EDGES: Edges<NonInviteClientState> = {
  initial: ['trying'],
  trying: ['proceeding', 'completed', 'terminated'],
  proceeding: ['completed', 'terminated'],
  completed: ['terminated'],
  terminated: [],
}

/** Sans-IO machine of one non-INVITE client transaction. */
export class NonInviteClientMachine implements Machine<NonInviteClientInput, NonInviteClientOutput> {
  readonly #timers: TimerValues
  readonly #reliable: boolean
  #state: NonInviteClientState = 'initial'
  #intervalMs: number

  constructor(timers: TimerValues, reliable: boolean) {
    this.#timers = timers
    this.#reliable = reliable
    this.#intervalMs = timers.t1Ms
  }

  get state(): NonInviteClientState {
    return this.#state
  }

  handle(input: NonInviteClientInput): NonInviteClientOutput[] {
    switch (this.#state) {
      case 'initial':
        return input.type === 'start' ? this.#start() : []
      case 'trying':
      case 'proceeding':
        return this.#onPending(input)
      case 'completed':
        return input.type === 'timer' && input.timer === 'K' ? this.#end() : []
      case 'terminated':
        return []
      default:
        return assertNever(this.#state)
    }
  }

  #start(): NonInviteClientOutput[] {
    this.#enter('trying')
    const outputs: NonInviteClientOutput[] = [{ type: 'send-request' }]
    if (!this.#reliable) outputs.push({ type: 'set-timer', timer: 'E', afterMs: this.#intervalMs })
    outputs.push({ type: 'set-timer', timer: 'F', afterMs: timeoutMs(this.#timers) })
    return outputs
  }

  #onPending(input: NonInviteClientInput): NonInviteClientOutput[] {
    switch (input.type) {
      case 'response':
        return input.status < 200 ? this.#onProvisional() : this.#onFinal()
      case 'timer':
        if (input.timer === 'E') return this.#retransmit()
        return input.timer === 'F' ? this.#end({ type: 'timeout' }) : []
      case 'transport-error':
        return this.#end({ type: 'transport-failed' })
      case 'start':
        return []
      default:
        return assertNever(input)
    }
  }

  #onProvisional(): NonInviteClientOutput[] {
    if (this.#state === 'trying') this.#enter('proceeding')
    return [{ type: 'pass-response' }]
  }

  #onFinal(): NonInviteClientOutput[] {
    this.#enter('completed')
    const outputs: NonInviteClientOutput[] = [
      { type: 'clear-timer', timer: 'E' },
      { type: 'clear-timer', timer: 'F' },
      { type: 'pass-response' },
    ]
    if (this.#reliable) return [...outputs, ...this.#end()]
    return [...outputs, { type: 'set-timer', timer: 'K', afterMs: this.#timers.t4Ms }]
  }

  /** In Proceeding the interval is T2 at once (section 17.1.2.2). */
  #retransmit(): NonInviteClientOutput[] {
    const t2Ms = this.#timers.t2Ms
    this.#intervalMs = this.#state === 'proceeding' ? t2Ms : Math.min(2 * this.#intervalMs, t2Ms)
    return [{ type: 'send-request' }, { type: 'set-timer', timer: 'E', afterMs: this.#intervalMs }]
  }

  #end(...first: NonInviteClientOutput[]): NonInviteClientOutput[] {
    this.#enter('terminated')
    return [...first, { type: 'terminated' }]
  }

  #enter(next: NonInviteClientState): void {
    checkEdge(EDGES, this.#state, next)
    this.#state = next
  }
}
