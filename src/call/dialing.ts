// One outgoing INVITE of a call: progress, early media, answer, no answer, cancel.

import type { Clock, Timer } from '#kernel'
import type {
  ClientInvite,
  EarlyDialog,
  HeaderList,
  IncomingRequest,
  InviteDialog,
  InviteOptions,
  RequestOutcome,
  SipCore,
  SipRequest,
  SipResponse,
} from '#sip'
import type { Leg } from './leg.ts'
import { NO_USABLE_ANSWER, reasonHeader } from './reason.ts'

/** What a dialing tells the call; after `onAnswered` or `onFailed` nothing more comes. */
export interface DialingEvents {
  /** 180-199; `hasMedia`: the leg has taken an answer from its body. */
  onProgress(response: SipResponse, hasMedia: boolean): void
  /** An UPDATE of the callee before its answer. */
  onUpdate(incoming: IncomingRequest): void
  /** The dialog must get its handlers in here. The leg has taken the answer. */
  onAnswered(dialog: InviteDialog, response: SipResponse): void
  /** Refused, unreachable (502), not answered in time (480), or answered with SDP of no use (488). */
  onFailed(status: number, response: SipResponse | undefined): void
}

/** An INVITE under way towards a callee; its leg has made the offer in `options.body`. */
export class Dialing {
  readonly #leg: Leg
  readonly #events: DialingEvents
  readonly #invite: ClientInvite
  readonly #noAnswer: Timer
  #early: EarlyDialog | undefined
  #isOver = false

  constructor(options: {
    readonly core: SipCore
    readonly clock: Clock
    readonly leg: Leg
    readonly invite: InviteOptions
    readonly ringTimeoutMs: number
    readonly events: DialingEvents
  }) {
    this.#leg = options.leg
    this.#events = options.events
    this.#noAnswer = options.clock.after(options.ringTimeoutMs, 'call no answer', () => this.#onNoAnswer())
    this.#invite = options.core.invite(options.invite, {
      onProgress: (response, early) => this.#onProgress(response, early),
      onAccepted: (dialog, response) => this.#onAccepted(dialog, response),
      onFailed: (outcome) => this.#onFailed(outcome),
    })
  }

  /** Gives up: CANCEL, or BYE to a 200 that crosses it. No event follows. */
  cancel(headers: HeaderList): void {
    if (!this.#finish()) return
    this.#invite.cancel({ headers })
  }

  #onProgress(response: SipResponse, early: EarlyDialog | undefined): void {
    if (this.#isOver) return
    if (early !== undefined) this.#leg.identify(early.sessionIds)
    if (response.status < 180) return
    const hasMedia = this.#leg.takeAnswer(response) === true
    if (hasMedia && early !== undefined) this.#listenTo(early)
    if (this.#leg.lifecycle.state === 'setup') this.#leg.lifecycle.enter('early')
    this.#events.onProgress(response, hasMedia)
  }

  /** Of a forked INVITE, only the branch whose answer the leg has may change it. */
  #listenTo(early: EarlyDialog): void {
    delete this.#early?.onUpdate
    this.#early = early
    early.onUpdate = (incoming) => this.#events.onUpdate(incoming)
  }

  #onAccepted(dialog: InviteDialog, response: SipResponse): void {
    if (!this.#finish()) return
    this.#leg.identify(dialog.sessionIds)
    const hasEarlyAnswer = this.#leg.sdp.state === 'stable'
    if (this.#leg.takeAnswer(response) ?? hasEarlyAnswer) {
      this.#events.onAnswered(dialog, response)
      return
    }
    dialog.handlers = { onEnd: () => {} }
    void dialog.bye({ headers: reasonHeader(NO_USABLE_ANSWER) })
    this.#events.onFailed(488, undefined)
  }

  #onFailed(outcome: RequestOutcome): void {
    if (!this.#finish()) return
    // Silence of the callee's host is no callee who does not answer.
    const status = outcome.cause === 'response' || outcome.cause === 'cancelled' ? outcome.status : 502
    this.#events.onFailed(status, outcome.response)
  }

  #onNoAnswer(): void {
    if (!this.#finish()) return
    this.#invite.cancel({ headers: reasonHeader({ protocol: 'SIP', cause: 480, text: 'No answer' }) })
    this.#events.onFailed(480, undefined)
  }

  #finish(): boolean {
    if (this.#isOver) return false
    this.#isOver = true
    this.#noAnswer.cancel()
    return true
  }
}

/** The hop limit that goes on beside Max-Forwards (RFC 7332 section 5). */
export function hopHeaders(request: SipRequest): HeaderList {
  const breadth = request.headers.get('Max-Breadth')
  return breadth === undefined ? [] : [['Max-Breadth', breadth]]
}
