// One Via value: transport, sent-by and parameters (RFC 3261 section 20.42).

import { err, ok, type Result } from '#kernel'
import { COLON, OPEN_BRACKET, SEMICOLON, SLASH, skipHost, skipSpace, skipToken } from './characters.ts'
import { paramsText, parseParams } from './params.ts'
import { hostPortText, parseHostPort } from './uri.ts'

/** A parsed Via value. */
export interface Via {
  /** Upper case: UDP, TCP, TLS… */
  readonly transport: string
  /** Name or IP literal, IPv6 without brackets. */
  readonly host: string
  readonly port?: number
  /** By lower-case name; values as written. */
  readonly params: ReadonlyMap<string, string | undefined>
}

/** Why text is not a Via value. */
export interface ViaError {
  readonly code: 'malformed'
  readonly message: string
}

/** Parses one Via value; any SIP version is taken, so that a 505 can find its way. */
export function parseVia(text: string): Result<Via, ViaError> {
  const nameEnd = skipToken(text, 0)
  const version = skipSlash(text, nameEnd)
  const versionEnd = skipToken(text, version)
  const transport = skipSlash(text, versionEnd)
  const transportEnd = skipToken(text, transport)
  if (version < 0 || transport < 0 || versionEnd === version || transportEnd === transport)
    return malformed('bad protocol')
  if (text.slice(0, nameEnd).toUpperCase() !== 'SIP') return malformed('protocol is not SIP')
  const sentBy = skipSpace(text, transportEnd)
  if (sentBy === transportEnd) return malformed('no space before sent-by')
  const sentByEnd = skipSentBy(text, sentBy)
  const hostPort = parseHostPort(text.slice(sentBy, sentByEnd).replace(/[ \t]/g, ''))
  if (hostPort === undefined) return malformed('bad sent-by')
  const params = parseParams(text, sentByEnd)
  if (params === undefined) return malformed('bad parameter')
  return ok({ transport: text.slice(transport, transportEnd).toUpperCase(), ...hostPort, params })
}

/** Writes a Via value. */
export function viaText(via: Via): string {
  return `SIP/2.0/${via.transport} ${hostPortText(via.host, via.port)}${paramsText(via.params)}`
}

// White space is allowed around the colon, but host and port must not be torn apart otherwise.
function skipSentBy(text: string, from: number): number {
  const close = text.charCodeAt(from) === OPEN_BRACKET ? text.indexOf(']', from) : -1
  const hostEnd = close < 0 ? skipHost(text, from) : close + 1
  const colon = skipSpace(text, hostEnd)
  if (text.charCodeAt(colon) !== COLON)
    return text.charCodeAt(colon) === SEMICOLON || colon === text.length ? hostEnd : text.length
  const port = skipSpace(text, colon + 1)
  return skipToken(text, port)
}

function skipSlash(text: string, from: number): number {
  if (from < 0) return -1
  const at = skipSpace(text, from)
  return text.charCodeAt(at) === SLASH ? skipSpace(text, at + 1) : -1
}

function malformed(message: string): Result<never, ViaError> {
  return err({ code: 'malformed', message })
}
