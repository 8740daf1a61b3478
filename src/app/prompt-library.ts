// Prompts for flows: WAV files below one folder, decoded once and kept.

import { isAbsolute, relative, resolve, sep } from 'node:path'

import { promptFromWav } from '#audio'
import type { Prompt } from '#engine'
import { err, messageOf, type Result } from '#kernel'

/** Why a prompt cannot be played. */
export interface PromptError {
  readonly code: 'forbidden' | 'unreadable' | 'too-large' | 'not-wav'
  readonly message: string
}

/** The file system as the library sees it; both reject for files that do not exist. */
export interface PromptFiles {
  /** The path with all symbolic links followed. */
  realPath(path: string): Promise<string>
  /** Content of a file; undefined when it is larger than `maxBytes`. */
  read(path: string, maxBytes: number): Promise<Uint8Array | undefined>
}

/** Where prompts come from. */
export interface PromptLibraryOptions {
  /** Folder that the paths in flows are relative to. */
  readonly base: string
  /** Folder, relative to `base`, that a prompt must lie below. */
  readonly allowed: string
  readonly files: PromptFiles
}

/** About ten minutes of 16-bit mono at 8 kHz. */
const MAX_FILE_BYTES = 10_000_000
const MAX_KEPT = 64

/** Loads prompts; a file that was loaded stays as it was until 64 others have been loaded since. */
export class PromptLibrary {
  readonly #options: PromptLibraryOptions
  readonly #kept = new Map<string, Promise<Result<Prompt, PromptError>>>()

  constructor(options: PromptLibraryOptions) {
    this.#options = options
  }

  /** The prompt of a path as written in a flow; never rejects. */
  load(file: string): Promise<Result<Prompt, PromptError>> {
    const kept = this.#kept.get(file)
    if (kept !== undefined) return kept
    const loading = this.#read(file)
    this.#keep(file, loading)
    return loading
  }

  #keep(file: string, loading: Promise<Result<Prompt, PromptError>>): void {
    this.#kept.set(file, loading)
    const [oldest] = this.#kept.keys()
    if (this.#kept.size > MAX_KEPT && oldest !== undefined) this.#kept.delete(oldest)
    void loading.then((result) => {
      if (!result.ok && this.#kept.get(file) === loading) this.#kept.delete(file)
    })
  }

  async #read(file: string): Promise<Result<Prompt, PromptError>> {
    const { base, allowed, files } = this.#options
    const folder = resolve(base, allowed)
    const path = resolve(base, file)
    if (file.includes('\0') || !isBelow(folder, path)) return forbidden()
    try {
      // A symbolic link must not lead out either.
      const real = await files.realPath(path)
      if (!isBelow(await files.realPath(folder), real)) return forbidden()
      const bytes = await files.read(real, MAX_FILE_BYTES)
      if (bytes === undefined) return err({ code: 'too-large', message: `larger than ${MAX_FILE_BYTES} bytes` })
      const prompt = promptFromWav(bytes)
      return prompt.ok ? prompt : err({ code: 'not-wav', message: prompt.error.message })
    } catch (thrown) {
      return err({ code: 'unreadable', message: messageOf(thrown) })
    }
  }
}

function forbidden(): Result<never, PromptError> {
  return err({ code: 'forbidden', message: 'the file does not lie in the folder of prompts' })
}

function isBelow(folder: string, path: string): boolean {
  const inside = relative(folder, path)
  return inside !== '' && inside !== '..' && !inside.startsWith(`..${sep}`) && !isAbsolute(inside)
}
