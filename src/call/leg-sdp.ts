// The SDP side of one leg: one audio stream, one offer at a time (RFC 3264), our o= line and payload types kept stable.

import type { LegMedia, MediaLocal } from '#engine'
import { err, type Ids, invariant, ok, type Result } from '#kernel'
import type { SrtpSuite } from '#rtp'
import {
  codecsOf,
  cryptoAttribute,
  type Direction,
  isSecureProtocol,
  LocalDescription,
  type LocalMedia,
  negotiateCodecs,
  pairOfAnswer,
  parseSdp,
  reverseDirection,
  type SessionDescription,
} from '#sdp'
import { RELAYED } from './codecs.ts'
import { intersectDirections } from './direction.ts'
import {
  type Exchange,
  mediaAfter,
  NO_EXCHANGE,
  numbered,
  oncePerEncoding,
  partyOf,
  refusedSlot,
  withEventRange,
} from './leg-exchange.ts'
import { LegKeys, type LegSecurity } from './leg-keys.ts'
import { LegRecord } from './leg-record.ts'
import { type VideoDescription, VideoSdp } from './video-sdp.ts'

/** Why a description cannot be used: the SIP status for it and a Warning (RFC 3261 section 20.43). */
export interface SdpRefusal {
  readonly status: 400 | 488
  readonly warning: { readonly code: number; readonly text: string }
}

/** What the party's description says of its audio. */
export interface PartyAudio {
  /** Encodings that we support, in the party's order. */
  readonly encodings: readonly string[]
  readonly direction: Direction
}

/** `stable`, or which side's offer waits for its answer. */
export type OfferState = 'stable' | 'local-offer' | 'remote-offer'

/** Offer/answer of one leg. The engine's ports are put into every description. */
export class LegSdp {
  /** Video beside the audio. */
  readonly video = new VideoSdp()
  /** What is said of recording. */
  readonly record = new LegRecord()
  readonly #description: LocalDescription
  #local: MediaLocal
  /** The ports are others than the keys agreed were for. */
  #hasMoved = false
  readonly #keys: LegKeys
  #state: OfferState = 'stable'
  /** The exchange under way, or the last one. */
  #exchange: Exchange = NO_EXCHANGE
  /** The last exchange that came to an end: a refused offer changes nothing. */
  #settled: Exchange = NO_EXCHANGE
  #media: LegMedia = { codecs: [], send: false, receive: false }

  /** `sessionId` is decimal text for the o= line. */
  constructor(options: { readonly sessionId: string; readonly local: MediaLocal; readonly ids: Ids }) {
    this.#local = options.local
    this.#keys = new LegKeys(options.ids)
    this.#description = new LocalDescription({ sessionId: options.sessionId, address: options.local.host })
  }

  /** Our ports. */
  get local(): MediaLocal {
    return this.#local
  }

  /** Other ports of ours from the next description on, with a key of their own (RFC 4568 section 7.1.4). */
  moveTo(local: MediaLocal): void {
    this.#local = local
    this.#hasMoved = true
  }

  /** Says how the leg may be secured, before its first offer. */
  secure(security: LegSecurity): void {
    this.#keys.security = security
  }

  /** The suite in use, or agreed to be; undefined: plain RTP. */
  get suite(): SrtpSuite | undefined {
    return this.#exchange.keys?.ours.suite
  }

  get state(): OfferState {
    return this.#state
  }

  /** Encodings in use after the last exchange, best first. */
  get encodings(): readonly string[] {
    return this.#media.codecs.map((codec) => codec.encoding)
  }

  /** What the engine has to be told of this leg. */
  get media(): LegMedia {
    return this.#media
  }

  /** Reads an offer of the party; on success it must be answered or refused before anything else. */
  takeOffer(body: Uint8Array): Result<PartyAudio, SdpRefusal> {
    invariant(this.#state === 'stable', 'an offer is taken in the stable state')
    const parsed = parseSdp(body)
    if (!parsed.ok) return err(refusal(400, 399, 'Session description not understood'))
    const session = parsed.value
    const audioIndex = this.#audioIndexIn(session)
    const media = session.media[audioIndex]
    if (media === undefined) return err(refusal(488, 304, 'Media type not available'))
    const codecs = oncePerEncoding(negotiateCodecs(codecsOf(media), RELAYED))
    if (codecs.length === 0) return err(refusal(488, 305, 'Incompatible media format'))
    const party = partyOf(media, session, codecs)
    this.record.hear(media, session)
    const keys = this.#keys.answered(media, party.remote, this.#settled)
    this.#exchange = {
      ours: this.#settled.ours,
      party,
      slots: session.media.map(refusedSlot),
      audioIndex,
      cryptos: keys === undefined ? [] : [keys.ours],
      keys,
    }
    this.video.takeOffer(session, keys !== undefined)
    this.#state = 'remote-offer'
    return ok({ encodings: codecs.map((codec) => codec.encoding), direction: party.direction })
  }

  /** Answers the party's offer with those of its encodings that are in `encodings`. Also repeats an answer given in a 1xx. */
  answer(encodings: readonly string[], direction: Direction): Uint8Array {
    invariant(this.#state !== 'local-offer', 'an answer follows an offer')
    const { party } = this.#exchange
    const codecs = party.codecs.filter((codec) => encodings.includes(codec.encoding)).map(withEventRange)
    const allowed = intersectDirections(direction, reverseDirection(party.direction))
    this.video.answer(direction)
    this.#settle({ ...this.#exchange, ours: { codecs, direction: allowed } })
    return this.#describe()
  }

  /** Forgets an offer of the party that was refused; all stays as before it. */
  refuseOffer(): void {
    invariant(this.#state === 'remote-offer', 'an offer is refused after it was taken')
    this.#exchange = this.#settled
    this.video.restore()
    this.#state = 'stable'
  }

  /** Our offer of these encodings, best first; `video`: of another party, beside it. */
  offer(encodings: readonly string[], direction: Direction, video?: VideoDescription): Uint8Array {
    invariant(this.#state === 'stable', 'an offer is made in the stable state')
    const ours = { codecs: numbered(encodings, this.#settled), direction }
    const cryptos = this.#keys.offered(this.#settled, this.#hasMoved)
    this.#exchange = { ...this.#settled, ours, cryptos }
    this.video.offer(direction, cryptos.length > 0 ? undefined : video)
    this.#state = 'local-offer'
    return this.#describe()
  }

  /** Offers what holds, in the very words of our last description, so that nothing changes. */
  repeat(): Uint8Array {
    invariant(this.#state === 'stable', 'an offer is made in the stable state')
    this.#exchange = this.#settled
    this.video.restore()
    this.#state = 'local-offer'
    return this.#describe()
  }

  /** The direction of our last description. */
  get direction(): Direction {
    return this.#settled.ours.direction
  }

  /** Reads the party's answer to our offer; once more for the 2xx after a 1xx that had one. On failure the offer stays open. */
  takeAnswer(body: Uint8Array): Result<PartyAudio, SdpRefusal> {
    invariant(this.#state !== 'remote-offer', 'an answer follows our offer')
    const parsed = parseSdp(body)
    if (!parsed.ok) return err(refusal(400, 399, 'Session description not understood'))
    const media = parsed.value.media[this.#exchange.audioIndex]
    if (media === undefined || !this.#keys.isUsable(media)) return err(refusal(488, 304, 'Media type not available'))
    const keys = isSecureProtocol(media.protocol) ? pairOfAnswer(this.#exchange.cryptos, media) : ok(undefined)
    const isAsOffered = isSecureProtocol(media.protocol) === this.#exchange.cryptos.length > 0
    if (!keys.ok || !isAsOffered) return err(refusal(488, 399, 'SRTP keys not usable'))
    const offered = this.#exchange.ours.codecs.map((codec) => codec.encoding)
    const codecs = oncePerEncoding(negotiateCodecs(codecsOf(media), offered))
    if (codecs.length === 0) return err(refusal(488, 305, 'Incompatible media format'))
    const party = partyOf(media, parsed.value, codecs)
    this.record.hear(media, parsed.value)
    this.video.takeAnswer(parsed.value)
    this.#settle({ ...this.#exchange, party, keys: keys.value })
    return ok({ encodings: this.encodings, direction: party.direction })
  }

  /** Forgets our offer, which was refused. */
  abandonOffer(): void {
    if (this.#state !== 'local-offer') return
    this.record.settle(false)
    this.#exchange = this.#settled
    this.video.restore()
    this.#state = 'stable'
  }

  #settle(exchange: Exchange): void {
    this.#hasMoved = false
    this.record.settle(true)
    this.#exchange = exchange
    this.#settled = exchange
    this.video.settle()
    this.#state = 'stable'
    this.#media = mediaAfter(exchange)
  }

  // The stream in use stays where it is; at first any audio will do.
  #audioIndexIn(session: SessionDescription): number {
    const current = session.media[this.#settled.audioIndex]
    const isKnown = this.#settled.slots.length > 0 && current !== undefined && this.#keys.isUsable(current)
    return isKnown ? this.#settled.audioIndex : session.media.findIndex((media) => this.#keys.isUsable(media))
  }

  #describe(): Uint8Array {
    const { ours, slots, audioIndex, cryptos } = this.#exchange
    const audio: LocalMedia = {
      kind: 'audio',
      port: this.#local.rtpPort,
      rtcpPort: this.#local.rtcpPort,
      protocol: slots[audioIndex]?.protocol ?? (cryptos.length > 0 ? 'RTP/SAVP' : 'RTP/AVP'),
      codecs: ours.codecs,
      direction: ours.direction,
      extra: [...cryptos.map(cryptoAttribute), ...this.record.describe(this.#state === 'local-offer')],
    }
    const { line } = this.video
    const media = slots.length === 0 ? [audio] : slots.with(audioIndex, audio)
    return this.#description.describe(line === undefined ? media : media.toSpliced(line.index, 1, line.media))
  }
}

function refusal(status: 400 | 488, code: number, text: string): SdpRefusal {
  return { status, warning: { code, text } }
}
