// What the files of one record thread are written through: nothing here waits for the disk, and what waits has a bound.

import { closeSync, fdatasync, fstat, openSync, rmSync, statfs, write } from 'node:fs'

import { plainFiles, type RecordingFiles, writeAll } from './sealing/recording-files.ts'

/** The file system as far as files that grow are concerned; tests put a slow or a full one in its place. */
export interface DiskPort {
  /** Makes a file with these first bytes; throws what the file system throws. */
  create(path: string, head: Uint8Array): number
  /** Opens one that is there. */
  reopen(path: string): number
  write(fd: number, bytes: Uint8Array, position: number, done: (error: Error | null, written: number) => void): void
  /** Brings what was written to the medium. */
  sync(fd: number, done: (error: Error | null) => void): void
  close(fd: number): void
  remove(path: string): void
  /** Bytes that are free where a path is; undefined where the system does not say. */
  freeBytes(path: string, done: (bytes: number | undefined) => void): void
  /** Whether no name leads to an open file any more. */
  isRemoved(fd: number, done: (isRemoved: boolean) => void): void
}

/** The file system of this machine. */
export const systemDisk: DiskPort = {
  create: (path, head) => {
    const fd = openSync(path, 'wx')
    try {
      // In the same turn: a file without its head plays nowhere.
      writeAll(fd, head)
    } catch (fault) {
      // A full disk makes files that it has no room for: one that is left would be in the way of the next attempt.
      closeSync(fd)
      rmSync(path, { force: true })
      throw fault
    }
    return fd
  },
  reopen: (path) => openSync(path, 'r+'),
  write: (fd, bytes, position, done) => write(fd, bytes, 0, bytes.length, position, done),
  sync: (fd, done) => fdatasync(fd, done),
  close: (fd) => closeSync(fd),
  remove: (path) => rmSync(path, { force: true }),
  freeBytes: (path, done) => {
    statfs(path, (error, stats) => done(error === null ? stats.bavail * stats.bsize : undefined))
  },
  isRemoved: (fd, done) => {
    fstat(fd, (error, stats) => done(error === null && stats.nlink === 0))
  },
}

/** What a disk can be. */
export const diskConditions = [
  /** What is given is written. */
  'well',
  /** It is, and soon there will be no room. */
  'low',
  /** A write takes long, audio waits in memory. */
  'slow',
  /** The last write failed: for want of room, because nothing may be written, or for another reason. */
  'full',
  'read-only',
  'unwritable',
] as const

/** What a disk is. */
export type DiskCondition = (typeof diskConditions)[number]

/** What a disk is made of. */
export interface DiskOptions {
  readonly port: DiskPort
  readonly nowMs: () => number
  /** What may wait in memory, in bytes; beyond it audio is dropped, and its place marked. */
  readonly maxWaitingBytes: number
  /** How files are written; as they are unless told. */
  readonly files?: RecordingFiles
  /** With fewer bytes free it is `low`. */
  readonly leastFreeBytes?: number
}

/** A file that is being written. */
export interface GrowingPart {
  readonly path: string
  /** Since when it holds, or is to hold, a byte that is not on the medium; undefined if it does not. */
  readonly unsyncedSinceMs: number | undefined
  /** Tells whether no name leads to it any more. */
  checkRemoved(done: (isRemoved: boolean) => void): void
}

/** A write that takes longer is a sign. */
const SLOW_MS = 1000
/** Syncs at a time: writes of the other files go on beside them. */
const MAX_SYNCS = 2
const PROBE_BYTES = 64 * 1024
const FULL = new Set(['ENOSPC', 'EDQUOT', 'EFBIG'])

/** One record thread's way to the disk. */
export class Disk {
  readonly port: DiskPort
  readonly files: RecordingFiles
  readonly nowMs: () => number
  /** Files that are open. */
  readonly growing = new Set<GrowingPart>()
  readonly #maxWaitingBytes: number
  readonly #leastFreeBytes: number
  #freeBytes: number | undefined
  #waitingBytes = 0
  #fault: NodeJS.ErrnoException | undefined
  /** When the writes under way began, oldest first. */
  readonly #writing = new Set<{ readonly sinceMs: number }>()
  #syncs = 0
  readonly #syncQueue: (() => void)[] = []

  constructor(options: DiskOptions) {
    this.port = options.port
    this.files = options.files ?? plainFiles
    this.nowMs = options.nowMs
    this.#maxWaitingBytes = options.maxWaitingBytes
    this.#leastFreeBytes = options.leastFreeBytes ?? 0
  }

  /** Bytes that are not written yet. */
  get waitingBytes(): number {
    return this.#waitingBytes
  }

  /** What the last write that failed said; undefined once one succeeded. */
  get fault(): Error | undefined {
    return this.#fault
  }

  get condition(): DiskCondition {
    const code = this.#fault?.code ?? ''
    if (this.#fault !== undefined) return FULL.has(code) ? 'full' : code === 'EROFS' ? 'read-only' : 'unwritable'
    const [oldest] = this.#writing
    const isSlow = oldest !== undefined && this.nowMs() - oldest.sinceMs > SLOW_MS
    if (isSlow || this.#waitingBytes > this.#maxWaitingBytes / 2) return 'slow'
    return this.#freeBytes !== undefined && this.#freeBytes < this.#leastFreeBytes ? 'low' : 'well'
  }

  /** As it was measured last; undefined before, and where the system does not say. */
  get freeBytes(): number | undefined {
    return this.#freeBytes
  }

  /** For how long a byte that was received has not been on the medium, in milliseconds; 0 if all are. */
  get unsyncedMs(): number {
    let since = Number.POSITIVE_INFINITY
    for (const { unsyncedSinceMs } of this.growing) since = Math.min(since, unsyncedSinceMs ?? since)
    return Math.max(0, this.nowMs() - since)
  }

  /** Measures the free bytes where a path is. */
  measure(path: string): void {
    this.port.freeBytes(path, (bytes) => {
      this.#freeBytes = bytes
    })
  }

  /** Takes memory for bytes that wait; false when there is none left. */
  reserve(bytes: number): boolean {
    if (this.#waitingBytes + bytes > this.#maxWaitingBytes) return false
    this.#waitingBytes += bytes
    return true
  }

  /** As `reserve`, for what is small and must not be lost. */
  charge(bytes: number): void {
    this.#waitingBytes += bytes
  }

  release(bytes: number): void {
    this.#waitingBytes -= bytes
  }

  /** Notes what an operation beside those here said; undefined: that it succeeded. */
  note(fault: unknown): void {
    this.#fault = fault === undefined || fault instanceof Error ? fault : new Error(String(fault))
  }

  write(fd: number, bytes: Uint8Array, position: number, done: (error: Error | null, written: number) => void): void {
    const write = { sinceMs: this.nowMs() }
    this.#writing.add(write)
    this.port.write(fd, bytes, position, (error, written) => {
      this.#writing.delete(write)
      this.#fault = error ?? undefined
      done(error, written)
    })
  }

  /** Writes a file and removes it: a disk that failed and is asked for nothing would count as failed for ever. `done`: whether it took it. */
  probe(path: string, done: (isTaken: boolean) => void): void {
    try {
      this.port.remove(path)
      const fd = this.port.create(path, new Uint8Array())
      this.write(fd, new Uint8Array(PROBE_BYTES), 0, (error, written) => {
        try {
          this.port.close(fd)
          this.port.remove(path)
        } catch (fault) {
          this.note(fault)
        }
        done(this.#fault === undefined && error === null && written === PROBE_BYTES)
      })
    } catch (fault) {
      this.note(fault)
      done(false)
    }
  }

  /** Syncs a file that is not open when its turn comes; rejects with what the disk says. */
  async syncPath(path: string): Promise<void> {
    const fd = this.port.reopen(path)
    try {
      await new Promise<void>((resolve, reject) => {
        this.sync(fd, (error) => (error === null ? resolve() : reject(error)))
      })
    } finally {
      this.port.close(fd)
    }
  }

  /** Syncs a file when its turn comes. */
  sync(fd: number, done: (error: Error | null) => void): void {
    const begin = (): void => {
      this.#syncs += 1
      this.port.sync(fd, (error) => {
        this.#syncs -= 1
        if (error !== null) this.#fault = error
        this.#syncQueue.shift()?.()
        done(error)
      })
    }
    if (this.#syncs < MAX_SYNCS) begin()
    else this.#syncQueue.push(begin)
  }
}
