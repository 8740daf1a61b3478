// Who speaks in which m-line, and who called: questions a recorder asks of documents in every dialect.

import {
  CALL_NAMESPACE,
  type MetadataParticipant,
  type ParticipantStreamAssoc,
  type RecordingMetadata,
} from './metadata.ts'
import { childElements, textOf, type XmlElement } from './xml-element.ts'

/** The participants that contribute to the media of one m-line. */
export interface LineSpeakers {
  readonly label: string
  readonly streamId?: string
  /** Leavers excluded, unless all have left. */
  readonly participantIds: readonly string[]
  /** Whether participants are tied to streams, and now none to this one (RFC 8068 section 3.2.2): they hold. */
  readonly isHeld: boolean
  /** Whether stream or participants were guessed from their order, for lack of labels or associations. */
  readonly isInferred: boolean
}

/** Speakers of each m-line, given the labels of the SDP in order ('' for a line without one). */
export function lineSpeakers(metadata: RecordingMetadata, labels: readonly string[]): LineSpeakers[] {
  const named = new Map(
    metadata.streams.flatMap((stream) => (stream.label === undefined ? [] : [[stream.label, stream]])),
  )
  const hasLabels = labels.some((label) => named.has(label))
  return labels.map((label, index) => {
    const stream = hasLabels ? named.get(label) : metadata.streams[index]
    if (stream === undefined) return { label, participantIds: [], isHeld: false, isInferred: false }
    const isOrdered = metadata.participantStreamAssocs.length === 0
    const participantIds = isOrdered ? inOrder(metadata, index, labels.length) : sendersOf(metadata, stream.streamId)
    const isHeld = !isOrdered && !metadata.participantStreamAssocs.some((each) => isSending(each, stream.streamId))
    return { label, streamId: stream.streamId, participantIds, isHeld, isInferred: isOrdered || !hasLabels }
  })
}

/** The participant that called, by what its own dialect says of it, else the first listed; undefined without participants. */
export function callingParticipant(metadata: RecordingMetadata): string | undefined {
  const { participants } = metadata
  const flagged = participants.find((participant) => participant.extensions.some(saysCaller))
  const address = callingAddress(metadata)
  const named = address && participants.find((participant) => hasAddress(participant, address))
  return (flagged ?? (named || participants[0]))?.participantId
}

function isSending(assoc: ParticipantStreamAssoc, streamId: string): boolean {
  return assoc.disassociateTime === undefined && assoc.send.includes(streamId)
}

function sendersOf(metadata: RecordingMetadata, streamId: string): string[] {
  const sending = metadata.participantStreamAssocs.filter((each) => each.send.includes(streamId))
  const present = sending.filter((each) => each.disassociateTime === undefined)
  return [...new Set((present.length > 0 ? present : sending).map((each) => each.participantId))]
}

// One line for several parties is a mixed stream; else the parties are taken in the order of the lines.
function inOrder(metadata: RecordingMetadata, index: number, lineCount: number): string[] {
  const ids = metadata.participants.map((participant) => participant.participantId)
  return lineCount === 1 ? ids : ids.slice(index, index + 1)
}

function saysCaller(extension: XmlElement): boolean {
  const text = textOf(extension).trim().toLowerCase()
  if (extension.name === 'role') return extension.namespace === CALL_NAMESPACE && text === 'caller'
  return extension.name === 'callingParty' && text === 'true'
}

// Elements of two vendors that hold the caller's address, wherever they stand.
function callingAddress(metadata: RecordingMetadata): string | undefined {
  const holders = [metadata, ...metadata.groups, ...metadata.sessions]
  for (const extension of holders.flatMap((holder) => holder.extensions)) {
    const found = descendant(extension, ['callingPartyNumber', 'fromhdr'])
    if (found !== undefined) return textOf(found)
  }
  return undefined
}

function descendant(element: XmlElement, names: readonly string[]): XmlElement | undefined {
  if (names.includes(element.name)) return element
  for (const child of childElements(element)) {
    const found = descendant(child, names)
    if (found !== undefined) return found
  }
  return undefined
}

function hasAddress(participant: MetadataParticipant, address: string): boolean {
  const wanted = userOf(address)
  return participant.nameIds.some(({ aor }) => {
    const user = userOf(aor)
    const [short, long] = user.length < wanted.length ? [user, wanted] : [wanted, user]
    // National and international spellings of a number share their last digits.
    return short !== '' && (short === long || (/^\d{6,}$/.test(short) && long.endsWith(short)))
  })
}

// User part of the first URI in a text, or of an address without scheme; leading + and 0 do not count.
function userOf(text: string): string {
  const scheme = /(?:sips?|tel):/i.exec(text)
  const rest = scheme === null ? text.trim() : text.slice(scheme.index + scheme[0].length)
  const end = rest.search(/[@;>]/)
  return (end < 0 ? rest : rest.slice(0, end)).replace(/^[+0]+/, '').toLowerCase()
}
