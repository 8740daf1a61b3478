// The 2xx to INVITEs of the peer that wait for their ACKs: RFC 3261 section 13.3.1.4.

import { AcceptedResponse } from '../accepted-response.ts'
import type { CoreParts } from '../core-parts.ts'
import type { SipRequest } from '../message/message.ts'

interface Unacked {
  readonly response: AcceptedResponse
  readonly onAck: (ack: SipRequest) => void
}

/** By CSeq number of the INVITE. */
export class AcceptedInvites {
  readonly #parts: CoreParts
  readonly #unacked = new Map<number, Unacked>()

  constructor(parts: CoreParts) {
    this.#parts = parts
  }

  /** Whether an ACK is still due. */
  get isWaiting(): boolean {
    return this.#unacked.size > 0
  }

  /** Repeats a 2xx until its ACK; without one in time `onGiveUp`. */
  add(cseqNumber: number, repeat: () => void, onAck: (ack: SipRequest) => void, onGiveUp: () => void): void {
    const { clock, timers } = this.#parts
    const response = new AcceptedResponse(clock, timers, repeat, () => {
      this.#unacked.delete(cseqNumber)
      onGiveUp()
    })
    this.#unacked.set(cseqNumber, { response, onAck })
  }

  /** The ACK came; what is to be told of it, or undefined when it is not the first. */
  acknowledge(cseqNumber: number): ((ack: SipRequest) => void) | undefined {
    const accepted = this.#unacked.get(cseqNumber)
    accepted?.response.stop()
    this.#unacked.delete(cseqNumber)
    return accepted?.onAck
  }

  clear(): void {
    for (const { response } of this.#unacked.values()) response.stop()
    this.#unacked.clear()
  }
}
