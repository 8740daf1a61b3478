// Addresses as the sockets will report them, so that sources can be compared as text.

import type { Endpoint } from '#kernel'
import { mediaError } from '../errors.ts'

const IPV4 = /^\d{1,3}(\.\d{1,3}){3}$/
const IPV6 = /^[0-9a-f.]*:[0-9a-f.:]*$/i

/** The canonical form of an address of an SDP; undefined for the null address or port 0; rejects names with `media.bad-address`. */
export function canonicalEndpoint(endpoint: Endpoint): Endpoint | undefined {
  const { host, port } = endpoint
  if (!Number.isInteger(port) || port < 0 || port > 65535) throw badAddress()
  const canonical = canonicalHost(host)
  return port === 0 || canonical === '0.0.0.0' || canonical === '::' ? undefined : { host: canonical, port }
}

function canonicalHost(host: string): string {
  if (IPV4.test(host)) return urlHost(host)
  if (IPV6.test(host)) return urlHost(`[${host}]`).slice(1, -1)
  throw badAddress()
}

function urlHost(host: string): string {
  try {
    return new URL(`http://${host}`).hostname
  } catch {
    throw badAddress()
  }
}

function badAddress(): Error {
  return mediaError('media.bad-address', 'a media address must be an IP literal with a port')
}
