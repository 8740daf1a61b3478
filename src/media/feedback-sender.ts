// Tells a party what the receivers of its video ask for, in the numbers of its own stream (RFC 4585; RTP-18).

import type { Clock } from '#kernel'
import type { RtcpFeedback } from '#rtp'
import type { OutgoingStream } from './outgoing-stream.ts'
import type { RelayLeg } from './relay.ts'

/** Whole pictures are large: recorders may not ask for them more often than this. */
const KEY_FRAME_EVERY_MS = 500

/** Feedback to the party of one leg. */
export class FeedbackSender {
  readonly #leg: RelayLeg
  readonly #clock: Clock
  readonly #send: (feedback: RtcpFeedback) => void
  #askedAtMs = Number.NEGATIVE_INFINITY

  constructor(leg: RelayLeg, clock: Clock, send: (feedback: RtcpFeedback) => void) {
    this.#leg = leg
    this.#clock = clock
    this.#send = send
  }

  /** Passes on what another party says of `stream`, which carries this party's video to it. */
  forward(feedback: RtcpFeedback, stream: OutgoingStream): void {
    const { incoming, outgoing } = this.#leg
    const mediaSsrc = incoming.ssrc
    if (mediaSsrc === undefined) return
    const { ssrc } = outgoing
    if (feedback.type === 'full-intra') {
      const request = feedback.requests.find((one) => one.ssrc === stream.ssrc)
      if (request !== undefined) this.#send({ ...feedback, ssrc, requests: [{ ...request, ssrc: mediaSsrc }] })
      return
    }
    if (feedback.mediaSsrc !== stream.ssrc) return
    if (feedback.type === 'picture-loss') {
      this.#send({ type: 'picture-loss', ssrc, mediaSsrc })
      return
    }
    const lost = feedback.lost.flatMap(({ sequence, following }) => {
      const original = stream.originOf(sequence, incoming.sourceId)
      return original === undefined ? [] : [{ sequence: original, following }]
    })
    if (lost.length > 0) this.#send({ type: 'nack', ssrc, mediaSsrc, lost })
  }

  /** Asks for a whole picture on behalf of a recorder. */
  requestKeyFrame(): void {
    const mediaSsrc = this.#leg.incoming.ssrc
    const nowMs = this.#clock.nowMs()
    if (mediaSsrc === undefined || nowMs - this.#askedAtMs < KEY_FRAME_EVERY_MS) return
    this.#askedAtMs = nowMs
    this.#send({ type: 'picture-loss', ssrc: this.#leg.outgoing.ssrc, mediaSsrc })
  }
}
