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
import type { StreamSlot } from './session-forks.ts'
import type { SessionPlan } from './session-port.ts'
import type { StreamNow } from './streams.ts'

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

/** Documents of one dialog, of all calls in it. */
export class DialogDocuments {
  readonly #style: MetadataStyle
  readonly #isLegacyType: () => boolean
  /** What the recorder has acknowledged; undefined: nothing it may be counted upon to know. */
  #known: RecordingMetadata | undefined
  #sent: RecordingMetadata | undefined

  constructor(style: MetadataStyle, isLegacyType: () => boolean) {
    this.#style = style
    this.#isLegacyType = isLegacyType
  }

  /** The document that tells all of this; undefined when the recorder knows everything. */
  next(whole: RecordingMetadata): OutgoingDocument | undefined {
    const { dialect, updates } = this.#style
    this.#sent = whole
    const mayBePartial = updates === 'partial' && dialect === 'rfc7865' && this.#known !== undefined
    const document = (mayBePartial ? changesOf(this.#known!, whole) : undefined) ?? whole
    if (isEmptyMetadata(document)) return undefined
    return writtenDocument(document, this.#style, this.#isLegacyType())
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
}

/** What is told of one call in a dialog. */
export interface ToldCall {
  readonly plan: SessionPlan
  /** What they carry. */
  readonly now: readonly StreamNow[]
  /** The streams that have been offered. */
  readonly streams: readonly StreamSlot[]
  /** When the call was tied to the session. */
  readonly associatedAtMs: number
  /** Unties the call. */
  readonly disassociatedAtMs?: number
}

/** Everything about one call. */
export function metadataOf({ plan, now, streams, ...times }: ToldCall): RecordingMetadata {
  const { call, recordingId, application, profile, spooled } = plan
  const { jambonzWrapper, extensionNamespace, omit } = profile.metadata
  const known = call.snapshot()
  const snapshot = withOmissions(profile.trustedNetwork ? known : withoutPrivateIdentities(known), omit)
  return buildMetadata({
    snapshot,
    streams: streams.map(({ label, streamId, replayed }) => {
      const { senders = [], receivers = [] } = now.find((stream) => stream.label === label) ?? {}
      return { label, streamId, senders, receivers, ...(replayed && { replayed }) }
    }),
    recordingId,
    ...(application && { application }),
    ...times,
    jambonzWrapper,
    ...(spooled && { spooled }),
    ...(extensionNamespace === undefined ? {} : { extensionNamespace }),
  })
}

/** Calls that are in one recording session, told in one document and in one group (RFC 7866 section 5.1, SRC-71). */
export function inOneGroup(calls: readonly RecordingMetadata[], groupId: string): RecordingMetadata {
  const groups = calls.flatMap((call) => call.groups)
  const associateTime = groups.flatMap((group) => group.associateTime ?? []).sort()[0]
  const participants = calls.flatMap((call) => call.participants)
  return {
    dataMode: 'complete',
    groups: [{ groupId, ...(associateTime !== undefined && { associateTime }), extensions: [] }],
    sessions: calls.flatMap((call) => call.sessions.map((session) => ({ ...session, groupRef: groupId }))),
    participants: [...new Map(participants.map((each) => [each.participantId, each])).values()],
    streams: calls.flatMap((call) => call.streams),
    sessionRecordingAssocs: calls.flatMap((call) => call.sessionRecordingAssocs),
    participantSessionAssocs: calls.flatMap((call) => call.participantSessionAssocs),
    participantStreamAssocs: calls.flatMap((call) => call.participantStreamAssocs),
    extensions: calls.flatMap((call) => call.extensions),
  }
}
