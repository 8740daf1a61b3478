// Requests of a recorder within a recording session: its offers decide what may flow, never more than we want to send.

import { directionOf, type LocalMedia, parseSdp, refusedMedia, type SdpCodec } from '#sdp'
import type { IncomingRequest } from '#sip'
import { type AnsweredStream, directionTowards, type OfferedStream, offeredMedia, readAnswer } from './offer.ts'
import type { OfferDirection } from './session-machine.ts'
import { reofferHeaders, sdpOf } from './session-messages.ts'

/** What is needed to answer a recorder. */
export interface RecorderRequestContext {
  readonly codecs: readonly SdpCodec[]
  readonly streams: readonly OfferedStream[]
  /** What we would send at this moment. */
  readonly ours: OfferDirection
  /** Whether an offer of ours is unanswered. */
  readonly isOffering: boolean
  readonly describe: (media: readonly LocalMedia[]) => Uint8Array | undefined
  readonly onStreams: (streams: readonly AnsweredStream[]) => void
}

const sdpType = 'application/sdp'

/** Answers re-INVITE, UPDATE and INFO; anything else is not for us. */
export function answerRecorder(incoming: IncomingRequest, context: RecorderRequestContext): void {
  const { method } = incoming.request
  if (method !== 'INVITE' && method !== 'UPDATE') {
    incoming.respond(method === 'INFO' || method === 'OPTIONS' ? 200 : 405, { headers: [['Allow', 'INVITE, ACK, BYE, CANCEL, UPDATE, INFO, OPTIONS']] })
    return
  }
  const offer = sdpOf(incoming.request)
  if (offer === undefined) {
    if (method === 'UPDATE') incoming.respond(200)
    else offerAgain(incoming, context)
    return
  }
  if (context.isOffering) {
    incoming.respond(491)
    return
  }
  answerOffer(incoming, offer, context)
}

/** An offerless re-INVITE asks for our offer; its ACK has the answer (RFC 3261 section 14.2). */
function offerAgain(incoming: IncomingRequest, context: RecorderRequestContext): void {
  const content = context.describe(offeredMedia(context.streams, context.codecs, context.ours))
  if (content === undefined) {
    incoming.respond(500)
    return
  }
  incoming.onAck = (ack) => {
    const sdp = sdpOf(ack)
    const answer = sdp === undefined ? undefined : readAnswer(sdp, context.streams, context.codecs)
    if (answer?.ok) context.onStreams(answer.value)
  }
  incoming.respond(200, { headers: reofferHeaders.slice(1), body: { contentType: sdpType, content } })
}

function answerOffer(incoming: IncomingRequest, offer: Uint8Array, context: RecorderRequestContext): void {
  const parsed = parseSdp(offer)
  const streams = readAnswer(offer, context.streams, context.codecs)
  if (!parsed.ok || !streams.ok) {
    incoming.respond(488)
    return
  }
  const media = parsed.value.media.map((theirs, index): LocalMedia => {
    const stream = context.streams[index]
    const accepted = streams.value[index]
    if (stream === undefined || accepted?.remote === undefined) return refusedMedia(theirs)
    const direction = directionTowards(directionOf(theirs, parsed.value), context.ours)
    return { ...offeredMedia([stream], context.codecs, direction)[0]!, direction }
  })
  const content = context.describe(media)
  if (content === undefined) {
    incoming.respond(500)
    return
  }
  if (incoming.respond(200, { body: { contentType: sdpType, content } })) context.onStreams(streams.value)
}
