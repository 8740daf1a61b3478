// The SDP side of one leg: one audio stream, one offer at a time (RFC 3264), our o= line and payload types kept stable.

import type { LegMedia, MediaCodec, MediaLocal, MediaRemote } from '#engine'
import { err, type Ids, invariant, ok, type Result, sameEndpoint } from '#kernel'
import type { SrtpSuite } from '#rtp'
import {
  answeredCrypto,
  type CryptoPair,
  codecsOf,
  cryptoAttribute,
  cryptosOf,
  type Direction,
  directionOf,
  isSecureProtocol,
  LocalDescription,
  type LocalMedia,
  negotiateCodecs,
  offeredCryptos,
  pairOfAnswer,
  parseSdp,
  type RecordPreference,
  type RecordState,
  receives,
  recordAttribute,
  recordPreferenceOf,
  recordStateOf,
  refusedMedia,
  remoteOf,
  reverseDirection,
  type SdpCodec,
  type SdpCrypto,
  type SdpMedia,
  type SessionDescription,
  sends,
} from '#sdp'
import { OFFERED_PAYLOAD_TYPES, RELAYED, TELEPHONE_EVENT } from './codecs.ts'
import { intersectDirections, partyDirection } from './direction.ts'
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

interface Description {
  readonly codecs: readonly SdpCodec[]
  readonly direction: Direction
}

interface Exchange {
  readonly ours: Description
  readonly party: Description & { readonly remote: MediaRemote | undefined }
  /** The m-lines in order, each refused; ours replaces the one at `audioIndex`. */
  readonly slots: readonly LocalMedia[]
  readonly audioIndex: number
  /** Our crypto lines; none: plain RTP. */
  readonly cryptos: readonly SdpCrypto[]
  /** The keys agreed. */
  readonly keys: CryptoPair | undefined
}

const NO_EXCHANGE: Exchange = {
  ours: { codecs: [], direction: 'sendrecv' },
  party: { codecs: [], direction: 'sendrecv', remote: undefined },
  slots: [],
  audioIndex: 0,
  cryptos: [],
  keys: undefined,
}

/** How a leg may be secured (RFC 4568). */
export interface LegSecurity {
  /** Suites that we answer and offer, best first; empty: plain RTP only. */
  readonly suites: readonly SrtpSuite[]
  /** Our first offer is SRTP. */
  readonly isOffered: boolean
}

const PLAIN_PROTOCOLS = ['RTP/AVP', 'RTP/AVPF']
const EVENT_RANGE = '0-15'
const FIRST_DYNAMIC_TYPE = 96

/** Offer/answer of one leg. The engine's ports are put into every description. */
export class LegSdp {
  /** Video beside the audio. */
  readonly video = new VideoSdp()
  readonly #description: LocalDescription
  #local: MediaLocal
  /** The ports are others than the keys agreed were for. */
  #hasMoved = false
  readonly #ids: Ids
  /** Until told, plain RTP only. */
  #security: LegSecurity = { suites: [], isOffered: false }
  #state: OfferState = 'stable'
  /** The exchange under way, or the last one. */
  #exchange: Exchange = NO_EXCHANGE
  /** The last exchange that came to an end: a refused offer changes nothing. */
  #settled: Exchange = NO_EXCHANGE
  #media: LegMedia = { codecs: [], send: false, receive: false }
  /** What the party is told of recording by every description from now on; undefined: nothing yet (AMB-10). */
  record: RecordState | undefined
  #toldRecord: RecordState | undefined
  #tellingRecord: RecordState | undefined
  #told: RecordState | undefined
  #preference: RecordPreference | undefined

  /** `sessionId` is decimal text for the o= line. */
  constructor(options: { readonly sessionId: string; readonly local: MediaLocal; readonly ids: Ids }) {
    this.#local = options.local
    this.#ids = options.ids
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
    this.#security = security
  }

  /** The suite in use, or agreed to be; undefined: plain RTP. */
  get suite(): SrtpSuite | undefined {
    return this.#exchange.keys?.ours.suite
  }

  get state(): OfferState {
    return this.#state
  }

  /** Whether the party has been told `record`, or is being told. */
  get isRecordTold(): boolean {
    return (this.#state === 'local-offer' ? this.#tellingRecord : this.#toldRecord) === this.record
  }

  /** What the party last told us of recording at its side; a description without the attribute changes nothing (UA-15). */
  get told(): RecordState | undefined {
    return this.#told
  }

  /** What the party's last description asked for. */
  get preference(): RecordPreference | undefined {
    return this.#preference
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
    this.#hear(media, session)
    const keys = isSecureProtocol(media.protocol) ? this.#answerKeys(media, party.remote) : undefined
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
    const ours = { codecs: this.#numbered(encodings), direction }
    const cryptos = this.#offeredCryptos()
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
    if (media === undefined || !this.#isUsable(media)) return err(refusal(488, 304, 'Media type not available'))
    const keys = isSecureProtocol(media.protocol) ? pairOfAnswer(this.#exchange.cryptos, media) : ok(undefined)
    const isAsOffered = isSecureProtocol(media.protocol) === this.#exchange.cryptos.length > 0
    if (!keys.ok || !isAsOffered) return err(refusal(488, 399, 'SRTP keys not usable'))
    const offered = this.#exchange.ours.codecs.map((codec) => codec.encoding)
    const codecs = oncePerEncoding(negotiateCodecs(codecsOf(media), offered))
    if (codecs.length === 0) return err(refusal(488, 305, 'Incompatible media format'))
    const party = partyOf(media, parsed.value, codecs)
    this.#hear(media, parsed.value)
    this.video.takeAnswer(parsed.value)
    this.#settle({ ...this.#exchange, party, keys: keys.value })
    return ok({ encodings: this.encodings, direction: party.direction })
  }

  /** Forgets our offer, which was refused. */
  abandonOffer(): void {
    if (this.#state !== 'local-offer') return
    this.#exchange = this.#settled
    this.video.restore()
    this.#state = 'stable'
  }

  #hear(media: SdpMedia, session: SessionDescription): void {
    this.#told = recordStateOf(media, session) ?? this.#told
    this.#preference = recordPreferenceOf(media, session)
  }

  #settle(exchange: Exchange): void {
    this.#hasMoved = false
    if (this.#state === 'local-offer') this.#toldRecord = this.#tellingRecord
    this.#exchange = exchange
    this.#settled = exchange
    this.video.settle()
    this.#state = 'stable'
    const ours = new Map(exchange.ours.codecs.map((codec) => [codec.encoding, codec.payloadType]))
    const codecs: MediaCodec[] = []
    for (const { encoding, payloadType } of exchange.party.codecs) {
      const receivePayloadType = ours.get(encoding)
      if (receivePayloadType !== undefined) codecs.push({ encoding, receivePayloadType, sendPayloadType: payloadType })
    }
    const agreed = intersectDirections(exchange.ours.direction, reverseDirection(exchange.party.direction))
    this.#media = {
      ...(exchange.party.remote !== undefined && { remote: exchange.party.remote }),
      codecs: [...codecs].sort((a, b) => Number(isEvent(a)) - Number(isEvent(b))),
      send: sends(agreed),
      receive: receives(agreed),
      ...(exchange.keys !== undefined && { srtp: { send: exchange.keys.ours, receive: exchange.keys.theirs } }),
    }
  }

  // The stream in use stays where it is; at first any audio will do.
  #audioIndexIn(session: SessionDescription): number {
    const current = session.media[this.#settled.audioIndex]
    const isKnown = this.#settled.slots.length > 0 && current !== undefined && this.#isUsable(current)
    return isKnown ? this.#settled.audioIndex : session.media.findIndex((media) => this.#isUsable(media))
  }

  // A secured stream without a key that we could answer is as good as none.
  #isUsable(media: SdpMedia): boolean {
    if (media.kind !== 'audio' || media.port === 0) return false
    if (!isSecureProtocol(media.protocol)) return PLAIN_PROTOCOLS.includes(media.protocol.toUpperCase())
    return cryptosOf(media).some(({ suite }) => this.#security.suites.includes(suite))
  }

  #answerKeys(media: SdpMedia, remote: MediaRemote | undefined): CryptoPair | undefined {
    const { keys: pair, party } = this.#settled
    const isMoved = remote !== undefined && party.remote !== undefined && !sameEndpoint(remote.rtp, party.remote.rtp)
    return answeredCrypto(cryptosOf(media), this.#security.suites, this.#ids, { pair, isMoved })
  }

  // What was agreed last goes on; the first offer is as the policy has it.
  #offeredCryptos(): SdpCrypto[] {
    const { keys, party } = this.#settled
    const isSecured = party.codecs.length > 0 ? keys !== undefined : this.#security.isOffered
    return isSecured ? offeredCryptos(this.#hasMoved ? undefined : keys, this.#security.suites, this.#ids) : []
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
      extra: [...cryptos.map(cryptoAttribute), ...(this.record !== undefined ? [recordAttribute(this.record)] : [])],
    }
    this.#tellingRecord = this.record
    if (this.#state !== 'local-offer') this.#toldRecord = this.record
    const { line } = this.video
    const media = slots.length === 0 ? [audio] : slots.with(audioIndex, audio)
    return this.#description.describe(line === undefined ? media : media.toSpliced(line.index, 1, line.media))
  }

  // A payload type once bound to a format stays so for the session (RFC 3264 section 8.3.2).
  #numbered(encodings: readonly string[]): SdpCodec[] {
    const known = new Map(this.#settled.party.codecs.map((codec) => [codec.encoding, codec.payloadType]))
    for (const codec of this.#settled.ours.codecs) known.set(codec.encoding, codec.payloadType)
    const taken = new Set(known.values())
    return encodings.map((encoding) => {
      let payloadType = known.get(encoding) ?? OFFERED_PAYLOAD_TYPES[encoding]
      invariant(payloadType !== undefined, `no payload type is known for ${encoding}`)
      if (!known.has(encoding) && taken.has(payloadType)) payloadType = firstFree(taken)
      taken.add(payloadType)
      return withEventRange({ payloadType, encoding })
    })
  }
}

// A party's labels mean nothing to us, and need not be legal ones.
function refusedSlot(media: SdpMedia): LocalMedia {
  const { label: _label, ...slot } = refusedMedia(media)
  return slot
}

function partyOf(media: SdpMedia, session: SessionDescription, codecs: readonly SdpCodec[]): Exchange['party'] {
  const direction = partyDirection(media, session, directionOf(media, session))
  return { codecs, remote: remoteOf(media, session), direction }
}

function oncePerEncoding(codecs: readonly SdpCodec[]): SdpCodec[] {
  return codecs.filter((codec, index) => codecs.findIndex((other) => other.encoding === codec.encoding) === index)
}

function withEventRange(codec: SdpCodec): SdpCodec {
  const { payloadType, encoding } = codec
  return encoding === TELEPHONE_EVENT ? { payloadType, encoding, fmtp: EVENT_RANGE } : { payloadType, encoding }
}

function isEvent(codec: MediaCodec): boolean {
  return codec.encoding === TELEPHONE_EVENT
}

function firstFree(taken: ReadonlySet<number>): number {
  let payloadType = FIRST_DYNAMIC_TYPE
  while (taken.has(payloadType)) payloadType++
  return payloadType
}

function refusal(status: 400 | 488, code: number, text: string): SdpRefusal {
  return { status, warning: { code, text } }
}
