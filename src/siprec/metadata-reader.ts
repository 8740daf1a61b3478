// Reads metadata documents: RFC 7865 in any order and the drafts that are still in the field; never throws, keeps what it can.

import type {
  EndReason,
  MetadataParticipant,
  MetadataSession,
  NameId,
  ParticipantSessionAssoc,
  ParticipantStreamAssoc,
  RecordingMetadata,
} from './metadata.ts'
import { type Dialect, dialectOf, FIELDS, ID_ATTRIBUTES, ROOT_ORDER } from './metadata-dialect.ts'
import { compactId, Fields, isMetadataElement, Warnings } from './metadata-fields.ts'
import { attributeValue, childElements, textOf, type XmlElement } from './xml-element.ts'
import { readXml } from './xml-reader.ts'

/** What was found in a metadata body. */
export interface ReadMetadata {
  /** Absent if the root is not that of a recording document. */
  readonly metadata?: RecordingMetadata
  readonly root: 'recording' | 'requestsnapshot' | 'unknown'
  readonly dialect: Dialect
  /** Faults of the document, tolerated ones too. */
  readonly warnings: string[]
  /** Whether something was lost: broken XML, a limit, an unknown root. */
  readonly invalid: boolean
}

/** Reads a metadata body; a charset parameter in `contentType` beats the XML declaration. */
export function parseMetadata(bytes: Uint8Array, contentType?: string): ReadMetadata {
  const charset = /;\s*charset\s*=\s*"?([A-Za-z0-9._-]{1,40})/i.exec(contentType ?? '')?.[1]
  const { root, errors } = readXml(bytes, charset)
  const faults = { warnings: [...errors], invalid: errors.length > 0 }
  if (root?.name === 'requestsnapshot') return { root: 'requestsnapshot', dialect: 'rfc7865', ...faults }
  if (root === undefined || (root.name !== 'recording' && root.name !== 'recording_metadata')) {
    return { root: 'unknown', dialect: 'unknown', warnings: faults.warnings, invalid: true }
  }
  const children = childElements(root)
  const dialect = dialectOf(root, children)
  const warnings = new Warnings()
  for (const error of errors) warnings.add(error)
  if (dialect !== 'rfc7865') warnings.add(`namespace ${root.namespace.slice(0, 100)}`)
  const metadata = new DocumentReader(root, warnings).read(children)
  return { metadata, root: 'recording', dialect, warnings: warnings.list(), invalid: faults.invalid }
}

type Lists = {
  -readonly [Name in Exclude<keyof RecordingMetadata, 'dataMode'>]: RecordingMetadata[Name][number][]
}

class DocumentReader {
  #dataMode: RecordingMetadata['dataMode'] = 'complete'
  readonly #lists: Lists = {
    groups: [],
    sessions: [],
    participants: [],
    streams: [],
    sessionRecordingAssocs: [],
    participantSessionAssocs: [],
    participantStreamAssocs: [],
    extensions: [],
  }
  readonly #namespace: string
  readonly #warnings: Warnings
  readonly #readers: ReadonlyMap<string, (element: XmlElement) => void>

  constructor(root: XmlElement, warnings: Warnings) {
    this.#namespace = root.namespace
    this.#warnings = warnings
    this.#readers = new Map<string, (element: XmlElement) => void>([
      ['datamode', (element) => this.#readDataMode(element)],
      ['group', (element) => this.#readGroup(element)],
      ['session', (element) => this.#readSession(element)],
      ['participant', (element) => this.#readParticipant(element)],
      ['stream', (element) => this.#readStream(element)],
      ['sessionrecordingassoc', (element) => this.#readSessionRecordingAssoc(element)],
      ['participantsessionassoc', (element) => this.#readParticipantSessionAssoc(element)],
      ['participantstreamassoc', (element) => this.#readParticipantStreamAssoc(element)],
    ])
  }

  read(children: readonly XmlElement[]): RecordingMetadata {
    let rank = 0
    const wrappers: XmlElement[] = []
    for (const child of children) {
      const name = child.name.toLowerCase()
      const reader = isMetadataElement(child, this.#namespace) ? this.#readers.get(name) : undefined
      if (reader === undefined) {
        rank = ROOT_ORDER.length
        if (name === 'extensiondata') wrappers.push(child)
        else this.#lists.extensions.push(child)
        continue
      }
      if (ROOT_ORDER.indexOf(name) < rank) this.#warnings.add('elements out of schema order')
      rank = Math.max(rank, ROOT_ORDER.indexOf(name))
      reader(child)
    }
    for (const wrapper of wrappers) this.#readWrapper(wrapper)
    return { dataMode: this.#dataMode, ...this.#lists }
  }

  #readDataMode(element: XmlElement): void {
    const mode = textOf(element).trim().toLowerCase()
    if (mode === 'partial') this.#dataMode = 'partial'
    if (element.name !== 'datamode' || (mode !== 'partial' && mode !== 'complete')) {
      this.#warnings.add('datamode not as in the schema')
    }
  }

  #readGroup(element: XmlElement): void {
    const fields = this.#fields(element, FIELDS.group)
    this.#lists.groups.push({
      groupId: fields.id(ID_ATTRIBUTES.group),
      ...fields.interval(),
      extensions: fields.extensions,
    })
  }

  #readSession(element: XmlElement): void {
    const fields = this.#fields(element, FIELDS.session)
    const groupRef = fields.ids('group-ref')[0] ?? fields.ref(ID_ATTRIBUTES.groupRef)
    const startTime = fields.time('start-time') ?? fields.time('associate-time')
    const stopTime = fields.time('stop-time') ?? fields.time('disassociate-time')
    const session: MetadataSession = {
      sessionId: fields.id(ID_ATTRIBUTES.session),
      sipSessionIds: fields.ids('sipsessionid'),
      reasons: fields.elements('reason').flatMap((reason) => this.#reason(reason)),
      ...(groupRef === undefined ? {} : { groupRef }),
      ...(startTime === undefined ? {} : { startTime }),
      ...(stopTime === undefined ? {} : { stopTime }),
      extensions: fields.extensions,
    }
    this.#lists.sessions.push(session)
  }

  #reason(element: XmlElement): EndReason[] {
    const cause = attributeValue(element, 'cause')?.trim() ?? ''
    const text = textOf(element).trim()
    if (!/^[+-]?\d{1,5}$/.test(cause)) {
      this.#warnings.add('reason without cause was dropped')
      return []
    }
    return [{ protocol: attributeValue(element, 'protocol') ?? 'SIP', cause: Number(cause), text }]
  }

  // In drafts the participant also says in which session it is and what it sends; the RFC has associations for both.
  #readParticipant(element: XmlElement): void {
    const fields = this.#fields(element, FIELDS.participant)
    const participantId = fields.id(ID_ATTRIBUTES.participant)
    const participant: MetadataParticipant = {
      participantId,
      nameIds: this.#nameIds(fields),
      extensions: fields.extensions,
    }
    if (participant.nameIds.length === 0) this.#warnings.add('participant without nameID')
    this.#lists.participants.push(participant)
    const sessionId = fields.ref(ID_ATTRIBUTES.sessionRef)
    const interval = fields.interval()
    if (sessionId !== undefined) {
      this.#lists.participantSessionAssocs.push({ participantId, sessionId, ...interval, params: [], extensions: [] })
    }
    const send = fields.ids('send')
    const recv = fields.ids('recv')
    if (send.length + recv.length > 0) {
      this.#lists.participantStreamAssocs.push({ participantId, send, recv, ...interval, extensions: [] })
    }
  }

  #nameIds(participant: Fields): NameId[] {
    const nameIds: NameId[] = []
    for (const element of participant.elements('nameid')) {
      const fields = this.#fields(element, FIELDS.nameID)
      const aor = attributeValue(element, 'aor')?.trim() || fields.text('aor')
      if (aor !== undefined) nameIds.push({ aor, ...nameOf(fields) })
    }
    for (const element of participant.elements('aor')) {
      const aor = textOf(element).trim()
      if (aor !== '') nameIds.push({ aor, ...nameOf(participant) })
    }
    return nameIds
  }

  #readStream(element: XmlElement): void {
    const fields = this.#fields(element, FIELDS.stream)
    const sessionId = fields.ref(ID_ATTRIBUTES.sessionRef)
    const label = fields.text('label')
    this.#lists.streams.push({
      streamId: fields.id(ID_ATTRIBUTES.stream),
      ...(sessionId === undefined ? {} : { sessionId }),
      ...(label === undefined ? {} : { label }),
      extensions: fields.extensions,
    })
  }

  #readSessionRecordingAssoc(element: XmlElement): void {
    const fields = this.#fields(element, FIELDS.sessionRecordingAssoc)
    this.#lists.sessionRecordingAssocs.push({
      sessionId: fields.id(ID_ATTRIBUTES.sessionRef),
      ...fields.interval(),
      extensions: fields.extensions,
    })
  }

  #readParticipantSessionAssoc(element: XmlElement): void {
    const fields = this.#fields(element, FIELDS.participantSessionAssoc)
    const association: ParticipantSessionAssoc = {
      participantId: fields.id(ID_ATTRIBUTES.participantRef),
      sessionId: fields.id(ID_ATTRIBUTES.sessionRef),
      ...fields.interval(),
      params: fields.elements('param').map((param) => ({
        name: attributeValue(param, 'pname') ?? '',
        value: attributeValue(param, 'pval') ?? '',
      })),
      extensions: fields.extensions,
    }
    this.#lists.participantSessionAssocs.push(association)
  }

  #readParticipantStreamAssoc(element: XmlElement): void {
    const fields = this.#fields(element, FIELDS.participantStreamAssoc)
    const association: ParticipantStreamAssoc = {
      participantId: fields.id(ID_ATTRIBUTES.participantRef),
      send: fields.ids('send'),
      recv: fields.ids('recv'),
      ...fields.interval(),
      extensions: fields.extensions,
    }
    this.#lists.participantStreamAssocs.push(association)
  }

  // A wrapper at the end of the document may name the element that it belongs to.
  #readWrapper(wrapper: XmlElement): void {
    this.#warnings.add('extensiondata wrapper')
    const parent = compactId(attributeValue(wrapper, 'parent') ?? '')
    const index = this.#lists.sessions.findIndex((session) => session.sessionId === parent)
    const session = parent === '' ? undefined : this.#lists.sessions[index]
    const content = childElements(wrapper)
    if (session === undefined) this.#lists.extensions.push(...content)
    else this.#lists.sessions[index] = { ...session, extensions: [...session.extensions, ...content] }
  }

  #fields(element: XmlElement, known: readonly string[]): Fields {
    return new Fields(element, known, this.#namespace, this.#warnings)
  }
}

function nameOf(fields: Fields): { name?: string; language?: string } {
  const name = fields.text('name')
  if (name === undefined) return {}
  const language = fields
    .elements('name')[0]
    ?.attributes.find((attribute) => attribute.name === 'lang' && attribute.namespace !== undefined)?.value
  return language === undefined ? { name } : { name, language }
}
