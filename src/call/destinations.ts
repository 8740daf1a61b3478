// Where the gateway may call: a list of hosts, deny by default.

import { AppError } from '#kernel'
import type { SipUri } from '#sip'
import { type AddressRange, parseAddress, parseRange, rangeContains } from './address-range.ts'

/** Says whether a URI may be dialled. */
export interface DestinationPolicy {
  allows(uri: SipUri): boolean
}

/**
 * Policy of a list whose entries are a host (`pbx.example.com`, `192.0.2.7`), a domain with all below it (`.example.com`) or
 * a network (`192.0.2.0/24`). An empty list allows nothing. Throws AppError `call.bad-destination` for an entry that is none of these.
 */
export function createDestinationPolicy(entries: readonly string[]): DestinationPolicy {
  const hosts = new Set<string>()
  const suffixes: string[] = []
  const ranges: AddressRange[] = []
  for (const entry of entries) {
    const text = entry.trim().toLowerCase()
    const range = parseRange(text)
    if (range !== undefined) ranges.push(range)
    else if (/^\.[a-z0-9.-]+$/.test(text)) suffixes.push(text)
    else if (/^[a-z0-9.-]+$/.test(text)) hosts.add(text)
    else throw badDestination(entry)
  }
  const allowsHost = (host: string): boolean => {
    const address = parseAddress(host)
    if (address !== undefined) return ranges.some((range) => rangeContains(range, address))
    return hosts.has(host) || suffixes.some((suffix) => host.endsWith(suffix))
  }
  return {
    allows: (uri) => {
      // maddr and URI headers would send the request elsewhere than the host says.
      if (uri.scheme === 'tel' || uri.params.has('maddr') || uri.headers !== undefined) return false
      const host = uri.host.toLowerCase()
      return allowsHost(host.endsWith('.') ? host.slice(0, -1) : host)
    },
  }
}

function badDestination(entry: string): AppError {
  return new AppError('call.bad-destination', `not a host, domain or network: ${entry}`, {
    result: 'client',
    reason: 'bad-destination',
  })
}
