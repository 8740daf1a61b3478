// When what was received goes to the operating system and to the medium.

import type { Clock, Timer } from '#kernel'
import type { DiskWatch } from './disk-watch.ts'
import { keepIndices, type OpenRecording } from './open-recordings.ts'
import type { StoragePolicy } from './record-messages.ts'

/** The index gets clocks and counters so often. */
const ANCHOR_MS = 1000
const SYNC_MS = 1000

/** What rounds work with. */
export interface WritingRoundsOptions {
  readonly clock: Clock
  readonly diskWatch: DiskWatch
  readonly storage: StoragePolicy
  readonly recordings: () => Iterable<OpenRecording>
  /** A recording cannot be written any more. */
  readonly onFault: (recording: OpenRecording, fault: unknown) => void
}

/** The rounds of one thread over all its recordings. */
export class WritingRounds {
  readonly #options: WritingRoundsOptions
  #timer: Timer
  #anchoredMs: number
  #syncedMs: number

  constructor(options: WritingRoundsOptions) {
    this.#options = options
    const nowMs = options.clock.nowMs()
    this.#anchoredMs = nowMs
    this.#syncedMs = nowMs
    this.#timer = this.#schedule()
  }

  /** The last round: writes what there is, and then no more. */
  stop(): void {
    this.#timer.cancel()
    for (const recording of this.#options.recordings()) this.#flush(recording, true)
  }

  #schedule(): Timer {
    const { clock, storage } = this.#options
    return clock.after(storage.flushMs, 'flush', () => {
      this.#round(clock.nowMs())
      this.#timer = this.#schedule()
    })
  }

  #round(nowMs: number): void {
    const { storage, recordings } = this.#options
    const isAnchorDue = nowMs - this.#anchoredMs >= ANCHOR_MS
    const { sync } = storage
    const isSyncDue = sync === 'always' || (sync === 'second' && nowMs - this.#syncedMs >= SYNC_MS)
    if (isAnchorDue) this.#anchoredMs = nowMs
    if (isSyncDue) this.#syncedMs = nowMs
    for (const recording of recordings()) {
      if (isSyncDue) recording.folder.sync()
      this.#flush(recording, isAnchorDue)
    }
    this.#options.diskWatch.step(nowMs)
  }

  #flush(recording: OpenRecording, isAnchorDue: boolean): void {
    try {
      for (const { track, receiver } of recording.streams) {
        if (isAnchorDue) {
          track.writeAnchor(receiver.totals())
          receiver.others.writeAnchors()
        }
        track.flush()
        for (const other of receiver.others.tracks) other.flush()
      }
      recording.folder.flush()
      keepIndices(recording, this.#options.storage.flushMs)
    } catch (fault) {
      this.#options.onFault(recording, fault)
    }
  }
}
