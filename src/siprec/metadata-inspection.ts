// Everything that is wrong with one metadata document, with its place: XML, schema, values, references, labels, who sends what.

import type { RecordingMetadata } from './metadata.ts'
import { type Dialect, METADATA_NAMESPACES } from './metadata-dialect.ts'
import { parseMetadata, type ReadMetadata } from './metadata-reader.ts'
import { type MetadataProblemCode, metadataProblems } from './metadata-rules.ts'
import { type SchemaFaultCode, schemaFaults } from './metadata-schema.ts'
import { childElements, textOf, type XmlElement } from './xml-element.ts'
import { readXml, type TextPlace } from './xml-reader.ts'

/** Kinds of faults of a document. */
export type DocumentFaultCode =
  | SchemaFaultCode
  | MetadataProblemCode
  | 'not-well-formed'
  | 'unknown-root'
  | 'namespace'
  | 'no-participant'
  | 'participant-without-session'
  | 'participant-without-stream'
  | 'stream-without-sender'
  | 'stream-without-label'

/** One fault; the place is that in the document. */
export interface DocumentFault {
  readonly code: DocumentFaultCode
  readonly message: string
  readonly place?: TextPlace
}

/** A document and its faults. */
export interface DocumentInspection {
  readonly root: ReadMetadata['root']
  readonly dialect: Dialect
  readonly metadata?: RecordingMetadata
  readonly faults: readonly DocumentFault[]
}

/** What the schema says already. */
const COVERED: readonly MetadataProblemCode[] = [
  'id-form',
  'time-form',
  'no-address',
  'cause-range',
  'extension-namespace',
]

/** Inspects a document; `labels` are those of the SDP in the same message, where there is one. */
export function inspectMetadata(
  bytes: Uint8Array,
  options: { readonly contentType?: string; readonly labels?: readonly string[] } = {},
): DocumentInspection {
  const read = parseMetadata(bytes, options.contentType)
  const charset = /;\s*charset\s*=\s*"?([A-Za-z0-9._-]{1,40})/i.exec(options.contentType ?? '')?.[1]
  const { root, errors, places } = readXml(bytes, charset)
  const skipped = leadingLines(bytes)
  const shifted = (place: TextPlace | undefined): TextPlace | undefined =>
    place === undefined ? undefined : { ...place, line: place.line + skipped }
  const faults: DocumentFault[] = []
  const add = (code: DocumentFaultCode, message: string, place?: TextPlace): void => {
    const moved = shifted(place)
    faults.push({ code, message, ...(moved === undefined ? {} : { place: moved }) })
  }
  for (const error of errors) addXmlError(error, add)
  if (root === undefined) return { ...summary(read), faults }
  const { namespace, name } = root
  if (name !== 'recording' && name !== 'requestsnapshot') add('unknown-root', `the root is ${name}`, places.get(root))
  if (namespace !== METADATA_NAMESPACES[0]) {
    add('namespace', `namespace ${namespace.slice(0, 100) || 'none'}`, places.get(root))
  }
  for (const { code, message, element } of schemaFaults(root)) add(code, message, places.get(element))
  const { metadata } = read
  if (metadata === undefined) return { ...summary(read), faults }
  const holders = holdersOf(root)
  const placeOf = (subject: string): TextPlace | undefined => {
    const element = holders.get(subject.replace(/\s/g, ''))
    return element === undefined ? undefined : places.get(element)
  }
  for (const { code, message, subject } of metadataProblems(metadata, options.labels)) {
    if (!COVERED.includes(code)) add(code, message, placeOf(subject))
  }
  for (const { code, message, subject } of relationFaults(metadata)) add(code, message, placeOf(subject))
  return { ...summary(read), faults }
}

function summary({ root, dialect, metadata }: ReadMetadata): Omit<DocumentInspection, 'faults'> {
  return { root, dialect, ...(metadata === undefined ? {} : { metadata }) }
}

// The parser writes `line:column: text`.
function addXmlError(error: string, add: (code: DocumentFaultCode, message: string, place?: TextPlace) => void): void {
  const match = /^(\d{1,7}):(\d{1,7}): (.*)$/s.exec(error)
  if (match === null) add('not-well-formed', error)
  else add('not-well-formed', match[3]!, { line: Number(match[1]), column: Number(match[2]) })
}

interface RelationFault {
  readonly code: DocumentFaultCode
  readonly message: string
  readonly subject: string
}

/** What a complete document leaves untold: who is in the call, who sends what, which m-line a stream is. */
function relationFaults(metadata: RecordingMetadata): RelationFault[] {
  if (metadata.dataMode === 'partial') return []
  const { participants, sessions, streams, participantStreamAssocs: sending } = metadata
  const faults: RelationFault[] = []
  if (participants.length === 0 && sessions.length > 0)
    faults.push({ code: 'no-participant', message: 'a session without participants', subject: sessions[0]!.sessionId })
  const inSession = new Set(metadata.participantSessionAssocs.map((each) => each.participantId))
  const withStream = new Set(sending.map((each) => each.participantId))
  for (const { participantId: id } of participants) {
    const gone = metadata.participantSessionAssocs.some(
      (each) => each.participantId === id && each.disassociateTime !== undefined,
    )
    if (!inSession.has(id))
      faults.push({ code: 'participant-without-session', message: `participant ${id} is in no session`, subject: id })
    if (!withStream.has(id) && !gone)
      faults.push({ code: 'participant-without-stream', message: `participant ${id} has no stream`, subject: id })
  }
  const sent = new Set(sending.flatMap((each) => each.send))
  for (const { streamId: id, label } of streams) {
    if (!sent.has(id)) faults.push({ code: 'stream-without-sender', message: `nobody sends stream ${id}`, subject: id })
    if (label === undefined)
      faults.push({ code: 'stream-without-label', message: `stream ${id} has no label`, subject: id })
  }
  return faults
}

/** Each text that is an attribute or the content of an element, white space aside, with the last element that has it. */
function holdersOf(root: XmlElement): ReadonlyMap<string, XmlElement> {
  const holders = new Map<string, XmlElement>()
  const visit = (each: XmlElement): void => {
    const children = childElements(each)
    for (const { value } of each.attributes) holders.set(value.replace(/\s/g, ''), each)
    if (children.length === 0) holders.set(textOf(each).replace(/\s/g, ''), each)
    for (const child of children) visit(child)
  }
  visit(root)
  holders.delete('')
  return holders
}

// The reader drops blanks before the document.
function leadingLines(bytes: Uint8Array): number {
  const head = new TextDecoder('latin1').decode(bytes.subarray(0, 4096))
  const start = head.search(/\S/)
  return start < 0 ? 0 : head.slice(0, start).split('\n').length - 1
}
