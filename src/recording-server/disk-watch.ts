// What the disk of one record worker says: tells of each change of its condition, how it is now, and of files that go away.

import { messageOf } from '#kernel'
import type { Disk, DiskCondition } from '#store'
import type { RecordEvent } from './record-messages.ts'

/** A disk that failed is tried, and every disk is measured, so often. */
const STEP_MS = 1000
/** Whether open files are still there is asked so often. */
const FILES_MS = 10_000
const PROBE_FILE = '.probe'
const FAILED = new Set<DiskCondition>(['full', 'read-only', 'unwritable'])

/** What a disk watch works with. */
export interface DiskWatchOptions {
  readonly root: string
  readonly disk: Disk
  readonly onEvent: (event: RecordEvent) => void
  /** An open file has lost its name. */
  readonly onRemoved: (path: string) => void
}

/** Watch over one disk. */
export class DiskWatch {
  readonly #options: DiskWatchOptions
  #condition: DiskCondition = 'well'
  #steppedMs = Number.NEGATIVE_INFINITY
  #filesMs = Number.NEGATIVE_INFINITY
  #isProbing = false
  readonly #removed = new Set<string>()

  constructor(options: DiskWatchOptions) {
    this.#options = options
  }

  /** To be called with every round of writing. */
  step(nowMs: number): void {
    const { disk } = this.#options
    const { condition } = disk
    // A disk may take a byte here and there and yet be full: it has failed until it takes what it is tried with.
    const isHealing = FAILED.has(this.#condition) && !FAILED.has(condition)
    if (isHealing) this.#probe(() => this.#enter(disk.condition))
    else this.#enter(condition)
    if (nowMs - this.#steppedMs < STEP_MS) return
    this.#steppedMs = nowMs
    disk.measure(this.#options.root)
    if (disk.fault !== undefined) this.#probe(() => {})
    const { freeBytes, waitingBytes, unsyncedMs, growing } = disk
    const known = freeBytes === undefined ? {} : { freeBytes }
    const state = { condition: this.#condition, waitingBytes, unsyncedMs, openFiles: growing.size, ...known }
    this.#options.onEvent({ type: 'disk-state', state })
    if (nowMs - this.#filesMs >= FILES_MS) this.#checkFiles(nowMs)
  }

  #enter(condition: DiskCondition): void {
    if (condition === this.#condition) return
    this.#condition = condition
    this.#steppedMs = Number.NEGATIVE_INFINITY
    const { waitingBytes, fault } = this.#options.disk
    const detail = fault === undefined ? {} : { detail: messageOf(fault) }
    this.#options.onEvent({ type: 'disk', condition, waitingBytes, ...detail })
  }

  #probe(onTaken: () => void): void {
    if (this.#isProbing) return
    this.#isProbing = true
    this.#options.disk.probe(`${this.#options.root}/${PROBE_FILE}`, (isTaken) => {
      this.#isProbing = false
      if (isTaken) onTaken()
    })
  }

  #checkFiles(nowMs: number): void {
    this.#filesMs = nowMs
    const { growing } = this.#options.disk
    const open = new Set([...growing].map(({ path }) => path))
    for (const path of this.#removed) if (!open.has(path)) this.#removed.delete(path)
    for (const file of growing) {
      file.checkRemoved((isRemoved) => {
        if (!isRemoved || this.#removed.has(file.path)) return
        this.#removed.add(file.path)
        this.#options.onRemoved(file.path)
      })
    }
  }
}
