// What a strict reader of RFC 7865 objects to: the schema of section 9, ids, references over documents, times.

import { parseXml, type XmlElement } from './xml-tree.ts'

const NS = 'urn:ietf:params:xml:ns:recording:1'
const ID = /^[A-Za-z0-9+/]{21}[AQgw]==$/
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/
const SIP_SESSION = /^[0-9a-f]{32};\s*remote=[0-9a-f]{32}$/

type Shape = {
  readonly children: readonly string[]
  readonly needed: readonly string[]
  readonly optional: readonly string[]
}

const TIMES = ['associate-time', 'disassociate-time']
const SHAPES: Record<string, Shape> = {
  recording: {
    children: [
      'datamode',
      'group',
      'session',
      'participant',
      'stream',
      'sessionrecordingassoc',
      'participantsessionassoc',
      'participantstreamassoc',
    ],
    needed: [],
    optional: [],
  },
  group: { children: TIMES, needed: ['group_id'], optional: [] },
  session: {
    children: ['sipSessionID', 'reason', 'group-ref', 'start-time', 'stop-time'],
    needed: ['session_id'],
    optional: [],
  },
  participant: { children: ['nameID'], needed: ['participant_id'], optional: [] },
  nameID: { children: ['name'], needed: ['aor'], optional: [] },
  name: { children: [], needed: [], optional: ['xml:lang'] },
  reason: { children: [], needed: ['cause'], optional: ['protocol'] },
  stream: { children: ['label'], needed: ['stream_id'], optional: ['session_id'] },
  sessionrecordingassoc: { children: TIMES, needed: ['session_id'], optional: [] },
  participantsessionassoc: { children: [...TIMES, 'param'], needed: ['participant_id', 'session_id'], optional: [] },
  participantstreamassoc: { children: ['send', 'recv', ...TIMES], needed: ['participant_id'], optional: [] },
  param: { children: [], needed: ['pname', 'pval'], optional: [] },
}
const REPEATABLE = new Set(
  'group session participant stream sessionrecordingassoc participantsessionassoc participantstreamassoc sipSessionID reason nameID send recv param'.split(
    ' ',
  ),
)
const CLOSED = new Set(['nameID', 'name', 'reason', 'param'])
const DEFINES: Record<string, string> = {
  group: 'group_id',
  session: 'session_id',
  participant: 'participant_id',
  stream: 'stream_id',
}

/** The state that documents of one recording session build up; each accepted document is read once. */
export class MetadataReader {
  /** Every id that was defined, with the kind of element it names. */
  readonly #kinds = new Map<string, string>()
  #hasSnapshot = false

  /** Reads one document that came beside the given labels; the answer is what a strict reader objects to. */
  read(xml: string, labelsOfOffer: readonly string[] | undefined): string[] {
    const found: string[] = []
    let root: XmlElement
    try {
      root = parseXml(xml.replace(/^\uFEFF/, ''))
    } catch (error) {
      return [`RFC 7865 5.1: the metadata is not well-formed: ${(error as Error).message}`]
    }
    if (root.namespace !== NS || root.name !== 'recording') {
      return [`RFC 7865 5.1.2: the root is {${root.namespace}}${root.name}`]
    }
    if (!/^<\?xml[^>]*encoding=["']utf-8["']/i.test(xml)) found.push('RFC 7865 5.1: no XML declaration with UTF-8')
    checkShape(root, found)
    this.#readMode(root, found)
    this.#define(root, found)
    this.#resolve(root, found)
    checkValues(root, found)
    checkLabels(root, labelsOfOffer, found)
    return found
  }

  #readMode(root: XmlElement, found: string[]): void {
    const mode = root.children.find((child) => child.name === 'datamode')?.text.trim() ?? 'complete'
    if (mode === 'complete') this.#hasSnapshot = true
    else if (mode !== 'partial') found.push(`RFC 7865 5.1.2: datamode is ${mode}`)
    else if (!this.#hasSnapshot) found.push('RFC 7866 9.1: a partial document before any complete one')
  }

  #define(root: XmlElement, found: string[]): void {
    const inThisDocument = new Set<string>()
    for (const element of root.children) {
      const attribute = DEFINES[element.name]
      const id = attribute === undefined ? undefined : element.attributes.get(attribute)
      if (id === undefined || element.namespace !== NS) continue
      const kind = this.#kinds.get(id)
      if (kind !== undefined && kind !== element.name)
        found.push(`RFC 7865 6.10: an id of a ${kind} names a ${element.name}`)
      if (inThisDocument.has(id)) found.push(`RFC 7865 6.10: two ${element.name} elements with one id`)
      inThisDocument.add(id)
      this.#kinds.set(id, element.name)
    }
  }

  #resolve(root: XmlElement, found: string[]): void {
    const expect = (id: string | undefined, kind: string, where: string) => {
      if (id !== undefined && this.#kinds.get(id.trim()) !== kind) {
        found.push(`RFC 7865 6: ${where} refers to a ${kind} that is not defined`)
      }
    }
    for (const element of root.children) {
      if (element.namespace !== NS) continue
      if (element.name !== 'session') expect(element.attributes.get('session_id'), 'session', element.name)
      if (element.name !== 'participant') expect(element.attributes.get('participant_id'), 'participant', element.name)
      for (const child of element.children) {
        if (child.name === 'group-ref') expect(child.text, 'group', 'group-ref')
        if (child.name === 'send' || child.name === 'recv') expect(child.text, 'stream', child.name)
      }
    }
  }
}

function checkShape(element: XmlElement, found: string[]): void {
  const shape = SHAPES[element.name] ?? { children: [], needed: [], optional: [] }
  for (const name of shape.needed) {
    if (!element.attributes.has(name)) found.push(`RFC 7865 9: ${element.name} without ${name}`)
  }
  for (const name of element.attributes.keys()) {
    if (!shape.needed.includes(name) && !shape.optional.includes(name)) {
      found.push(`RFC 7865 9: ${element.name} has an attribute ${name}`)
    }
  }
  if (element.name === 'participant' && !element.children.some((child) => child.name === 'nameID')) {
    found.push('RFC 7865 9: participant without nameID')
  }
  let rank = -1
  let isForeignSeen = false
  for (const child of element.children) {
    if (child.namespace !== NS) {
      isForeignSeen = true
      if (child.namespace === '') found.push(`RFC 7865 9: ${child.name} in ${element.name} has no namespace`)
      if (CLOSED.has(element.name)) found.push(`RFC 7865 9: ${element.name} takes no extension`)
      continue
    }
    const place = shape.children.indexOf(child.name)
    if (place < 0) found.push(`RFC 7865 9: ${element.name} has a child ${child.name}`)
    else if (place < rank || isForeignSeen) found.push(`RFC 7865 9: ${child.name} in ${element.name} is out of order`)
    else if (place === rank && !REPEATABLE.has(child.name))
      found.push(`RFC 7865 9: ${child.name} twice in ${element.name}`)
    rank = Math.max(rank, place)
    checkShape(child, found)
  }
}

function checkValues(element: XmlElement, found: string[]): void {
  for (const [name, value] of element.attributes) if (name.endsWith('_id')) checkId(value, name, found)
  for (const child of element.children) {
    if (child.namespace !== NS) continue
    const text = child.text.trim()
    if (['send', 'recv', 'group-ref'].includes(child.name)) checkId(text, child.name, found)
    if (child.name.endsWith('-time') && (!TIME.test(text) || Number.isNaN(Date.parse(text)))) {
      found.push(`RFC 7865 6.9: ${child.name} is no RFC 3339 time with a zone: ${text}`)
    }
    if (child.name === 'sipSessionID' && !SIP_SESSION.test(text)) {
      found.push(`RFC 7865 6.3.1: sipSessionID is no RFC 7989 value: ${text}`)
    }
    checkValues(child, found)
  }
}

function checkId(value: string, where: string, found: string[]): void {
  if (!ID.test(value)) {
    found.push(`RFC 7865 6.10: ${where} is not base64 of 16 octets: ${value}`)
    return
  }
  const version = (Buffer.from(value, 'base64')[6] ?? 0) >> 4
  if (version < 3 || version > 5) found.push(`RFC 7865 6.10: ${where} is a UUID of version ${version}`)
}

function checkLabels(root: XmlElement, labels: readonly string[] | undefined, found: string[]): void {
  for (const stream of root.children.filter((child) => child.name === 'stream')) {
    const label = stream.children.find((child) => child.name === 'label')?.text.trim()
    if (label === undefined) continue
    if (labels === undefined) found.push('RFC 7866 9.1: metadata with labels travels without an SDP offer')
    else if (!labels.includes(label)) found.push(`RFC 7865 6.7.1: no m-line has the label ${label}`)
  }
}
