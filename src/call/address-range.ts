// IP addresses and networks as byte arrays: parsing and containment.

/** A network: the first `prefixBits` of `address` are fixed. 4 bytes for IPv4, 16 for IPv6. */
export interface AddressRange {
  readonly address: Uint8Array
  readonly prefixBits: number
}

/** Bytes of an IPv4 or IPv6 literal without brackets; undefined for anything else. */
export function parseAddress(text: string): Uint8Array | undefined {
  return text.includes(':') ? parseIpv6(text) : parseIpv4(text)
}

/** A literal (`192.0.2.7`) or network (`192.0.2.0/24`, `2001:db8::/32`). */
export function parseRange(text: string): AddressRange | undefined {
  const slash = text.indexOf('/')
  const address = parseAddress(slash < 0 ? text : text.slice(0, slash))
  if (address === undefined) return undefined
  const allBits = address.length * 8
  if (slash < 0) return { address, prefixBits: allBits }
  const bits = text.slice(slash + 1)
  if (!/^\d{1,3}$/.test(bits) || Number(bits) > allBits) return undefined
  return { address, prefixBits: Number(bits) }
}

/** Whether an address lies in a network of the same family. */
export function rangeContains(range: AddressRange, address: Uint8Array): boolean {
  if (address.length !== range.address.length) return false
  for (let bit = 0; bit < range.prefixBits; bit += 8) {
    const mask = (0xff << Math.max(0, 8 - (range.prefixBits - bit))) & 0xff
    if (((address[bit >> 3]! ^ range.address[bit >> 3]!) & mask) !== 0) return false
  }
  return true
}

function parseIpv4(text: string): Uint8Array | undefined {
  const parts = text.split('.')
  if (parts.length !== 4 || !parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) < 256)) return undefined
  return Uint8Array.from(parts, Number)
}

function parseIpv6(text: string): Uint8Array | undefined {
  const halves = text.split('::')
  if (halves.length > 2) return undefined
  const head = groupsOf(halves[0] ?? '')
  const tail = halves.length === 2 ? groupsOf(halves[1] ?? '') : []
  if (head === undefined || tail === undefined) return undefined
  const missing = 8 - head.length - tail.length
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined
  const groups = [...head, ...new Array<number>(missing).fill(0), ...tail]
  return Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 0xff]))
}

function groupsOf(text: string): number[] | undefined {
  if (text === '') return []
  const groups: number[] = []
  for (const part of text.split(':')) {
    if (part.includes('.')) {
      const v4 = parseIpv4(part)
      if (v4 === undefined) return undefined
      groups.push((v4[0]! << 8) | v4[1]!, (v4[2]! << 8) | v4[3]!)
    } else if (/^[0-9a-f]{1,4}$/i.test(part)) groups.push(Number.parseInt(part, 16))
    else return undefined
  }
  return groups.length > 8 ? undefined : groups
}
