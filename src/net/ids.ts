// Identifiers from the operating system's random source.

import { randomBytes, randomInt } from 'node:crypto'
import { type Ids, stampUuidVersion4 } from '#kernel'

/** Unpredictable identifiers for tags, branches, keys and UUIDs. */
export const cryptoIds: Ids = {
  hex: (byteCount) => randomBytes(byteCount).toString('hex'),
  uuid: () => stampUuidVersion4(new Uint8Array(randomBytes(16))),
  // randomInt stops one short of the 2^48 that the port promises.
  integer: (below) => (below === 2 ** 48 ? randomBytes(6).readUIntBE(0, 6) : randomInt(below)),
}
