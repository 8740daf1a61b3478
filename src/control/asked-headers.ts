// Headers of the asker's own for the INVITE to the recorders, out of a JSON object: those that are headers, and not ours to set.

import type { HeaderList } from '#sip'

const MAX_HEADERS = 20
const MAX_VALUE_LENGTH = 1_000

/** Headers that belong to the SIP core or to the recording client. */
const RESERVED = new Set([
  'accept',
  'allow',
  'authorization',
  'call-id',
  'contact',
  'content-disposition',
  'content-encoding',
  'content-length',
  'content-type',
  'cseq',
  'expires',
  'from',
  'max-forwards',
  'min-se',
  'proxy-authorization',
  'proxy-require',
  'rack',
  'record-route',
  'replaces',
  'require',
  'route',
  'rseq',
  'session-expires',
  'supported',
  'to',
  'unsupported',
  'via',
])

/** The headers that an object holds; what is no header, or belongs to the SIP core, is left out. */
export function headersOf(object: object): HeaderList {
  return Object.entries(object)
    .flatMap(([name, value]): [string, string][] => (isScalar(value) ? [[name, String(value)]] : []))
    .filter(([name, value]) => isHeaderName(name) && isHeaderValue(value))
    .slice(0, MAX_HEADERS)
}

function isScalar(value: unknown): value is string | number | boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
}

/** Compact names are one letter and all belong to the core. */
function isHeaderName(name: string): boolean {
  return /^[A-Za-z][A-Za-z0-9-]{1,63}$/.test(name) && !RESERVED.has(name.toLowerCase())
}

function isHeaderValue(value: string): boolean {
  if (value.length > MAX_VALUE_LENGTH) return false
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i)
    if (code < 0x20 || code === 0x7f) return false
  }
  return true
}
