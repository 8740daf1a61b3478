// A small XML tree: what extension data is kept as, and what documents are read into.

/** An attribute; `namespace` is absent for attributes without prefix. */
export interface XmlAttribute {
  readonly name: string
  readonly namespace?: string
  readonly value: string
}

/** An element with its expanded name; `prefix` is the one it was, or wishes to be, written with. */
export interface XmlElement {
  readonly namespace: string
  readonly name: string
  readonly prefix?: string
  readonly attributes: readonly XmlAttribute[]
  readonly children: readonly (XmlElement | string)[]
}

/** All character data below an element. */
export function textOf(element: XmlElement): string {
  return element.children.map((child) => (typeof child === 'string' ? child : textOf(child))).join('')
}

/** The elements among the children. */
export function childElements(element: XmlElement): XmlElement[] {
  return element.children.filter((child) => typeof child !== 'string')
}

/** Value of the first attribute without namespace that has one of these names. */
export function attributeValue(element: XmlElement, ...names: readonly string[]): string | undefined {
  for (const name of names) {
    const found = element.attributes.find((each) => each.name === name && each.namespace === undefined)
    if (found !== undefined) return found.value
  }
  return undefined
}
