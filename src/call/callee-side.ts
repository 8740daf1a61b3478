// A callee of a call: its leg, the INVITE under way, and whoever waits for the outcome of the dial.

import type { DialogHandlers, HeaderList, InviteDialog } from '#sip'
import type { Dialing } from './dialing.ts'
import type { DialResult } from './failure-status.ts'
import type { Leg } from './leg.ts'

/** One dial, from its INVITE until the callee has left. */
export class CalleeSide {
  readonly leg: Leg
  /** `answer`: the call ends with the callee. `end`: the dial does. */
  readonly until: 'answer' | 'end'
  /** Settles the dial; only the first result counts. */
  readonly settle: (result: DialResult) => void
  /** Set once the callee has joined. */
  partyId: Uint8Array | undefined
  #dialing: Dialing | undefined

  constructor(leg: Leg, until: 'answer' | 'end', settle: (result: DialResult) => void) {
    this.leg = leg
    this.until = until
    this.settle = settle
  }

  /** The INVITE was sent. */
  dialling(dialing: Dialing): void {
    this.#dialing = dialing
  }

  /** The callee answered. */
  confirm(dialog: InviteDialog, handlers: DialogHandlers): void {
    this.#dialing = undefined
    this.leg.dialog = dialog
    dialog.handlers = handlers
    this.leg.lifecycle.enter('confirmed')
  }

  /** Ends the leg by CANCEL or BYE, unless it is over. */
  end(headers: HeaderList): void {
    this.#dialing?.cancel(headers)
    this.#dialing = undefined
    if (this.leg.ended) return
    void this.leg.dialog?.bye({ headers })
    this.leg.lifecycle.enter('ended')
  }
}
