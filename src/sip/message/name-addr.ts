// name-addr and addr-spec: the value of From, To, Contact, Route, Record-Route, Refer-To… (RFC 3261 section 20.10).

import { err, ok, type Result } from '#kernel'
import { COLON, GREATER, LESS, QUOTE, SEMICOLON, skipQuoted, skipUriText } from './characters.ts'
import { areParams, findParam, type Params, paramsText, quote, readParams, unquote } from './params.ts'
import { isOf, RawText, skip, skipWhiteBack, URI, WHITE } from './raw-text.ts'

/** A URI with its display name and header parameters. */
export interface NameAddr {
  /** Without quotes and escapes. */
  readonly displayName?: string
  /** As written, without angle brackets, not parsed. */
  readonly uri: string
  /** Header parameters by lower-case name; values as written, quotes included. */
  readonly params: Params
}

/** Why text is not a name-addr. */
export interface NameAddrError {
  readonly code: 'malformed'
  readonly message: string
}

/** Where the parts of a well-formed name-addr are; they are cut out for who asks. */
class AddressField {
  readonly #raw: RawText
  readonly #displayStart: number
  readonly #displayEnd: number
  readonly #uriStart: number
  readonly #uriEnd: number
  readonly #paramsStart: number
  readonly #end: number
  #parsed: Result<NameAddr, NameAddrError> | undefined

  constructor(
    raw: RawText,
    displayStart: number,
    displayEnd: number,
    uriStart: number,
    uriEnd: number,
    paramsStart: number,
    end: number,
  ) {
    this.#raw = raw
    this.#displayStart = displayStart
    this.#displayEnd = displayEnd
    this.#uriStart = uriStart
    this.#uriEnd = uriEnd
    this.#paramsStart = paramsStart
    this.#end = end
  }

  /** The tag parameter; undefined when absent. */
  get tag(): string | undefined {
    return findParam(this.#raw, this.#paramsStart, this.#end, 'tag')
  }

  /** All of it, cut out once. */
  get parsed(): Result<NameAddr, NameAddrError> {
    this.#parsed ??= ok(this.#parse())
    return this.#parsed
  }

  #parse(): NameAddr {
    const raw = this.#raw
    const uri = raw.cut(this.#uriStart, this.#uriEnd)
    const params = readParams(raw, this.#paramsStart, this.#end)
    if (this.#displayEnd === this.#displayStart) return { uri, params }
    return { displayName: unquote(raw.cut(this.#displayStart, this.#displayEnd)), uri, params }
  }
}

/** Parses one name-addr or addr-spec with its header parameters. */
export function parseNameAddr(text: string): Result<NameAddr, NameAddrError> {
  const raw = RawText.of(text)
  const field = scanNameAddr(raw, 0, raw.bytes.length)
  return field.ok ? field.value.parsed : field
}

/** Checks the name-addr or addr-spec in [from, end). */
export function scanNameAddr(raw: RawText, from: number, end: number): Result<AddressField, NameAddrError> {
  const { bytes, latin1 } = raw
  const start = skip(WHITE, bytes, from, end)
  let displayEnd = start
  let open = start
  if (start < end && bytes[start] === QUOTE) {
    displayEnd = skipQuoted(latin1, start, end)
    if (displayEnd < 0) return malformed('quote is not closed')
    open = skip(WHITE, bytes, displayEnd, end)
    if (open === end || bytes[open] !== LESS) return malformed('no < after the display name')
  } else {
    while (open < end && bytes[open] !== LESS) open++
    if (open === end) return scanAddrSpec(raw, start, end)
    displayEnd = skipWhiteBack(bytes, start, open)
    if (open > start && /[",;:\\]/.test(latin1.slice(start, open))) return malformed('display name must be quoted')
  }
  const uriEnd = skipUri(bytes, open + 1, end)
  if (uriEnd < 0 || uriEnd === end || bytes[uriEnd] !== GREATER) return malformed('bad URI between < and >')
  if (!areParams(raw, uriEnd + 1, end)) return malformed('bad header parameter')
  return ok(new AddressField(raw, start, displayEnd, open + 1, uriEnd, uriEnd + 1, end))
}

/** Writes a name-addr, always with angle brackets and with a quoted display name. */
export function nameAddrText(address: NameAddr): string {
  const display = address.displayName === undefined ? '' : `${quote(address.displayName)} `
  return `${display}<${address.uri}>${paramsText(address.params)}`
}

/** Whether the text may be a URI of any scheme: a scheme, and no white space, quotes or angle brackets. */
export function isUriText(text: string): boolean {
  return text.indexOf(':') > 0 && skipUriText(text, 0) === text.length
}

// Without angle brackets all parameters belong to the header, and the URI may have neither `?` nor `,` (section 20).
function scanAddrSpec(raw: RawText, start: number, end: number): Result<AddressField, NameAddrError> {
  const { bytes, latin1 } = raw
  let semicolon = start
  while (semicolon < end && bytes[semicolon] !== SEMICOLON) semicolon++
  const uriEnd = skipWhiteBack(bytes, start, semicolon)
  if (skipUri(bytes, start, uriEnd) !== uriEnd) return malformed('bad URI')
  if (/[?,]/.test(latin1.slice(start, uriEnd))) return malformed('URI must be in angle brackets')
  if (!areParams(raw, semicolon, end)) return malformed('bad header parameter')
  return ok(new AddressField(raw, start, start, start, uriEnd, semicolon, end))
}

/** Index of the first byte that cannot be in the URI that starts at `from`; -1 when it has no scheme. */
function skipUri(bytes: Buffer, from: number, end: number): number {
  let colon = from
  while (colon < end && bytes[colon] !== COLON && isOf(URI, bytes[colon]!)) colon++
  if (colon === from || colon === end || bytes[colon] !== COLON) return -1
  return skip(URI, bytes, colon + 1, end)
}

function malformed(message: string): Result<never, NameAddrError> {
  return err({ code: 'malformed', message })
}
