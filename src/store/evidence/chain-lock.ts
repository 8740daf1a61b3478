// One writer of the chain at a time, over threads and processes: a lock that SQLite holds on a file, and that the operating
// system takes back from the dead.

import { openLockFile } from '../catalogue/sqlite-driver.ts'

const WAIT_MS = 10_000

/** The lock of one file. */
export class ChainLock {
  readonly #file: Awaited<ReturnType<typeof openLockFile>>

  private constructor(file: Awaited<ReturnType<typeof openLockFile>>) {
    this.#file = file
  }

  /** Opens the file, making it if need be; rejects when no SQLite is installed or the file is unusable. */
  static async open(path: string): Promise<ChainLock> {
    return new ChainLock(await openLockFile(path, WAIT_MS))
  }

  /** Does something while nobody else does; throws when the lock is not to be had within ten seconds. */
  hold<T>(work: () => T): T {
    this.#file.exec('BEGIN EXCLUSIVE')
    try {
      return work()
    } finally {
      this.#file.exec('COMMIT')
    }
  }

  close(): void {
    this.#file.close()
  }
}
