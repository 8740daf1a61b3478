// Who speaks in which m-line: said by the metadata, inferred from its order, or unknown. Never a guess against the evidence.

import type { MetadataParticipant, MetadataStream, ParticipantStreamAssoc, RecordingMetadata } from './metadata.ts'

/**
 * How the speakers of a line are known. `stated`: labels and associations say so. `inferred`: from the order of elements, for
 * lack of either. `unknown`: nothing says who. `conflict`: what is said contradicts itself, so nobody is named.
 */
export type SpeakerEvidence = 'stated' | 'inferred' | 'unknown' | 'conflict'

/** The participants that contribute to the media of one m-line. */
export interface LineSpeakers {
  readonly label: string
  readonly streamId?: string
  /** Leavers excluded, unless all have left; empty unless `stated` or `inferred`. */
  readonly participantIds: readonly string[]
  readonly evidence: SpeakerEvidence
  /** Participants are tied to streams, and now none to this one: those who spoke there hold (RFC 8068 section 3.2.2). */
  readonly isHeld?: boolean
}

/** What else is known of the document. */
export interface SpeakerHints {
  /** Ids that were given to more than one element: nothing is believed of them. */
  readonly doubtfulIds?: ReadonlySet<string>
  /** Part of the document was lost, so that its order says nothing. */
  readonly isLossy?: boolean
  /** Media types of the lines; audio unless told. */
  readonly kinds?: readonly string[]
  /** The SDP has m-lines beside these, so that the order of streams is not that of the lines. */
  readonly hasOtherLines?: boolean
  /** Ids of the streams that somebody sent in an earlier document: who never did holds nothing. */
  readonly sentIds?: ReadonlySet<string>
}

interface Binding {
  readonly stream?: MetadataStream
  readonly evidence: SpeakerEvidence
}

const UNKNOWN: Binding = { evidence: 'unknown' }
const CONFLICT: Binding = { evidence: 'conflict' }
const NO_IDS: ReadonlySet<string> = new Set()

/** Speakers of each m-line, given the labels of the SDP in order ('' for a line without one). */
export function lineSpeakers(
  metadata: RecordingMetadata,
  labels: readonly string[],
  hints: SpeakerHints = {},
): LineSpeakers[] {
  const census = new Census(metadata, labels, hints)
  const lines = labels.map((label, index): LineSpeakers => {
    const { stream, evidence } = census.bind(label, index)
    const named = stream === undefined || stream.streamId === '' ? {} : { streamId: stream.streamId }
    if (stream === undefined) return { label, ...named, participantIds: [], evidence }
    const speakers = census.speakers(stream, index)
    const isInferred = evidence === 'inferred' && speakers.evidence === 'stated'
    const isHeld = census.isHeld(stream) && { isHeld: true }
    return { label, ...named, ...speakers, ...(isInferred && { evidence: 'inferred' }), ...isHeld }
  })
  return census.withoutUsurpers(lines)
}

/** The document seen from the lines. */
class Census {
  readonly #metadata: RecordingMetadata
  readonly #labels: readonly string[]
  readonly #hints: SpeakerHints
  readonly #byLabel = new Map<string, MetadataStream[]>()
  readonly #labelUses = new Map<string, number>()
  readonly #present: readonly MetadataParticipant[]
  readonly #known: ReadonlySet<string>
  readonly #gone: ReadonlySet<string>
  readonly #senders = new Map<string, ParticipantStreamAssoc[]>()

  constructor(metadata: RecordingMetadata, labels: readonly string[], hints: SpeakerHints) {
    this.#metadata = metadata
    this.#labels = labels
    this.#hints = hints
    for (const stream of metadata.streams) {
      if (stream.label !== undefined) listIn(this.#byLabel, stream.label).push(stream)
    }
    for (const label of labels) this.#labelUses.set(label, (this.#labelUses.get(label) ?? 0) + 1)
    for (const flow of metadata.participantStreamAssocs) {
      for (const id of new Set(flow.send)) listIn(this.#senders, id).push(flow)
    }
    this.#known = new Set(metadata.participants.map(({ participantId }) => participantId))
    this.#gone = goneOf(metadata)
    this.#present = metadata.participants.filter(({ participantId }) => !this.#gone.has(participantId))
  }

  /** The stream of a line: by its label; by order where one side has no labels at all, and as many as the other. */
  bind(label: string, index: number): Binding {
    const { streams } = this.#metadata
    if (label !== '' && this.#byLabel.size > 0) return this.#byLabelOf(label)
    const isUnlabelled = this.#byLabel.size === 0 || this.#labels.every((each) => each === '')
    const { isLossy = false, hasOtherLines = false } = this.#hints
    if (!isUnlabelled || isLossy || hasOtherLines || streams.length !== this.#labels.length) return UNKNOWN
    const stream = streams[index]
    return stream === undefined ? UNKNOWN : { stream, evidence: 'inferred' }
  }

  #byLabelOf(label: string): Binding {
    const streams = this.#byLabel.get(label)
    if (streams === undefined) return UNKNOWN
    const isOne = streams.every(({ streamId }) => streamId === streams[0]!.streamId)
    if (!isOne || this.#labelUses.get(label) !== 1) return CONFLICT
    return { stream: streams[0]!, evidence: 'stated' }
  }

  /** Who sends a stream. */
  speakers(stream: MetadataStream, index: number): Pick<LineSpeakers, 'participantIds' | 'evidence'> {
    const { participantStreamAssocs } = this.#metadata
    const { doubtfulIds = NO_IDS } = this.#hints
    if (doubtfulIds.has(stream.streamId)) return { participantIds: [], evidence: 'conflict' }
    if (participantStreamAssocs.length === 0) return this.#inOrder(stream, index)
    const sending = this.#senders.get(stream.streamId) ?? []
    const present = sending.filter((flow) => flow.disassociateTime === undefined && !this.#gone.has(flow.participantId))
    const ids = [...new Set((present.length > 0 ? present : sending).map(({ participantId }) => participantId))]
    if (ids.some((id) => doubtfulIds.has(id))) return { participantIds: [], evidence: 'conflict' }
    const participantIds = ids.filter((id) => this.#known.has(id))
    return { participantIds, evidence: participantIds.length > 0 ? 'stated' : 'unknown' }
  }

  /** Whether participants are tied to streams, and those who were to this one send it no more. */
  isHeld({ streamId }: MetadataStream): boolean {
    const sending = this.#senders.get(streamId)
    if (sending !== undefined) return sending.every((flow) => flow.disassociateTime !== undefined)
    const { sentIds = NO_IDS } = this.#hints
    return this.#metadata.participantStreamAssocs.length > 0 && sentIds.has(streamId)
  }

  // One line for several parties is a mixed stream; else there must be as many parties as lines, and both in one order.
  #inOrder(stream: MetadataStream, index: number): Pick<LineSpeakers, 'participantIds' | 'evidence'> {
    const { isLossy = false, doubtfulIds = NO_IDS } = this.#hints
    const ids = this.#present.map(({ participantId }) => participantId)
    const { streams } = this.#metadata
    const isMixed = this.#labels.length === 1 && streams.length === 1
    const isPaired = ids.length === this.#labels.length && streams.indexOf(stream) === index
    if (isLossy || ids.some((id) => doubtfulIds.has(id)) || !(isMixed || isPaired)) {
      return { participantIds: [], evidence: 'unknown' }
    }
    const participantIds = isMixed ? ids : ids.slice(index, index + 1)
    return { participantIds, evidence: participantIds.length > 0 ? 'inferred' : 'unknown' }
  }

  /** One party alone in two lines of a kind, while another is in none: one of the two is that other's, and nothing says which. */
  withoutUsurpers(lines: readonly LineSpeakers[]): LineSpeakers[] {
    const heard = new Set(lines.flatMap(({ participantIds }) => participantIds))
    const silent = this.#present.filter(({ participantId }) => !heard.has(participantId))
    if (silent.length === 0) return [...lines]
    const kindOf = (index: number): string => this.#hints.kinds?.[index] ?? 'audio'
    const held = new Map<string, number>()
    const keyOf = ({ participantIds }: LineSpeakers, index: number): string => `${kindOf(index)} ${participantIds[0]}`
    for (const [index, line] of lines.entries()) {
      if (line.participantIds.length !== 1) continue
      const key = keyOf(line, index)
      held.set(key, (held.get(key) ?? 0) + 1)
    }
    return lines.map((line, index) => {
      const isUsurped = line.participantIds.length === 1 && (held.get(keyOf(line, index)) ?? 0) > 1
      return isUsurped ? { ...line, participantIds: [], evidence: 'conflict' } : line
    })
  }
}

/** Participants whose last association with each of their sessions has ended. */
function goneOf(metadata: RecordingMetadata): Set<string> {
  const isHere = new Map<string, boolean>()
  for (const { participantId, disassociateTime } of metadata.participantSessionAssocs) {
    isHere.set(participantId, (isHere.get(participantId) ?? false) || disassociateTime === undefined)
  }
  return new Set([...isHere].flatMap(([id, here]) => (here ? [] : [id])))
}

function listIn<Item>(lists: Map<string, Item[]>, key: string): Item[] {
  const list = lists.get(key) ?? []
  lists.set(key, list)
  return list
}
