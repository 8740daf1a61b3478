// The files of one derivation: what breaks off closes them all, or each of its repetitions would leave some open.

import type { OutputFile, RecordingFiles } from '../sealing/recording-files.ts'
import type { OpenFile } from '../sealing/sealed-file.ts'

/** How a derivation opens files. */
export type FileOpener = Pick<RecordingFiles, 'open' | 'output'>

/** Remembers what is open. */
export class OpenedFiles implements FileOpener {
  readonly #files: FileOpener
  readonly #open = new Set<{ close(): void }>()

  constructor(files: FileOpener) {
    this.#files = files
  }

  open(path: string): OpenFile {
    const file = this.#files.open(path)
    this.#open.add(file)
    return {
      size: file.size,
      readAt: (into, position) => file.readAt(into, position),
      close: () => this.#close(file),
    }
  }

  output(path: string): OutputFile {
    const file = this.#files.output(path)
    this.#open.add(file)
    return { append: (bytes) => file.append(bytes), close: () => this.#close(file) }
  }

  /** Does the work, and closes what it leaves open when it throws. */
  use<T>(work: () => T): T {
    try {
      return work()
    } catch (fault) {
      for (const file of this.#open) {
        try {
          file.close()
        } catch {
          // What counts is why the work broke off.
        }
      }
      throw fault
    }
  }

  #close(file: { close(): void }): void {
    this.#open.delete(file)
    file.close()
  }
}
