// A small file of which only the last state counts: written in place again and again, without waiting, and never synced. A
// write that is under way lets those behind it pass; a disk that says no is asked again with the next state.

import { existsSync, statSync } from 'node:fs'
import type { Disk } from './disk.ts'

/** Writer of one such file. */
export class StateFile {
  readonly #disk: Disk
  readonly #path: string
  #fd: number | undefined
  #bytes = 0
  #last = ''
  #isWriting = false
  #isClosed = false

  constructor(disk: Disk, path: string) {
    this.#disk = disk
    this.#path = path
  }

  /** Writes a text, which may end in blanks: at once where there is no file, and else soon. */
  write(text: string): void {
    if (this.#isClosed || this.#isWriting || text === this.#last) return
    try {
      if (this.#fd === undefined && existsSync(this.#path)) this.#reopen()
      // Never shorter than before: what stood behind would be read, too.
      const bytes = new TextEncoder().encode(text.padEnd(this.#bytes))
      const fd = this.#fd
      if (fd === undefined) this.#fd = this.#disk.port.create(this.#path, bytes)
      this.#bytes = bytes.length
      this.#last = text
      if (fd !== undefined) this.#writeOver(fd, bytes)
    } catch (fault) {
      this.#disk.note(fault)
    }
  }

  close(): void {
    this.#isClosed = true
    if (this.#fd !== undefined && !this.#isWriting) this.#disk.port.close(this.#fd)
    if (!this.#isWriting) this.#fd = undefined
  }

  #reopen(): void {
    this.#bytes = statSync(this.#path).size
    this.#fd = this.#disk.port.reopen(this.#path)
  }

  #writeOver(fd: number, bytes: Uint8Array): void {
    this.#isWriting = true
    this.#disk.write(fd, bytes, 0, (error, written) => {
      this.#isWriting = false
      // Half a state is none.
      if (error !== null || written < bytes.length) this.#last = ''
      if (this.#isClosed) this.close()
    })
  }
}
