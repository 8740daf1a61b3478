// The SDP of a recording session: our offers, and what a recorder's answer means for each stream (RFC 7866 sections 7.1, 8.3.1).

import type { ForkRemote, MediaCodec, MediaLocal } from '#engine'
import { err, ok, type Result } from '#kernel'
import { codecsOf, type Direction, directionOf, type LocalMedia, parseSdp, receives, remoteOf, type SdpCodec } from '#sdp'
import type { OfferDirection } from './session-machine.ts'

const staticPayloadTypes: Readonly<Record<string, number>> = { 'PCMU/8000': 0, 'PCMA/8000': 8, 'G722/8000': 9 }
const telephoneEvent = 'TELEPHONE-EVENT/8000'
const firstDynamicPayloadType = 96
const telephoneEventPayloadType = 101

/** One stream as offered: where its fork sends from, and its label. */
export interface OfferedStream {
  readonly label: string
  readonly local: MediaLocal
}

/** What the recorder accepted of one stream. */
export interface AnsweredStream {
  readonly label: string
  /** False: refused, or `inactive`: nothing may be sent until the recorder offers otherwise (SRC-38). */
  readonly mayFlow: boolean
  /** Absent when the stream was refused or has no address. */
  readonly remote?: ForkRemote
}

/** Payload types for the encodings of a call: only what we can really send (RFC 3264 section 5.1). */
export function offeredCodecs(encodings: readonly string[]): SdpCodec[] {
  let dynamic = firstDynamicPayloadType
  return encodings.map((encoding) => {
    if (encoding === telephoneEvent) return { payloadType: telephoneEventPayloadType, encoding, fmtp: '0-15' }
    const fixed = staticPayloadTypes[encoding]
    if (fixed !== undefined) return { payloadType: fixed, encoding }
    if (dynamic === telephoneEventPayloadType) dynamic += 1
    return { payloadType: dynamic++, encoding }
  })
}

/** The media slots of an offer, one m-line per stream. */
export function offeredMedia(
  streams: readonly OfferedStream[],
  codecs: readonly SdpCodec[],
  direction: Direction,
): LocalMedia[] {
  return streams.map((stream) => ({
    kind: 'audio',
    port: stream.local.rtpPort,
    rtcpPort: stream.local.rtcpPort,
    protocol: 'RTP/AVP',
    codecs,
    direction,
    label: stream.label,
  }))
}

/** Reads an answer by m-line position (AMB-14); an error means that it is no answer to our offer and the session must end. */
export function readAnswer(
  sdp: Uint8Array,
  streams: readonly OfferedStream[],
  codecs: readonly SdpCodec[],
): Result<AnsweredStream[], string> {
  const parsed = parseSdp(sdp)
  if (!parsed.ok) return err(`line ${parsed.error.line} of the answer: ${parsed.error.message}`)
  const answer = parsed.value
  if (answer.media.length < streams.length) {
    return err(`the answer has ${answer.media.length} m-lines, the offer ${streams.length}`)
  }
  return ok(
    streams.map(({ label }, index): AnsweredStream => {
      const media = answer.media[index]!
      const address = remoteOf(media, answer)
      const accepted = matchCodecs(codecs, codecsOf(media))
      if (address === undefined || accepted.length === 0) return { label, mayFlow: false }
      return { label, mayFlow: receives(directionOf(media, answer)), remote: { remote: address, codecs: accepted } }
    }),
  )
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
