// Files of JSON lines that are only added to, in one folder: the one that is written to, and those that are full.

import { readdir, readFile, rename, rm, truncate } from 'node:fs/promises'
import { join } from 'node:path'

/** The files of one name. */
export class LineFiles {
  readonly #folder: string
  readonly #name: string

  /** `name`: of letters and hyphens, without extension. */
  constructor(folder: string, name: string) {
    this.#folder = folder
    this.#name = name
  }

  /** Path of the file that is written to. */
  get current(): string {
    return join(this.#folder, this.#currentName)
  }

  get #currentName(): string {
    return `${this.#name}.jsonl`
  }

  /** Every file, the newest first. */
  async list(): Promise<string[]> {
    const names = await readdir(this.#folder).catch((): string[] => [])
    const full = names
      .filter((name) => name.startsWith(`${this.#name}-`) && /^-\d{12}\.jsonl$/.test(name.slice(this.#name.length)))
      .toSorted()
      .reverse()
    return [...(names.includes(this.#currentName) ? [this.#currentName] : []), ...full].map((name) =>
      join(this.#folder, name),
    )
  }

  /** Puts the file aside under the number of its last entry, and removes the oldest beyond `keep`, the next one counted. */
  async putAside(lastSeq: number, keep: number): Promise<void> {
    const name = `${this.#name}-${String(lastSeq).padStart(12, '0')}.jsonl`
    await rename(this.current, join(this.#folder, name))
    const files = await this.list()
    await Promise.all(files.slice(Math.max(1, keep - 1)).map((file) => rm(file, { force: true })))
  }

  /** Cuts off a line that a crash left unfinished; gives the size. */
  async mend(): Promise<number> {
    const bytes = await readFile(this.current).catch(() => Buffer.alloc(0))
    const size = bytes.lastIndexOf(0x0a) + 1
    if (size < bytes.length) await truncate(this.current, size)
    return size
  }
}

/** The lines of a file, oldest first; one that was not finished is left out. */
export async function linesOf(file: string): Promise<string[]> {
  return (await readFile(file, 'utf8')).split('\n').slice(0, -1)
}
