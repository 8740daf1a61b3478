// name-addr and addr-spec: the value of From, To, Contact, Route, Record-Route, Refer-To… (RFC 3261 section 20.10).

import { err, ok, type Result } from '#kernel'
import { BACKSLASH, COLON, COMMA, QUOTE, SEMICOLON, skipQuoted, skipSpace } from './characters.ts'
import { type Params, paramsText, parseParams, quote, unquote } from './params.ts'

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

/** Parses one name-addr or addr-spec with its header parameters. */
export function parseNameAddr(text: string): Result<NameAddr, NameAddrError> {
  const start = skipSpace(text, 0)
  let displayName: string | undefined
  let open: number
  if (text.charCodeAt(start) === QUOTE) {
    const end = skipQuoted(text, start)
    if (end < 0) return malformed('quote is not closed')
    displayName = unquote(text.slice(start, end))
    open = skipSpace(text, end)
    if (text[open] !== '<') return malformed('no < after the display name')
  } else {
    open = text.indexOf('<', start)
    if (open < 0) return parseAddrSpec(text, start)
    if (open > start) {
      if (!isPlainDisplayName(text, start, open)) return malformed('display name must be quoted')
      displayName = text.slice(start, open).trim()
    }
  }
  const close = text.indexOf('>', open)
  if (close < 0) return malformed('no > after <')
  const uri = text.slice(open + 1, close)
  if (!isUriText(uri)) return malformed('bad URI between < and >')
  return finish(displayName, uri, parseParams(text, close + 1))
}

/** Writes a name-addr, always with angle brackets and with a quoted display name. */
export function nameAddrText(address: NameAddr): string {
  const display = address.displayName === undefined ? '' : `${quote(address.displayName)} `
  return `${display}<${address.uri}>${paramsText(address.params)}`
}

// Without angle brackets all parameters belong to the header, and the URI may have neither `?` nor `,` (section 20).
function parseAddrSpec(text: string, start: number): Result<NameAddr, NameAddrError> {
  let end = text.indexOf(';', start)
  if (end < 0) end = text.length
  const uri = text.slice(start, end).trimEnd()
  if (!isUriText(uri) || uri.includes('?') || uri.includes(',')) return malformed('URI must be in angle brackets')
  return finish(undefined, uri, parseParams(text, end))
}

function finish(
  displayName: string | undefined,
  uri: string,
  params: Params | undefined,
): Result<NameAddr, NameAddrError> {
  if (params === undefined) return malformed('bad header parameter')
  return ok(displayName === undefined ? { uri, params } : { displayName, uri, params })
}

function isPlainDisplayName(text: string, from: number, end: number): boolean {
  for (let at = from; at < end; at++) {
    const code = text.charCodeAt(at)
    if (code === QUOTE || code === COMMA || code === SEMICOLON || code === COLON || code === BACKSLASH) return false
  }
  return true
}

function isUriText(uri: string): boolean {
  if (uri.indexOf(':') < 1) return false
  for (let at = 0; at < uri.length; at++) {
    const code = uri.charCodeAt(at)
    if (code <= 0x20 || code === QUOTE || code === 0x3c || code === 0x3e || code === 0x7f) return false
  }
  return true
}

function malformed(message: string): Result<never, NameAddrError> {
  return err({ code: 'malformed', message })
}
