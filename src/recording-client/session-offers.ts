// What a recording session says in SDP and documents, and how it reads the answers (RFC 3264, RFC 7866 section 9.1).

import type { CallSnapshot } from '#call'
import { err, invariant, type Result } from '#kernel'
import { LocalDescription, type LocalMedia, type SdpCodec } from '#sdp'
import type { MessageOptions, SipBody, SipResponse } from '#sip'
import { documentFor } from './document.ts'
import { type AnsweredStream, offeredMedia, PayloadTypes, readAnswer, readFirstAnswer } from './offer.ts'
import type { SessionForks } from './session-forks.ts'
import type { OfferDirection } from './session-machine.ts'
import { offerBody, offerHeaders, sdpOf } from './session-messages.ts'
import type { RecordingSurroundings, SessionPlan } from './session-port.ts'

/** Offers of one recording session, made when its forks have their ports. */
export class SessionOffers {
  /** When the call was tied to the recording session. */
  readonly associatedAtMs: number
  readonly #plan: SessionPlan
  readonly #around: RecordingSurroundings
  readonly #forks: SessionForks
  readonly #sdp: LocalDescription
  readonly #payloadTypes = new PayloadTypes()
  #codecs: readonly SdpCodec[] = []

  constructor(plan: SessionPlan, around: RecordingSurroundings, forks: SessionForks) {
    const address = forks.streams[0]?.local.host
    invariant(address !== undefined, 'an offer has streams')
    this.associatedAtMs = around.clock.wallMs()
    this.#plan = plan
    this.#around = around
    this.#forks = forks
    this.#sdp = new LocalDescription({ sessionId: `${around.ids.integer(2 ** 40)}`, address })
  }

  /** Codecs of the latest offer. */
  get codecs(): readonly SdpCodec[] {
    return this.#codecs
  }

  /** Body of the INVITE. */
  first(direction: OfferDirection): SipBody {
    return this.#body(direction, this.#document())
  }

  /** A re-offer as of this moment. */
  next(direction: OfferDirection, withDocument: boolean): MessageOptions {
    return { headers: offerHeaders, body: this.#body(direction, withDocument ? this.#document() : undefined) }
  }

  /** The last re-offer, whose document unties the call from the session. */
  last(): MessageOptions {
    const document = this.#document({ disassociatedAtMs: this.#around.clock.wallMs() })
    return { headers: offerHeaders, body: this.#body('inactive', document) }
  }

  /** An answer of ours. */
  describe(media: readonly LocalMedia[]): Uint8Array {
    return this.#sdp.describe(media)
  }

  /** Reads the answer to the INVITE; the error says why it is of no use. */
  readFirst(response: SipResponse): Result<AnsweredStream[], string> {
    return this.#read(response, readFirstAnswer)
  }

  /** Reads the answer to a re-offer. */
  read(response: SipResponse): Result<AnsweredStream[], string> {
    return this.#read(response, readAnswer)
  }

  #read(response: SipResponse, read: typeof readAnswer): Result<AnsweredStream[], string> {
    const sdp = sdpOf(response)
    return sdp === undefined ? err('the answer has no SDP') : read(sdp, this.#forks.streams, this.#codecs)
  }

  #body(direction: OfferDirection, document: Uint8Array | undefined): SipBody {
    this.#codecs = this.#payloadTypes.codecsFor(encodingsOf(this.#plan.call.snapshot()))
    const offer = this.#sdp.describe(offeredMedia(this.#forks.streams, this.#codecs, direction))
    return offerBody(offer, document, this.#around.ids)
  }

  #document(end: { readonly disassociatedAtMs?: number } = {}): Uint8Array {
    const { jambonzWrapper } = this.#plan.profile.metadata
    return documentFor(this.#plan, { associatedAtMs: this.associatedAtMs, ...end, jambonzWrapper })
  }
}

/** Before the answer of a call nothing is agreed; the offer after it says what it will be. */
function encodingsOf({ encodings }: CallSnapshot): readonly string[] {
  return encodings.length > 0 ? encodings : ['PCMU/8000', 'PCMA/8000', 'TELEPHONE-EVENT/8000']
}
