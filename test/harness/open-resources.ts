// What this process holds open, to be compared before and after.

import { readdir } from 'node:fs/promises'

/** Active resources by kind, without timers, and the number of open files. */
export interface OpenResources {
  readonly active: readonly string[]
  readonly files: number
}

/** Counts now. */
export async function openResources(): Promise<OpenResources> {
  const names = process.getActiveResourcesInfo().filter((name) => name !== 'Timeout' && name !== 'Immediate')
  return { active: names.sort(), files: (await readdir('/proc/self/fd')).length }
}
