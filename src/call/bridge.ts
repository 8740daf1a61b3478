// Couples the sessions of a call's two legs: hold, resume and codec changes of one become offers to the other.

import type { Clock, Ids, Timer } from '#kernel'
import { type Direction, receives, reverseDirection } from '#sdp'
import type { HeaderList, IncomingRequest, SipRequest } from '#sip'
import { capabilitiesOf } from './capabilities.ts'
import { hasVoice, playable, TELEPHONE_EVENT, voiceOf } from './codecs.ts'
import { intersectDirections } from './direction.ts'
import type { Leg } from './leg.ts'
import type { SdpRefusal } from './leg-sdp.ts'
import { sdpBody, sdpOf } from './sdp-body.ts'

const MAX_GLARES = 5

/** What a bridge tells the call. */
export interface BridgeEvents {
  /** The party's hold, or the encodings of a leg, may have changed. */
  onChanged(leg: Leg): void
  /** An offer of the leg was read, and is not answered yet. */
  onOffer(leg: Leg): void
  /** A bug: the call cannot go on. */
  onFault(fault: unknown): void
}

/** The sessions of a call; alone, the caller talks to a flow. */
export class Bridge {
  readonly #events: BridgeEvents
  readonly #clock: Clock
  readonly #ids: Ids
  /** Legs that lost an offer to glare, how often in a row, and the wait until the next. */
  readonly #glares = new Map<Leg, { readonly times: number; wait: Timer | undefined }>()
  /** Host name for Warning headers. */
  readonly #agent: string
  /** The near side first: the caller, or who took its place. */
  #legs: readonly Leg[] = []

  constructor(options: {
    readonly agent: string
    readonly clock: Clock
    readonly ids: Ids
    readonly events: BridgeEvents
  }) {
    this.#agent = options.agent
    this.#clock = options.clock
    this.#ids = options.ids
    this.#events = options.events
  }

  /** The first leg seated: the caller's. */
  get near(): Leg | undefined {
    return this.#legs[0]
  }

  /** Couples a leg with those that are seated; until it is confirmed its session follows theirs, not theirs its own. */
  seat(leg: Leg): void {
    this.#legs = [...this.#legs, leg]
  }

  /** Gives the seat of a leg to another. */
  replace(old: Leg, by: Leg): void {
    const seats = this.#legs.map((leg) => (leg === old ? by : leg))
    this.unseat(old)
    this.#legs = seats
  }

  /** The legs that talk: those that are confirmed, the near side's first. */
  get talking(): readonly Leg[] {
    return this.#legs.filter(isConfirmed)
  }

  /** Whom a seated leg talks to, or is to talk to. */
  facing(leg: Leg): readonly Leg[] {
    return this.#legs.filter((one) => one !== leg)
  }

  isSeated(leg: Leg): boolean {
    return this.#legs.includes(leg)
  }

  /** Forgets a leg. */
  unseat(leg: Leg): void {
    this.#legs = this.#legs.filter((one) => one !== leg)
    this.#glares.get(leg)?.wait?.cancel()
    this.#glares.delete(leg)
  }

  /** Answers a re-INVITE or UPDATE of a leg. */
  async change(leg: Leg, incoming: IncomingRequest): Promise<void> {
    const { request } = incoming
    const offer = sdpOf(request)
    if (offer === undefined && request.method === 'UPDATE') {
      incoming.respond(200)
      return
    }
    if (leg.ended || leg.sdp.state !== 'stable') {
      incoming.respond(491)
      return
    }
    if (offer === undefined) this.#offerInResponse(leg, incoming)
    else await this.#answer(leg, incoming, offer)
  }

  /** Offers to each leg what the other side wants by now, if it was not told yet. */
  sync(): void {
    for (const leg of this.#legs) {
      if (!leg.isStable || this.#glares.get(leg)?.wait !== undefined) continue
      const wanted = this.#wantedFor(leg)
      const carried = this.#carriedFor(leg)
      const canSendMore = voiceOf(leg.sdp.encodings).some((one) => !carried.includes(one))
      const isTold = leg.told !== undefined && leftByHold(leg, leg.told) === wanted
      if (!hasVoice(carried) || (isTold && leg.sdp.record.isTold && !canSendMore)) continue
      if (leg.refused === refusalKey(leg, carried, wanted)) continue
      leg.told = wanted
      this.#reoffer(leg, carried, wanted).catch(this.#events.onFault)
    }
  }

  /** The other party's leg; a callee counts once it has answered. Among more than two there is none. */
  farOf(leg: Leg): Leg | undefined {
    const [far, ...more] = this.#legs.filter((one) => one !== leg && (one === this.near || isConfirmed(one)))
    return more.length === 0 ? far : undefined
  }

  /** Makes no more offers; returns the legs that were seated. */
  close(): readonly Leg[] {
    for (const { wait } of this.#glares.values()) wait?.cancel()
    this.#glares.clear()
    return this.#legs
  }

  /** Direction of our first offer or answer to a leg, which is to talk with `far`. */
  firstDirectionFor(leg: Leg, far = this.farOf(leg)): Direction {
    const wanted = leftByHold(leg, far?.wish ?? 'sendrecv')
    leg.told = wanted
    return wanted
  }

  /** The header that explains a refused description. */
  warning(refusal: SdpRefusal): HeaderList {
    return [['Warning', `${refusal.warning.code} ${this.#agent} "${refusal.warning.text}"`]]
  }

  /** The header for an offer of which nothing can be carried. */
  nothingShared(): HeaderList {
    return this.warning(NOTHING_SHARED)
  }

  #wantedFor(leg: Leg): Direction {
    return leftByHold(leg, this.farOf(leg)?.wish ?? 'sendrecv')
  }

  // What may be offered to a leg: the voice its far leg carries, and telephone events if the leg had them. While the far leg
  // is changing nothing new is known; of two legs that share nothing the callee's follows, lest they only change places.
  #carriedFor(leg: Leg): readonly string[] {
    const far = this.farOf(leg)
    const own = leg.sdp.encodings
    if (far?.isStable !== true) return own
    const voice = voiceOf(far.sdp.encodings)
    if (leg === this.near && !voice.some((encoding) => own.includes(encoding))) return own
    return [...voice, ...own.filter((encoding) => encoding === TELEPHONE_EVENT)]
  }

  async #reoffer(leg: Leg, encodings: readonly string[], direction: Direction): Promise<void> {
    const outcome = await leg.reoffer(encodings, direction)
    if (leg.ended) return
    if (outcome === 'glare' && this.#awaitRetry(leg)) return
    this.#glares.delete(leg)
    leg.refused = outcome === 'agreed' ? undefined : refusalKey(leg, encodings, direction)
    leg.hasRefusedRecord = outcome !== 'agreed' && !leg.sdp.record.isTold
    this.#events.onChanged(leg)
    this.sync()
  }

  // RFC 3261 section 14.1; what is offered then is decided then, and may be nothing.
  #awaitRetry(leg: Leg): boolean {
    const times = (this.#glares.get(leg)?.times ?? 0) + 1
    if (times > MAX_GLARES) return false
    leg.told = undefined
    const waitMs = leg.isOutgoing ? 2100 + 10 * this.#ids.integer(191) : 10 * this.#ids.integer(201)
    const glare = { times, wait: undefined as Timer | undefined }
    glare.wait = this.#clock.after(waitMs, 'call glare', () => {
      glare.wait = undefined
      this.sync()
    })
    this.#glares.set(leg, glare)
    return true
  }

  async #answer(leg: Leg, incoming: IncomingRequest, description: Uint8Array): Promise<void> {
    let isCancelled = false
    incoming.onCancel = () => {
      isCancelled = true
    }
    const offer = leg.sdp.takeOffer(description)
    if (!offer.ok) {
      incoming.respond(offer.error.status, { headers: this.warning(offer.error) })
      return
    }
    const encodings = await this.#encodingsFor(leg, offer.value.encodings)
    if (leg.ended) return
    if (isCancelled || !hasVoice(encodings)) {
      leg.sdp.refuseOffer()
      incoming.respond(488, { headers: this.nothingShared() })
      this.sync()
      return
    }
    leg.wish = offer.value.direction
    leg.refused = undefined
    leg.hasRefusedRecord = false
    leg.capabilities = capabilitiesOf(incoming.request.headers)
    this.#events.onOffer(leg)
    leg.told = this.#wantedFor(leg)
    const body = sdpBody(leg.sdp.answer(encodings, this.farOf(leg)?.wish ?? 'sendrecv'))
    const isApplied = await leg.applyMedia()
    if (leg.ended) return
    incoming.respond(isApplied ? 200 : 500, isApplied ? { body } : {})
    this.#events.onChanged(leg)
    this.sync()
  }

  // Nothing is transcoded: if the far leg carries none of what is offered now, it is asked to change first.
  async #encodingsFor(leg: Leg, offered: readonly string[]): Promise<readonly string[]> {
    const far = this.farOf(leg)
    if (far === undefined) return playable(stayingFirst(offered, leg.sdp.encodings))
    const known = [...far.sdp.encodings, ...leg.sdp.encodings.filter((encoding) => encoding === TELEPHONE_EVENT)]
    const kept = offered.filter((encoding) => known.includes(encoding))
    if (hasVoice(kept)) return kept
    if ((await far.reoffer(offered, this.#wantedFor(far))) !== 'agreed') return []
    this.#events.onChanged(far)
    return offered.filter((encoding) => far.sdp.encodings.includes(encoding))
  }

  // An offerless re-INVITE asks for our offer; the answer is in the ACK (RFC 3261 section 14.2).
  #offerInResponse(leg: Leg, incoming: IncomingRequest): void {
    const far = this.farOf(leg)
    const direction = far?.wish ?? 'sendrecv'
    const body = leg.offer(far?.sdp.encodings ?? leg.sdp.encodings, direction)
    leg.told = direction
    incoming.onAck = (ack) => void this.#answerInAck(leg, ack).catch(this.#events.onFault)
    incoming.onCancel = () => leg.sdp.abandonOffer()
    if (!incoming.respond(200, { body })) leg.sdp.abandonOffer()
  }

  async #answerInAck(leg: Leg, ack: SipRequest): Promise<void> {
    if (leg.ended || leg.sdp.state !== 'local-offer') return
    if (leg.takeAnswer(ack) === true) await leg.applyMedia()
    else leg.sdp.abandonOffer()
    if (leg.ended) return
    this.#events.onChanged(leg)
    this.sync()
  }
}

function isConfirmed(leg: Leg): boolean {
  return leg.lifecycle.state === 'confirmed'
}

// One offer that was refused is not made again until something else was agreed.
function refusalKey(leg: Leg, encodings: readonly string[], direction: Direction): string {
  return `${direction} ${encodings.join(' ')} ${leg.sdp.record.state ?? ''}`
}

const NOTHING_SHARED: SdpRefusal = { status: 488, warning: { code: 305, text: 'Incompatible media format' } }

// A party that holds is offered what its hold leaves, not asked to lift it.
function leftByHold(leg: Leg, direction: Direction): Direction {
  return receives(leg.wish) ? direction : intersectDirections(direction, reverseDirection(leg.wish))
}

// The encoding in use stays in use when it is offered again.
function stayingFirst(offered: readonly string[], current: readonly string[]): string[] {
  return [...current.filter((one) => offered.includes(one)), ...offered.filter((one) => !current.includes(one))]
}
