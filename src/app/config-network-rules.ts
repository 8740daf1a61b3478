// Rules about lists of addresses and networks.

import { isIP } from 'node:net'
import type { RuleBreach } from './config-rules.ts'

/** Breaches of a list of addresses and networks. */
export function networkBreaches(path: readonly (string | number)[], networks: readonly string[]): RuleBreach[] {
  return networks.flatMap((network, at) => {
    if (isNetwork(network)) return []
    return [{ path: [...path, at], expected: 'an IP address or a network such as 10.0.0.0/8' }]
  })
}

function isNetwork(text: string): boolean {
  const slash = text.indexOf('/')
  const family = isIP(slash < 0 ? text : text.slice(0, slash))
  if (slash < 0 || family === 0) return family !== 0
  const bits = text.slice(slash + 1)
  return /^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128)
}
