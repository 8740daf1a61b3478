// One request along a list of targets: RFC 3263 section 4.3 with the size rule of RFC 3261 section 18.1.1.

import { endpointText, type Timer } from '#kernel'
import type { CoreParts } from './core-parts.ts'
import type { SipResponse } from './message/message.ts'
import type { RequestPlan } from './message-builder.ts'
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
  transaction?: ClientTransaction
  answered: boolean
}

/** Tries targets one after another; each attempt has its own branch, all else stays. */
export class TargetWalk {
  readonly #parts: CoreParts
  readonly #plan: RequestPlan
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
    const built = this.#parts.builder.request(this.#plan, target)
    const stream = this.#parts.streams.insteadOf(target, built.bytes.length)
    if (stream === undefined) this.#send({ target, answered: false }, built)
    else {
      this.#targets.unshift(target)
      this.#send({ target: stream, answered: false }, this.#parts.builder.request(this.#plan, stream), target)
    }
  }

  #send(attempt: Attempt, built: ReturnType<CoreParts['builder']['request']>, datagram?: SipTarget): void {
    this.#current = attempt
    this.#watchSilence(attempt, datagram)
    const transaction = this.#parts.transactions.open(
      { ...built, target: attempt.target },
      {
        onResponse: (response) => this.#onResponse(attempt, response, datagram),
        onFailure: (cause, reason) => this.#onFailure(attempt, cause, reason, datagram),
      },
    )
    attempt.transaction = transaction
  }

  #watchSilence(attempt: Attempt, datagram: SipTarget | undefined): void {
    this.#silence?.cancel()
    if (this.#firstResponseTimeoutMs === undefined) return
    this.#silence = this.#parts.clock.after(this.#firstResponseTimeoutMs, 'first-response', () => {
      this.#dropDatagram(datagram)
      this.#giveUp(attempt, { status: 408, reason: 'Request Timeout', cause: 'timeout' })
    })
  }

  #onResponse(attempt: Attempt, response: SipResponse, datagram: SipTarget | undefined): void {
    const transaction = attempt.transaction!
    if (attempt !== this.#current) {
      this.#user.onStray?.(response, transaction)
      return
    }
    if (!attempt.answered) this.#dropDatagram(datagram)
    attempt.answered = true
    this.#silence?.cancel()
    if (response.status === 503 && this.#targets.length > 0 && !this.#stopped) {
      this.#giveUp(attempt, { status: 503, reason: response.reason, cause: 'response', response })
    } else this.#user.onResponse(response, transaction)
  }

  #onFailure(attempt: Attempt, cause: 'timeout' | 'transport', reason: string, datagram: SipTarget | undefined): void {
    if (attempt !== this.#current) return
    if (cause === 'transport' && datagram !== undefined && !attempt.answered) {
      this.#parts.streams.remember(datagram.host, reason)
      this.#next({ status: 503, reason, cause })
      return
    }
    this.#dropDatagram(datagram)
    this.#giveUp(
      attempt,
      cause === 'timeout' ? { status: 408, reason: 'Request Timeout', cause } : { status: 503, reason, cause },
    )
  }

  #giveUp(attempt: Attempt, outcome: RequestOutcome): void {
    this.#silence?.cancel()
    this.#current = undefined
    this.#user.onTargetFailed?.(`${attempt.target.transport}:${endpointText(attempt.target)}`, outcome)
    this.#next(outcome)
  }

  /** The same target by UDP is only for a refused connection. */
  #dropDatagram(datagram: SipTarget | undefined): void {
    if (datagram !== undefined && this.#targets[0] === datagram) this.#targets.shift()
  }
}
