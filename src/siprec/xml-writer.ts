// Escaping and element output for XML 1.0.

import type { XmlAttribute, XmlElement } from './xml-element.ts'

const XML_NAMESPACE = 'http://www.w3.org/XML/1998/namespace'
const REFERENCES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
  '\t': '&#9;',
  '\n': '&#10;',
  '\r': '&#13;',
}

/** Namespaces in scope by prefix; the default namespace has the prefix ''. */
type Scope = ReadonlyMap<string, string>

/** Escaped character data; characters that XML 1.0 forbids are dropped. */
export function escapeText(text: string): string {
  return withoutForbidden(text).replace(/[&<>"'\r]/g, (character) => REFERENCES[character]!)
}

/** Escaped attribute value; white space other than blanks survives as references. */
export function escapeAttribute(text: string): string {
  return withoutForbidden(text).replace(/[&<>"'\t\n\r]/g, (character) => REFERENCES[character]!)
}

/** The prefixes of these elements with their namespaces, for declaration on an element around them. */
export function prefixesOf(elements: readonly XmlElement[]): Map<string, string> {
  const prefixes = new Map<string, string>()
  for (const element of elements) wish(element, prefixes)
  return prefixes
}

/** An element written on one line, for a place where these namespaces are in scope; the default one has the prefix ''. */
export function elementText(element: XmlElement, scope: Scope): string {
  const prefixes = new Map<string, string>()
  collectPrefixes(element, prefixes)
  return written(element, scope, prefixes)
}

function withoutForbidden(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters to drop
  return text.replace(/[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g, '')
}

// Prefixes of a subtree are declared on its outermost element, as in the documents that recorders know.
function collectPrefixes(element: XmlElement, into: Map<string, string>): void {
  wish(element, into)
  for (const child of element.children) if (typeof child !== 'string') collectPrefixes(child, into)
}

function wish(element: XmlElement, into: Map<string, string>): void {
  const prefix = prefixOf(element)
  if (prefix !== '' && !into.has(prefix)) into.set(prefix, element.namespace)
}

function written(element: XmlElement, outer: Scope, wished: ReadonlyMap<string, string> = new Map()): string {
  const scope = new Map(outer)
  const declared = new Map([...wished].filter(([name, namespace]) => scope.get(name) !== namespace))
  const prefix = prefixOf(element)
  if ((wished.get(prefix) ?? scope.get(prefix)) !== element.namespace) declared.set(prefix, element.namespace)
  for (const [name, namespace] of declared) scope.set(name, namespace)
  const attributes = element.attributes.map((attribute) => attributeText(attribute, scope, declared))
  const declarations = [...declared].map(
    ([name, uri]) => ` xmlns${name === '' ? '' : `:${name}`}="${escapeAttribute(uri)}"`,
  )
  const name = prefix === '' ? element.name : `${prefix}:${element.name}`
  const open = `<${name}${declarations.join('')}${attributes.join('')}`
  if (element.children.length === 0) return `${open}/>`
  const content = element.children.map((child) =>
    typeof child === 'string' ? escapeText(child) : written(child, scope),
  )
  return `${open}>${content.join('')}</${name}>`
}

function attributeText(attribute: XmlAttribute, scope: Map<string, string>, declared: Map<string, string>): string {
  const value = escapeAttribute(attribute.value)
  if (attribute.namespace === undefined) return ` ${attribute.name}="${value}"`
  return ` ${attributePrefix(attribute.namespace, scope, declared)}:${attribute.name}="${value}"`
}

function attributePrefix(namespace: string, scope: Map<string, string>, declared: Map<string, string>): string {
  if (namespace === XML_NAMESPACE) return 'xml'
  for (const [prefix, uri] of scope) if (prefix !== '' && uri === namespace) return prefix
  let number = 1
  while (scope.has(`ns${number}`)) number += 1
  scope.set(`ns${number}`, namespace)
  declared.set(`ns${number}`, namespace)
  return `ns${number}`
}

// An element without namespace cannot have a prefix, and the prefixes that begin with xml are not ours to bind.
function prefixOf(element: XmlElement): string {
  if (element.namespace === '' || element.prefix?.toLowerCase().startsWith('xml')) return ''
  return element.prefix ?? ''
}
