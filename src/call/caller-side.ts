// The caller's INVITE: its first offer, our provisional responses, the 200 and its ACK, refusal.

import type { DialogHandlers, HeaderList, MessageOptions, ServerInvite, SipRequest } from '#sip'
import { saysRecordAware } from './awareness.ts'
import type { Bridge } from './bridge.ts'
import { capabilitiesOf } from './capabilities.ts'
import { hasVoice, PLAYED, playable, RELAYED } from './codecs.ts'
import type { Leg } from './leg.ts'
import { sdpBody, sdpOf } from './sdp-body.ts'

/** Why a caller is refused. */
export interface Refusal {
  readonly status: number
  readonly headers?: HeaderList
  readonly reason?: string
}

/** The caller before and at the answer; afterwards its leg says all. */
export class CallerSide {
  readonly leg: Leg
  readonly #invite: ServerInvite
  readonly #bridge: Bridge
  readonly #whenAcknowledged: Promise<boolean>
  #acknowledge: (isUsable: boolean) => void = () => {}
  /** Encodings of the first offer; undefined when the INVITE had none. */
  #offered: readonly string[] | undefined
  /** The answer went out in a reliable provisional response: it is given once, and only an UPDATE or re-INVITE may change it (RFC 3262 section 5). */
  #isAnswered = false

  constructor(leg: Leg, invite: ServerInvite, bridge: Bridge) {
    this.leg = leg
    leg.peerHost = invite.flow.remote.host
    leg.identify(invite.sessionIds)
    leg.isRecordAware = saysRecordAware(invite.request)
    leg.capabilities = capabilitiesOf(invite.request.headers)
    this.#invite = invite
    this.#bridge = bridge
    this.#whenAcknowledged = new Promise((resolve) => {
      this.#acknowledge = resolve
    })
  }

  /** What a callee may be offered: what this leg carries, or can still choose from. */
  get carries(): readonly string[] {
    return this.leg.lifecycle.state === 'confirmed' || this.#isAnswered
      ? this.leg.sdp.encodings
      : (this.#offered ?? RELAYED)
  }

  /** What to answer the caller with so that it can be played to; our own offer leaves it the choice. */
  get playable(): readonly string[] {
    return this.#offered === undefined ? PLAYED : playable(this.#offered)
  }

  /** Reads the offer of the INVITE. With `mustPlay` it has to hold an encoding that prompts exist in. */
  takeOffer(mustPlay: boolean): Refusal | undefined {
    const description = sdpOf(this.#invite.request)
    if (description === undefined) return undefined
    const offer = this.leg.sdp.takeOffer(description)
    if (!offer.ok) return { status: offer.error.status, headers: this.#bridge.warning(offer.error) }
    const supported = mustPlay ? PLAYED : RELAYED
    this.#offered = offer.value.encodings.filter((encoding) => supported.includes(encoding))
    if (!hasVoice(this.#offered)) return { status: 488, headers: this.#bridge.nothingShared() }
    this.leg.wish = offer.value.direction
    return undefined
  }

  /** Whether the offer, if there was one, has an encoding that others carry. */
  canCarry(encodings: readonly string[]): boolean {
    return this.#offered === undefined || hasVoice(this.#offered.filter((encoding) => encodings.includes(encoding)))
  }

  /** Sends a provisional response; with `encodings` early media is answered in it. */
  async progress(status: number, encodings: readonly string[] | undefined): Promise<void> {
    if (this.leg.lifecycle.state === 'confirmed' || this.leg.ended) return
    if (this.leg.lifecycle.state === 'setup') this.leg.lifecycle.enter('early')
    // An offerless INVITE cannot be offered anything in an unreliable response (RFC 3261 section 13.2.1).
    if (encodings === undefined || !hasVoice(encodings) || this.#offered === undefined) {
      this.#invite.progress(status)
      return
    }
    if (this.#isAnswered) {
      this.#invite.progress(status, { reliable: true })
      return
    }
    const body = sdpBody(this.leg.sdp.answer(encodings, this.#bridge.firstDirectionFor(this.leg)))
    const isSet = await this.leg.applyMedia()
    if (!isSet || this.leg.lifecycle.state !== 'early') return
    this.#isAnswered = this.#invite.progress(status, { body, reliable: true })
  }

  /** Sends the 200; false when the media could not be set or the leg ended meanwhile. */
  async accept(encodings: readonly string[], handlers: DialogHandlers): Promise<boolean> {
    const { leg } = this
    if (this.#isAnswered) {
      if (leg.ended) return false
      this.#confirm(handlers, {})
      this.#acknowledge(true)
      return true
    }
    const direction = this.#bridge.firstDirectionFor(leg)
    const isOffer = this.#offered === undefined
    const body = isOffer ? leg.offer(encodings, direction) : sdpBody(leg.sdp.answer(encodings, direction))
    if (!isOffer && !(await leg.applyMedia())) return false
    if (leg.ended) return false
    this.#confirm(handlers, { body })
    if (!isOffer) this.#acknowledge(true)
    return true
  }

  #confirm(handlers: DialogHandlers, options: MessageOptions): void {
    this.leg.lifecycle.enter('confirmed')
    this.leg.dialog = this.#invite.accept({ ...handlers, onAck: (ack) => this.#onAck(ack) }, options)
  }

  /** Resolves when media is agreed: at once after our answer, with the ACK after our offer. False: no usable answer came. */
  async agreed(): Promise<boolean> {
    return await this.#whenAcknowledged
  }

  /** Refuses a caller that was not answered, unless it is gone by itself; an answered one has been told by then. */
  end(isGone: boolean, headers: HeaderList, refusal: Refusal): void {
    this.#acknowledge(false)
    if (this.leg.ended) return
    this.leg.lifecycle.enter('ended')
    if (!isGone) refuse(this.#invite, { ...refusal, headers: [...(refusal.headers ?? []), ...headers] })
  }

  #onAck(ack: SipRequest): void {
    if (this.leg.ended || this.leg.sdp.state !== 'local-offer') return
    if (this.leg.takeAnswer(ack) !== true) this.#acknowledge(false)
    else void this.leg.applyMedia().then(this.#acknowledge)
  }
}

/** Sends a final refusal. */
export function refuse(invite: ServerInvite, refusal: Refusal): void {
  invite.reject(refusal.status, {
    ...(refusal.headers !== undefined && { headers: refusal.headers }),
    ...(refusal.reason !== undefined && { reason: refusal.reason }),
  })
}
