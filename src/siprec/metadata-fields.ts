// Access to one element of a metadata document: known children by name, ids, times, and the rest as extensions.

import type { Interval } from './metadata.ts'
import { METADATA_NAMESPACES } from './metadata-dialect.ts'
import { readTime } from './values.ts'
import { attributeValue, childElements, textOf, type XmlElement } from './xml-element.ts'

/** Collects what is odd but tolerable; each remark once, and not without end. */
export class Warnings {
  readonly #seen = new Set<string>()

  add(message: string): void {
    if (this.#seen.size < 100) this.#seen.add(message)
  }

  list(): string[] {
    return [...this.#seen]
  }
}

/** Whether the element is recording metadata rather than somebody's extension. */
export function isMetadataElement(element: XmlElement, rootNamespace: string): boolean {
  return element.namespace === rootNamespace || METADATA_NAMESPACES.includes(element.namespace)
}

/** The children of an element, sorted into known fields and extensions. */
export class Fields {
  readonly extensions: XmlElement[] = []
  readonly #element: XmlElement
  readonly #fields = new Map<string, XmlElement[]>()
  readonly #warnings: Warnings

  constructor(element: XmlElement, known: readonly string[], rootNamespace: string, warnings: Warnings) {
    this.#element = element
    this.#warnings = warnings
    for (const child of childElements(element)) {
      const name = child.name.toLowerCase()
      if (!isMetadataElement(child, rootNamespace)) this.extensions.push(child)
      else if (known.includes(name)) this.#field(name).push(child)
      else if (name === 'extensiondata') this.extensions.push(...childElements(child))
      else {
        warnings.add(`unknown element ${child.name} in ${element.name}`)
        this.extensions.push(child)
      }
    }
  }

  #field(name: string): XmlElement[] {
    const elements = this.#fields.get(name) ?? []
    this.#fields.set(name, elements)
    return elements
  }

  /** Elements with this name. */
  elements(name: string): readonly XmlElement[] {
    return this.#fields.get(name) ?? []
  }

  /** Trimmed text of the first element with this name; undefined if absent or empty. */
  text(name: string): string | undefined {
    const element = this.elements(name)[0]
    return (element && textOf(element).trim()) || undefined
  }

  /** A time, repaired if needed; undefined, with a warning, if unreadable. */
  time(name: string): string | undefined {
    const text = this.text(name)
    if (text === undefined) return undefined
    const time = readTime(text)
    if (time === undefined) this.#warnings.add(`unreadable ${name} in ${this.#element.name}`)
    else if (time.fault !== undefined) this.#warnings.add(time.fault)
    return time?.text
  }

  /** The associate and disassociate times. */
  interval(): Interval {
    const associateTime = this.time('associate-time')
    const disassociateTime = this.time('disassociate-time')
    return {
      ...(associateTime === undefined ? {} : { associateTime }),
      ...(disassociateTime === undefined ? {} : { disassociateTime }),
    }
  }

  /** Ids listed by elements with this name, as text or, in early drafts, in `id` children. */
  ids(name: string): string[] {
    return this.elements(name).flatMap((element) => {
      const nested = childElements(element).filter((child) => child.name === 'id')
      return (nested.length > 0 ? nested : [element]).map((each) => compactId(textOf(each))).filter((id) => id !== '')
    })
  }

  /** The element's own id; '' with a warning if it has none. */
  id(names: readonly string[]): string {
    const id = this.ref(names)
    if (id === undefined) this.#warnings.add(`${this.#element.name} without id`)
    return id ?? ''
  }

  /** An id in an attribute; undefined if absent or empty. */
  ref(names: readonly string[]): string | undefined {
    return compactId(attributeValue(this.#element, ...names) ?? '') || undefined
  }
}

/** An id without the white space that base64 may contain. */
export function compactId(text: string): string {
  return text.replace(/\s/g, '')
}
