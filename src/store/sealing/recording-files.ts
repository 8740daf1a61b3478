// How the files of recordings are read and written: as they are, or sealed. Everything that touches what a recording
// holds goes through here, but for what grows, which goes through `GrowingFile` and is sealed there.

import {
  appendFileSync,
  closeSync,
  fchmodSync,
  fstatSync,
  fsyncSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import type { FrameSealer } from './frame-sealer.ts'
import type { OpenFile } from './sealed-file.ts'
import type { SealedPlace } from './sealed-format.ts'

/** A file that is written from beginning to end. */
export interface OutputFile {
  append(bytes: Uint8Array): void
  /** Ends the file durably. */
  close(): void
}

/** A sealed file that grows. */
export interface Growth {
  readonly sealer: FrameSealer
  /** Where the next frame goes. */
  readonly end: number
}

/** Access to the files of recordings; every method throws what the file system throws, and AppError `store.sealed`. */
export interface RecordingFiles {
  /** Prepares the folder of a new recording. */
  begin(folder: string): void
  /** Seals a file that grows, from its beginning, or from where it was left; undefined where files are as they are. */
  grow(path: string, isContinued: boolean): Growth | undefined
  /** Notes that a file that grew will not grow any more. */
  finish(path: string): void
  /** What a file is sealed for; undefined where it is as it is. */
  placeOf(path: string): SealedPlace | undefined
  open(path: string): OpenFile
  read(path: string): Buffer
  /** Writes a file whole; the operating system has it, the medium not. `mode`: who may read and write it. */
  write(path: string, content: string | Uint8Array, mode?: number): void
  /** Replaces a file durably, so that a reader sees the old or the new one, never a part. */
  replace(path: string, content: string | Uint8Array): void
  /** Adds to a small file. */
  append(path: string, content: string): void
  output(path: string): OutputFile
}

/** Files as they are. */
export const plainFiles: RecordingFiles = {
  begin: () => {},
  grow: () => undefined,
  finish: () => {},
  placeOf: () => undefined,
  open: (path) => {
    const fd = openSync(path, 'r')
    return {
      size: fstatSync(fd).size,
      readAt: (into, position) => readFully(fd, into, position),
      close: () => closeSync(fd),
    }
  },
  read: (path) => readFileSync(path),
  write: (path, content, mode) => writeWhole(path, content, mode),
  replace: (path, content) => replaceWhole(path, content),
  append: (path, content) => appendFileSync(path, content),
  output: (path) => {
    const fd = openSync(path, 'w')
    return { append: (bytes) => writeAll(fd, bytes), close: () => closeDurably(fd) }
  },
}

/** One that is there, whoever made it, gets its mode before it gets its content. */
function writeWhole(path: string, content: string | Uint8Array, mode: number | undefined): void {
  const fd = openSync(path, 'w', mode)
  try {
    if (mode !== undefined) fchmodSync(fd, mode)
    writeFileSync(fd, content)
  } finally {
    closeSync(fd)
  }
}

/** Writes a file beside and gives it its name. */
export function replaceWhole(path: string, content: string | Uint8Array): void {
  writeFileSync(`${path}.part`, content, { flush: true })
  renameSync(`${path}.part`, path)
}

/** Writes all bytes at the end. */
export function writeAll(fd: number, bytes: Uint8Array): void {
  let done = 0
  while (done < bytes.length) done += writeSync(fd, bytes, done, bytes.length - done)
}

/** Brings a file to the medium and closes it. */
export function closeDurably(fd: number): void {
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

function readFully(fd: number, into: Uint8Array, position: number): number {
  let done = 0
  while (done < into.length) {
    const count = readSync(fd, into, done, into.length - done, position + done)
    if (count === 0) break
    done += count
  }
  return done
}
