// Captures of failed recording sessions: the newest in memory for the API, all of them in a folder if one is given.

import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { CapturesView } from '#control'
import { type Logger, messageOf } from '#kernel'
import type { CaptureBundle } from '#recording-client'

/** Where captures go. */
export interface CaptureShelfOptions {
  /** Number kept in memory. */
  readonly keep: number
  readonly folder: string | undefined
  readonly log: Logger
}

/** The captures at hand. */
export class CaptureShelf implements CapturesView {
  readonly #options: CaptureShelfOptions
  readonly #bundles: CaptureBundle[] = []
  #writing: Promise<void> = Promise.resolve()

  constructor(options: CaptureShelfOptions) {
    this.#options = options
  }

  add(bundle: CaptureBundle): void {
    const { keep, folder, log } = this.#options
    this.#bundles.unshift(bundle)
    this.#bundles.length = Math.min(this.#bundles.length, keep)
    const { id, callId, recording, failure } = bundle
    log.warn('recording session failed; its capture is kept', { capture: id, callId, recording, failure: failure.type })
    if (folder !== undefined) this.#writing = this.#writing.then(() => this.#write(folder, bundle))
  }

  /** Newest first. */
  list(): ReturnType<CapturesView['list']> {
    return this.#bundles.map(({ id, beganAt, callId, recording, recorder, failure }) => ({
      id,
      beganAt,
      callId,
      recording,
      recorder,
      failure: failure.type,
    }))
  }

  get(id: string): CaptureBundle | undefined {
    return this.#bundles.find((bundle) => bundle.id === id)
  }

  /** Waits for what is being written. */
  async close(): Promise<void> {
    await this.#writing
  }

  /** A full disk loses a capture, never a recording. */
  async #write(folder: string, bundle: CaptureBundle): Promise<void> {
    try {
      await mkdir(folder, { recursive: true })
      const name = `${bundle.beganAt.replaceAll(/[:.]/g, '-')}-${bundle.id}.json`
      await writeFile(join(folder, name), `${JSON.stringify(bundle, undefined, 2)}\n`, { mode: 0o600 })
    } catch (fault) {
      this.#options.log.error('capture could not be written', { fault: messageOf(fault) })
    }
  }
}
