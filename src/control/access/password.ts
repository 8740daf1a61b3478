// Passwords at rest: scrypt (RFC 7914), with its cost written beside the hash so that it can be raised later.

import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'

const derive = promisify(
  scrypt as (
    password: string,
    salt: Buffer,
    length: number,
    options: ScryptOptions,
    done: (fault: Error | null, key: Buffer) => void,
  ) => void,
)

/** 32 MiB and some 50 ms for each guess. */
const COST = { N: 32_768, r: 8, p: 1 }
const KEY_BYTES = 32
const SALT_BYTES = 16
const FORMAT = /^scrypt\$(\d{4,7})\$(\d{1,2})\$(\d{1,2})\$([\w-]{16,64})\$([\w-]{43})$/

/** What a hash looks like, as a JSON Schema pattern. */
export const passwordHashPattern = FORMAT.source

/** Makes a hash with a fresh salt: `scrypt$N$r$p$salt$key`, the last two in base64url. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES)
  const key = await derive(password, salt, KEY_BYTES, withMemory(COST))
  return ['scrypt', COST.N, COST.r, COST.p, salt.toString('base64url'), key.toString('base64url')].join('$')
}

/** Whether the hash is of this password; never rejects, a hash of another form fits none. */
export async function verifyPassword(hash: string, password: string): Promise<boolean> {
  const match = FORMAT.exec(hash)
  if (match === null) return false
  const [N = 0, r = 0, p = 0] = match.slice(1, 4).map(Number)
  const expected = Buffer.from(match[5] ?? '', 'base64url')
  try {
    const key = await derive(password, Buffer.from(match[4] ?? '', 'base64url'), KEY_BYTES, withMemory({ N, r, p }))
    return timingSafeEqual(key, expected)
  } catch {
    return false
  }
}

function withMemory(cost: typeof COST): ScryptOptions {
  return { ...cost, maxmem: 256 * cost.N * cost.r }
}
