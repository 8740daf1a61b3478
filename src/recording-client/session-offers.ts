// What a recording session says in SDP and documents, and how it reads the answers (RFC 3264, RFC 7866 section 9.1).

import type { CallSnapshot } from '#call'
import { err, ok, type Result } from '#kernel'
import type { LocalMedia } from '#sdp'
import type { HeaderList, MessageOptions, SipBody, SipMessage } from '#sip'
import { METADATA_DISPOSITION, type RecordingMetadata } from '#siprec'
import { type AnsweredStream, readAnswer, readFirstAnswer } from './answer.ts'
import { texts } from './command.ts'
import type { Continuity } from './continuity.ts'
import { metadataOf, type OutgoingDocument } from './document.ts'
import { audioEncodings, type OfferedStream, telephoneEvent } from './offer.ts'
import type { MediaStyle } from './recorder-profile.ts'
import type { DialogUser } from './recording-dialog.ts'
import type { SessionForks } from './session-forks.ts'
import type { OfferDirection } from './session-machine.ts'
import { foreignHeaders, offerBody, offerHeaders, sdpOf } from './session-messages.ts'
import type { RecordingSurroundings, SessionPlan } from './session-port.ts'

/** Offers of one recording session, made when its forks have their ports. */
export class SessionOffers {
  /** When the call was tied to the recording session. */
  readonly associatedAtMs: number
  readonly #plan: SessionPlan
  readonly #around: RecordingSurroundings
  readonly #forks: SessionForks
  readonly continuity: Continuity
  readonly user: DialogUser
  /** It is being put into a dialog that is there already, and has not been accepted yet. */
  isJoining = false
  #offered: readonly Omit<OfferedStream, 'direction'>[] = []
  /** Those of the offer before. */
  #agreed: readonly Omit<OfferedStream, 'direction'>[] = []
  #direction: OfferDirection = 'inactive'
  #signalled: OfferDirection = 'inactive'

  /** `continuity`: of the dialog, which other calls may have had before, or have at the same time. */
  constructor(
    plan: SessionPlan,
    around: RecordingSurroundings,
    forks: SessionForks,
    continuity: Continuity,
    user: DialogUser,
  ) {
    this.associatedAtMs = plan.spooled?.fromMs ?? around.clock.wallMs()
    this.#plan = plan
    this.#around = around
    this.#forks = forks
    this.continuity = continuity
    this.user = user
    continuity.members.add(this)
  }

  /** The m-lines of the latest offer as they are by now, with the codecs they were offered with. */
  get streams(): readonly OfferedStream[] {
    const direction = this.#direction
    return this.#offered.map((stream) => {
      const isRemoved = stream.isRemoved || !this.#forks.has(stream.label)
      return { ...stream, direction, isRemoved }
    })
  }

  /** Everything about the call, with the streams that have been offered. */
  metadata(end: { readonly disassociatedAtMs?: number }): RecordingMetadata {
    const streams = this.#forks.slots.filter(({ label }) => this.#offered.some((stream) => stream.label === label))
    const { offered: now } = this.#forks
    return metadataOf({ plan: this.#plan, now, streams, associatedAtMs: this.associatedAtMs, ...end })
  }

  /** The recorder has taken the latest offer, or has not: then the one before holds. */
  settle(isTaken: boolean): void {
    if (isTaken) {
      this.#signalled = this.#direction
      this.#agreed = this.#offered
    } else {
      this.#direction = this.#signalled
      this.#offered = this.#agreed
    }
    if (isTaken) this.continuity.documents.acknowledge()
    else this.continuity.documents.forget()
  }

  /** Body of the INVITE. */
  first(direction: OfferDirection): SipBody {
    return offerBody(this.#offer(direction), this.#document(), this.#around.ids)
  }

  /** A re-offer as of this moment. */
  next(direction: OfferDirection, withDocument: boolean): MessageOptions {
    const isSignal = direction !== this.#signalled
    const offer = this.#offer(direction)
    const own = isSignal ? foreignHeaders(this.#plan.signal?.headers ?? []) : []
    return this.#message(offer, withDocument ? this.#document() : undefined, own)
  }

  /**
   * The changes alone, for an UPDATE without offer (SRC-23); undefined when the offer has changed too, or labels are named, or nothing
   * is to be told.
   */
  changes(direction: OfferDirection): MessageOptions | undefined {
    const before = this.continuity.sdp.current()
    if (this.#offer(direction) !== before) return undefined
    const document = this.#document()
    if (document === undefined || document.hasLabels) return undefined
    const body = { contentType: document.type, disposition: METADATA_DISPOSITION, content: document.content }
    return { headers: offerHeaders, body }
  }

  /** The last re-offer, whose document unties the call from the session. */
  last(): MessageOptions {
    return this.#message(this.#offer('inactive'), this.#lastDocument())
  }

  /** As `last`, but without streams, for a session that has other calls, or is to have. */
  lastOfCall(): MessageOptions {
    this.continuity.lines.release(this)
    return this.#message(this.continuity.sdp.describe(this.continuity.lines.media), this.#lastDocument())
  }

  /** An answer of ours. */
  describe(media: readonly LocalMedia[]): Uint8Array {
    return this.continuity.sdp.describe(media)
  }

  /** Reads the answer to the INVITE; the error says why it is of no use. */
  readFirst(response: SipMessage): Result<AnsweredStream[], string> {
    const answered = this.read(response)
    const read = answered.ok ? readFirstAnswer(answered.value) : answered
    const lacks = read.ok && read.value.find((stream) => stream.isGone === true)
    const isBroken = this.#plan.hasStandIn === true && !this.#plan.profile.media.mixFallback
    return lacks && isBroken ? err(`a broken answer: ${lacks.problem}`) : read
  }

  /** Reads the answer to a re-offer. */
  read(response: SipMessage): Result<AnsweredStream[], string> {
    const sdp = sdpOf(response)
    if (sdp === undefined) return err('the answer has no SDP')
    const { lines } = this.continuity
    const read = readAnswer(sdp, lines.streams)
    if (!read.ok) return read
    this.continuity.deliver(read.value, this)
    return ok(lines.of(this, read.value))
  }

  #document(end: { readonly disassociatedAtMs?: number } = {}): OutgoingDocument | undefined {
    return this.continuity.documents.next(this.continuity.metadata(this, end))
  }

  #lastDocument(): OutgoingDocument | undefined {
    return this.#document({ disassociatedAtMs: this.#plan.spooled?.toMs ?? this.#around.clock.wallMs() })
  }

  #message(offer: Uint8Array, document: OutgoingDocument | undefined, own: HeaderList = []): MessageOptions {
    return { headers: [...own, ...offerHeaders], body: offerBody(offer, document, this.#around.ids) }
  }

  #offer(direction: OfferDirection): Uint8Array {
    const { sdp, lines, members } = this.continuity
    // It has left meanwhile.
    if (!members.has(this)) return sdp.describe(lines.media)
    const snapshot = this.#plan.call.snapshot()
    const audio = audibleEncodings(this.#plan, this.#around, this.#forks.style)
    if (audio.length === 0) {
      this.#around.log.warn(texts.unreadable, { session: this.#plan.id, encodings: snapshot.encodings })
    }
    const codecs = {
      // A stream keeps its place while nothing of it can be sent.
      audio: this.continuity.payloadTypes.codecsFor(audio.length > 0 ? audio : silentEncodings),
      video: this.continuity.payloadTypes.codecsFor(snapshot.videoEncodings ?? []),
    }
    const { pace } = this.#plan
    const style = {
      ...(pace !== undefined && { pace }),
      ...(this.#plan.profile.media.rtcpMux && { isMuxing: true }),
    }
    this.#offered = this.#forks.slots.map((slot) => ({ ...slot, codecs: codecs[slot.kind], ...style }))
    this.#direction = direction
    lines.place(this)
    return sdp.describe(lines.media)
  }
}

const silentEncodings = ['PCMU/8000', 'PCMA/8000']

/** In what a call can be sent to a recorder now; none: nothing it speaks can be brought into what the recorder takes. */
export function audibleEncodings(
  { call, spooled }: SessionPlan,
  { transcodes }: Pick<RecordingSurroundings, 'transcodes'>,
  style: MediaStyle,
): readonly string[] {
  // What was spooled is delivered as it is.
  return audioEncodings(encodingsOf(call.snapshot()), style, spooled === undefined ? transcodes : [])
}

/** Before the answer of a call nothing is agreed; the offer after it says what it will be. */
function encodingsOf({ encodings }: CallSnapshot): readonly string[] {
  return encodings.length > 0 ? encodings : [...silentEncodings, telephoneEvent]
}
