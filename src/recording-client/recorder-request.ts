// Requests of a recorder within a recording session: its offers decide what may flow, never more than we want to send.

import { err } from '#kernel'
import {
  codecsOf,
  directionOf,
  type LocalMedia,
  negotiateCodecs,
  parseSdp,
  pictureRequestAttributes,
  refusedMedia,
} from '#sdp'
import type { IncomingRequest, SipMessage } from '#sip'
import { isMetadata, parseBody, parseMetadata } from '#siprec'
import { type AnsweredStream, directionTowards, readAnswer } from './answer.ts'
import { hasRtcpMux, type OfferedStream, offeredMedia } from './offer.ts'
import { sdpOf } from './session-messages.ts'

/** What is needed to answer a recorder. */
export interface RecorderRequestContext {
  /** All m-lines, each with what we would send at this moment. */
  readonly streams: readonly OfferedStream[]
  readonly describe: (media: readonly LocalMedia[]) => Uint8Array
  readonly onStreams: (streams: readonly AnsweredStream[]) => void
  /** Nothing can be made of what the recorder said. */
  readonly onUnusable: (problem: string) => void
  /** The recorder asks for a complete document (RFC 7866 section 9.2). */
  readonly onSnapshotRequest: () => void
}

const sdpType = 'application/sdp'

/** Answers re-INVITE, UPDATE and INFO; anything else is not for us. Glare has been answered by the core. */
export function answerRecorder(incoming: IncomingRequest, context: RecorderRequestContext): void {
  const { request } = incoming
  const { method } = request
  if (method !== 'INVITE' && method !== 'UPDATE' && method !== 'INFO') {
    incoming.respond(405)
    return
  }
  const offer = method === 'INFO' ? undefined : sdpOf(request)
  if (offer !== undefined) answerOffer(incoming, offer, context)
  else if (method === 'INVITE') offerAgain(incoming, context)
  else incoming.respond(200)
  if (asksForSnapshot(request)) context.onSnapshotRequest()
}

/** An offerless re-INVITE asks for our offer; its ACK has the answer (RFC 3261 section 14.2). */
function offerAgain(incoming: IncomingRequest, context: RecorderRequestContext): void {
  incoming.onAck = (ack) => {
    const sdp = sdpOf(ack)
    const answer = sdp === undefined ? err('the ACK has no answer') : readAnswer(sdp, context.streams)
    if (answer.ok) context.onStreams(answer.value)
    else context.onUnusable(answer.error)
  }
  const content = context.describe(offeredMedia(context.streams))
  incoming.respond(200, { body: { contentType: sdpType, content } })
}

function answerOffer(incoming: IncomingRequest, offer: Uint8Array, context: RecorderRequestContext): void {
  const parsed = parseSdp(offer)
  const streams = readAnswer(offer, context.streams, 'offer')
  if (!parsed.ok || !streams.ok) {
    incoming.respond(488)
    if (!streams.ok) context.onUnusable(streams.error)
    return
  }
  const media = parsed.value.media.map((theirs, index): LocalMedia => {
    const stream = context.streams[index]
    if (stream === undefined) return refusedMedia(theirs)
    if (streams.value[index]?.isRefused !== false) return { ...refusedMedia(theirs), label: stream.label }
    const direction = directionTowards(directionOf(theirs, parsed.value), stream.direction)
    const encodings = stream.codecs.map((codec) => codec.encoding)
    const codecs = negotiateCodecs(codecsOf(theirs), encodings)
    const [slot] = offeredMedia([{ ...stream, codecs, direction }])
    // What the recorder may ask for is its own to offer here.
    const asked = pictureRequestAttributes(
      theirs,
      codecs.map(({ payloadType }) => payloadType),
    )
    const isAsked = (name: string): boolean => name !== 'rtcp-fb' && (name !== 'rtcp-mux' || hasRtcpMux(theirs))
    const extra = (slot?.extra ?? []).filter(({ name }) => isAsked(name))
    return { ...slot!, protocol: theirs.protocol, extra: [...extra, ...asked] }
  })
  const content = context.describe(media)
  if (incoming.respond(200, { body: { contentType: sdpType, content } })) context.onStreams(streams.value)
}

function asksForSnapshot({ headers, body }: SipMessage): boolean {
  if (body.length === 0) return false
  const { parts } = parseBody(headers.get('content-type'), headers.get('content-disposition'), body)
  return parts.filter(isMetadata).some((part) => parseMetadata(part.content).root === 'requestsnapshot')
}
