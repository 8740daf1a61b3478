// What implementations before and beside RFC 7865 call things; the reader follows these tables.

import type { XmlElement } from './xml-element.ts'

/** How a document is written: the RFC, its late drafts, the drafts with `id` and `session`, the first drafts, or none known. */
export type Dialect = 'rfc7865' | 'late-draft' | 'mid-draft' | 'early-draft' | 'unknown'

/** Namespaces whose elements are read as recording metadata. */
export const METADATA_NAMESPACES: readonly string[] = [
  'urn:ietf:params:xml:ns:recording:1',
  'urn:ietf:params:xml:ns:recording',
  'urn:ietf:params:xml:ns:siprec',
]

/** Elements with an id or references, and the attributes that hold them, best first. */
export const ID_ATTRIBUTES = {
  group: ['group_id', 'id'],
  session: ['session_id', 'id'],
  participant: ['participant_id', 'id'],
  stream: ['stream_id', 'id'],
  sessionRef: ['session_id', 'session'],
  participantRef: ['participant_id', 'participant'],
  groupRef: ['group'],
} as const

/** Children that the reader takes from each element, in lower case; drafts have more of them than the RFC. */
export const FIELDS = {
  group: ['associate-time', 'disassociate-time'],
  session: ['sipsessionid', 'reason', 'group-ref', 'start-time', 'stop-time', 'associate-time', 'disassociate-time'],
  participant: ['nameid', 'aor', 'name', 'send', 'recv', 'associate-time', 'disassociate-time'],
  nameID: ['name', 'aor'],
  stream: ['label', 'associate-time', 'disassociate-time', 'start-time', 'end-time'],
  sessionRecordingAssoc: ['associate-time', 'disassociate-time'],
  participantSessionAssoc: ['associate-time', 'disassociate-time', 'param'],
  participantStreamAssoc: ['send', 'recv', 'associate-time', 'disassociate-time'],
} as const

/** Children of the root in schema order. */
export const ROOT_ORDER: readonly string[] = [
  'datamode',
  'group',
  'session',
  'participant',
  'stream',
  'sessionrecordingassoc',
  'participantsessionassoc',
  'participantstreamassoc',
]

/** Dialect of a root element, by its name, namespace and the attributes of its children. */
export function dialectOf(root: XmlElement, children: readonly XmlElement[]): Dialect {
  if (root.name === 'recording_metadata') return 'early-draft'
  if (root.namespace === METADATA_NAMESPACES[0]) return 'rfc7865'
  if (root.namespace !== METADATA_NAMESPACES[1]) return 'unknown'
  const hasShortIds = children.some(
    (child) => child.name === 'participant' && child.attributes.some((attribute) => attribute.name === 'id'),
  )
  return hasShortIds ? 'mid-draft' : 'late-draft'
}
