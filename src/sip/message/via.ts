// One Via value: transport, sent-by and parameters (RFC 3261 section 20.42).

import { err, ok, type Result } from '#kernel'
import {
  COLON,
  codeAt,
  OPEN_BRACKET,
  readNumber,
  SLASH,
  skipDigits,
  skipHost,
  skipSpace,
  skipToken,
} from './characters.ts'
import { paramsText, parseParams, splitList } from './params.ts'
import { hostPortText, isIpv6Text } from './uri.ts'

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

/** Parses one Via value; any SIP version is taken, so that a 505 can find its way. White space may surround slashes and colon. */
export function parseVia(text: string): Result<Via, ViaError> {
  const transportStart = text.startsWith('SIP/2.0/') ? 8 : skipProtocol(text)
  if (transportStart < 0) return malformed('protocol is not SIP')
  const transportEnd = skipToken(text, transportStart)
  const hostStart = skipSpace(text, transportEnd)
  if (transportEnd === transportStart || hostStart === transportEnd) return malformed('no transport or sent-by')
  const isBracketed = codeAt(text, hostStart) === OPEN_BRACKET
  const hostEnd = isBracketed ? text.indexOf(']', hostStart) + 1 : skipHost(text, hostStart)
  const host = isBracketed ? text.slice(hostStart + 1, Math.max(hostEnd - 1, 0)) : text.slice(hostStart, hostEnd)
  if (host === '' || (isBracketed && !isIpv6Text(host))) return malformed('bad host')
  const transport = upperTransport(text.slice(transportStart, transportEnd))
  const colon = skipSpace(text, hostEnd)
  if (codeAt(text, colon) !== COLON) {
    const params = parseParams(text, hostEnd)
    return params === undefined ? malformed('bad parameter') : ok({ transport, host, params })
  }
  const portStart = skipSpace(text, colon + 1)
  const portEnd = skipDigits(text, portStart)
  const port = readNumber(text, portStart, portEnd, 65_535)
  if (port < 0) return malformed('bad port')
  const params = parseParams(text, portEnd)
  return params === undefined ? malformed('bad parameter') : ok({ transport, host, port, params })
}

/** Parses the first value of a Via line. */
export function parseTopVia(line: string): Result<Via, ViaError> {
  return parseVia(line.includes(',') ? (splitList(line)[0] ?? '') : line)
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
function skipProtocol(text: string): number {
  if (text.slice(0, 3).toUpperCase() !== 'SIP') return -1
  const version = skipSlash(text, 3)
  if (version < 0) return -1
  const versionEnd = skipToken(text, version)
  return versionEnd === version ? -1 : skipSlash(text, versionEnd)
}

function skipSlash(text: string, from: number): number {
  const at = skipSpace(text, from)
  return codeAt(text, at) === SLASH ? skipSpace(text, at + 1) : -1
}
