// The schema of RFC 7865 section 9 as data, and the check of an XML tree against it.

import { assertNever } from '#kernel'
import { isUuidBase64, readTime } from './values.ts'
import { childElements, textOf, type XmlAttribute, type XmlElement } from './xml-element.ts'

/** Kinds of departures from the schema. */
export type SchemaFaultCode =
  | 'unknown-element'
  | 'missing-element'
  | 'repeated-element'
  | 'element-order'
  | 'stray-text'
  | 'unknown-attribute'
  | 'missing-attribute'
  | 'value-form'
  | 'id-form'
  | 'time-form'
  | 'time-zone'
  | 'no-address'
  | 'address-scheme'

/** One departure from the schema, at an element. */
export interface SchemaFault {
  readonly code: SchemaFaultCode
  readonly message: string
  readonly element: XmlElement
}

type ValueType = 'text' | 'id' | 'time' | 'short' | 'mode' | 'address'

interface ElementRule {
  readonly required?: Readonly<Record<string, ValueType>>
  readonly optional?: Readonly<Record<string, ValueType>>
  /** Type of its character data; without one only elements may stand in it. */
  readonly content?: ValueType
  /** In schema order. */
  readonly children?: readonly ChildRule[]
  /** Whether elements of other namespaces may follow. */
  readonly isOpen?: true
}

interface ChildRule {
  readonly name: string
  readonly min: 0 | 1
  readonly max: number
  readonly rule: ElementRule
}

const INSTANCE = 'http://www.w3.org/2001/XMLSchema-instance'
const XML = 'http://www.w3.org/XML/1998/namespace'

const text: ElementRule = { content: 'text' }
const id: ElementRule = { content: 'id' }
const time: ElementRule = { content: 'time' }
const once = (name: string, rule: ElementRule): ChildRule => ({ name, min: 0, max: 1, rule })
const many = (name: string, rule: ElementRule, min: 0 | 1 = 0): ChildRule => ({ name, min, max: Infinity, rule })
const interval = [once('associate-time', time), once('disassociate-time', time)]

const session: ElementRule = {
  required: { session_id: 'id' },
  children: [
    many('sipSessionID', text),
    many('reason', { content: 'text', required: { cause: 'short' }, optional: { protocol: 'text' } }),
    once('group-ref', id),
    once('start-time', time),
    once('stop-time', time),
  ],
  isOpen: true,
}

const participant: ElementRule = {
  required: { participant_id: 'id' },
  children: [many('nameID', { required: { aor: 'address' }, children: [once('name', text)] }, 1)],
  isOpen: true,
}

const participantSession: ElementRule = {
  required: { participant_id: 'id', session_id: 'id' },
  children: [...interval, many('param', { required: { pname: 'text', pval: 'text' } })],
  isOpen: true,
}

const participantStream: ElementRule = {
  required: { participant_id: 'id' },
  children: [many('send', id), many('recv', id), ...interval],
  isOpen: true,
}

const roots: Readonly<Record<string, ElementRule>> = {
  recording: {
    children: [
      once('datamode', { content: 'mode' }),
      many('group', { required: { group_id: 'id' }, children: interval, isOpen: true }),
      many('session', session),
      many('participant', participant),
      many('stream', {
        required: { stream_id: 'id' },
        optional: { session_id: 'id' },
        children: [once('label', text)],
        isOpen: true,
      }),
      many('sessionrecordingassoc', { required: { session_id: 'id' }, children: interval, isOpen: true }),
      many('participantsessionassoc', participantSession),
      many('participantstreamassoc', participantStream),
    ],
    isOpen: true,
  },
  requestsnapshot: { children: [once('requestreason', text)], isOpen: true },
}

/** Departures of a document from the schema; its own namespace is taken as given. Nothing for a root the schema has not. */
export function schemaFaults(root: XmlElement): SchemaFault[] {
  const rule = roots[root.name]
  if (rule === undefined) return []
  const checker = new SchemaChecker(root.namespace)
  checker.check(root, rule)
  return checker.faults
}

class SchemaChecker {
  readonly faults: SchemaFault[] = []
  readonly #namespace: string

  constructor(namespace: string) {
    this.#namespace = namespace
  }

  check(element: XmlElement, rule: ElementRule): void {
    this.#attributes(element, rule)
    if (rule.content === undefined) {
      const hasText = element.children.some((child) => typeof child === 'string' && child.trim() !== '')
      if (hasText) this.#fault('stray-text', `text in ${element.name}`, element)
      this.#children(element, rule)
      return
    }
    for (const child of childElements(element)) this.#unknown(child, element)
    this.#value(rule.content, textOf(element), element.name, element)
  }

  #attributes(element: XmlElement, rule: ElementRule): void {
    const types = { ...rule.required, ...rule.optional }
    for (const attribute of element.attributes) {
      const type = attribute.namespace === undefined ? types[attribute.name] : undefined
      if (type !== undefined) this.#value(type, attribute.value, `${element.name}/@${attribute.name}`, element)
      else if (!isAllowedEverywhere(attribute, element))
        this.#fault('unknown-attribute', `${element.name} has no attribute ${attribute.name}`, element)
    }
    for (const name of Object.keys(rule.required ?? {})) {
      const isGiven = element.attributes.some((each) => each.name === name && each.namespace === undefined)
      if (!isGiven) this.#fault('missing-attribute', `${element.name} without ${name}`, element)
    }
  }

  #children(element: XmlElement, rule: ElementRule): void {
    const allowed = rule.children ?? []
    const counts = new Map<ChildRule, number>()
    let rank = 0
    for (const child of childElements(element)) {
      const isOwn = child.namespace === this.#namespace
      const at = isOwn ? allowed.findIndex((each) => each.name === child.name) : allowed.length
      const known = allowed[at]
      if (known === undefined) {
        if (isOwn || child.namespace === '' || rule.isOpen !== true) this.#unknown(child, element)
        else rank = allowed.length
        continue
      }
      if (at < rank) this.#fault('element-order', `${child.name} stands too late in ${element.name}`, child)
      rank = Math.max(rank, at)
      const count = (counts.get(known) ?? 0) + 1
      counts.set(known, count)
      if (count > known.max) this.#fault('repeated-element', `more than one ${child.name} in ${element.name}`, child)
      this.check(child, known.rule)
    }
    for (const each of allowed) {
      const isMissing = (counts.get(each) ?? 0) < each.min
      if (isMissing) this.#fault('missing-element', `${element.name} without ${each.name}`, element)
    }
  }

  #unknown(child: XmlElement, parent: XmlElement): void {
    this.#fault('unknown-element', `${child.name} does not belong in ${parent.name}`, child)
  }

  #value(type: ValueType, value: string, where: string, element: XmlElement): void {
    const fault = valueFault(type, value)
    if (fault !== undefined) this.#fault(fault.code, `${where} ${fault.says}: ${shown(value.trim())}`, element)
  }

  #fault(code: SchemaFaultCode, message: string, element: XmlElement): void {
    if (this.faults.length < 1000) this.faults.push({ code, message, element })
  }
}

function valueFault(type: ValueType, value: string): { code: SchemaFaultCode; says: string } | undefined {
  switch (type) {
    case 'text':
      return undefined
    case 'id':
      if (isUuidBase64(value.replace(/\s/g, ''))) return undefined
      return { code: 'id-form', says: 'is not base64 of 16 bytes' }
    case 'time': {
      const read = readTime(value.trim())
      if (read !== undefined && read.fault === undefined) return undefined
      if (read?.fault === 'time without zone') return { code: 'time-zone', says: 'has no zone' }
      return { code: 'time-form', says: 'is not an RFC 3339 time' }
    }
    case 'short':
      return isShort(value.trim()) ? undefined : { code: 'value-form', says: 'is no short integer' }
    case 'mode':
      if (value === 'complete' || value === 'partial') return undefined
      return { code: 'value-form', says: 'is neither complete nor partial' }
    case 'address':
      if (value.trim() === '') return { code: 'no-address', says: 'is empty' }
      return /^[A-Za-z][A-Za-z0-9+.-]*:/.test(value.trim())
        ? undefined
        : { code: 'address-scheme', says: 'has no scheme' }
    default:
      return assertNever(type)
  }
}

function isAllowedEverywhere({ namespace, name }: XmlAttribute, element: XmlElement): boolean {
  if (namespace === INSTANCE) return true
  return namespace === XML && name === 'lang' && (element.name === 'name' || element.name === 'requestreason')
}

function isShort(value: string): boolean {
  return /^[+-]?\d{1,6}$/.test(value) && Number(value) >= -32_768 && Number(value) <= 32_767
}

function shown(value: string): string {
  return value.length > 60 ? `${value.slice(0, 60)}…` : value
}
