// Who a message says it is from: P-Asserted-Identity (RFC 3325) first, else From or To.

import { parseNameAddr, parseSipUri, quote, type SipHeaders, type SipUri, uriText } from '#sip'

/** A party's addresses of record, never empty, and display name. */
export interface Identity {
  readonly aors: readonly string[]
  readonly displayName?: string
  /** The party asked that only trusted peers are told who it is (RFC 3323, RFC 3325). */
  readonly isPrivate?: boolean
}

/** Address of record of somebody who is not to be known (RFC 3323 section 4.1.1.3). */
export const ANONYMOUS = 'sip:anonymous@anonymous.invalid'

/** From of somebody who is not to be known. */
export const ANONYMOUS_FROM = `"Anonymous" <${ANONYMOUS}>`
// RFC 3325 section 9.1 allows a sip: and a tel: value.
const MAX_ASSERTED = 2

/** The identity in a message's headers; P-Asserted-Identity is believed of trusted peers only, else `fallback` counts. */
export function identityOf(headers: SipHeaders, fallback: 'From' | 'To', isTrusted: boolean): Identity {
  const asserted = isTrusted ? headers.list('P-Asserted-Identity').slice(0, MAX_ASSERTED) : []
  const named = (asserted.length > 0 ? asserted : headers.all(fallback).slice(0, 1)).flatMap((value) => {
    const parsed = parseNameAddr(value)
    return parsed.ok ? [parsed.value] : []
  })
  const aors = named.flatMap((one) => aorOf(one.uri) ?? [])
  const displayName = named.find((one) => one.displayName !== undefined && one.displayName !== '')?.displayName
  const privacy = privacyOf(headers)
  return {
    aors: aors.length > 0 ? aors : [ANONYMOUS],
    ...(displayName !== undefined && { displayName }),
    ...(['id', 'user', 'header'].some((kind) => privacy.has(kind)) && { isPrivate: true }),
  }
}

/** The kinds of privacy that a message asks for, in lower case. */
export function privacyOf(headers: SipHeaders): ReadonlySet<string> {
  const kinds = headers.all('Privacy').flatMap((value) => value.split(';'))
  return new Set(kinds.map((kind) => kind.trim().toLowerCase()))
}

/** Who answered a call to `target`: whom its 200 asserts, else the one who was called. */
export function answererOf(target: string, headers: SipHeaders, isTrusted: boolean): Identity {
  const identity = identityOf(headers, 'To', isTrusted)
  return isTrusted && headers.has('P-Asserted-Identity') ? identity : { ...identity, aors: [aorOf(target) ?? target] }
}

/** The address of record of a URI: no parameters, no headers; undefined when it is no SIP or tel URI. */
export function aorOf(uri: string): string | undefined {
  const parsed = parseSipUri(uri)
  return parsed.ok ? uriText(bareUri(parsed.value)) : undefined
}

/** From of a call that goes on: the caller's user and display name at our own domain (the caller's host stays hidden). */
export function onwardFrom(headers: SipHeaders, domain: string): string {
  const parsed = parseNameAddr(headers.get('From') ?? '')
  const uri = parsed.ok ? parseSipUri(parsed.value.uri) : undefined
  const address = addressOf(uri?.ok === true ? uri.value.user : undefined, domain)
  const displayName = parsed.ok ? parsed.value.displayName : undefined
  if (displayName === undefined || displayName === '') return address
  return `${quote(displayName)} ${address}`
}

/** From of a call made on behalf of a party that is known by a URI only. */
export function fromAs(uri: string, domain: string): string {
  const parsed = parseSipUri(uri)
  return addressOf(parsed.ok ? parsed.value.user : undefined, domain)
}

function addressOf(user: string | undefined, domain: string): string {
  const host = domain.includes(':') ? `[${domain}]` : domain
  return `<sip:${user ?? 'anonymous'}@${host}>`
}

function bareUri(uri: SipUri): SipUri {
  return {
    scheme: uri.scheme,
    ...(uri.user !== undefined && { user: uri.user }),
    host: uri.host,
    ...(uri.port !== undefined && { port: uri.port }),
    params: new Map(),
  }
}
