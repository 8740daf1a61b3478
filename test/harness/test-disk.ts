// A disk for tests: the real one, which can be told to be slow, full or read-only.

import { fdatasyncSync, fstatSync, writeSync } from 'node:fs'
import { Disk, type DiskPort, type RecordingFiles, systemDisk } from '#store'

/** The real file system behind a switch. */
export class TestDiskPort implements DiskPort {
  /** Code that each write fails with, such as ENOSPC. */
  failsWith: string | undefined
  /** Writes are held until this is false again, and `release` is called. */
  isStuck = false
  /** Bytes that are said to be free. */
  free: number | undefined
  readonly #held: (() => void)[] = []

  create(path: string, head: Uint8Array): number {
    this.#check()
    return systemDisk.create(path, head)
  }

  reopen(path: string): number {
    return systemDisk.reopen(path)
  }

  write(fd: number, bytes: Uint8Array, position: number, done: (error: Error | null, written: number) => void): void {
    if (this.isStuck) this.#held.push(() => this.write(fd, bytes, position, done))
    else if (this.failsWith === undefined) instantPort.write(fd, bytes, position, done)
    else {
      const { failsWith } = this
      setImmediate(() => done(faultOf(failsWith), 0))
    }
  }

  sync(fd: number, done: (error: Error | null) => void): void {
    instantPort.sync(fd, done)
  }

  close(fd: number): void {
    systemDisk.close(fd)
  }

  remove(path: string): void {
    systemDisk.remove(path)
  }

  freeBytes(_path: string, done: (bytes: number | undefined) => void): void {
    done(this.free)
  }

  isRemoved(fd: number, done: (isRemoved: boolean) => void): void {
    instantPort.isRemoved(fd, done)
  }

  /** Lets the writes go on that were held. */
  release(): void {
    this.isStuck = false
    for (const write of this.#held.splice(0)) write()
  }

  #check(): void {
    if (this.failsWith !== undefined) throw faultOf(this.failsWith)
  }
}

function faultOf(code: string): Error {
  return Object.assign(new Error(`${code}: as the test wants`), { code })
}

/** The real file system, which has written when a call returns. */
export const instantPort: DiskPort = {
  ...systemDisk,
  write: (fd, bytes, position, done) => done(null, writeSync(fd, bytes, 0, bytes.length, position)),
  sync: (fd, done) => {
    fdatasyncSync(fd)
    done(null)
  },
  freeBytes: (_path, done) => done(undefined),
  isRemoved: (fd, done) => done(fstatSync(fd).nlink === 0),
}

/** A disk that has written when `flush` returns, or one over the port given. */
export function testDisk(
  port: DiskPort = instantPort,
  maxWaitingBytes = 2 ** 26,
  nowMs = () => performance.now(),
): Disk {
  return new Disk({ port, nowMs, maxWaitingBytes })
}

/** A disk that has written when `flush` returns, and seals what it writes if there is a vault. */
export function sealedDisk(files: RecordingFiles | undefined, port: DiskPort = instantPort): Disk {
  const nowMs = (): number => performance.now()
  return new Disk({ port, nowMs, maxWaitingBytes: 2 ** 26, ...(files && { files }) })
}
