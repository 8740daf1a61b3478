// A file that holds room on the disk for the last words of recordings: what is lost when the disk is full is written there.

import { closeSync, existsSync, fsyncSync, openSync, rmSync, statSync, writeSync } from 'node:fs'
import { join } from 'node:path'

const RESERVE_FILE = '.reserve'

/** Room kept below one folder. */
export class DiskReserve {
  readonly #path: string
  readonly #bytes: number

  /** Takes so many bytes of the disk, now, or never if it has not as many. */
  constructor(root: string, bytes: number) {
    this.#path = join(root, RESERVE_FILE)
    this.#bytes = bytes
    if (bytes > 0) this.#take()
  }

  /** Gives the room back to the disk, for what is written next. */
  spend(): void {
    if (this.#bytes > 0) rmSync(this.#path, { force: true })
  }

  #take(): void {
    if (existsSync(this.#path) && statSync(this.#path).size >= this.#bytes) return
    try {
      const fd = openSync(this.#path, 'w')
      try {
        // Written out: a file with holes holds no room.
        writeSync(fd, new Uint8Array(this.#bytes))
        fsyncSync(fd)
      } finally {
        closeSync(fd)
      }
    } catch {
      this.spend()
    }
  }
}
