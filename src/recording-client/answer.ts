// What a recorder's answer or offer means for each stream: tolerant of slips, each of which is named (RFC 7866 section 8.3.1, RFC 3264).

import type { ForkRemote, MediaCodec } from '#engine'
import { err, ok, type Result } from '#kernel'
import {
  codecsOf,
  type Direction,
  directionOf,
  labelOf,
  parseSdp,
  receives,
  remoteOf,
  type SdpCodec,
  type SdpMedia,
  type SessionDescription,
} from '#sdp'
import { hasRtcpMux, type OfferedStream, telephoneEvent } from './offer.ts'
import type { OfferDirection } from './session-machine.ts'

/** What the recorder accepted of one stream. */
export interface AnsweredStream {
  readonly label: string
  /** Port 0, no encoding of ours, or no keys that can be used. */
  readonly isRefused: boolean
  /** It is not to be offered again: its m-line is missing, or the recorder took it away (SRC-42). */
  readonly isGone?: boolean
  /** We have taken it away ourselves. */
  readonly isWithdrawn?: boolean
  /** False: refused, or `inactive`: nothing may be sent until the recorder offers otherwise (SRC-38). */
  readonly mayFlow: boolean
  /** Absent when the stream was refused or has no address. */
  readonly remote?: ForkRemote
  /** What is wrong with what the recorder said. */
  readonly problem?: string
}

type SdpRole = 'answer' | 'offer'

const rtpProfiles: ReadonlySet<string> = new Set(['RTP/AVP', 'RTP/AVPF', 'RTP/SAVP', 'RTP/SAVPF'])

/**
 * Reads an answer, or an offer of the recorder as if it were one, by m-line position (AMB-14). An answer with fewer m-lines lacks
 * streams; an offer with fewer is none within this session. The error says why nothing can be made of it.
 */
export function readAnswer(
  sdp: Uint8Array,
  streams: readonly OfferedStream[],
  role: SdpRole = 'answer',
): Result<AnsweredStream[], string> {
  const parsed = parseSdp(sdp)
  if (!parsed.ok) return err(`line ${parsed.error.line} of the ${role}: ${parsed.error.message}`)
  const theirs = parsed.value
  if (role === 'offer' && theirs.media.length < streams.length) {
    return err(`the offer has ${theirs.media.length} m-lines, the session ${streams.length}`)
  }
  const found = mediaOf(streams, theirs)
  return ok(streams.map((stream, index) => readStream(stream, found[index] ?? {}, theirs, role)))
}

/** Of the first answer for a call: a recorder that refuses every stream records nothing. */
export function readFirstAnswer(answered: AnsweredStream[]): Result<AnsweredStream[], string> {
  if (answered.some((stream) => !stream.isRefused)) return ok(answered)
  const problem = answered.find((stream) => stream.problem !== undefined)?.problem
  return err(problem ?? 'the recorder refused every stream')
}

function readStream(
  stream: OfferedStream,
  { media, slip }: FoundMedia,
  theirs: SessionDescription,
  role: SdpRole,
): AnsweredStream {
  const { label, isRemoved, codecs, keys } = stream
  if (isRemoved) return { label, isRefused: true, isWithdrawn: true, mayFlow: false }
  const refused = { label, isRefused: true, mayFlow: false, ...(slip === undefined ? {} : { problem: slip }) }
  if (media === undefined) return { ...refused, isGone: true }
  if (media.port === 0) return { ...refused, isGone: role === 'offer' }
  if (!rtpProfiles.has(media.protocol.toUpperCase())) {
    return { ...refused, problem: `the ${role} has a profile that is none of RTP` }
  }
  const accepted = matchCodecs(codecs, codecsOf(media))
  if (accepted.length === 0) return refused
  const apart = remoteOf(media, theirs)
  const isMuxed = stream.isMuxing === true && hasRtcpMux(media)
  const address = isMuxed && apart !== undefined ? { ...apart, rtcp: apart.rtp } : apart
  const agreed = role === 'offer' ? keys.takeOffer(media, address?.rtp) : keys.takeAnswer(media, address?.rtp)
  if (!agreed.ok) return { ...refused, problem: agreed.error }
  const direction = directionOf(media, theirs)
  // A recorder that answers sendonly has copied the offer: it would hardly have taken a port to hear nothing.
  const isEcho = role === 'answer' && direction === 'sendonly'
  const problem = isEcho ? 'the answer to sendonly is sendonly' : slip
  const taken = { label, isRefused: false, ...(problem === undefined ? {} : { problem }) }
  if (address === undefined) return { ...taken, mayFlow: false }
  const srtp = agreed.value === undefined ? {} : { srtp: agreed.value }
  const mayFlow = receives(direction) || isEcho
  return { ...taken, mayFlow, remote: { remote: address, codecs: accepted, ...srtp } }
}

interface FoundMedia {
  readonly media?: SdpMedia
  readonly slip?: string
}

/** The m-line of each stream: by position, but by label where kinds show that the order was changed: no audio goes to a port for video. */
function mediaOf(streams: readonly OfferedStream[], { media }: SessionDescription): FoundMedia[] {
  const isReordered = streams.some(({ kind }, index) => (media[index]?.kind ?? kind) !== kind)
  return streams.map(({ label, kind }, index) => {
    const place = `m-line ${index + 1}`
    if (isReordered) {
      const moved = media.find((each) => each.kind === kind && labelOf(each) === label)
      return moved === undefined
        ? { slip: `${place} is of another kind` }
        : { media: moved, slip: `${place} stands elsewhere` }
    }
    const there = media[index]
    if (there === undefined) return { slip: `${place} is missing` }
    return (labelOf(there) ?? label) === label ? { media: there } : { media: there, slip: `${place} has another label` }
  })
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
export function directionTowards(recorder: Direction, ours: Direction): OfferDirection {
  return receives(recorder) && ours === 'sendonly' ? 'sendonly' : 'inactive'
}
