// Elements of metadata documents as text.

import { escapeAttribute, escapeText } from './xml-writer.ts'

/** Attributes in order; undefined ones are left out. */
export type Attributes = Readonly<Record<string, string | undefined>>

/** An element with text. */
export function leaf(name: string, text: string, attributes: Attributes = {}): string {
  return `<${name}${attributesText(attributes)}>${escapeText(text)}</${name}>`
}

/** An element with text, or nothing where there is none. */
export function optional(name: string, text: string | undefined): string[] {
  return text === undefined ? [] : [leaf(name, text)]
}

/** An element with elements, each on a line of its own. */
export function node(name: string, attributes: Attributes, children: readonly string[]): string {
  const open = `<${name}${attributesText(attributes)}`
  return children.length === 0 ? `${open}/>` : `${open}>\n${children.join('\n')}\n</${name}>`
}

/** A whole document in UTF-8. */
export function xmlDocument(root: string): Uint8Array {
  return new TextEncoder().encode(`<?xml version="1.0" encoding="UTF-8"?>\n${root}\n`)
}

function attributesText(attributes: Attributes): string {
  const present = Object.entries(attributes).filter(([, value]) => value !== undefined)
  return present.map(([name, value]) => ` ${name}="${escapeAttribute(value!)}"`).join('')
}
