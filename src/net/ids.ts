// Identifiers from the operating system's random source.

import { randomFillSync, randomInt } from 'node:crypto'
import { type Ids, stampUuidVersion4 } from '#kernel'

/** Asking the system costs as much for a page as for a few bytes. */
const POOL_BYTES = 4096

/** Gives each byte of the system's once; what it returns is valid until the next call. */
function pooledBytes(): (byteCount: number) => Buffer {
  const pool = Buffer.alloc(POOL_BYTES)
  let used = POOL_BYTES
  return (byteCount) => {
    if (byteCount > POOL_BYTES) return randomFillSync(Buffer.alloc(byteCount))
    if (used + byteCount > POOL_BYTES) {
      randomFillSync(pool)
      used = 0
    }
    used += byteCount
    return pool.subarray(used - byteCount, used)
  }
}

const bytes = pooledBytes()

/** Unpredictable identifiers for tags, branches, keys and UUIDs. */
export const cryptoIds: Ids = {
  hex: (byteCount) => bytes(byteCount).toString('hex'),
  uuid: () => stampUuidVersion4(new Uint8Array(bytes(16))),
  // randomInt stops one short of the 2^48 that the port promises.
  integer: (below) => (below === 2 ** 48 ? bytes(6).readUIntBE(0, 6) : randomInt(below)),
}
