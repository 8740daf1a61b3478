// `;name=value` parameters of header fields, and quoted strings (RFC 3261 sections 7.3.1 and 25.1).

import {
  COMMA,
  codeAt,
  EQUALS,
  GREATER,
  LESS,
  QUOTE,
  SEMICOLON,
  skipQuoted,
  skipSpace,
  skipToken,
  skipValue,
  trimSpace,
} from './characters.ts'

/** Parameters by lower-case name; values as written, quotes included; undefined for a name without `=`. */
export type Params = ReadonlyMap<string, string | undefined>

const NO_PARAMS: Params = new Map()

/** Reads parameters from `from` to the end; undefined when they are malformed. Of a repeated name the first counts. */
export function parseParams(text: string, from: number): Params | undefined {
  let at = skipSpace(text, from)
  if (at === text.length) return NO_PARAMS
  const params = new Map<string, string | undefined>()
  while (at < text.length) {
    if (codeAt(text, at) !== SEMICOLON) return undefined
    const nameStart = skipSpace(text, at + 1)
    // Some peers end with a semicolon.
    if (nameStart === text.length) break
    const nameEnd = skipToken(text, nameStart)
    if (nameEnd === nameStart) return undefined
    const name = text.slice(nameStart, nameEnd).toLowerCase()
    at = skipSpace(text, nameEnd)
    let value: string | undefined
    if (codeAt(text, at) === EQUALS) {
      const valueStart = skipSpace(text, at + 1)
      const valueEnd = codeAt(text, valueStart) === QUOTE ? skipQuoted(text, valueStart) : skipValue(text, valueStart)
      if (valueEnd < 0) return undefined
      value = text.slice(valueStart, valueEnd)
      at = skipSpace(text, valueEnd)
    }
    if (!params.has(name)) params.set(name, value)
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
      const end = skipQuoted(value, at)
      at = (end < 0 ? value.length : end) - 1
    }
    at++
  }
  return items
}
