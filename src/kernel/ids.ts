// Identifiers as a port, so that tests can repeat a run exactly.

/** Source of random identifiers. */
export interface Ids {
  /** Lower-case hexadecimal text of `byteCount` random bytes. */
  hex(byteCount: number): string
  /** 16 bytes of a version 4 UUID (RFC 4122 section 4.4). */
  uuid(): Uint8Array
  /** Uniform integer, 0 <= n < `below`, for `below` <= 2^48. */
  integer(below: number): number
}

const HEX = Array.from({ length: 256 }, (_unused, byte) => byte.toString(16).padStart(2, '0'))

/** Text form of 16 UUID bytes. */
export function uuidText(bytes: Uint8Array): string {
  let hex = ''
  for (const byte of bytes) hex += HEX[byte]!
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

/** Sets the version 4 and variant bits of 16 random bytes in place and returns them. */
export function stampUuidVersion4(bytes: Uint8Array): Uint8Array {
  bytes[6] = (bytes[6]! & 0x0f) | 0x40
  bytes[8] = (bytes[8]! & 0x3f) | 0x80
  return bytes
}

/** Repeatable identifiers for tests: the same seed gives the same sequence. */
export function seededIds(seed: number): Ids {
  let state = seed >>> 0 || 1
  const next = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state
  }
  const bytes = (count: number): Uint8Array => Uint8Array.from({ length: count }, () => next() >>> 24)
  return {
    hex: (byteCount) => Array.from(bytes(byteCount), (byte) => byte.toString(16).padStart(2, '0')).join(''),
    uuid: () => stampUuidVersion4(bytes(16)),
    integer: (below) => Math.floor((next() / 2 ** 32) * below),
  }
}
