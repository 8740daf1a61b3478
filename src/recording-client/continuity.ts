// What a SIP dialog with a recorder goes on with when another call is put into it (RFC 3264 section 8, RFC 7866 section 10).

import type { Ids } from '#kernel'
import { invariant } from '#kernel'
import { LocalDescription } from '#sdp'
import type { MessageOptions } from '#sip'
import { METADATA_DISPOSITION, type RecordingMetadata } from '#siprec'
import { type OutgoingDocument, writtenDocument } from './document.ts'
import { PayloadTypes } from './offer.ts'
import type { MetadataStyle } from './recorder-profile.ts'
import { offerBody, offerHeaders } from './session-messages.ts'

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
  #isLegacyType: boolean
  readonly #style: MetadataStyle

  /** `address` is where the media comes from. */
  constructor(address: string | undefined, ids: Ids, style: MetadataStyle) {
    invariant(address !== undefined, 'an offer has streams')
    this.sdp = new LocalDescription({ sessionId: `${ids.integer(2 ** 40)}`, address })
    this.#style = style
    this.#isLegacyType = style.mediaType === 'legacy'
  }

  /** Documents go out under the type of the drafts. */
  get isLegacyType(): boolean {
    return this.#isLegacyType
  }

  /** The recorder has said that it takes no other type (SRC-66). */
  useLegacyType(): void {
    this.#isLegacyType = true
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
