// name-addr and addr-spec: the value of From, To, Contact, Route, Record-Route, Refer-To… (RFC 3261 section 20.10).

import { err, ok, type Result } from '#kernel'
import { codeAt, LESS, QUOTE, skipQuoted, skipSpace, skipSpaceBack, skipUri } from './characters.ts'
import { paramsText, parseParams, quote, unquote } from './params.ts'

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
  let displayEnd = start
  let open: number
  if (codeAt(text, start) === QUOTE) {
    displayEnd = skipQuoted(text, start)
    if (displayEnd < 0) return malformed('quote is not closed')
    open = skipSpace(text, displayEnd)
    if (codeAt(text, open) !== LESS) return malformed('no < after the display name')
  } else {
    open = text.indexOf('<', start)
    if (open < 0) return parseAddrSpec(text, start)
    displayEnd = skipSpaceBack(text, start, open)
    if (open > start && /[",;:\\]/.test(text.slice(start, open))) return malformed('display name must be quoted')
  }
  const close = text.indexOf('>', open)
  const uri = text.slice(open + 1, Math.max(close, 0))
  if (!isUriText(uri)) return malformed('bad URI between < and >')
  const params = parseParams(text, close + 1)
  if (params === undefined) return malformed('bad header parameter')
  if (displayEnd === start) return ok({ uri, params })
  return ok({ displayName: unquote(text.slice(start, displayEnd)), uri, params })
}

/** Writes a name-addr, always with angle brackets and with a quoted display name. */
export function nameAddrText(address: NameAddr): string {
  const display = address.displayName === undefined ? '' : `${quote(address.displayName)} `
  return `${display}<${address.uri}>${paramsText(address.params)}`
}

/** Whether the text may be a URI of any scheme: a scheme, and no white space, quotes or angle brackets. */
export function isUriText(text: string): boolean {
  return text.indexOf(':') > 0 && skipUri(text, 0) === text.length
}

// Without angle brackets all parameters belong to the header, and the URI may have neither `?` nor `,` (section 20).
function parseAddrSpec(text: string, start: number): Result<NameAddr, NameAddrError> {
  const semicolon = text.indexOf(';', start)
  const end = semicolon < 0 ? text.length : semicolon
  const uri = text.slice(start, skipSpaceBack(text, start, end))
  if (!isUriText(uri)) return malformed('bad URI')
  if (/[?,]/.test(uri)) return malformed('URI must be in angle brackets')
  const params = parseParams(text, end)
  return params === undefined ? malformed('bad header parameter') : ok({ uri, params })
}

function malformed(message: string): Result<never, NameAddrError> {
  return err({ code: 'malformed', message })
}
