// What comes in the dialogs of a call's legs: offers, digits, transfers, and their end.

import type { Logger } from '#kernel'
import type { DialogEnd, DialogHandlers, IncomingRequest, SipRequest } from '#sip'
import type { CallParts } from './call-parts.ts'
import { answerInDialog } from './in-dialog.ts'
import type { Leg } from './leg.ts'

/** What the dialogs ask of their call. */
export interface LegDialogsOptions {
  /** Looked at when something comes: the parts are made with these handlers. */
  readonly parts: () => Pick<CallParts, 'conversation' | 'transfers' | 'dial'>
  readonly log: Logger
  readonly isOver: () => boolean
  /** A digit of the near side by INFO. */
  readonly onDigit: (digit: string) => void
  /** Sees each INFO that is no digit; true: it is answered there. */
  readonly handleInfo: (info: IncomingRequest) => boolean
  /** A leg has ended, and the call with it; `request` is what ended it. */
  readonly onLastEnd: (request: SipRequest | undefined) => void
  readonly onFault: (fault: unknown) => void
}

/** The dialogs of one call. */
export class LegDialogs {
  readonly #options: LegDialogsOptions

  constructor(options: LegDialogsOptions) {
    this.#options = options
  }

  /** Handlers for the dialog of a leg. */
  handlersOf(leg: Leg): DialogHandlers {
    const { onFault } = this.#options
    return {
      onRequest: (incoming) => this.onRequest(leg, incoming),
      onRefreshDue: () => void leg.refresh().catch(onFault),
      onEnd: (end) => this.#onEnd(leg, end),
    }
  }

  /** Answers a request of the party on a leg. */
  onRequest(leg: Leg, incoming: IncomingRequest): void {
    const { parts, onDigit, handleInfo, onFault } = this.#options
    const { conversation, transfers } = parts()
    const { method } = incoming.request
    if (method === 'INVITE' || method === 'UPDATE') {
      void conversation.bridge.change(leg, incoming).catch(onFault)
      return
    }
    answerInDialog(incoming, {
      onRefer: (refer) => transfers.onRefer(leg, refer),
      onNotify: (notify) => transfers.onNotify(leg, notify),
      onDigit: (digit, body) => {
        if (leg === conversation.near) onDigit(digit)
        void conversation.bridge.farOf(leg)?.dialog?.request('INFO', { body })
      },
      handleInfo,
    })
  }

  /** Of three or more the others talk on; a dial or a transfer may go on without the party; else the call is over. */
  #onEnd(leg: Leg, end: DialogEnd): void {
    const { parts, log, isOver, onLastEnd } = this.#options
    const { conversation, transfers, dial } = parts()
    if (isOver() || leg.ended) return
    leg.lifecycle.enter('ended')
    log.info('leg ended', { leg: leg.name, cause: end.cause })
    if (!conversation.bridge.isSeated(leg)) return
    if (transfers.keepsSeatOf(leg)) {
      conversation.vacate(leg)
      return
    }
    const others = conversation.others(leg)
    const heir = others.at(-1)
    if (leg !== conversation.near && others.length > 1 && heir !== undefined) {
      conversation.leave(leg)
      dial.follow(leg, heir)
    } else if (!dial.takesEndOf(leg)) onLastEnd(end.request)
  }
}
