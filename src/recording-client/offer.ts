// The SDP of a recording session: our offers, and what a recorder's answer means for each stream (RFC 7866 sections 7.1, 8.3.1).

import type { ForkRemote, MediaCodec, MediaLocal } from '#engine'
import { err, ok, type Result } from '#kernel'
import {
  codecsOf,
  type Direction,
  directionOf,
  type LocalMedia,
  parseSdp,
  receives,
  remoteOf,
  type SdpCodec,
} from '#sdp'
import type { OfferDirection } from './session-machine.ts'
import type { StreamKeys } from './stream-keys.ts'

const staticPayloadTypes: Readonly<Record<string, number>> = {
  'PCMU/8000': 0,
  'PCMA/8000': 8,
  'G722/8000': 9,
  'G729/8000': 18,
}
const telephoneEvent = 'TELEPHONE-EVENT/8000'
const firstDynamicPayloadType = 96
const telephoneEventPayloadType = 101

/** One stream as offered: where its fork sends from, and its label. */
export interface OfferedStream {
  readonly label: string
  readonly local: MediaLocal
  /** Its fork is gone: the m-line stays, with port 0 (SRC-34). */
  readonly isRemoved: boolean
  readonly keys: StreamKeys
}

/** What the recorder accepted of one stream. */
export interface AnsweredStream {
  readonly label: string
  /** Port 0, no encoding of ours, or no keys that can be used. */
  readonly isRefused: boolean
  /** What is wrong with the keys. */
  readonly problem?: string
  /** False: refused, or `inactive`: nothing may be sent until the recorder offers otherwise (SRC-38). */
  readonly mayFlow: boolean
  /** Absent when the stream was refused or has no address. */
  readonly remote?: ForkRemote
}

/** The payload types of our offers within one recording session: a number never changes its meaning (SRC-45). */
export class PayloadTypes {
  readonly #dynamic = new Map<string, number>([[telephoneEvent, telephoneEventPayloadType]])
  #next = firstDynamicPayloadType

  /** Codecs for the encodings of a call: only what we can really send (RFC 3264 section 5.1). */
  codecsFor(encodings: readonly string[]): SdpCodec[] {
    return encodings.map((encoding) => ({
      payloadType: staticPayloadTypes[encoding] ?? this.#dynamicFor(encoding),
      encoding,
      ...(encoding === telephoneEvent ? { fmtp: '0-15' } : {}),
    }))
  }

  #dynamicFor(encoding: string): number {
    const known = this.#dynamic.get(encoding)
    if (known !== undefined) return known
    if (this.#next === telephoneEventPayloadType) this.#next += 1
    this.#dynamic.set(encoding, this.#next)
    return this.#next++
  }
}

/** The media slots of an offer, one m-line per stream. */
export function offeredMedia(
  streams: readonly OfferedStream[],
  codecs: readonly SdpCodec[],
  direction: Direction,
): LocalMedia[] {
  return streams.map((stream) => ({
    kind: 'audio',
    port: stream.isRemoved ? 0 : stream.local.rtpPort,
    rtcpPort: stream.local.rtcpPort,
    protocol: stream.keys.protocol,
    codecs,
    direction,
    label: stream.label,
    extra: stream.keys.attributes,
  }))
}

/**
 * Reads an answer, or an offer of the recorder as if it were one, by m-line position (AMB-14); an error means that it is none to what we
 * offer.
 */
export function readAnswer(
  sdp: Uint8Array,
  streams: readonly OfferedStream[],
  codecs: readonly SdpCodec[],
  role: 'answer' | 'offer' = 'answer',
): Result<AnsweredStream[], string> {
  const parsed = parseSdp(sdp)
  if (!parsed.ok) return err(`line ${parsed.error.line} of the answer: ${parsed.error.message}`)
  const answer = parsed.value
  if (answer.media.length < streams.length) {
    return err(`the answer has ${answer.media.length} m-lines, the offer ${streams.length}`)
  }
  return ok(
    streams.map(({ label, isRemoved, keys }, index): AnsweredStream => {
      const media = answer.media[index]!
      const accepted = matchCodecs(codecs, codecsOf(media))
      if (isRemoved || media.port === 0 || accepted.length === 0) return { label, isRefused: true, mayFlow: false }
      const address = remoteOf(media, answer)
      const agreed = role === 'offer' ? keys.takeOffer(media, address?.rtp) : keys.takeAnswer(media, address?.rtp)
      if (!agreed.ok) return { label, isRefused: true, problem: agreed.error, mayFlow: false }
      if (address === undefined) return { label, isRefused: false, mayFlow: false }
      const mayFlow = receives(directionOf(media, answer))
      const srtp = agreed.value === undefined ? {} : { srtp: agreed.value }
      return { label, isRefused: false, mayFlow, remote: { remote: address, codecs: accepted, ...srtp } }
    }),
  )
}

/** As `readAnswer`, for the answer to the INVITE: a recorder that refuses every stream records nothing. */
export function readFirstAnswer(...answer: Parameters<typeof readAnswer>): ReturnType<typeof readAnswer> {
  const read = readAnswer(...answer)
  if (!read.ok || read.value.some((stream) => !stream.isRefused)) return read
  const problem = read.value.find((stream) => stream.problem !== undefined)?.problem
  return err(problem ?? 'the recorder refused every stream')
}

/** Our encodings that the recorder takes, sent with its payload types (SRC-32). */
function matchCodecs(offered: readonly SdpCodec[], answered: readonly SdpCodec[]): MediaCodec[] {
  const matched: MediaCodec[] = []
  for (const ours of offered) {
    const theirs = answered.find((codec) => codec.encoding === ours.encoding)
    if (theirs === undefined) continue
    matched.push({
      encoding: ours.encoding,
      receivePayloadType: ours.payloadType,
      sendPayloadType: theirs.payloadType,
    })
  }
  return matched.some((codec) => codec.encoding !== telephoneEvent) ? matched : []
}

/** The direction that answers a recorder's offer, given what we would send (SRC-40, AMB-09). */
export function directionTowards(recorder: Direction, ours: OfferDirection): OfferDirection {
  return receives(recorder) && ours === 'sendonly' ? 'sendonly' : 'inactive'
}
