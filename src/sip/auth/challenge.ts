// Challenges and credentials as text: WWW-Authenticate, Authorization and their proxy forms (RFC 7616 section 3.3, RFC 7235 section 2.1).

import { COMMA, codeAt, EQUALS, QUOTE, SPACE, skipQuoted, skipToken, trimSpace } from '../message/characters.ts'
import type { HeaderList } from '../session.ts'

/** One challenge, or one set of credentials. */
export interface AuthValue {
  /** Lower case. */
  readonly scheme: string
  /** By lower-case name, without quotes; what is escaped inside them stays so. */
  readonly params: ReadonlyMap<string, string>
}

const MAX_PARAMS = 64
const TAB = 0x09

/** Reads a header value, which may hold several; what is malformed ends the reading, what was read before it counts. */
export function parseAuthValues(text: string): AuthValue[] {
  const values: AuthValue[] = []
  let params = new Map<string, string>()
  let at = skipSeparators(text, 0)
  while (at < text.length) {
    const nameEnd = skipToken(text, at)
    if (nameEnd === at) return values
    const name = text.slice(at, nameEnd).toLowerCase()
    const next = skipBlanks(text, nameEnd)
    if (codeAt(text, next) !== EQUALS) {
      params = new Map()
      values.push({ scheme: name, params })
      at = skipSeparators(text, next)
      continue
    }
    const start = skipBlanks(text, next + 1)
    const isQuoted = codeAt(text, start) === QUOTE
    const end = isQuoted ? skipQuoted(text, start, text.length) : skipToken(text, start)
    if (end < 0 || values.length === 0 || params.size === MAX_PARAMS) return values
    if (!params.has(name)) params.set(name, isQuoted ? text.slice(start + 1, end - 1) : text.slice(start, end))
    at = skipSeparators(text, end)
  }
  return values
}

/** Header name of what answers a challenge of that header. */
export function authHeader(kind: 'www' | 'proxy'): { readonly challenge: string; readonly credentials: string } {
  return kind === 'www'
    ? { challenge: 'WWW-Authenticate', credentials: 'Authorization' }
    : { challenge: 'Proxy-Authenticate', credentials: 'Proxy-Authorization' }
}

/** Writes a Digest value; each text of `quoted` stands as it would between quotes. */
export function digestText(quoted: HeaderList, plain: HeaderList): string {
  return `Digest ${[
    ...quoted.map(([name, text]) => `${name}="${text}"`),
    ...plain.map(([name, text]) => `${name}=${text}`),
  ].join(', ')}`
}

/** The items of a qop list. */
export function qopItems(text: string): string[] {
  return text.split(',').map((item) => trimSpace(item).toLowerCase())
}

function skipBlanks(text: string, from: number): number {
  let at = from
  while (codeAt(text, at) === SPACE || codeAt(text, at) === TAB) at++
  return at
}

function skipSeparators(text: string, from: number): number {
  let at = from
  while (codeAt(text, at) === SPACE || codeAt(text, at) === TAB || codeAt(text, at) === COMMA) at++
  return at
}
