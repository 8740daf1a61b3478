// One Via value: transport, sent-by and parameters (RFC 3261 section 20.42).

import { err, ok, type Result } from '#kernel'
import { COLON, OPEN_BRACKET, readNumber, SLASH } from './characters.ts'
import { areParams, findParam, type Params, paramsText, readParams, splitList } from './params.ts'
import { DIGIT, HOST, RawText, skip, TOKEN, WHITE } from './raw-text.ts'
import { hostPortText, isIpv6Text } from './uri.ts'

/** A parsed Via value. */
export interface Via {
  /** Upper case: UDP, TCP, TLS… */
  readonly transport: string
  /** Name or IP literal, IPv6 without brackets. */
  readonly host: string
  readonly port?: number
  /** By lower-case name; values as written. */
  readonly params: Params
}

/** Why text is not a Via value. */
export interface ViaError {
  readonly code: 'malformed'
  readonly message: string
}

/** Where the parts of a well-formed Via value are; they are cut out for who asks. */
class ViaField {
  readonly #raw: RawText
  readonly #transportStart: number
  readonly #transportEnd: number
  readonly #hostStart: number
  readonly #hostEnd: number
  readonly #port: number
  readonly #paramsStart: number
  readonly #end: number
  #parsed: Result<Via, ViaError> | undefined

  /** `port` is -1 when absent. */
  constructor(
    raw: RawText,
    transportStart: number,
    transportEnd: number,
    hostStart: number,
    hostEnd: number,
    port: number,
    paramsStart: number,
    end: number,
  ) {
    this.#raw = raw
    this.#transportStart = transportStart
    this.#transportEnd = transportEnd
    this.#hostStart = hostStart
    this.#hostEnd = hostEnd
    this.#port = port
    this.#paramsStart = paramsStart
    this.#end = end
  }

  /** The branch parameter; undefined when absent. */
  get branch(): string | undefined {
    return findParam(this.#raw, this.#paramsStart, this.#end, 'branch')
  }

  /** All of it, cut out once. */
  get parsed(): Result<Via, ViaError> {
    this.#parsed ??= ok(this.#parse())
    return this.#parsed
  }

  #parse(): Via {
    const { latin1 } = this.#raw
    const transport = upperTransport(latin1.slice(this.#transportStart, this.#transportEnd))
    const host = latin1.slice(this.#hostStart, this.#hostEnd)
    const params = readParams(this.#raw, this.#paramsStart, this.#end)
    return this.#port < 0 ? { transport, host, params } : { transport, host, port: this.#port, params }
  }
}

/** Parses one Via value; any SIP version is taken, so that a 505 can find its way. White space may surround slashes and colon. */
export function parseVia(text: string): Result<Via, ViaError> {
  const raw = RawText.of(text)
  const field = scanVia(raw, 0, raw.bytes.length)
  return field.ok ? field.value.parsed : field
}

/** Checks the first Via value of those in [from, end). */
export function scanTopVia(raw: RawText, from: number, end: number): Result<ViaField, ViaError> {
  const field = scanVia(raw, from, end)
  // No single value has a comma outside of quotes, so that what was taken whole is no list.
  if (field.ok || !raw.latin1.slice(from, end).includes(',')) return field
  const first = RawText.of(splitList(raw.cut(from, end))[0] ?? '')
  return scanVia(first, 0, first.bytes.length)
}

function scanVia(raw: RawText, from: number, end: number): Result<ViaField, ViaError> {
  const { bytes, latin1 } = raw
  const transportStart = latin1.startsWith('SIP/2.0/', from) ? Math.min(from + 8, end) : skipProtocol(raw, from, end)
  if (transportStart < 0) return malformed('protocol is not SIP')
  const transportEnd = skip(TOKEN, bytes, transportStart, end)
  const hostStart = skip(WHITE, bytes, transportEnd, end)
  if (transportEnd === transportStart || hostStart === transportEnd) return malformed('no transport or sent-by')
  const isBracketed = hostStart < end && bytes[hostStart] === OPEN_BRACKET
  const firstOfHost = isBracketed ? hostStart + 1 : hostStart
  const hostEnd = isBracketed ? skipIpv6(latin1, firstOfHost, end) : skip(HOST, bytes, hostStart, end)
  if (hostEnd <= firstOfHost) return malformed('bad host')
  const hostPartEnd = isBracketed ? hostEnd + 1 : hostEnd
  let paramsStart = hostPartEnd
  let port = -1
  const colon = skip(WHITE, bytes, hostPartEnd, end)
  if (colon < end && bytes[colon] === COLON) {
    const portStart = skip(WHITE, bytes, colon + 1, end)
    paramsStart = skip(DIGIT, bytes, portStart, end)
    port = readNumber(latin1, portStart, paramsStart, 65_535)
    if (port < 0) return malformed('bad port')
  }
  if (!areParams(raw, paramsStart, end)) return malformed('bad parameter')
  return ok(new ViaField(raw, transportStart, transportEnd, firstOfHost, hostEnd, port, paramsStart, end))
}

/** Index of the bracket that closes the address that starts at `from`; -1 when that is none. */
function skipIpv6(latin1: string, from: number, end: number): number {
  const text = latin1.slice(from, end)
  const length = text.indexOf(']')
  return length > 0 && isIpv6Text(text.slice(0, length)) ? from + length : -1
}

/** Writes a Via value. */
export function viaText(via: Via): string {
  return `SIP/2.0/${via.transport} ${hostPortText(via.host, via.port)}${paramsText(via.params)}`
}

function upperTransport(text: string): string {
  return text === 'UDP' || text === 'TCP' || text === 'TLS' ? text : text.toUpperCase()
}

function malformed(message: string): Result<never, ViaError> {
  return err({ code: 'malformed', message })
}

/** Index of the transport; -1 when the protocol is not SIP of some version. */
function skipProtocol(raw: RawText, from: number, end: number): number {
  if (raw.latin1.slice(from, Math.min(from + 3, end)).toUpperCase() !== 'SIP') return -1
  const version = skipSlash(raw.bytes, from + 3, end)
  if (version < 0) return -1
  const versionEnd = skip(TOKEN, raw.bytes, version, end)
  return versionEnd === version ? -1 : skipSlash(raw.bytes, versionEnd, end)
}

function skipSlash(bytes: Buffer, from: number, end: number): number {
  const at = skip(WHITE, bytes, from, end)
  return at < end && bytes[at] === SLASH ? skip(WHITE, bytes, at + 1, end) : -1
}
