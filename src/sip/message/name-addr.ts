// name-addr and addr-spec: the value of From, To, Contact, Route, Record-Route, Refer-To… (RFC 3261 section 20.10).

import { err, ok, type Result } from '#kernel'
import { LESS, QUOTE, skipQuoted, skipSpace, skipSpaceBack, skipUri } from './characters.ts'
import { paramsText, parseParams, quote, scanParams, unquote } from './params.ts'

/** A URI with its display name and header parameters. */
export interface NameAddr {
  /** Without quotes and escapes. */
  readonly displayName?: string
  /** As written, without angle brackets, not parsed. */
  readonly uri: string
  /** Header parameters by lower-case name; values as written, quotes included. */
  readonly params: ReadonlyMap<string, string | undefined>
}

/** Why text is not a name-addr. */
export interface NameAddrError {
  readonly code: 'malformed'
  readonly message: string
}

/** Where the parts of one name-addr are in its text; an empty display range stands for none. */
interface Layout {
  displayStart: number
  displayEnd: number
  uriStart: number
  uriEnd: number
  paramsStart: number
}

// Reused by every call, as nothing is kept past it: this runs several times for each message.
const layout: Layout = { displayStart: 0, displayEnd: 0, uriStart: 0, uriEnd: 0, paramsStart: 0 }

/** Parses one name-addr or addr-spec with its header parameters. */
export function parseNameAddr(text: string): Result<NameAddr, NameAddrError> {
  const problem = findParts(text)
  if (problem !== undefined) return err({ code: 'malformed', message: problem })
  const { displayStart, displayEnd } = layout
  const uri = text.slice(layout.uriStart, layout.uriEnd)
  const params = parseParams(text, layout.paramsStart)
  if (params === undefined) return err({ code: 'malformed', message: 'bad header parameter' })
  if (displayStart === displayEnd) return ok({ uri, params })
  return ok({ displayName: unquote(text.slice(displayStart, displayEnd)), uri, params })
}

/** Whether parseNameAddr would succeed, for less. */
export function isNameAddr(text: string): boolean {
  return findParts(text) === undefined && scanParams(text, layout.paramsStart)
}

/** Writes a name-addr, always with angle brackets and with a quoted display name. */
export function nameAddrText(address: NameAddr): string {
  const display = address.displayName === undefined ? '' : `${quote(address.displayName)} `
  return `${display}<${address.uri}>${paramsText(address.params)}`
}

/** Whether the text may be a URI of any scheme: a scheme, and no white space, quotes or angle brackets. */
export function isUriText(text: string): boolean {
  return isUri(text, 0, text.length)
}

// Fills `layout`; returns what is wrong, if anything.
function findParts(text: string): string | undefined {
  const start = skipSpace(text, 0)
  let open: number
  layout.displayStart = start
  layout.displayEnd = start
  if (text.charCodeAt(start) === QUOTE) {
    const end = skipQuoted(text, start)
    if (end < 0) return 'quote is not closed'
    layout.displayEnd = end
    open = skipSpace(text, end)
    if (text.charCodeAt(open) !== LESS) return 'no < after the display name'
  } else {
    open = text.indexOf('<', start)
    if (open < 0) return findAddrSpec(text, start)
    layout.displayEnd = skipSpaceBack(text, start, open)
    if (open > start && /[",;:\\]/.test(text.slice(start, open))) return 'display name must be quoted'
  }
  const close = text.indexOf('>', open)
  if (close < 0) return 'no > after <'
  if (!isUri(text, open + 1, close)) return 'bad URI between < and >'
  layout.uriStart = open + 1
  layout.uriEnd = close
  layout.paramsStart = close + 1
  return undefined
}

// Without angle brackets all parameters belong to the header, and the URI may have neither `?` nor `,` (section 20).
function findAddrSpec(text: string, start: number): string | undefined {
  const semicolon = text.indexOf(';', start)
  const end = semicolon < 0 ? text.length : semicolon
  layout.uriStart = start
  layout.uriEnd = skipSpaceBack(text, start, end)
  layout.paramsStart = end
  if (!isUri(text, start, layout.uriEnd)) return 'bad URI'
  return /[?,]/.test(text.slice(start, end)) ? 'URI must be in angle brackets' : undefined
}

function isUri(text: string, from: number, end: number): boolean {
  const colon = text.indexOf(':', from)
  return colon > from && colon < end && skipUri(text, from) >= end
}
