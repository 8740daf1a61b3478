// Loaded into a program before its own code: while the file that SLOW_DISK names is there, each write and sync waits.

import fs, { existsSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'

const WAIT_MS = 2000
const flag = process.env['SLOW_DISK'] ?? ''

function slowed<Rest extends readonly unknown[]>(plain: (...rest: Rest) => void): (...rest: Rest) => void {
  return (...rest) => {
    if (existsSync(flag)) setTimeout(() => plain(...rest), WAIT_MS)
    else plain(...rest)
  }
}

Object.assign(fs, { write: slowed(fs.write), fdatasync: slowed(fs.fdatasync) })
syncBuiltinESMExports()
