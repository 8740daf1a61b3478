// Our UPDATEs of one dialog, early or confirmed: RFC 3311 section 5.1, with its waits after glare.

import { type DialogContext, sendWithin } from '../dialog-context.ts'
import { glareWaitMs, MAX_OFFER_TRIES } from '../glare-wait.ts'
import type { MessageOptions, RequestOutcome } from '../session.ts'
import { mayHoldOffer } from './offer-body.ts'

/** Sends UPDATE; after glare again, unless the dialog is over. */
export class UpdateSender {
  readonly #context: DialogContext
  readonly #isOver: () => boolean
  #offers = 0

  constructor(context: DialogContext, isOver: () => boolean) {
    this.#context = context
    this.#isOver = isOver
  }

  /** An offer waits for its answer. */
  get isOffering(): boolean {
    return this.#offers > 0
  }

  send(options: MessageOptions, done: (outcome: RequestOutcome) => void): void {
    this.#try(options, 1, done)
  }

  #try(options: MessageOptions, tries: number, done: (outcome: RequestOutcome) => void): void {
    const { parts, state, timer } = this.#context
    const isOffer = mayHoldOffer(options.body?.contentType)
    if (isOffer) this.#offers += 1
    sendWithin(this.#context, 'UPDATE', options, (outcome) => {
      const { response, status } = outcome
      if (isOffer) this.#offers -= 1
      if (response !== undefined && status < 300) {
        state.refreshTarget(response.headers)
        if (!this.#isOver()) timer?.onAccepted(response.headers)
      }
      // A 405 says what is allowed instead.
      if (status < 300 || status === 405) state.noteAllow(response?.headers)
      const waitMs = response && glareWaitMs(response, state.ownsCallId, parts.options.ids)
      if (waitMs === undefined || tries === MAX_OFFER_TRIES || this.#isOver()) done(outcome)
      else {
        parts.clock.after(waitMs, 'update-retry', () => {
          if (!this.#isOver()) this.#try(options, tries + 1, done)
        })
      }
    })
  }
}
