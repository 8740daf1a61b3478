// Who a certificate speaks for: SIP domain identities (RFC 5922 sections 7.1 and 7.2).

import { isIP } from 'node:net'
import type { PeerCertificate } from '#sip'

/** The parts of a peer certificate that carry identity, as node:tls presents them. */
export interface CertificateNames {
  /** `type:value, type:value, …`; absent when the certificate has no subjectAltName. */
  readonly subjectaltname?: string | undefined
}

/** SIP domain identities of a certificate, lower case; DNS names count only when no `sip:` URI is there. */
export function sipIdentities(certificate: CertificateNames): string[] {
  const names = altNames(certificate.subjectaltname ?? '')
  const fromUris = names.flatMap(([type, value]) => (type === 'URI' ? sipDomain(value) : []))
  if (fromUris.length > 0) return fromUris
  return names.flatMap(([type, value]) => (type === 'DNS' ? [value.toLowerCase()] : []))
}

/** What a verified certificate says of its holder; undefined for none. */
export function peerCertificate(
  certificate: CertificateNames & { readonly fingerprint256?: string; readonly subject?: { readonly CN?: unknown } },
): PeerCertificate | undefined {
  const { fingerprint256, subjectaltname, subject } = certificate
  if (fingerprint256 === undefined) return undefined
  // RFC 5922 section 7.1: the common name counts only where there is no subjectAltName.
  const commonNames = [subject?.CN].flat().filter((name) => typeof name === 'string')
  const names =
    subjectaltname === undefined ? commonNames.map((name) => name.toLowerCase()) : sipIdentities(certificate)
  return { names, fingerprint: fingerprint256.replaceAll(':', '').toLowerCase() }
}

/**
 * Whether the certificate proves `serverName`: exact match of a SIP identity; a wildcard matches nothing but itself (RFC 5922
 * section 7.2) unless `allowWildcard`, and then its first label any one label (RFC 9525 section 6.3).
 * An IP literal, which RFC 5922 leaves open, must stand in the certificate as an IP address.
 */
export function provesIdentity(certificate: CertificateNames, serverName: string, allowWildcard = false): boolean {
  const wanted = serverName.toLowerCase().replace(/\.$/, '')
  if (isIP(wanted) === 0) {
    const identities = sipIdentities(certificate)
    return identities.includes(wanted) || (allowWildcard && identities.includes(wildcardOf(wanted)))
  }
  const canonical = canonicalIp(wanted)
  return altNames(certificate.subjectaltname ?? '').some(
    ([type, value]) => type === 'IP Address' && canonicalIp(value) === canonical,
  )
}

/** The domain of `sip:domain`; nothing for another scheme or a URI with a user part. */
function sipDomain(uri: string): string[] {
  if (uri.slice(0, 4).toLowerCase() !== 'sip:' || uri.includes('@')) return []
  const end = uri.slice(4).search(/[;?:/]/)
  const domain = (end < 0 ? uri.slice(4) : uri.slice(4, 4 + end)).toLowerCase()
  return domain === '' ? [] : [domain]
}

/** `*.example.com` for `a.example.com`; nothing that could match for a name of a single label below the root. */
function wildcardOf(name: string): string {
  const dot = name.indexOf('.')
  return dot > 0 && name.includes('.', dot + 1) ? `*${name.slice(dot)}` : ''
}

function canonicalIp(address: string): string {
  if (isIP(address) !== 6) return address
  return new URL(`http://[${address}]/`).hostname
}

/** Splits node's text form; a value with special characters is a JSON string there, so a comma in it is no separator. */
function altNames(text: string): [type: string, value: string][] {
  const names: [string, string][] = []
  let at = 0
  while (at < text.length) {
    const colon = text.indexOf(':', at)
    if (colon < 0) break
    const type = text.slice(at, colon)
    const end = text[colon + 1] === '"' ? quotedEnd(text, colon + 1) : plainEnd(text, colon + 1)
    const raw = text.slice(colon + 1, end)
    names.push([type, raw.startsWith('"') ? unquoted(raw) : raw])
    at = end + 2
  }
  return names
}

function plainEnd(text: string, from: number): number {
  const comma = text.indexOf(', ', from)
  return comma < 0 ? text.length : comma
}

function quotedEnd(text: string, from: number): number {
  let at = from + 1
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1
  return Math.min(at + 1, text.length)
}

function unquoted(raw: string): string {
  try {
    return String(JSON.parse(raw))
  } catch {
    return ''
  }
}
