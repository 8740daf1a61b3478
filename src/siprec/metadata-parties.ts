// Who called: a question that a recorder asks of documents in every dialect.

import { CALL_NAMESPACE, type MetadataParticipant, type RecordingMetadata } from './metadata.ts'
import { childElements, textOf, type XmlElement } from './xml-element.ts'

/** The participant that called, by what its own dialect says of it, else the first listed; undefined without participants. */
export function callingParticipant(metadata: RecordingMetadata): string | undefined {
  const { participants } = metadata
  const flagged = participants.find((participant) => participant.extensions.some(saysCaller))
  const address = callingAddress(metadata)
  const named = address && participants.find((participant) => hasAddress(participant, address))
  return (flagged ?? (named || participants[0]))?.participantId
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
