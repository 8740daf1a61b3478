// Takes people out of a metadata document and leaves its structure: ids, labels, times, who sends and hears what (RFC 7865 section 11).

import type { XmlAttribute, XmlElement } from './xml-element.ts'
import { readXml } from './xml-reader.ts'
import { elementText } from './xml-writer.ts'

/** Gives what stands for a person's address or name; the same text must get the same stand-in. */
export interface StandIns {
  address(uri: string): string
  name(text: string): string
}

const LEFT_OUT = '***'
/** Elements whose text says nothing about anyone. */
const PLAIN_ELEMENTS = new Set([
  'datamode',
  'data-mode',
  'start-time',
  'stop-time',
  'associate-time',
  'disassociate-time',
  'label',
  'send',
  'recv',
  'group-ref',
  'mode',
])
const PLAIN_ATTRIBUTES = new Set([
  'id',
  'ref',
  'session',
  'session_id',
  'participant_id',
  'stream_id',
  'group_id',
  'stream',
  'protocol',
  'cause',
])

/** The document without people, or undefined when it cannot be read at all. */
export function redactMetadata(bytes: Uint8Array, standIns: StandIns): Uint8Array | undefined {
  const { root } = readXml(bytes)
  if (root === undefined) return undefined
  const text = elementText(redacted(root, standIns), new Map())
  return new TextEncoder().encode(`<?xml version="1.0" encoding="UTF-8"?>\n${text}`)
}

function redacted(element: XmlElement, standIns: StandIns): XmlElement {
  return {
    ...element,
    attributes: element.attributes.map((attribute) => redactedAttribute(attribute, standIns)),
    children: element.children.map((child) =>
      typeof child === 'string' ? redactedText(element.name, child, standIns) : redacted(child, standIns),
    ),
  }
}

function redactedAttribute(attribute: XmlAttribute, standIns: StandIns): XmlAttribute {
  if (attribute.name === 'aor') return { ...attribute, value: standIns.address(attribute.value) }
  return PLAIN_ATTRIBUTES.has(attribute.name.toLowerCase()) ? attribute : { ...attribute, value: LEFT_OUT }
}

function redactedText(element: string, text: string, standIns: StandIns): string {
  const name = element.toLowerCase()
  if (text.trim() === '' || PLAIN_ELEMENTS.has(name)) return text
  if (name === 'aor') return standIns.address(text)
  return name === 'name' ? standIns.name(text) : LEFT_OUT
}
