// A small strict XML reader: elements, attributes, namespaces and the five named entities. No DTD; anything odd is an error.

/** An element; `namespace` is resolved, `name` is local. */
export type XmlElement = {
  readonly namespace: string
  readonly name: string
  readonly attributes: ReadonlyMap<string, string>
  readonly children: readonly XmlElement[]
  readonly text: string
}

type Open = XmlElement & { readonly children: XmlElement[]; text: string; readonly tag: string; readonly scope: Scope }
type Scope = ReadonlyMap<string, string>

const ENTITIES: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }
const NAME = /^[A-Za-z_][\w.-]*(?::[A-Za-z_][\w.-]*)?$/

function decode(text: string): string {
  return text.replace(/&([^;&]{0,10})(;?)/g, (_all, name: string, end: string) => {
    const code = /^#(?:x([0-9a-fA-F]+)|(\d+))$/.exec(name)
    if (end === ';' && code) return String.fromCodePoint(code[1] ? Number.parseInt(code[1], 16) : Number(code[2]))
    const known = ENTITIES[name]
    if (end !== ';' || known === undefined) throw new Error(`the entity &${name} is not defined`)
    return known
  })
}

/** Reads a document and gives its root; throws an Error that says what is not well-formed. */
export function parseXml(text: string): XmlElement {
  const stack: Open[] = []
  let root: XmlElement | undefined
  let at = 0
  while (at < text.length) {
    const open = text.indexOf('<', at)
    const chars = text.slice(at, open < 0 ? text.length : open)
    const top = stack.at(-1)
    if (top) top.text += decode(chars)
    else if (chars.trim() !== '') throw new Error('text outside the root element')
    if (open < 0) break
    if (text.startsWith('<!--', open)) at = endOf(text, '-->', open)
    else if (text.startsWith('<?', open)) at = endOf(text, '?>', open)
    else if (text.startsWith('<![CDATA[', open) && top) {
      at = endOf(text, ']]>', open)
      top.text += text.slice(open + 9, at - 3)
    } else if (text.startsWith('<!', open)) throw new Error('a declaration such as a DTD')
    else {
      at = endOf(text, '>', open)
      const inside = text.slice(open + 1, at - 1)
      const closed = inside.startsWith('/') ? closeTag(inside.slice(1).trim(), stack) : openTag(inside, stack)
      if (closed && stack.length === 0) {
        if (root) throw new Error('a second root element')
        root = closed
      }
    }
  }
  if (stack.length > 0) throw new Error(`the element ${stack.at(-1)?.tag} is not closed`)
  if (!root) throw new Error('no root element')
  return root
}

function endOf(text: string, mark: string, from: number): number {
  const at = text.indexOf(mark, from)
  if (at < 0) throw new Error(`${mark} is missing`)
  return at + mark.length
}

function closeTag(tag: string, stack: Open[]): XmlElement {
  const open = stack.pop()
  if (open?.tag !== tag) throw new Error(`</${tag}> closes ${open?.tag ?? 'nothing'}`)
  stack.at(-1)?.children.push(open)
  return open
}

function openTag(inside: string, stack: Open[]): XmlElement | undefined {
  const isEmpty = inside.endsWith('/')
  const body = isEmpty ? inside.slice(0, -1) : inside
  const tag = /^\S+/.exec(body)?.[0] ?? ''
  if (!NAME.test(tag)) throw new Error(`<${tag}> is no element name`)
  const written = new Map<string, string>()
  let rest = body.slice(tag.length)
  while (rest.trim() !== '') {
    const match = /^\s+([^\s=]+)\s*=\s*(?:"([^"<]*)"|'([^'<]*)')/.exec(rest)
    const name = match?.[1] ?? ''
    if (!match || !NAME.test(name) || written.has(name)) throw new Error(`a bad attribute in <${tag}>`)
    written.set(name, decode(match[2] ?? match[3] ?? ''))
    rest = rest.slice(match[0].length)
  }
  const scope = new Map(stack.at(-1)?.scope ?? [['xml', 'http://www.w3.org/XML/1998/namespace']])
  for (const [name, value] of written) {
    if (name === 'xmlns') scope.set('', value)
    else if (name.startsWith('xmlns:')) scope.set(name.slice(6), value)
  }
  const attributes = new Map([...written].filter(([name]) => !name.startsWith('xmlns')))
  const colon = tag.indexOf(':')
  const prefix = colon < 0 ? '' : tag.slice(0, colon)
  const namespace = scope.get(prefix)
  if (namespace === undefined && prefix !== '') throw new Error(`the prefix ${prefix} is not declared`)
  const element: Open = {
    namespace: namespace ?? '',
    name: tag.slice(colon + 1),
    attributes,
    children: [],
    text: '',
    tag,
    scope,
  }
  stack.push(element)
  return isEmpty ? closeTag(tag, stack) : undefined
}
