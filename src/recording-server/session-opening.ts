// How a recording session comes up: by an INVITE of the client, or by one of ours that it answers with its offer
// (RFC 7866 sections 7.1 and 7.2).

import type {
  DialogHandlers,
  DialogSnapshot,
  HeaderList,
  InviteDialog,
  ServerInvite,
  SipBody,
  SipMessage,
  SipResponse,
} from '#sip'
import type { SipFacts } from '#store'
import type { KeptRecording } from './kept-session.ts'
import { ACCEPTED_TYPES, acceptedFactsOf, receivedFactsOf } from './recording-request.ts'

const REJECTION_HEADERS = new Map<number, HeaderList>([
  [415, [['Accept', ACCEPTED_TYPES.join(', ')]]],
  [503, [['Retry-After', '30']]],
])

/** A recording session that is to be accepted or rejected, once. */
export interface SessionOpening {
  /** What carries the client's offer and metadata. */
  readonly message: SipMessage
  readonly sip: SipFacts
  /** The client no longer wants it. */
  readonly isCancelled: boolean
  /** The session was up before this process was. */
  readonly kept?: KeptRecording
  /** Takes the session up with our answer. */
  accept(handlers: DialogHandlers, answer: Uint8Array): InviteDialog
  reject(status: number, reason: string): void
  /** What the dialog will be once it is accepted; undefined where it cannot outlive this process. */
  snapshot(): DialogSnapshot | undefined
}

/** The client's INVITE. */
export class ReceivedOpening implements SessionOpening {
  readonly message: SipMessage
  readonly sip: SipFacts
  readonly #invite: ServerInvite
  #isCancelled = false

  constructor(invite: ServerInvite) {
    this.#invite = invite
    this.message = invite.request
    this.sip = receivedFactsOf(invite.request, invite.flow)
    invite.onCancel = () => {
      this.#isCancelled = true
    }
  }

  get isCancelled(): boolean {
    return this.#isCancelled
  }

  accept(handlers: DialogHandlers, answer: Uint8Array): InviteDialog {
    return this.#invite.accept(handlers, { body: sdpBody(answer) })
  }

  reject(status: number): void {
    this.#invite.reject(status, { headers: REJECTION_HEADERS.get(status) ?? [] })
  }

  snapshot(): DialogSnapshot | undefined {
    return this.#invite.snapshot()
  }
}

/** What becomes of an INVITE of ours that was answered. */
export interface InvitedOutcome {
  /** The body of our ACK. */
  readonly onAnswer: (answer: SipBody | undefined) => void
  /** The problem is absent when the session is up. */
  readonly onSettled: (problem: { readonly status: number; readonly reason: string } | undefined) => void
}

/** Our own INVITE, answered with 200: our answer goes into the ACK. */
export class InvitedOpening implements SessionOpening {
  readonly message: SipMessage
  readonly sip: SipFacts
  readonly #dialog: InviteDialog
  readonly #outcome: InvitedOutcome
  /** An answer that refuses every stream; undefined if there is no offer that could be answered. */
  readonly #refusal: Uint8Array | undefined
  #isOver = false

  constructor(dialog: InviteDialog, response: SipResponse, outcome: InvitedOutcome, refusal: Uint8Array | undefined) {
    this.#dialog = dialog
    this.#outcome = outcome
    this.#refusal = refusal
    this.message = response
    this.sip = acceptedFactsOf(dialog, response)
    dialog.handlers = {
      onRequest: (incoming) => void incoming.respond(500, { headers: [['Retry-After', '1']] }),
      onEnd: () => {
        this.#isOver = true
      },
    }
  }

  get isCancelled(): boolean {
    return this.#isOver
  }

  accept(handlers: DialogHandlers, answer: Uint8Array): InviteDialog {
    this.#dialog.handlers = handlers
    this.#outcome.onAnswer(sdpBody(answer))
    this.#outcome.onSettled(undefined)
    return this.#dialog
  }

  /** An offer has to be answered even if nothing of it is taken: the ACK does that, and BYE follows it. */
  reject(status: number, reason: string): void {
    this.#outcome.onAnswer(this.#refusal && sdpBody(this.#refusal))
    void Promise.resolve().then(() => this.#dialog.bye())
    this.#outcome.onSettled({ status, reason })
  }

  snapshot(): DialogSnapshot | undefined {
    return this.#dialog.snapshot()
  }
}

function sdpBody(content: Uint8Array): SipBody {
  return { contentType: 'application/sdp', content }
}
