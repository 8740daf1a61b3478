// What a recording session says in SDP and documents, and how it reads the answers (RFC 3264, RFC 7866 section 9.1).

import type { CallSnapshot } from '#call'
import { err, type Result } from '#kernel'
import type { LocalMedia } from '#sdp'
import type { MessageOptions, SipBody, SipMessage, SipResponse } from '#sip'
import { METADATA_DISPOSITION } from '#siprec'
import { type AnsweredStream, readAnswer, readFirstAnswer } from './answer.ts'
import { texts } from './command.ts'
import type { Continuity } from './continuity.ts'
import { type OutgoingDocument, SessionDocuments } from './document.ts'
import { audioEncodings, type OfferedStream, offeredMedia, telephoneEvent } from './offer.ts'
import type { SessionForks } from './session-forks.ts'
import type { OfferDirection } from './session-machine.ts'
import { offerBody, offerHeaders, sdpOf } from './session-messages.ts'
import type { RecordingSurroundings, SessionPlan } from './session-port.ts'

/** Offers of one recording session, made when its forks have their ports. */
export class SessionOffers {
  /** When the call was tied to the recording session. */
  readonly associatedAtMs: number
  readonly documents: SessionDocuments
  readonly #plan: SessionPlan
  readonly #around: RecordingSurroundings
  readonly #forks: SessionForks
  readonly continuity: Continuity
  #offered: readonly OfferedStream[] = []

  /** `continuity`: of the dialog, which other calls may have had before. */
  constructor(plan: SessionPlan, around: RecordingSurroundings, forks: SessionForks, continuity: Continuity) {
    this.associatedAtMs = plan.spooled?.fromMs ?? around.clock.wallMs()
    this.documents = new SessionDocuments(plan, forks, this.associatedAtMs, () => continuity.isLegacyType)
    this.#plan = plan
    this.#around = around
    this.#forks = forks
    this.continuity = continuity
  }

  /** The m-lines of the latest offer as they are by now, with the codecs they were offered with. */
  get streams(): readonly OfferedStream[] {
    const { slots } = this.#forks
    return this.#offered.map((stream, index) => ({ ...stream, isRemoved: slots[index]?.isRemoved ?? true }))
  }

  /** Body of the INVITE. */
  first(direction: OfferDirection): SipBody {
    return offerBody(this.#offer(direction), this.documents.next(), this.#around.ids)
  }

  /** A re-offer as of this moment. */
  next(direction: OfferDirection, withDocument: boolean): MessageOptions {
    const offer = this.#offer(direction)
    return this.#message(offer, withDocument ? this.documents.next() : undefined)
  }

  /**
   * The changes alone, for an UPDATE without offer (SRC-23); undefined when the offer has changed too, or labels are named, or nothing
   * is to be told.
   */
  changes(direction: OfferDirection): MessageOptions | undefined {
    const before = this.continuity.sdp.current()
    if (this.#offer(direction) !== before) return undefined
    const document = this.documents.next()
    if (document === undefined || document.hasLabels) return undefined
    const body = { contentType: document.type, disposition: METADATA_DISPOSITION, content: document.content }
    return { headers: offerHeaders, body }
  }

  /** The last re-offer, whose document unties the call from the session. */
  last(): MessageOptions {
    return this.#message(this.#offer('inactive'), this.#lastDocument())
  }

  /** As `last`, but without streams, for a session that another call is to be put into. */
  lastOfCall(): MessageOptions {
    return this.#message(this.continuity.sdp.describe([]), this.#lastDocument())
  }

  /** An answer of ours. */
  describe(media: readonly LocalMedia[]): Uint8Array {
    return this.continuity.sdp.describe(media)
  }

  /** Reads the answer to the INVITE; the error says why it is of no use. */
  readFirst(response: SipMessage): Result<AnsweredStream[], string> {
    const read = this.#read(response, readFirstAnswer)
    const lacks = read.ok && read.value.find((stream) => stream.isGone === true)
    return lacks && this.#plan.hasStandIn === true ? err(`a broken answer: ${lacks.problem}`) : read
  }

  /** Reads the answer to a re-offer. */
  read(response: SipResponse): Result<AnsweredStream[], string> {
    return this.#read(response, readAnswer)
  }

  #read(response: SipMessage, read: typeof readAnswer): Result<AnsweredStream[], string> {
    const sdp = sdpOf(response)
    return sdp === undefined ? err('the answer has no SDP') : read(sdp, this.streams)
  }

  #lastDocument(): OutgoingDocument | undefined {
    return this.documents.next({ disassociatedAtMs: this.#plan.spooled?.toMs ?? this.#around.clock.wallMs() })
  }

  #message(offer: Uint8Array, document: OutgoingDocument | undefined): MessageOptions {
    return { headers: offerHeaders, body: offerBody(offer, document, this.#around.ids) }
  }

  #offer(direction: OfferDirection): Uint8Array {
    const snapshot = this.#plan.call.snapshot()
    const audio = audibleEncodings(this.#plan, this.#around)
    if (audio.length === 0) {
      this.#around.log.warn(texts.unreadable, { session: this.#plan.id, encodings: snapshot.encodings })
    }
    const codecs = {
      // A stream keeps its place while nothing of it can be sent.
      audio: this.continuity.payloadTypes.codecsFor(audio.length > 0 ? audio : silentEncodings),
      video: this.continuity.payloadTypes.codecsFor(snapshot.videoEncodings ?? []),
    }
    this.#offered = this.#forks.slots.map((slot) => ({ ...slot, codecs: codecs[slot.kind] }))
    return this.continuity.sdp.describe(offeredMedia(this.#offered, direction, this.#plan.pace))
  }
}

const silentEncodings = ['PCMU/8000', 'PCMA/8000']

/** In what a call can be sent to a recorder now; none: nothing it speaks can be brought into what the recorder takes. */
export function audibleEncodings(
  { call, profile, spooled }: SessionPlan,
  { transcodes }: Pick<RecordingSurroundings, 'transcodes'>,
): readonly string[] {
  // What was spooled is delivered as it is.
  return audioEncodings(encodingsOf(call.snapshot()), profile.media, spooled === undefined ? transcodes : [])
}

/** Before the answer of a call nothing is agreed; the offer after it says what it will be. */
function encodingsOf({ encodings }: CallSnapshot): readonly string[] {
  return encodings.length > 0 ? encodings : [...silentEncodings, telephoneEvent]
}
