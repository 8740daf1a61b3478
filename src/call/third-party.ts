// Further parties of a call that goes on: each is called, joined to all who talk, and let go again (design: more than two parties).

import { type Logger, messageOf } from '#kernel'
import type { HeaderList } from '#sip'
import { PLAYED } from './codecs.ts'
import type { Conversation } from './conversation.ts'
import type { Attempt, Dialler } from './dialler.ts'
import { type DialResult, dialResultOf } from './failure-status.ts'
import type { Leg } from './leg.ts'

/** Whom to join, and how. */
export interface JoinOptions {
  /** SIP URI. */
  readonly target: string
  /** How long it may ring. */
  readonly timeoutMs: number
}

/** How a join ended; `leg` is the new party's, by which it can be let go. */
export interface JoinResult extends DialResult {
  readonly leg?: string
}

/** What joining asks of its call. */
export interface JoinedCall {
  readonly conversation: Conversation
  readonly dialler: Dialler
  readonly log: Logger
  readonly ended: boolean
  nextLegName(): string
}

// A mix is made anew for each who listens; more than this is a conference bridge's work.
const MAX_PARTIES = 8
const NOBODY_TALKS: JoinResult = { result: 'failed', sipStatus: 480 }
const FULL: JoinResult = { result: 'failed', sipStatus: 486 }
const NO_PORTS: JoinResult = { result: 'failed', sipStatus: 503 }

/** The parties of one call beyond its first two. */
export class ThirdParties {
  readonly #call: JoinedCall
  readonly #attempts = new Set<Attempt>()
  /** Joins under way. */
  #joining = 0

  constructor(call: JoinedCall) {
    this.#call = call
  }

  /** Calls a party into the talk; never rejects. */
  async join(options: JoinOptions): Promise<JoinResult> {
    const { conversation, dialler, log } = this.#call
    const refusal = dialler.refuses(options.target)
    if (refusal !== undefined) return refusal
    const talking = conversation.bridge.talking.length
    if (this.#call.ended || talking < 2) return NOBODY_TALKS
    if (talking + this.#joining >= MAX_PARTIES) return FULL
    this.#joining += 1
    try {
      const leg = await dialler.open(this.#call.nextLegName())
      return this.#call.ended ? NOBODY_TALKS : await this.#callIn(leg, options)
    } catch (thrown) {
      log.warn('no media for a further party', { error: messageOf(thrown) })
      return NO_PORTS
    } finally {
      this.#joining -= 1
    }
  }

  /** The call is over: parties that ring are let go. */
  close(headers: HeaderList): void {
    for (const attempt of this.#attempts) attempt.cancel(headers)
  }

  async #callIn(leg: Leg, options: JoinOptions): Promise<JoinResult> {
    const { conversation, dialler, log } = this.#call
    const attempt = dialler.call(leg, { ...options, encodings: PLAYED, direction: 'sendrecv' })
    this.#attempts.add(attempt)
    const outcome = await attempt.outcome
    this.#attempts.delete(attempt)
    const isMet = outcome.isAnswered && (await leg.applyMedia()) && !leg.ended && !this.#call.ended
    const joining = outcome.isAnswered ? dialler.joiningOf(options.target, outcome) : undefined
    if (isMet && joining !== undefined && (await conversation.admit(leg, joining))) {
      return { result: 'answered', leg: leg.name }
    }
    await conversation.discard(leg)
    const status = outcome.isAnswered ? 488 : outcome.status
    log.info('join failed', { status })
    return { result: dialResultOf(status), sipStatus: status }
  }
}
