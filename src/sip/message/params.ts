// `;name=value` parameters of header fields, and quoted strings (RFC 3261 sections 7.3.1 and 25.1).

import { COMMA, codeAt, EQUALS, GREATER, LESS, QUOTE, SEMICOLON, skipQuoted, trimSpace } from './characters.ts'
import { isNameAt } from './header-names.ts'
import { type RawText, skip, TOKEN, VALUE, WHITE } from './raw-text.ts'

/** Parameters by lower-case name; values as written, quotes included; undefined for a name without `=`. */
export type Params = ReadonlyMap<string, string | undefined>

const NO_PARAMS: Params = new Map()

/** By length: the names that nearly every message has. */
const USUAL_NAMES = [undefined, undefined, 'lr', 'tag', 'user', 'rport', 'branch', 'expires', 'received', 'transport']

/** Goes over parameters one by one, without cutting any out. */
class ParamWalk {
  readonly raw: RawText
  readonly end: number
  nameStart = 0
  nameEnd = 0
  valueStart = 0
  /** Below `valueStart` for a name without `=`. */
  valueEnd = -1
  isMalformed = false
  #at: number

  constructor(raw: RawText, from: number, end: number) {
    this.raw = raw
    this.end = end
    this.#at = skip(WHITE, raw.bytes, from, end)
  }

  /** Moves to the next parameter; false at the end, and where something is malformed. */
  next(): boolean {
    const { end, raw } = this
    const { bytes } = raw
    if (this.#at === end) return false
    if (bytes[this.#at] !== SEMICOLON) return this.#fail()
    const nameStart = skip(WHITE, bytes, this.#at + 1, end)
    // Some peers end with a semicolon.
    if (nameStart === end) return false
    const nameEnd = skip(TOKEN, bytes, nameStart, end)
    if (nameEnd === nameStart) return this.#fail()
    this.nameStart = nameStart
    this.nameEnd = nameEnd
    this.valueEnd = -1
    this.#at = skip(WHITE, bytes, nameEnd, end)
    if (this.#at === end || bytes[this.#at] !== EQUALS) return true
    const start = skip(WHITE, bytes, this.#at + 1, end)
    const isQuoted = start < end && bytes[start] === QUOTE
    const valueEnd = isQuoted ? skipQuoted(raw.latin1, start, end) : skip(VALUE, bytes, start, end)
    if (valueEnd < 0) return this.#fail()
    this.valueStart = start
    this.valueEnd = valueEnd
    this.#at = skip(WHITE, bytes, valueEnd, end)
    return true
  }

  /** In lower case; the usual names are literals, which need no copy. */
  get name(): string {
    const { nameEnd, nameStart } = this
    const { latin1 } = this.raw
    const length = nameEnd - nameStart
    const usual = USUAL_NAMES[length]
    if (usual !== undefined && latin1.startsWith(usual, nameStart)) return usual
    return latin1.slice(nameStart, nameEnd).toLowerCase()
  }

  /** The value as written; undefined for a name without `=`. */
  get value(): string | undefined {
    return this.valueEnd < 0 ? undefined : this.raw.cut(this.valueStart, this.valueEnd)
  }

  #fail(): false {
    this.isMalformed = true
    return false
  }
}

/** Whether [from, end) is parameters, or nothing. */
export function areParams(raw: RawText, from: number, end: number): boolean {
  if (from === end) return true
  const walk = new ParamWalk(raw, from, end)
  while (walk.next()) {}
  return !walk.isMalformed
}

/** The value of the first parameter of that lower-case name; undefined when there is none, or it has none. */
export function findParam(raw: RawText, from: number, end: number, name: string): string | undefined {
  const walk = new ParamWalk(raw, from, end)
  while (walk.next()) {
    if (walk.nameEnd - walk.nameStart === name.length && isNameAt(raw.latin1, walk.nameStart, name)) return walk.value
  }
  return undefined
}

/** Reads well-formed parameters. Of a repeated name the first counts. */
export function readParams(raw: RawText, from: number, end: number): Params {
  if (from === end) return NO_PARAMS
  const params = new Map<string, string | undefined>()
  const walk = new ParamWalk(raw, from, end)
  while (walk.next()) {
    const name = walk.name
    if (params.size === 0 || !params.has(name)) params.set(name, walk.value)
  }
  return params
}

/** Writes parameters as `;name=value;name`. */
export function paramsText(params: ReadonlyMap<string, string | undefined>): string {
  let text = ''
  for (const [name, value] of params) text += value === undefined ? `;${name}` : `;${name}=${value}`
  return text
}

/** Writes text as a quoted string. */
export function quote(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`
}

/** The text of a quoted string; other text is returned as it is. */
export function unquote(text: string): string {
  if (text.length < 2 || codeAt(text, 0) !== QUOTE || codeAt(text, text.length - 1) !== QUOTE) return text
  const inner = text.slice(1, -1)
  return inner.includes('\\') ? inner.replace(/\\([\s\S])/g, '$1') : inner
}

/** Splits at commas that stand outside of quotes and angle brackets; items are trimmed, empty ones left out. Adds to `items`. */
export function splitList(value: string, items: string[] = []): string[] {
  if (!value.includes(',')) {
    if (value !== '') items.push(value)
    return items
  }
  let start = 0
  let at = 0
  let inAngles = false
  while (at <= value.length) {
    const code = at < value.length ? codeAt(value, at) : COMMA
    if (code === COMMA && (!inAngles || at === value.length)) {
      const item = trimSpace(value.slice(start, at))
      if (item !== '') items.push(item)
      start = at + 1
    } else if (code === LESS) inAngles = true
    else if (code === GREATER) inAngles = false
    else if (code === QUOTE && !inAngles) {
      const end = skipQuoted(value, at, value.length)
      at = (end < 0 ? value.length : end) - 1
    }
    at++
  }
  return items
}
