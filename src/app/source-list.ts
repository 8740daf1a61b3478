// Lists of peers by address: single addresses and networks.

import { BlockList, isIP } from 'node:net'
import { AppError } from '#kernel'

/** Addresses that are on a list. */
export interface SourceList {
  has(address: string): boolean
}

/** Makes a list of addresses and networks such as `10.0.0.0/8`; throws AppError `config.bad-source` for anything else. */
export function createSourceList(entries: readonly string[]): SourceList {
  const list = new BlockList()
  for (const entry of entries) {
    const [address = '', prefix] = entry.split('/')
    const family = isIP(address)
    if (family === 0) {
      throw new AppError('config.bad-source', `not an address or network: ${entry}`, {
        result: 'client',
        reason: 'bad-source',
      })
    }
    const type = family === 4 ? 'ipv4' : 'ipv6'
    if (prefix === undefined) list.addAddress(address, type)
    else list.addSubnet(address, Number(prefix), type)
  }
  return { has: (address) => isIP(address) !== 0 && list.check(address, isIP(address) === 4 ? 'ipv4' : 'ipv6') }
}

/** Whether a source may send SIP to a role; an empty list admits all. */
export function admission(
  sources: readonly string[],
): (flow: { readonly remote: { readonly host: string } }) => boolean {
  if (sources.length === 0) return () => true
  const list = createSourceList(sources)
  return (flow) => list.has(flow.remote.host)
}
