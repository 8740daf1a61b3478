// The key of the spool: 32 bytes in hexadecimal, in a file that only its owner can read.

import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { AppError } from '#kernel'
import { KEY_BYTES } from '#sealing'

/** Reads the key, or makes one at first use; throws AppError `spool.bad-key`, and what the file system throws. */
export function readSpoolKey(path: string): Buffer {
  mkdirSync(dirname(path), { recursive: true })
  try {
    writeFileSync(path, `${randomBytes(KEY_BYTES).toString('hex')}\n`, { mode: 0o600, flag: 'wx', flush: true })
  } catch (fault) {
    if ((fault as NodeJS.ErrnoException).code !== 'EEXIST') throw fault
  }
  const text = readFileSync(path, 'latin1').trim()
  if (/^[0-9a-f]{64}$/i.test(text)) return Buffer.from(text, 'hex')
  const verdict = { result: 'client', reason: 'bad-key' } as const
  throw new AppError('spool.bad-key', `${path} does not hold a spool key: 64 hexadecimal digits`, verdict)
}
