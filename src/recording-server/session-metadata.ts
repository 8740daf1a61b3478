// The metadata of one recording session: documents in order, merged, and what the recording's facts take from them.

import {
  applyMetadata,
  callingParticipant,
  childElements,
  lineSpeakers,
  type MetadataParticipant,
  type NameId,
  parseMetadata,
  type RecordingMetadata,
  type SpeakerHints,
  textOf,
  validateMetadata,
  withoutIdConflicts,
  type XmlElement,
} from '#siprec'
import type { ParticipantFacts, RecordingFacts } from '#store'
import { customValues } from './custom-values.ts'

/** Names, in any namespace, of the element that carries the call flow's Recording ID. */
const REFERENCE_NAMES = new Set(['recordingref', 'recordingid'])
const MAX_DEPTH = 4
const MAX_REFERENCE = 256

/** What is known before the first document. */
const NOTHING: RecordingMetadata = {
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

/** The part of the facts that metadata tells. */
export type MetadataPart = Pick<
  RecordingFacts,
  | 'participants'
  | 'callerId'
  | 'sessionIds'
  | 'groupIds'
  | 'recordingReference'
  | 'custom'
  | 'metadataInvalid'
  | 'speakers'
  | 'held'
  | 'speakersInferred'
  | 'speakerEvidence'
>

/** What of the metadata survives the process. */
export interface KeptMetadata {
  readonly state?: RecordingMetadata
  readonly isInvalid: boolean
  readonly lacksBase: boolean
  /** Streams that somebody sent so far. */
  readonly sentIds?: readonly string[]
}

/** Merged metadata of one recording session; nothing that arrives can make it throw. */
export class SessionMetadata {
  #state: RecordingMetadata | undefined
  /** Before the document that told the end. */
  #stateInCall: RecordingMetadata | undefined
  #isInvalid = false
  #lacksBase = false
  /** Whether the last document, a partial one, names what nobody described. */
  #isDangling = false
  /** Ids that were given to several elements. */
  #doubtfulIds: ReadonlySet<string> = new Set()
  /** Of the streams in the state, those that somebody sent so far. */
  #sentIds: ReadonlySet<string> = new Set()

  /** What `resume` takes. */
  kept(): KeptMetadata {
    const [state, isInvalid, lacksBase] = [this.#state, this.#isInvalid, this.#lacksBase]
    return { ...(state && { state }), isInvalid, lacksBase, sentIds: [...this.#sentIds] }
  }

  /** Goes on with what the process before knew. */
  resume({ state, isInvalid, lacksBase, sentIds = [] }: KeptMetadata): void {
    this.#state = state
    this.#isInvalid = isInvalid
    this.#lacksBase = lacksBase
    this.#sentIds = new Set(sentIds)
  }

  /** Merged state; undefined before the first readable document. */
  get state(): RecordingMetadata | undefined {
    return this.#state
  }

  /** Whether all communication sessions are told to have stopped, or to be recorded no more (RFC 7865 section 6.3). */
  get isOver(): boolean {
    const { sessions, sessionRecordingAssocs: ties } = this.#state ?? NOTHING
    const isUntied = (sessionId: string): boolean => {
      const own = ties.filter((tie) => tie.sessionId === sessionId)
      return own.length > 0 && own.every(({ disassociateTime }) => disassociateTime !== undefined)
    }
    return (
      sessions.length > 0 && sessions.every(({ sessionId, stopTime }) => stopTime !== undefined || isUntied(sessionId))
    )
  }

  /** Whether a complete document is wanted: partial ones came without one before, or name what nobody described (SRS-44). */
  get lacksBase(): boolean {
    return this.#lacksBase || this.#isDangling
  }

  /** Applies a document (RFC 7866 section 9.2); returns what was wrong with it. */
  apply(content: Uint8Array, contentType: string, labels: readonly string[]): string[] {
    const read = parseMetadata(content, contentType)
    if (read.invalid) this.#isInvalid = true
    if (read.metadata === undefined) return [...read.warnings, `metadata root is ${read.root}`]
    const isPartial = read.metadata.dataMode === 'partial'
    this.#lacksBase = isPartial && (this.#lacksBase || this.#state === undefined)
    const { metadata, conflicts } = withoutIdConflicts(read.metadata, this.#state)
    const repeated = conflicts.map(({ id }) => id)
    this.#doubtfulIds = new Set(isPartial ? [...this.#doubtfulIds, ...repeated] : repeated)
    if (!this.isOver) this.#stateInCall = this.#state
    this.#state = applyMetadata(this.#state, metadata)
    const sentIds = new Set([...this.#sentIds, ...this.#state.participantStreamAssocs.flatMap(({ send }) => send)])
    this.#sentIds = new Set(this.#state.streams.map(({ streamId }) => streamId).filter((id) => sentIds.has(id)))
    this.#isDangling = isPartial && namesUnknown(metadata, this.#state)
    return [
      ...read.warnings,
      ...conflicts.map(({ id, kept, ignored }) => `id ${id} is that of a ${kept}: the ${ignored} with it is ignored`),
      ...(this.#lacksBase ? ['partial metadata without a complete document before it'] : []),
      ...validateMetadata(
        this.#state,
        labels.filter((label) => label !== ''),
      ),
    ]
  }

  /** The facts as of now, for the labels of the session's streams, '' where there is none, and what else the SDP says of them. */
  facts(labels: readonly string[], sdp: Pick<SpeakerHints, 'kinds' | 'hasOtherLines'> = {}): MetadataPart {
    const state = this.#state
    const extensions =
      state === undefined ? [] : [...state.extensions, ...state.sessions.flatMap((one) => one.extensions)]
    const reference = referenceOf(extensions, 0)
    const custom = customValues(extensions)
    const hints = { doubtfulIds: this.#doubtfulIds, isLossy: this.#isInvalid, sentIds: this.#sentIds, ...sdp }
    const lines = lineSpeakers(state ?? NOTHING, labels, hints)
    const callerId = state && callingParticipant(state)
    return {
      participants: state?.participants.map(participantOf) ?? [],
      ...(callerId !== undefined && { callerId }),
      sessionIds: state?.sessions.map(({ sessionId }) => sessionId) ?? [],
      groupIds: state?.groups.map(({ groupId }) => groupId) ?? [],
      ...(reference !== undefined && { recordingReference: reference }),
      ...(Object.keys(custom).length > 0 && { custom }),
      metadataInvalid: this.#isInvalid,
      speakers: lines.map(({ participantIds }) => participantIds.map((id) => this.#nameOf(id))),
      // Who leaves at the end does not hold; who held before it does.
      held: heldLines(this.isOver ? this.#stateInCall : state, labels, hints),
      speakersInferred: lines.some(({ evidence }) => evidence === 'inferred'),
      speakerEvidence: lines.map(({ evidence }) => evidence),
    }
  }

  #nameOf(participantId: string): string {
    const participant = this.#state?.participants.find((one) => one.participantId === participantId)
    const { name, aor } = participant === undefined ? {} : participantOf(participant)
    return name ?? aor ?? participantId
  }
}

function heldLines(state: RecordingMetadata | undefined, labels: readonly string[], hints: SpeakerHints): boolean[] {
  return lineSpeakers(state ?? NOTHING, labels, hints).map(({ isHeld = false }) => isHeld)
}

function participantOf({ participantId, nameIds }: MetadataParticipant): ParticipantFacts {
  const addresses = nameIds.map(addressOf)
  const aor = addresses[0]?.aor
  const name = addresses.find((each) => each.name !== undefined)?.name
  return { participantId, ...(aor !== undefined && { aor }), ...(name !== undefined && { name }) }
}

/** An address may be written as in a header, with a display name and brackets (L-15). */
function addressOf({ aor, name }: NameId): { readonly aor: string; readonly name?: string } {
  const match = /^\s*(?:"([^"]{0,200})"|([^<"]{0,200}?))\s*<([^<>]{1,300})>/.exec(aor)
  const shown = name ?? (match?.[1] || match?.[2])
  return { aor: match?.[3] ?? aor, ...(shown !== undefined && shown !== '' && { name: shown }) }
}

/** Whether associations of a document name participants, streams or sessions that the state does not have. */
function namesUnknown(document: RecordingMetadata, state: RecordingMetadata): boolean {
  const { participantSessionAssocs, participantStreamAssocs } = document
  const participants = new Set(state.participants.map(({ participantId }) => participantId))
  const sessions = new Set(state.sessions.map(({ sessionId }) => sessionId))
  const streams = new Set(state.streams.map(({ streamId }) => streamId))
  return (
    [...participantSessionAssocs, ...participantStreamAssocs].some((each) => !participants.has(each.participantId)) ||
    participantSessionAssocs.some((each) => !sessions.has(each.sessionId)) ||
    participantStreamAssocs.some((each) => [...each.send, ...each.recv].some((id) => !streams.has(id)))
  )
}

function referenceOf(elements: readonly XmlElement[], depth: number): string | undefined {
  if (depth > MAX_DEPTH) return undefined
  for (const element of elements) {
    const found = REFERENCE_NAMES.has(element.name.toLowerCase())
      ? textOf(element).trim().slice(0, MAX_REFERENCE)
      : referenceOf(childElements(element), depth + 1)
    if (found) return found
  }
  return undefined
}

/** Streams of audio are numbered before others, whichever the client named first. */
export function isMixed(kinds: readonly string[]): boolean {
  return kinds.some((kind) => kind !== 'audio')
}
