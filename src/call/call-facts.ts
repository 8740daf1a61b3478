// What is known of a call and shown to others: its state, its times, its sessions, and why it ended.

import type { Clock, Ids } from '#kernel'
import { CALL_EDGES, type CallState, Lifecycle } from './call-machine.ts'
import { CommunicationSession } from './communication-session.ts'
import type { Conversation } from './conversation.ts'
import type { EndReason } from './reason.ts'
import type { CallSnapshot } from './recordable-call.ts'

/** The facts of one call; who takes part is its conversation's. */
export class CallFacts {
  readonly session: CommunicationSession
  readonly #callId: string
  readonly #clock: Clock
  readonly #lifecycle: Lifecycle<CallState>
  readonly #brought: NonNullable<CallSnapshot['facts']>
  #answeredAtMs: number | undefined
  #endedAtMs: number | undefined
  #endReason: EndReason | undefined

  /** `brought`: further facts of the caller's INVITE. */
  constructor(callId: string, clock: Clock, ids: Ids, brought: NonNullable<CallSnapshot['facts']>) {
    this.#callId = callId
    this.#clock = clock
    this.#lifecycle = new Lifecycle({ machine: 'call', id: callId, initial: 'ringing', edges: CALL_EDGES, clock })
    this.session = new CommunicationSession(clock, ids)
    this.#brought = brought
  }

  get state(): CallState {
    return this.#lifecycle.state
  }

  get endReason(): EndReason | undefined {
    return this.#endReason
  }

  /** The caller was sent its 200. */
  answered(): void {
    this.#lifecycle.enter('answered')
    this.#answeredAtMs = this.#clock.wallMs()
  }

  /** A callee refused: the reason of the end, unless that has another. */
  refused(reason: EndReason): void {
    if (this.state === 'ringing') this.#endReason = reason
  }

  /** The call is over. */
  end(reason: EndReason | undefined): void {
    this.#lifecycle.enter('ended')
    this.#endedAtMs = this.#clock.wallMs()
    this.#endReason = reason ?? this.#endReason
  }

  /** All of it at this moment. */
  snapshot(conversation: Conversation): CallSnapshot {
    const { protection, videoEncodings } = conversation
    return {
      callId: this.#callId,
      ...this.session.facts(),
      sipSessionIds: conversation.sipSessionIds(),
      direction: 'inbound',
      state: this.state,
      ...(this.#answeredAtMs !== undefined && { answeredAtMs: this.#answeredAtMs }),
      ...(this.#endedAtMs !== undefined && { endedAtMs: this.#endedAtMs }),
      ...(this.#endReason !== undefined && { endReason: this.#endReason }),
      parties: conversation.parties.list(),
      encodings: conversation.near?.sdp.encodings ?? [],
      ...(videoEncodings.length > 0 && { videoEncodings }),
      ...(Object.keys(this.#brought).length > 0 && { facts: this.#brought }),
      ...(protection !== undefined && { protection }),
    }
  }
}
