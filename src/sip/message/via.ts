// One Via value: transport, sent-by and parameters (RFC 3261 section 20.42).

import { err, ok, type Result } from '#kernel'
import { COLON, OPEN_BRACKET, readNumber, SLASH, skipDigits, skipHost, skipSpace, skipToken } from './characters.ts'
import { paramsText, parseParams, scanParams } from './params.ts'
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

/** Where the parts of one Via value are in its text; `port` is -1 when there is none. */
interface Layout {
  transportStart: number
  transportEnd: number
  hostStart: number
  hostEnd: number
  port: number
  paramsStart: number
}

// Reused by every call, as nothing is kept past it: this runs for each message.
const layout: Layout = { transportStart: 0, transportEnd: 0, hostStart: 0, hostEnd: 0, port: -1, paramsStart: 0 }

/** Parses one Via value; any SIP version is taken, so that a 505 can find its way. */
export function parseVia(text: string): Result<Via, ViaError> {
  const problem = findParts(text)
  if (problem !== undefined) return err({ code: 'malformed', message: problem })
  const params = parseParams(text, layout.paramsStart)
  if (params === undefined) return err({ code: 'malformed', message: 'bad parameter' })
  const transport = text.slice(layout.transportStart, layout.transportEnd).toUpperCase()
  const host = text.slice(layout.hostStart, layout.hostEnd)
  return ok(layout.port < 0 ? { transport, host, params } : { transport, host, port: layout.port, params })
}

/** Whether parseVia would succeed, for less. */
export function isVia(text: string): boolean {
  return findParts(text) === undefined && scanParams(text, layout.paramsStart)
}

/** Writes a Via value. */
export function viaText(via: Via): string {
  return `SIP/2.0/${via.transport} ${hostPortText(via.host, via.port)}${paramsText(via.params)}`
}

// Fills `layout`; returns what is wrong, if anything. White space may surround slashes and the colon.
function findParts(text: string): string | undefined {
  const transport = text.startsWith('SIP/2.0/') ? 8 : skipProtocol(text)
  if (transport < 0) return 'bad protocol'
  const transportEnd = skipToken(text, transport)
  const host = skipSpace(text, transportEnd)
  if (transportEnd === transport || host === transportEnd) return 'bad protocol'
  layout.transportStart = transport
  layout.transportEnd = transportEnd
  const after = findHost(text, host)
  if (after < 0) return 'bad sent-by'
  layout.port = -1
  layout.paramsStart = after
  const colon = skipSpace(text, after)
  if (text.charCodeAt(colon) !== COLON) return undefined
  const port = skipSpace(text, colon + 1)
  const portEnd = skipDigits(text, port)
  layout.port = readNumber(text, port, portEnd, 65_535)
  layout.paramsStart = portEnd
  return layout.port < 0 ? 'bad port' : undefined
}

/** Index just after the host; -1 when there is none. */
function findHost(text: string, from: number): number {
  if (text.charCodeAt(from) === OPEN_BRACKET) {
    const close = text.indexOf(']', from)
    if (close < 0 || !isIpv6Text(text.slice(from + 1, close))) return -1
    layout.hostStart = from + 1
    layout.hostEnd = close
    return close + 1
  }
  layout.hostStart = from
  layout.hostEnd = skipHost(text, from)
  return layout.hostEnd === from ? -1 : layout.hostEnd
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
  return text.charCodeAt(at) === SLASH ? skipSpace(text, at + 1) : -1
}
