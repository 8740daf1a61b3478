// What a SIP dialog with a recorder goes on with when another call is put into it (RFC 3264 section 8, RFC 7866 section 10).

import type { Ids } from '#kernel'
import { invariant } from '#kernel'
import { type Direction, LocalDescription } from '#sdp'
import type { MessageOptions } from '#sip'
import { METADATA_DISPOSITION, type RecordingMetadata } from '#siprec'
import type { AnsweredStream } from './answer.ts'
import { DialogLines } from './dialog-lines.ts'
import { DialogDocuments, inOneGroup, type OutgoingDocument, writtenDocument } from './document.ts'
import { type OfferedStream, PayloadTypes } from './offer.ts'
import type { MetadataStyle, RecorderProfile } from './recorder-profile.ts'
import { offerBody, offerHeaders } from './session-messages.ts'
import type { SessionOffers } from './session-offers.ts'

const noCall: RecordingMetadata = {
  dataMode: 'complete',
  groups: [],
  sessions: [],
  participants: [],
  streams: [],
  sessionRecordingAssocs: [],
  participantSessionAssocs: [],
  participantStreamAssocs: [],
  extensions: [],
}

/** The state of our descriptions and documents within one dialog. */
export class Continuity {
  readonly sdp: LocalDescription
  readonly payloadTypes = new PayloadTypes()
  readonly documents: DialogDocuments
  readonly lines = new DialogLines<SessionOffers>()
  /** The calls in it, in the order in which they came. */
  readonly members = new Set<SessionOffers>()
  /** How many calls may be in it at a time. */
  readonly maxCalls: number
  #isLegacyType: boolean
  readonly #style: MetadataStyle
  #groupId: string | undefined

  /** `address` is where the media comes from. */
  constructor(address: string | undefined, ids: Ids, { metadata: style, callsPerSession = 1 }: RecorderProfile) {
    invariant(address !== undefined, 'an offer has streams')
    this.sdp = new LocalDescription({ sessionId: `${ids.integer(2 ** 40)}`, address })
    this.#style = style
    this.maxCalls = callsPerSession
    this.#isLegacyType = style.mediaType === 'legacy'
    this.documents = new DialogDocuments(style, () => this.#isLegacyType)
  }

  /** Documents go out under the type of the drafts. */
  get isLegacyType(): boolean {
    return this.#isLegacyType
  }

  /** The recorder has said that it takes no other type (SRC-66). */
  useLegacyType(): void {
    this.#isLegacyType = true
  }

  /** Its m-lines, each with what we would send at this moment. */
  get streamsNow(): OfferedStream[] {
    const now = new Map<string, Direction>()
    for (const { streams, user } of this.members) {
      for (const { label } of streams) now.set(label, user.direction())
    }
    return this.lines.streams.map((stream) => ({ ...stream, direction: now.get(stream.label) ?? 'inactive' }))
  }

  /** Whether there are other calls in it. */
  hasOthers(member: SessionOffers): boolean {
    return [...this.members].some((other) => other !== member)
  }

  /** A call has left; what the recorder knows of it need not be untold. */
  leave(member: SessionOffers): void {
    if (!this.members.delete(member)) return
    this.lines.release(member)
    this.documents.forget()
  }

  /** Tells every call but one what was said of its streams. */
  deliver(answered: readonly AnsweredStream[], except?: SessionOffers): void {
    for (const member of this.members) {
      if (member !== except && !member.isJoining) member.user.onRecorderOffer(this.lines.of(member, answered))
    }
  }

  /** Everything about the calls in it, the end of one included. */
  metadata(member: SessionOffers, end: { readonly disassociatedAtMs?: number }): RecordingMetadata {
    const own = member.metadata(end)
    if (this.maxCalls === 1) return own
    const calls = [...this.members].flatMap((each) => (each === member ? own : each.isJoining ? [] : each.metadata({})))
    this.#groupId ??= own.groups[0]?.groupId ?? ''
    return inOneGroup(calls.includes(own) ? calls : [...calls, own], this.#groupId)
  }

  /** An offer without streams, and the document that says that there is no call. */
  withoutCall(ids: Ids): MessageOptions {
    return { headers: offerHeaders, body: offerBody(this.sdp.describe([]), this.#document(), ids) }
  }

  /** That document alone. */
  emptyDocument(): MessageOptions {
    const { type, content } = this.#document()
    return { headers: offerHeaders, body: { contentType: type, disposition: METADATA_DISPOSITION, content } }
  }

  #document(): OutgoingDocument {
    return writtenDocument(noCall, this.#style, this.#isLegacyType)
  }
}
