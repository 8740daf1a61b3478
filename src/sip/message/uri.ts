// SIP, SIPS and tel URIs (RFC 3261 section 19.1, RFC 3966).

import { err, ok, type Result } from '#kernel'
import { isHostName, isUriParamText, isUserText, readNumber, skipUriText } from './characters.ts'

/** Schemes that we can route. */
export type UriScheme = 'sip' | 'sips' | 'tel'

/** A parsed URI. User, password, parameter values and headers stay escaped as written. */
export interface SipUri {
  readonly scheme: UriScheme
  /** For tel: the number. */
  readonly user?: string
  readonly password?: string
  /** Name or IP literal, IPv6 without brackets; empty for tel. */
  readonly host: string
  readonly port?: number
  /** By lower-case name. */
  readonly params: ReadonlyMap<string, string | undefined>
  /** What follows `?`, as written. */
  readonly headers?: string
}

/** Why text is not a URI for us: `unsupported-scheme` calls for 416, `malformed` for 400. */
export interface UriError {
  readonly code: 'unsupported-scheme' | 'malformed'
  readonly message: string
}

/** Parses a SIP, SIPS or tel URI without angle brackets. */
export function parseSipUri(text: string): Result<SipUri, UriError> {
  const colon = text.indexOf(':')
  if (colon < 1) return malformed('no scheme')
  const scheme = text.slice(0, colon).toLowerCase()
  if (scheme === 'tel') return parseTel(text.slice(colon + 1))
  if (scheme !== 'sip' && scheme !== 'sips') {
    return err({ code: 'unsupported-scheme', message: 'scheme is not sip, sips or tel' })
  }
  const at = text.indexOf('@', colon)
  let user: string | undefined
  let password: string | undefined
  if (at >= 0) {
    const userinfo = text.slice(colon + 1, at)
    const split = userinfo.indexOf(':')
    user = split < 0 ? userinfo : userinfo.slice(0, split)
    if (split >= 0) password = userinfo.slice(split + 1)
    if (user === '' || !isUserText(user) || !isUserText(password ?? '')) return malformed('bad user part')
  }
  const rest = text.slice(at < 0 ? colon + 1 : at + 1)
  const question = rest.indexOf('?')
  const headers = question < 0 ? undefined : rest.slice(question + 1)
  if (headers !== undefined && skipUriText(headers, 0) < headers.length) return malformed('bad headers part')
  const address = question < 0 ? rest : rest.slice(0, question)
  const semicolon = address.indexOf(';')
  const hostPort = parseHostPort(semicolon < 0 ? address : address.slice(0, semicolon))
  if (hostPort === undefined) return malformed('bad host or port')
  const params = parseUriParams(semicolon < 0 ? '' : address.slice(semicolon + 1))
  if (params === undefined) return malformed('bad parameter')
  return ok({
    scheme,
    ...(user === undefined ? {} : { user }),
    ...(password === undefined ? {} : { password }),
    ...hostPort,
    params,
    ...(headers === undefined ? {} : { headers }),
  })
}

/** Writes a URI; characters that may not stand in the user part are escaped. */
export function uriText(uri: SipUri): string {
  let text = `${uri.scheme}:`
  if (uri.user !== undefined) {
    text += escapeUser(uri.user)
    if (uri.password !== undefined) text += `:${escapeUser(uri.password)}`
    if (uri.scheme !== 'tel') text += '@'
  }
  if (uri.scheme !== 'tel') text += hostPortText(uri.host, uri.port)
  for (const [name, value] of uri.params) text += value === undefined ? `;${name}` : `;${name}=${value}`
  return uri.headers === undefined ? text : `${text}?${uri.headers}`
}

// Splits `host`, `host:port`, `[v6]` or `[v6]:port`; undefined when malformed.
function parseHostPort(text: string): { host: string; port?: number } | undefined {
  let host: string
  let rest: string
  if (text.startsWith('[')) {
    const close = text.indexOf(']')
    host = text.slice(1, Math.max(close, 1))
    rest = close < 0 ? 'x' : text.slice(close + 1)
    if (!isIpv6Text(host)) return undefined
  } else {
    const colon = text.indexOf(':')
    host = colon < 0 ? text : text.slice(0, colon)
    rest = colon < 0 ? '' : text.slice(colon)
    if (!isHostName(host)) return undefined
  }
  if (rest === '') return { host }
  const port = rest.startsWith(':') ? readNumber(rest, 1, rest.length, 65_535) : -1
  return port < 0 ? undefined : { host, port }
}

/** `host`, `host:port`, with brackets around IPv6. */
export function hostPortText(host: string, port: number | undefined): string {
  const text = host.includes(':') ? `[${host}]` : host
  return port === undefined ? text : `${text}:${port}`
}

function parseTel(text: string): Result<SipUri, UriError> {
  const semicolon = text.indexOf(';')
  const user = semicolon < 0 ? text : text.slice(0, semicolon)
  if (!isTelNumber(user)) return malformed('bad telephone number')
  const params = parseUriParams(semicolon < 0 ? '' : text.slice(semicolon + 1))
  if (params === undefined) return malformed('bad parameter')
  return ok({ scheme: 'tel', user, host: '', params })
}

function parseUriParams(text: string): Map<string, string | undefined> | undefined {
  const params = new Map<string, string | undefined>()
  if (text === '') return params
  for (const part of text.split(';')) {
    if (part === '') continue
    const equals = part.indexOf('=')
    const name = (equals < 0 ? part : part.slice(0, equals)).toLowerCase()
    const value = equals < 0 ? undefined : part.slice(equals + 1)
    if (name === '' || !isUriParamText(name) || !isUriParamText(value ?? '')) return undefined
    if (!params.has(name)) params.set(name, value)
  }
  return params
}

function isTelNumber(text: string): boolean {
  return text !== '' && /^[+0-9A-Fa-f*#().-]*$/.test(text)
}

/** Whether the text is built like an IPv6 address without brackets. */
export function isIpv6Text(text: string): boolean {
  return text.includes(':') && text.length <= 45 && /^[0-9A-Fa-f:.]*$/.test(text)
}

function escapeUser(text: string): string {
  if (isUserText(text)) return text
  let escaped = ''
  for (const character of text) {
    if (isUserText(character)) escaped += character
    else for (const byte of encoder.encode(character)) escaped += `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
  }
  return escaped
}

const encoder = new TextEncoder()

function malformed(message: string): Result<never, UriError> {
  return err({ code: 'malformed', message })
}
