// Name and value pairs in the extension data of metadata, for searching.

import { childElements, textOf, type XmlElement } from '#siprec'

const MAX_DEPTH = 4
const MAX_VALUES = 32
const MAX_NAME = 64
const MAX_VALUE = 256

/** The texts of the innermost elements, by the element's `name` attribute or its own name; the first of each name holds. */
export function customValues(elements: readonly XmlElement[]): Record<string, string> {
  const values = new Map<string, string>()
  collect(elements, 0, values)
  return Object.fromEntries(values)
}

function collect(elements: readonly XmlElement[], depth: number, values: Map<string, string>): void {
  for (const element of elements) {
    if (values.size >= MAX_VALUES) return
    const children = childElements(element)
    if (children.length > 0) {
      if (depth < MAX_DEPTH) collect(children, depth + 1, values)
      continue
    }
    const named = element.attributes.find(({ name, namespace }) => name === 'name' && namespace === undefined)
    const name = (named?.value || element.name).slice(0, MAX_NAME)
    const value = textOf(element).trim().slice(0, MAX_VALUE)
    if (value !== '' && !values.has(name)) values.set(name, value)
  }
}
