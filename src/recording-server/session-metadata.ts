// The metadata of one recording session: documents in order, merged, and what the recording's facts take from them.

import {
  applyMetadata,
  callingParticipant,
  childElements,
  lineSpeakers,
  parseMetadata,
  type RecordingMetadata,
  textOf,
  validateMetadata,
  type XmlElement,
} from '#siprec'
import type { ParticipantFacts, RecordingFacts } from '#store'

/** Names, in any namespace, of the element that carries the call flow's Recording ID. */
const REFERENCE_NAMES = new Set(['recordingref', 'recordingid'])
const MAX_DEPTH = 4
const MAX_REFERENCE = 256

/** The part of the facts that metadata tells. */
export type MetadataPart = Pick<
  RecordingFacts,
  | 'participants'
  | 'callerId'
  | 'sessionIds'
  | 'groupIds'
  | 'recordingReference'
  | 'metadataInvalid'
  | 'speakers'
  | 'held'
  | 'speakersInferred'
>

/** Merged metadata of one recording session; nothing that arrives can make it throw. */
export class SessionMetadata {
  #state: RecordingMetadata | undefined
  #isInvalid = false
  #lacksBase = false

  /** Merged state; undefined before the first readable document. */
  get state(): RecordingMetadata | undefined {
    return this.#state
  }

  /** Whether partial documents came, and no complete one yet. */
  get lacksBase(): boolean {
    return this.#lacksBase
  }

  /** Applies a document (RFC 7866 section 9.2); returns what was wrong with it. */
  apply(content: Uint8Array, contentType: string, labels: readonly string[]): string[] {
    const read = parseMetadata(content, contentType)
    if (read.invalid) this.#isInvalid = true
    if (read.metadata === undefined) return [...read.warnings, `metadata root is ${read.root}`]
    const isPartial = read.metadata.dataMode === 'partial'
    this.#lacksBase = isPartial && (this.#lacksBase || this.#state === undefined)
    this.#state = applyMetadata(this.#state, read.metadata)
    return [
      ...read.warnings,
      ...(this.#lacksBase ? ['partial metadata without a complete document before it'] : []),
      ...validateMetadata(
        this.#state,
        labels.filter((label) => label !== ''),
      ),
    ]
  }

  /** The facts as of now, for the labels of the session's streams, '' where there is none. */
  facts(labels: readonly string[]): MetadataPart {
    const state = this.#state
    const reference = state && referenceOf([...state.extensions, ...state.sessions.flatMap((one) => one.extensions)], 0)
    const lines = state === undefined ? [] : lineSpeakers(state, labels)
    const callerId = state && callingParticipant(state)
    return {
      participants: state?.participants.map(participantOf) ?? [],
      ...(callerId !== undefined && { callerId }),
      sessionIds: state?.sessions.map(({ sessionId }) => sessionId) ?? [],
      groupIds: state?.groups.map(({ groupId }) => groupId) ?? [],
      ...(reference !== undefined && { recordingReference: reference }),
      metadataInvalid: this.#isInvalid,
      speakers: lines.map(({ participantIds }) => participantIds.map((id) => this.#nameOf(id))),
      held: lines.map(({ isHeld }) => isHeld),
      speakersInferred: lines.some(({ isInferred }) => isInferred),
    }
  }

  #nameOf(participantId: string): string {
    const participant = this.#state?.participants.find((one) => one.participantId === participantId)
    const { name, aor } = participant === undefined ? {} : participantOf(participant)
    return name ?? aor ?? participantId
  }
}

function participantOf(participant: RecordingMetadata['participants'][number]): ParticipantFacts {
  const { participantId, nameIds } = participant
  const first = nameIds[0]
  return {
    participantId,
    ...(first && { aor: first.aor }),
    ...(first?.name !== undefined && { name: first.name }),
  }
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
