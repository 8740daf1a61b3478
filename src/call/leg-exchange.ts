// One offer/answer exchange of a leg as values: what both sides said of the audio, and what follows for the media (RFC 3264).

import type { LegMedia, MediaCodec, MediaRemote } from '#engine'
import { invariant } from '#kernel'
import {
  type CryptoPair,
  type Direction,
  directionOf,
  type LocalMedia,
  receives,
  refusedMedia,
  remoteOf,
  reverseDirection,
  type SdpCodec,
  type SdpCrypto,
  type SdpMedia,
  type SessionDescription,
  sends,
} from '#sdp'
import { OFFERED_PAYLOAD_TYPES, TELEPHONE_EVENT } from './codecs.ts'
import { intersectDirections, partyDirection } from './direction.ts'

interface Description {
  readonly codecs: readonly SdpCodec[]
  readonly direction: Direction
}

/** An exchange, under way or over. */
export interface Exchange {
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

/** Before the first one. */
export const NO_EXCHANGE: Exchange = {
  ours: { codecs: [], direction: 'sendrecv' },
  party: { codecs: [], direction: 'sendrecv', remote: undefined },
  slots: [],
  audioIndex: 0,
  cryptos: [],
  keys: undefined,
}

const EVENT_RANGE = '0-15'
const FIRST_DYNAMIC_TYPE = 96

/** What the party said of its audio; `codecs`: those of it that we support. */
export function partyOf(media: SdpMedia, session: SessionDescription, codecs: readonly SdpCodec[]): Exchange['party'] {
  const direction = partyDirection(media, session, directionOf(media, session))
  return { codecs, remote: remoteOf(media, session), direction }
}

/** An m-line of the party's, refused: its labels mean nothing to us, and need not be legal ones. */
export function refusedSlot(media: SdpMedia): LocalMedia {
  const { label: _label, ...slot } = refusedMedia(media)
  return slot
}

/** What the engine has to be told after an exchange. */
export function mediaAfter({ ours, party, keys }: Exchange): LegMedia {
  const numbers = new Map(ours.codecs.map((codec) => [codec.encoding, codec.payloadType]))
  const codecs: MediaCodec[] = []
  for (const { encoding, payloadType } of party.codecs) {
    const receivePayloadType = numbers.get(encoding)
    if (receivePayloadType !== undefined) codecs.push({ encoding, receivePayloadType, sendPayloadType: payloadType })
  }
  const agreed = intersectDirections(ours.direction, reverseDirection(party.direction))
  return {
    ...(party.remote !== undefined && { remote: party.remote }),
    codecs: [...codecs].sort((a, b) => Number(isEvent(a)) - Number(isEvent(b))),
    send: sends(agreed),
    receive: receives(agreed),
    ...(keys !== undefined && { srtp: { send: keys.ours, receive: keys.theirs } }),
  }
}

/** Codecs for an offer after `settled`: a payload type once bound to a format stays so for the session (RFC 3264 section 8.3.2). */
export function numbered(encodings: readonly string[], settled: Exchange): SdpCodec[] {
  const known = new Map(settled.party.codecs.map((codec) => [codec.encoding, codec.payloadType]))
  for (const codec of settled.ours.codecs) known.set(codec.encoding, codec.payloadType)
  const taken = new Set(known.values())
  return encodings.map((encoding) => {
    let payloadType = known.get(encoding) ?? OFFERED_PAYLOAD_TYPES[encoding]
    invariant(payloadType !== undefined, `no payload type is known for ${encoding}`)
    if (!known.has(encoding) && taken.has(payloadType)) payloadType = firstFree(taken)
    taken.add(payloadType)
    return withEventRange({ payloadType, encoding })
  })
}

/** The first of each encoding. */
export function oncePerEncoding(codecs: readonly SdpCodec[]): SdpCodec[] {
  return codecs.filter((codec, index) => codecs.findIndex((other) => other.encoding === codec.encoding) === index)
}

/** A codec as we write it. */
export function withEventRange({ payloadType, encoding }: SdpCodec): SdpCodec {
  return encoding === TELEPHONE_EVENT ? { payloadType, encoding, fmtp: EVENT_RANGE } : { payloadType, encoding }
}

function isEvent({ encoding }: MediaCodec): boolean {
  return encoding === TELEPHONE_EVENT
}

function firstFree(taken: ReadonlySet<number>): number {
  let payloadType = FIRST_DYNAMIC_TYPE
  while (taken.has(payloadType)) payloadType++
  return payloadType
}
