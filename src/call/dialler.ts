// Calls parties for a call: asks the destination list, binds ports, makes the offer, sends the INVITE.

import type { MediaCall } from '#engine'
import { type Logger, redactUri } from '#kernel'
import type { Direction } from '#sdp'
import { type DialogHandlers, type HeaderList, parseSipUri, type ServerInvite, type SipResponse } from '#sip'
import { saysRecordAware } from './awareness.ts'
import type { CallContext } from './call-context.ts'
import { capabilitiesOf } from './capabilities.ts'
import { Dialing, hopHeaders } from './dialing.ts'
import type { DialResult } from './failure-status.ts'
import { Leg } from './leg.ts'
import type { Joining } from './parties.ts'
import { securityOf, signallingTo } from './protection.ts'
import type { VideoDescription } from './video-sdp.ts'

/** A party answered. */
export interface Answer {
  readonly isAnswered: true
  readonly response: SipResponse
  readonly sipCallId: string
}

/** A party could not be reached; `response` is absent when it sent none. */
export interface Failure {
  readonly isAnswered: false
  readonly status: number
  readonly response: SipResponse | undefined
}

/** One INVITE of an attempt. */
export interface AttemptOptions {
  readonly target: string
  /** How long it may ring. */
  readonly timeoutMs: number
  /** What is offered, best first. */
  readonly encodings: readonly string[]
  readonly direction: Direction
  /** Offered beside it, where the callee may be sent it in the clear. */
  readonly video?: VideoDescription
  /** From as name-addr; the caller's unless given. */
  readonly from?: string
  readonly headers?: HeaderList
  /** 180-199; `hasMedia`: the leg has taken an answer from its body. */
  readonly onProgress?: (response: SipResponse, hasMedia: boolean) => void
}

/** A party that is being called, or was reached. */
export interface Attempt {
  readonly leg: Leg
  /** Never rejects. Answered: the leg is confirmed and its dialog is handled. */
  readonly outcome: Promise<Answer | Failure>
  /** Gives up an INVITE under way by CANCEL; its outcome is 487. */
  cancel(headers: HeaderList): void
}

/** The outgoing INVITEs of one call. */
export class Dialler {
  readonly #context: CallContext
  readonly #callId: string
  readonly #invite: ServerInvite
  readonly #hopsLeft: number
  readonly #media: MediaCall
  readonly #log: Logger
  /** Handlers of a leg's dialog. */
  readonly handlersOf: (leg: Leg) => DialogHandlers
  readonly #isCallerSecured: () => boolean
  /** UUID of whom the party of a leg talks to (RFC 7989). */
  readonly represented: (leg: Leg) => string | undefined

  /** `invite` is the caller's, `hopsLeft` the Max-Forwards of what is sent on. */
  constructor(options: {
    readonly context: CallContext
    readonly callId: string
    readonly invite: ServerInvite
    readonly hopsLeft: number
    readonly media: MediaCall
    readonly log: Logger
    readonly handlersOf: (leg: Leg) => DialogHandlers
    readonly isCallerSecured: () => boolean
    readonly represented: (leg: Leg) => string | undefined
  }) {
    this.#context = options.context
    this.#callId = options.callId
    this.#invite = options.invite
    this.#hopsLeft = options.hopsLeft
    this.#media = options.media
    this.#log = options.log
    this.handlersOf = options.handlersOf
    this.#isCallerSecured = options.isCallerSecured
    this.represented = options.represented
  }

  /** Why a URI may not be called; undefined if it may. */
  refuses(target: string): DialResult | undefined {
    const uri = parseSipUri(target)
    if (!uri.ok) return { result: 'failed', sipStatus: 404 }
    if (this.#hopsLeft === 0) return { result: 'failed', sipStatus: 483 }
    if (!this.#context.destinations.allows(uri.value)) {
      this.#log.warn('destination refused by policy', { target: redactUri(target) })
      return { result: 'forbidden', sipStatus: 403 }
    }
    const { srtp } = this.#context
    if (srtp.callees !== 'always' || securityOf(srtp, signallingTo(target), true).isOffered) return undefined
    this.#log.warn('destination refused: SRTP keys need TLS', { target: redactUri(target) })
    return { result: 'failed', sipStatus: 488 }
  }

  /** Binds the ports of a leg. Rejects with AppError `media.*` when the engine cannot. */
  async open(name: string, isOutgoing = true): Promise<Leg> {
    const { clock, ids } = this.#context
    const shared = { callId: this.#callId, media: this.#media, log: this.#log, represented: this.represented }
    return await Leg.open({ ...shared, name, isOutgoing, clock, ids })
  }

  /** The same for a party that calls us, protected as its signalling allows. */
  async openFor(name: string, { flow }: ServerInvite): Promise<Leg> {
    const leg = await this.open(name, false)
    leg.secure(this.#context.srtp, flow.transport === 'tls' ? 'tls' : 'none')
    return leg
  }

  /** Who answered a call to `target`. */
  joiningOf(target: string, answer: Answer): Joining {
    return this.#context.identities.answererOf(target, answer)
  }

  /** Who calls by an INVITE of its own. */
  callerOf(invite: ServerInvite): Joining {
    return this.#context.identities.joiningOf(invite)
  }

  /** Sends the INVITE on an open leg. */
  call(leg: Leg, options: AttemptOptions): Attempt {
    const { core, clock, identities, sessionTimer, srtp, credentialsFor } = this.#context
    let settle: (outcome: Answer | Failure) => void = () => {}
    const outcome = new Promise<Answer | Failure>((resolve) => {
      settle = resolve
    })
    const { from, headers } = identities.onward(this.#invite, options.target)
    const uri = parseSipUri(options.target)
    if (uri.ok) leg.peerHost = uri.value.host
    const credentials = uri.ok ? credentialsFor(uri.value) : undefined
    const isSecured = srtp.callees === 'always' || (srtp.callees === 'as-caller' && this.#isCallerSecured())
    leg.secure(srtp, signallingTo(options.target), isSecured)
    const body = leg.offer(options.encodings, options.direction, options.video)
    const dialing = new Dialing({
      core: core(),
      clock,
      leg,
      ringTimeoutMs: options.timeoutMs,
      invite: {
        uri: options.target,
        body,
        represented: () => leg.represented,
        maxForwards: this.#hopsLeft,
        // Of somebody else than the caller, the caller's INVITE tells nothing.
        from: options.from ?? from,
        headers: [
          ...hopHeaders(this.#invite.request),
          ...(options.from === undefined ? headers : []),
          ...(options.headers ?? []),
        ],
        ...(sessionTimer !== undefined && { sessionTimer }),
        ...(credentials !== undefined && { credentials }),
      },
      events: {
        onProgress: (response, hasMedia) => options.onProgress?.(response, hasMedia),
        onUpdate: (incoming) => this.handlersOf(leg).onRequest?.(incoming),
        onAnswered: (dialog, response) => {
          leg.dialog = dialog
          leg.isRecordAware = saysRecordAware(response)
          leg.capabilities = capabilitiesOf(response.headers)
          dialog.handlers = this.handlersOf(leg)
          leg.lifecycle.enter('confirmed')
          settle({ isAnswered: true, response, sipCallId: dialog.callId })
        },
        onFailed: (status, response) => settle({ isAnswered: false, status, response }),
      },
    })
    return {
      leg,
      outcome,
      cancel: (headers) => {
        dialing.cancel(headers)
        settle({ isAnswered: false, status: 487, response: undefined })
      },
    }
  }
}
