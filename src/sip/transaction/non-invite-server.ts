// Non-INVITE server transaction: RFC 3261 section 17.2.2 with the answering rules of RFC 4320 section 4.

import { assertNever, checkEdge, type Edges, type Machine } from '#kernel'
import { answerByMs, type TimerValues, timeoutMs, tryingAfterMs } from './timer-values.ts'

/** States of figure 8. */
export type NonInviteServerState = 'initial' | 'trying' | 'proceeding' | 'completed' | 'terminated'

/** `J` of RFC 3261; `trying` is the moment for 100, `answer-by` the last for a final response (RFC 4320). */
export type NonInviteServerTimer = 'J' | 'trying' | 'answer-by'

/** `request` is a retransmission, `respond` a response of the core with the given status. */
export type NonInviteServerInput =
  | { readonly type: 'start' | 'request' | 'transport-error' }
  | { readonly type: 'respond'; readonly status: number }
  | { readonly type: 'timer'; readonly timer: NonInviteServerTimer }

/** `send-response` sends the response last given; the two `need-` outputs ask the core for one. */
export type NonInviteServerOutput =
  | { readonly type: 'send-response' | 'need-trying' | 'need-final' | 'transport-failed' | 'terminated' }
  | { readonly type: 'set-timer'; readonly timer: NonInviteServerTimer; readonly afterMs: number }
  | { readonly type: 'clear-timer'; readonly timer: NonInviteServerTimer }

const EDGES: Edges<NonInviteServerState> = {
  initial: ['trying'],
  trying: ['proceeding', 'completed', 'terminated'],
  proceeding: ['completed', 'terminated'],
  completed: ['terminated'],
  terminated: [],
}

/** Sans-IO machine of one non-INVITE server transaction. */
export class NonInviteServerMachine implements Machine<NonInviteServerInput, NonInviteServerOutput> {
  readonly #timers: TimerValues
  readonly #reliable: boolean
  #state: NonInviteServerState = 'initial'

  constructor(timers: TimerValues, reliable: boolean) {
    this.#timers = timers
    this.#reliable = reliable
  }

  get state(): NonInviteServerState {
    return this.#state
  }

  handle(input: NonInviteServerInput): NonInviteServerOutput[] {
    switch (this.#state) {
      case 'initial':
        return input.type === 'start' ? this.#start() : []
      case 'trying':
      case 'proceeding':
        return this.#onPending(input)
      case 'completed':
        return this.#onCompleted(input)
      case 'terminated':
        return []
      default:
        return assertNever(this.#state)
    }
  }

  #start(): NonInviteServerOutput[] {
    this.#enter('trying')
    return [
      { type: 'set-timer', timer: 'trying', afterMs: tryingAfterMs(this.#timers) },
      { type: 'set-timer', timer: 'answer-by', afterMs: answerByMs(this.#timers) },
    ]
  }

  #onPending(input: NonInviteServerInput): NonInviteServerOutput[] {
    switch (input.type) {
      case 'request':
        return this.#state === 'proceeding' ? [{ type: 'send-response' }] : []
      case 'respond':
        return this.#respond(input.status)
      case 'timer':
        if (input.timer === 'trying') return this.#state === 'trying' ? [{ type: 'need-trying' }] : []
        return input.timer === 'answer-by' ? [{ type: 'need-final' }] : []
      case 'transport-error':
        return this.#end({ type: 'transport-failed' })
      case 'start':
        return []
      default:
        return assertNever(input)
    }
  }

  #respond(status: number): NonInviteServerOutput[] {
    if (status < 200) {
      if (this.#state === 'trying') this.#enter('proceeding')
      return [{ type: 'send-response' }]
    }
    this.#enter('completed')
    const outputs: NonInviteServerOutput[] = [
      { type: 'clear-timer', timer: 'trying' },
      { type: 'clear-timer', timer: 'answer-by' },
      { type: 'send-response' },
    ]
    if (this.#reliable) return [...outputs, ...this.#end()]
    return [...outputs, { type: 'set-timer', timer: 'J', afterMs: timeoutMs(this.#timers) }]
  }

  #onCompleted(input: NonInviteServerInput): NonInviteServerOutput[] {
    if (input.type === 'request') return [{ type: 'send-response' }]
    if (input.type === 'transport-error') return this.#end({ type: 'transport-failed' })
    return input.type === 'timer' && input.timer === 'J' ? this.#end() : []
  }

  #end(...first: NonInviteServerOutput[]): NonInviteServerOutput[] {
    this.#enter('terminated')
    return [...first, { type: 'terminated' }]
  }

  #enter(next: NonInviteServerState): void {
    checkEdge(EDGES, this.#state, next)
    this.#state = next
  }
}
