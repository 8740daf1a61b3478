// Reads XML from strangers into a tree: no DTD, no entities, hard limits; after an error it keeps what can be kept.

import { type SaxesAttributeNS, SaxesParser, type SaxesTagNS } from 'saxes'
import { messageOf } from '#kernel'
import type { XmlAttribute, XmlElement } from './xml-element.ts'

const MAX_BYTES = 1_048_576
const MAX_ELEMENTS = 10_000
const MAX_DEPTH = 32
const MAX_ERRORS = 20
const BARE_AMPERSAND = /&(?!(?:#\d{1,7}|#x[0-9A-Fa-f]{1,6}|[A-Za-z_][\w.-]{0,31});)/g
/** An address in angle brackets, as names are written in SIP. */
const RAW_ADDRESS = /<((?:sips?|tel):[^<>"'\s]{1,200})>/gi
const XMLNS = 'http://www.w3.org/2000/xmlns/'

/** Where something stands in a text, both from 1; `column` is absent where only the line is known. */
export interface TextPlace {
  readonly line: number
  readonly column?: number
}

/** A tree as far as it could be read; `errors` is empty for a well-formed document within the limits. */
export interface XmlDocument {
  readonly root?: XmlElement
  readonly errors: readonly string[]
  /** Where each element of the tree begins. */
  readonly places: ReadonlyMap<XmlElement, TextPlace>
}

interface OpenElement extends XmlElement {
  readonly children: (XmlElement | string)[]
}

/** Ends reading at a limit or at something never accepted. */
class ReadingStopped extends Error {}

/** Parses bytes; `charset`, from the Content-Type, beats the XML declaration (RFC 7303 section 3). */
export function readXml(bytes: Uint8Array, charset?: string): XmlDocument {
  if (bytes.length > MAX_BYTES) return { errors: [`larger than ${MAX_BYTES} bytes`], places: new Map() }
  const { text, fault } = decoded(bytes, charset)
  const asSent = treeOf(text)
  // A bare ampersand or a bracketed address in a name is the commonest break, and would swallow all that follows.
  const repaired =
    asSent.errors.length === 0 ? text : text.replace(BARE_AMPERSAND, '&amp;').replace(RAW_ADDRESS, '&lt;$1&gt;')
  const { root, errors, places } = repaired === text ? asSent : treeOf(repaired)
  const faults = [
    ...(fault === undefined ? [] : [fault]),
    ...(repaired === text ? [] : ['unescaped & or <']),
    ...errors,
  ]
  return { ...(root === undefined ? {} : { root }), errors: faults, places }
}

function treeOf(text: string): TreeBuilder {
  const tree = new TreeBuilder()
  const parser = new SaxesParser({ xmlns: true })
  parser.on('error', (error) => tree.fault(error.message))
  parser.on('doctype', () => tree.stop('document type declaration'))
  parser.on('opentagstart', (tag) => tree.begin(placeOf(parser, tag.name)))
  parser.on('opentag', (tag) => tree.open(tag))
  parser.on('text', (content) => tree.text(content))
  parser.on('cdata', (content) => tree.text(content))
  parser.on('closetag', () => tree.close())
  try {
    parser.write(text).close()
  } catch (thrown) {
    if (!(thrown instanceof ReadingStopped)) tree.errors.push(messageOf(thrown))
  }
  return tree
}

// The parser stands behind the character that ended the name, which may have been a line end.
function placeOf({ line, column }: { readonly line: number; readonly column: number }, name: string): TextPlace {
  return column === 0 ? { line: line - 1 } : { line, column: column - name.length - 1 }
}

class TreeBuilder {
  readonly errors: string[] = []
  readonly places = new Map<XmlElement, TextPlace>()
  root: XmlElement | undefined
  #place: TextPlace = { line: 1 }
  readonly #open: OpenElement[] = []
  #elements = 0

  begin(place: TextPlace): void {
    this.#place = place
  }

  open(tag: SaxesTagNS): void {
    if (++this.#elements > MAX_ELEMENTS) this.stop(`more than ${MAX_ELEMENTS} elements`)
    if (this.#open.length === MAX_DEPTH) this.stop(`deeper than ${MAX_DEPTH} elements`)
    const element: OpenElement = {
      namespace: tag.uri,
      name: tag.local,
      ...(tag.prefix === '' ? {} : { prefix: tag.prefix }),
      attributes: Object.values(tag.attributes).filter(isOwnAttribute).map(attributeOf),
      children: [],
    }
    this.#open.at(-1)?.children.push(element)
    this.root ??= element
    this.places.set(element, this.#place)
    this.#open.push(element)
  }

  text(content: string): void {
    const children = this.#open.at(-1)?.children
    if (children === undefined || content === '') return
    const last = children.at(-1)
    if (typeof last === 'string') children[children.length - 1] = last + content
    else children.push(content)
  }

  close(): void {
    this.#open.pop()
  }

  fault(message: string): void {
    this.errors.push(message)
    if (this.errors.length >= MAX_ERRORS) this.stop('too many errors')
  }

  stop(message: string): never {
    this.errors.push(message)
    throw new ReadingStopped(message)
  }
}

function isOwnAttribute(attribute: SaxesAttributeNS): boolean {
  return attribute.uri !== XMLNS
}

function attributeOf(attribute: SaxesAttributeNS): XmlAttribute {
  const { local, uri, value } = attribute
  return { name: local, ...(uri === '' ? {} : { namespace: uri }), value }
}

function decoded(bytes: Uint8Array, charset: string | undefined): { text: string; fault?: string } {
  const label = charset ?? declaredEncoding(bytes) ?? 'utf-8'
  try {
    return { text: new TextDecoder(label).decode(bytes).trimStart() }
  } catch {
    return { text: new TextDecoder().decode(bytes).trimStart(), fault: `unknown character set ${label}` }
  }
}

function declaredEncoding(bytes: Uint8Array): string | undefined {
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be'
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le'
  const head = new TextDecoder('latin1').decode(bytes.subarray(0, 200))
  const declaration = head.slice(0, Math.max(0, head.indexOf('?>')))
  return /encoding\s{0,9}=\s{0,9}["']([A-Za-z0-9._-]{1,40})["']/.exec(declaration)?.[1]
}
