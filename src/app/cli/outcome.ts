// How a command ends when it fails.

import { messageOf } from '#kernel'

/** Writes the reason and ends the process with code 1. */
export function fail(fault: unknown): never {
  process.stderr.write(`${messageOf(fault)}\n`)
  process.exit(1)
}
