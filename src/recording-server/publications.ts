// How recordings of one record worker are published; those that the disk does not take at their end are tried again until it does.

import { type Clock, settledWithin, type Timer } from '#kernel'
import type { Attest, Closing, Deriver, Disk, RecordingFolder } from '#store'
import type { RecordEvent } from './record-messages.ts'

/** From one attempt to the next. */
const RETRY_MS = 5000

/** What publications work with. */
export interface PublicationsOptions {
  readonly clock: Clock
  readonly disk: Disk
  readonly derive: Deriver | undefined
  readonly attest: Attest | undefined
  readonly onEvent: (event: RecordEvent) => void
}

interface Unpublished {
  readonly folder: RecordingFolder
  readonly closing: Closing
}

/** The ends of one thread's recordings. */
export class Publications {
  readonly #options: PublicationsOptions
  /** On their first attempt. */
  readonly #underWay = new Set<Unpublished>()
  readonly #late = new Set<Unpublished>()
  #timer: Timer | undefined
  #retrying: Promise<void> | undefined
  #isStopped = false

  constructor(options: PublicationsOptions) {
    this.#options = options
  }

  /** Publishes a recording; rejects with what the disk says, and then tries again by itself. */
  async publish(folder: RecordingFolder, closing: Closing): ReturnType<RecordingFolder['publish']> {
    const recording = { folder, closing }
    this.#underWay.add(recording)
    try {
      return await this.#attempt(recording)
    } catch (fault) {
      this.#late.add(recording)
      if (!this.#isStopped) this.#timer ??= this.#schedule()
      throw fault
    } finally {
      this.#underWay.delete(recording)
    }
  }

  /** Tries a last time, for so many milliseconds; gives what is left. */
  async stop(withinMs: number): Promise<RecordingFolder[]> {
    this.#isStopped = true
    this.#timer?.cancel()
    const last = async (): Promise<void> => {
      await this.#retrying
      await this.#retry()
    }
    await settledWithin(this.#options.clock, withinMs, last())
    return [...this.#underWay, ...this.#late].map(({ folder }) => folder)
  }

  #schedule(): Timer {
    return this.#options.clock.after(RETRY_MS, 'publish', () => {
      void this.#retry().then(() => {
        this.#timer = this.#late.size > 0 && !this.#isStopped ? this.#schedule() : undefined
      })
    })
  }

  /** One round at a time: two attempts at a folder would take each other's files away. */
  async #retry(): Promise<void> {
    this.#retrying ??= this.#retryAll().finally(() => {
      this.#retrying = undefined
    })
    await this.#retrying
  }

  async #retryAll(): Promise<void> {
    for (const late of this.#late) {
      try {
        const published = await this.#attempt(late)
        this.#late.delete(late)
        this.#options.onEvent({ type: 'published', recordingId: late.folder.recordingId, ...published })
      } catch {
        // Noted with the disk; there is another turn.
      }
    }
  }

  async #attempt({ folder, closing }: Unpublished): ReturnType<RecordingFolder['publish']> {
    const { derive, attest, disk } = this.#options
    try {
      return await folder.publish(closing, derive, attest)
    } catch (fault) {
      disk.note(fault)
      throw fault
    }
  }
}
