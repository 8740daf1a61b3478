// A file system for one test, in a mount namespace of its own: it can be full without anybody else's being so, and is gone
// with the process that holds it.

import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'

/** Root needs no user namespace; everybody else may make one where the system allows it. */
const NAMESPACES = process.getuid?.() === 0 ? ['--mount'] : ['--mount', '--user', '--map-root-user']

/** Why no file system can be mounted here; false when one can. Throws for root with `unshare`, whose tests must not pass by being left out. */
export function cannotMount(): string | false {
  const tried = spawnSync('unshare', [...NAMESPACES, 'mount', '-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', '/mnt'])
  if (tried.error !== undefined) return `no mount namespaces: ${tried.error.message}`
  if (tried.status === 0) return false
  const reason = `no mount namespaces: ${tried.stderr.toString().trim()}`
  if (process.getuid?.() === 0) throw new Error(reason)
  return reason
}

/** A mounted file system. */
export class OwnDisk {
  /** What a program is started behind to see it. */
  readonly command: readonly string[]
  readonly #holder: ChildProcess
  readonly #folder: string

  private constructor(holder: ChildProcess, folder: string) {
    this.#holder = holder
    this.#folder = folder
    const namespaces = NAMESPACES.includes('--user') ? ['--mount', '--user', '--preserve-credentials'] : ['--mount']
    this.command = ['nsenter', '--target', String(holder.pid), ...namespaces, '--']
  }

  /** Mounts one of so many bytes at a folder; `options` of mount, such as `ro`. */
  static async mount(t: TestContext, folder: string, bytes: number, options = 'rw'): Promise<OwnDisk> {
    mkdirSync(folder, { recursive: true })
    const script = 'mount -t tmpfs -o "size=$1,$2" tmpfs "$0" && echo mounted && exec cat'
    const holder = spawn('unshare', [...NAMESPACES, 'sh', '-c', script, folder, String(bytes), options], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    t.after(() => holder.stdin.end())
    await once(holder.stdout, 'data')
    return new OwnDisk(holder, folder)
  }

  /** Where this process sees what the other one sees at its folder. */
  get path(): string {
    return join(`/proc/${this.#holder.pid}/root`, this.#folder)
  }

  /** Mounts it anew with other options. */
  remount(options: string): void {
    const [program, ...rest] = this.command
    execFileSync(program!, [...rest, 'mount', '-o', `remount,${options}`, this.#folder])
  }

  /** Leaves so many bytes free; gives the file that takes the rest. */
  fill(leaving = 0): string {
    const { bavail, bsize } = statfsSync(this.path)
    const ballast = join(this.path, 'ballast')
    const taken = new Uint8Array(Math.max(0, bavail * bsize - leaving))
    try {
      writeFileSync(ballast, taken, { flag: 'a' })
    } catch (fault) {
      // Somebody else took the last bytes: it is full all the same.
      if ((fault as NodeJS.ErrnoException).code !== 'ENOSPC' || leaving > 0) throw fault
    }
    return ballast
  }
}
