// The documents of a recording session: built as of the moment, complete or only what changed, and what the recorder is known to have
// (RFC 7866 section 9.1, RFC 7865 section 5).

import { withoutPrivateIdentities } from '#call'
import {
  changesOf,
  isEmptyMetadata,
  LEGACY_METADATA_TYPE,
  METADATA_TYPE,
  type RecordingMetadata,
  writeDraftMetadata,
  writeMetadata,
} from '#siprec'
import { buildMetadata } from './metadata-builder.ts'
import { withOmissions } from './metadata-omissions.ts'
import type { MetadataStyle } from './recorder-profile.ts'
import type { SessionForks } from './session-forks.ts'
import type { SessionPlan } from './session-port.ts'

/** A document ready to be sent. */
export interface OutgoingDocument {
  readonly content: Uint8Array
  readonly type: string
  /** It names labels, which the SDP of the same message must have (SRC-37). */
  readonly hasLabels: boolean
}

/** A document as a recorder of this style reads it; `isLegacyType`: under the type of the drafts. */
export function writtenDocument(
  document: RecordingMetadata,
  { dialect }: MetadataStyle,
  isLegacyType: boolean,
): OutgoingDocument {
  return {
    content: dialect === 'smarttap' ? writeDraftMetadata(document) : writeMetadata(document),
    type: isLegacyType ? LEGACY_METADATA_TYPE : METADATA_TYPE,
    hasLabels: document.streams.length > 0,
  }
}

/** Documents of one recording session. */
export class SessionDocuments {
  readonly #plan: SessionPlan
  readonly #forks: SessionForks
  readonly #associatedAtMs: number
  readonly #isLegacyType: () => boolean
  /** What the recorder has acknowledged; undefined: nothing it may be counted upon to know. */
  #known: RecordingMetadata | undefined
  #sent: RecordingMetadata | undefined

  /** `associatedAtMs`: when the call was tied to the session. */
  constructor(plan: SessionPlan, forks: SessionForks, associatedAtMs: number, isLegacyType: () => boolean) {
    this.#plan = plan
    this.#forks = forks
    this.#associatedAtMs = associatedAtMs
    this.#isLegacyType = isLegacyType
  }

  /** The document of this moment; undefined when the recorder knows everything. `disassociatedAtMs` unties the call. */
  next(end: { readonly disassociatedAtMs?: number } = {}): OutgoingDocument | undefined {
    const { dialect, updates } = this.#plan.profile.metadata
    const whole = this.#build(end)
    this.#sent = whole
    const mayBePartial = updates === 'partial' && dialect === 'rfc7865' && this.#known !== undefined
    const document = (mayBePartial ? changesOf(this.#known!, whole) : undefined) ?? whole
    if (isEmptyMetadata(document)) return undefined
    return writtenDocument(document, this.#plan.profile.metadata, this.#isLegacyType())
  }

  /** The recorder has taken the request with the last document, if that had one. */
  acknowledge(): void {
    this.#known = this.#sent ?? this.#known
    this.#sent = undefined
  }

  /** The recorder may not know what it was sent, or says so: the next document is complete (SRC-53, SRC-57, SRC-58). */
  forget(): void {
    this.#known = undefined
    this.#sent = undefined
  }

  #build(end: { readonly disassociatedAtMs?: number }): RecordingMetadata {
    const { call, streams, recordingId, profile, spooled } = this.#plan
    const { jambonzWrapper, extensionNamespace, omit } = profile.metadata
    const known = call.snapshot()
    const snapshot = withOmissions(profile.trustedNetwork ? known : withoutPrivateIdentities(known), omit)
    const now = streams.now(snapshot, profile.media)
    return buildMetadata({
      snapshot,
      streams: this.#forks.slots.map(({ label, streamId, replayed }) => {
        const { senders = [], receivers = [] } = now.find((stream) => stream.label === label) ?? {}
        return { label, streamId, senders, receivers, ...(replayed && { replayed }) }
      }),
      recordingId,
      associatedAtMs: this.#associatedAtMs,
      ...end,
      jambonzWrapper,
      ...(spooled && { spooled }),
      ...(extensionNamespace === undefined ? {} : { extensionNamespace }),
    })
  }
}
