// When two URIs are equivalent (RFC 3261 section 19.1.4, RFC 3966 section 4).

import type { SipUri } from './uri.ts'

const DECISIVE_PARAMS = ['user', 'ttl', 'method', 'maddr', 'transport']

/** Whether both URIs name the same resource; not the same as having the same text. */
export function sameUri(a: SipUri, b: SipUri): boolean {
  if (a.scheme !== b.scheme) return false
  if (a.scheme === 'tel') return telKey(a) === telKey(b)
  return (
    optionalUnescaped(a.user) === optionalUnescaped(b.user) &&
    optionalUnescaped(a.password) === optionalUnescaped(b.password) &&
    a.host.toLowerCase() === b.host.toLowerCase() &&
    a.port === b.port &&
    sameParams(a, b) &&
    headersKey(a.headers) === headersKey(b.headers)
  )
}

function sameParams(a: SipUri, b: SipUri): boolean {
  for (const name of DECISIVE_PARAMS) if (a.params.has(name) !== b.params.has(name)) return false
  for (const [name, value] of a.params) {
    if (b.params.has(name) && paramKey(value) !== paramKey(b.params.get(name))) return false
  }
  return true
}

function paramKey(value: string | undefined): string | undefined {
  return value === undefined ? undefined : unescaped(value).toLowerCase()
}

function headersKey(headers: string | undefined): string {
  if (headers === undefined) return ''
  const fields = headers.split('&').map((field) => {
    const equals = field.indexOf('=')
    return equals < 0
      ? unescaped(field).toLowerCase()
      : `${unescaped(field.slice(0, equals)).toLowerCase()}=${unescaped(field.slice(equals + 1))}`
  })
  return fields.sort().join('&')
}

function telKey(uri: SipUri): string {
  const params = [...uri.params].map(([name, value]) => `${name}=${stripSeparators(paramKey(value) ?? '')}`)
  return [stripSeparators((uri.user ?? '').toLowerCase()), ...params.sort()].join(';')
}

function stripSeparators(number: string): string {
  return number.replace(/[-.()]/g, '')
}

function optionalUnescaped(text: string | undefined): string | undefined {
  return text === undefined ? undefined : unescaped(text)
}

function unescaped(text: string): string {
  return text.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}
