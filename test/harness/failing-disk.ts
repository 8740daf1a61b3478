// Disks that really fail a process, without a mount and without root: what Linux enforces on a process and on a folder.

import { execFileSync } from 'node:child_process'
import { chmodSync, lstatSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const READ_ONLY = 0o500
const WRITABLE = 0o700

/** Lets each write of a running process to a file fail (EFBIG, by RLIMIT_FSIZE), or none any more. */
export function failWrites(pid: number, isFailing: boolean): void {
  execFileSync('prlimit', ['--pid', String(pid), `--fsize=${isFailing ? 0 : 'unlimited'}:`])
}

/** What a program is started behind so that modes of files hold for it, also where it is root's. */
export const underModes: readonly string[] =
  process.getuid?.() === 0 ? ['setpriv', '--bounding-set=-dac_override,-dac_read_search', '--'] : []

/** Makes a folder with all folders in it read-only, or writable again: files that are open may still be written. */
export function setReadOnly(folder: string, isReadOnly: boolean): void {
  const mode = isReadOnly ? READ_ONLY : WRITABLE
  if (!isReadOnly) chmodSync(folder, mode)
  for (const name of readdirSync(folder)) {
    const path = join(folder, name)
    if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory()) setReadOnly(path, isReadOnly)
  }
  if (isReadOnly) chmodSync(folder, mode)
}

/** A disk that can be slow for a program: what that is started behind, and how it becomes slow or is so no more. */
export function slowDisk(folder: string): { readonly command: readonly string[]; set(isSlow: boolean): void } {
  const flag = join(folder, 'slow-disk')
  const preload = new URL('./slow-disk.js', import.meta.url).href
  return {
    command: ['env', `SLOW_DISK=${flag}`, `NODE_OPTIONS=--import=${preload}`],
    set: (isSlow) => {
      if (isSlow) writeFileSync(flag, '')
      else rmSync(flag, { force: true })
    },
  }
}
