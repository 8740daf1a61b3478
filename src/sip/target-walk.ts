// One request along a list of targets: RFC 3263 section 4.3 with the size rule of RFC 3261 section 18.1.1.

import { endpointText, type Timer } from '#kernel'
import type { CoreParts } from './core-parts.ts'
import type { SipResponse } from './message/message.ts'
import type { BuiltRequest, RequestPlan } from './message-builder.ts'
import { amendedPlan, preparedPlan } from './retry/amendment.ts'
import type { RequestOutcome } from './session.ts'
import type { ClientTransaction } from './transaction/client-transaction.ts'
import type { SipTarget } from './transport-port.ts'

/** What the walk tells its user. */
export interface WalkUser {
  /** A response of the target now tried; 503 only when no other is left. */
  onResponse(response: SipResponse, transaction: ClientTransaction): void
  /** A response of a target that was given up for its silence. */
  onStray?(response: SipResponse, transaction: ClientTransaction): void
  /** No target is left. */
  onExhausted(outcome: RequestOutcome): void
  onTargetFailed?(target: string, outcome: RequestOutcome): void
}

interface Attempt {
  readonly target: SipTarget
  /** The UDP target that this TCP attempt stands for; its turn comes if there is no connection. */
  readonly datagram?: SipTarget
  transaction?: ClientTransaction
  answered: boolean
}

/** Tries targets one after another; each attempt has its own branch, all else stays. A refusal that can be put right is asked again at once. */
export class TargetWalk {
  readonly #parts: CoreParts
  #plan: RequestPlan
  readonly #user: WalkUser
  readonly #firstResponseTimeoutMs: number | undefined
  readonly #targets: SipTarget[]
  #current: Attempt | undefined
  #silence: Timer | undefined
  #stopped = false

  constructor(
    parts: CoreParts,
    plan: RequestPlan,
    targets: readonly SipTarget[],
    user: WalkUser,
    firstResponseTimeoutMs?: number,
  ) {
    this.#parts = parts
    this.#plan = plan
    this.#targets = [...targets]
    this.#user = user
    this.#firstResponseTimeoutMs = firstResponseTimeoutMs
  }

  /** The transaction now under way. */
  get transaction(): ClientTransaction | undefined {
    return this.#current?.transaction
  }

  /** Whether the target now tried has said anything. */
  get answered(): boolean {
    return this.#current?.answered ?? false
  }

  /** Begins with the first target. */
  start(): void {
    this.#next({ status: 503, reason: 'Service Unavailable', cause: 'dns' })
  }

  /** Tries no further target. */
  stop(): void {
    this.#stopped = true
    this.#silence?.cancel()
  }

  #next(outcome: RequestOutcome): void {
    const target = this.#stopped ? undefined : this.#targets.shift()
    if (target !== undefined) this.#try(target)
    else if (!this.#stopped) {
      this.stop()
      this.#user.onExhausted(outcome)
    }
  }

  #try(target: SipTarget): void {
    const plan = preparedPlan(this.#plan)
    const built = this.#parts.builder.request(plan, target)
    const stream = this.#parts.streams.insteadOf(target, built.bytes.length)
    if (stream === undefined) this.#send({ target, answered: false }, built)
    else {
      const attempt = { target: stream, datagram: target, answered: false }
      this.#send(attempt, this.#parts.builder.request(plan, stream))
    }
  }

  #send(attempt: Attempt, built: BuiltRequest): void {
    this.#current = attempt
    this.#watchSilence(attempt)
    attempt.transaction = this.#parts.transactions.open(
      { ...built, target: attempt.target },
      {
        onResponse: (response) => this.#onResponse(attempt, response),
        onFailure: (cause, reason) => this.#onFailure(attempt, cause, reason),
      },
    )
  }

  #watchSilence(attempt: Attempt): void {
    this.#silence?.cancel()
    if (this.#firstResponseTimeoutMs === undefined) return
    this.#silence = this.#parts.clock.after(this.#firstResponseTimeoutMs, 'first-response', () => {
      this.#giveUp(attempt, { status: 408, reason: 'Request Timeout', cause: 'timeout' })
    })
  }

  #onResponse(attempt: Attempt, response: SipResponse): void {
    const transaction = attempt.transaction!
    if (attempt !== this.#current) {
      this.#user.onStray?.(response, transaction)
      return
    }
    attempt.answered = true
    this.#silence?.cancel()
    const amended = response.status < 300 || this.#stopped ? undefined : amendedPlan(this.#plan, response)
    if (amended !== undefined) {
      this.#plan = amended
      this.#try(attempt.datagram ?? attempt.target)
    } else if (response.status === 503 && this.#targets.length > 0 && !this.#stopped) {
      this.#giveUp(attempt, { status: 503, reason: response.reason, cause: 'response', response })
    } else this.#user.onResponse(response, transaction)
  }

  #onFailure(attempt: Attempt, cause: 'timeout' | 'transport', reason: string): void {
    if (attempt !== this.#current || this.#stopped) return
    if (cause === 'timeout') this.#giveUp(attempt, { status: 408, reason: 'Request Timeout', cause })
    else if (attempt.datagram === undefined || attempt.answered) this.#giveUp(attempt, { status: 503, reason, cause })
    else {
      this.#parts.streams.remember(attempt.target.host, reason)
      this.#try(attempt.datagram)
    }
  }

  #giveUp(attempt: Attempt, outcome: RequestOutcome): void {
    this.#silence?.cancel()
    this.#current = undefined
    this.#user.onTargetFailed?.(`${attempt.target.transport}:${endpointText(attempt.target)}`, outcome)
    this.#next(outcome)
  }
}
