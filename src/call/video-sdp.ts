// The m=video line of a leg beside its audio. Video is relayed unread, so codecs, parameters and numbers pass from party to party as written (RTP-18).

import type { LegMedia, MediaCodec, MediaLocal, MediaRemote } from '#engine'
import {
  codecsOf,
  type Direction,
  directionOf,
  type LocalMedia,
  receives,
  remoteOf,
  reverseDirection,
  type SdpAttribute,
  type SdpCodec,
  type SdpMedia,
  type SessionDescription,
  sends,
} from '#sdp'
import { intersectDirections, partyDirection } from './direction.ts'

const PLAIN_PROTOCOLS = ['RTP/AVP', 'RTP/AVPF']
/** They repair other streams, under SSRCs and numbers that a relay with a sequence of its own does not keep. */
const REPAIR = ['RTX/90000', 'RED/90000', 'ULPFEC/90000', 'FLEXFEC-03/90000']
/** What we bring to the source (RFC 4585 section 4.2, RFC 5104 section 7.1). */
const FEEDBACK = ['nack', 'nack pli', 'ccm fir']
/** In a first offer of ours it follows the audio. */
const OFFERED_INDEX = 1
const NO_MEDIA: LegMedia = { codecs: [], send: false, receive: false }

/** Video as a description has it. */
export interface VideoDescription {
  readonly protocol: string
  readonly codecs: readonly SdpCodec[]
  readonly feedback: readonly SdpAttribute[]
  readonly direction: Direction
}

interface Exchange {
  readonly index: number
  readonly party: (VideoDescription & { readonly remote: MediaRemote | undefined }) | undefined
  /** Absent: refused. */
  readonly ours: VideoDescription | undefined
}

/** Offer/answer of the video of one leg; its leg says when. */
export class VideoSdp {
  /** Our ports; without any it is refused. */
  local: MediaLocal | undefined
  #accepted: readonly SdpCodec[] = []
  /** The exchange under way, or the last one. */
  #exchange: Exchange | undefined
  #settled: Exchange | undefined

  /** What the party's last offer has. */
  get offered(): VideoDescription | undefined {
    return this.#exchange?.party
  }

  /** What of it may be answered: what the other party took. */
  accept(codecs: readonly SdpCodec[]): void {
    this.#accepted = codecs
  }

  /** What was agreed, in our numbers. */
  get codecs(): readonly SdpCodec[] {
    return this.local === undefined ? [] : pairsOf(this.#settled).map(([ours]) => ours)
  }

  /** What the engine has to be told. */
  get media(): LegMedia {
    const { party, ours } = this.#settled ?? {}
    if (party === undefined || ours === undefined) return NO_MEDIA
    const agreed = intersectDirections(ours.direction, reverseDirection(party.direction))
    return {
      ...(party.remote !== undefined && { remote: party.remote }),
      codecs: pairsOf(this.#settled).map(
        ([own, theirs]): MediaCodec => ({
          encoding: own.encoding,
          receivePayloadType: own.payloadType,
          sendPayloadType: theirs.payloadType,
        }),
      ),
      send: sends(agreed),
      receive: receives(agreed),
    }
  }

  /** Reads the party's offer; video beside secured audio is refused, since it would be plain. */
  takeOffer(session: SessionDescription, isAudioSecured: boolean): void {
    const index = isAudioSecured ? -1 : session.media.findIndex(isUsable)
    const media = session.media[index]
    this.#exchange = media === undefined ? undefined : { index, party: partyOf(media, session), ours: undefined }
  }

  /** Answers with what may be answered. */
  answer(direction: Direction): void {
    const { party } = this.#exchange ?? {}
    if (this.#exchange === undefined || party === undefined) return
    const codecs = party.codecs.filter(({ payloadType, encoding }) =>
      this.#accepted.some((one) => one.payloadType === payloadType && one.encoding === encoding),
    )
    const allowed = intersectDirections(direction, reverseDirection(party.direction))
    const ours = codecs.length === 0 ? undefined : narrowed({ ...party, codecs, direction: allowed })
    this.#exchange = { ...this.#exchange, ours }
  }

  /** Offers what was agreed, or, the first time, what another party offers. */
  offer(direction: Direction, video?: VideoDescription): void {
    if (video !== undefined) {
      const ours = { ...video, direction: intersectDirections(direction, video.direction) }
      this.#exchange = { index: OFFERED_INDEX, party: undefined, ours }
    } else if (this.#settled !== undefined) {
      const { ours } = this.#settled
      this.#exchange = { ...this.#settled, ours: ours === undefined ? undefined : { ...ours, direction } }
    }
  }

  /** Reads the party's answer to our offer. */
  takeAnswer(session: SessionDescription): void {
    if (this.#exchange?.ours === undefined) return
    const { index, ours } = this.#exchange
    const media = session.media[index]
    const party = media !== undefined && isUsable(media) ? partyOf(media, session) : undefined
    const answered = { index, party, ours }
    this.#exchange = pairsOf(answered).length > 0 ? answered : { index, party: undefined, ours: undefined }
  }

  /** The exchange has come to an end. */
  settle(): void {
    this.#settled = this.#exchange
  }

  /** The exchange has failed, or what holds is to be repeated. */
  restore(): void {
    this.#exchange = this.#settled
  }

  /** Our line and its place; undefined: refused. */
  get line(): { readonly index: number; readonly media: LocalMedia } | undefined {
    const { local } = this
    const { index, ours } = this.#exchange ?? {}
    if (local === undefined || index === undefined || ours === undefined) return undefined
    const { protocol, codecs, direction, feedback: extra } = ours
    return {
      index,
      media: { kind: 'video', port: local.rtpPort, rtcpPort: local.rtcpPort, protocol, codecs, direction, extra },
    }
  }
}

function isUsable(media: SdpMedia): boolean {
  const isPlain = PLAIN_PROTOCOLS.includes(media.protocol.toUpperCase())
  return media.kind === 'video' && media.port !== 0 && isPlain && relayed(media).length > 0
}

function relayed(media: SdpMedia): SdpCodec[] {
  return codecsOf(media).filter(({ encoding }) => encoding.endsWith('/90000') && !REPAIR.includes(encoding))
}

function partyOf(media: SdpMedia, session: SessionDescription): Exchange['party'] {
  const direction = partyDirection(media, session, directionOf(media, session))
  const { protocol, attributes } = media
  const feedback = attributes.filter(({ name }) => name === 'rtcp-fb')
  return { ...narrowed({ protocol, codecs: relayed(media), feedback, direction }), remote: remoteOf(media, session) }
}

/** Only the feedback that we bring on, of the codecs that are there. */
function narrowed({ protocol, codecs, feedback, direction }: VideoDescription): VideoDescription {
  const isKept = ({ value = '' }: SdpAttribute): boolean => {
    const at = value.indexOf(' ')
    const of = value.slice(0, at)
    return FEEDBACK.includes(value.slice(at + 1)) && (of === '*' || codecs.some((one) => `${one.payloadType}` === of))
  }
  return { protocol, codecs, feedback: feedback.filter(isKept), direction }
}

/** What both have: our number and theirs; of several of one encoding those with the same number belong together. */
function pairsOf(exchange: Exchange | undefined): (readonly [SdpCodec, SdpCodec])[] {
  const own = exchange?.ours?.codecs ?? []
  return (exchange?.party?.codecs ?? []).flatMap((theirs) => {
    const same = own.filter(({ encoding }) => encoding === theirs.encoding)
    const ours = same.find(({ payloadType }) => payloadType === theirs.payloadType) ?? same[0]
    return ours === undefined ? [] : [[ours, theirs] as const]
  })
}
