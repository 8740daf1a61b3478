// Reading a sealed file from anywhere: the frames that hold what is asked for are opened, and no others.

import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { AppError } from '#kernel'
import {
  chunkBytesOf,
  FILE_HEAD_BYTES,
  FRAME_EXTRA_BYTES,
  FRAME_HEAD_BYTES,
  fileKey,
  openFrame,
  readFrameHead,
  type SealedPlace,
} from './sealed-format.ts'

/** A file that is open for reading. */
export interface OpenFile {
  /** Bytes of what it says, sealed or not. */
  readonly size: number
  /** Reads from a position on until `into` is full or the file ends; gives how many bytes there were. */
  readAt(into: Uint8Array, position: number): number
  close(): void
}

/** Reader of one file. Everything throws AppError `store.sealed` when the file is not what was written, and what the file system throws. */
export class SealedFile implements OpenFile {
  readonly size: number
  /** Frames that are whole, the last one of a file that was closed left out. */
  readonly frames: number
  /** Where the next frame would stand. */
  readonly end: number
  readonly isClosed: boolean
  readonly head: Buffer
  readonly #fd: number
  readonly #path: string
  readonly #key: Buffer
  /** Where each frame begins: in the file, and in what it says. */
  readonly #at: number[] = []
  readonly #plainAt: number[] = [0]
  #opened: { readonly number: number; readonly plain: Buffer } | undefined

  /** `isGrowing`: a file that nobody closed may end anywhere; what is not whole at its end is left out. */
  constructor(path: string, place: SealedPlace, isGrowing: boolean) {
    this.#path = path
    this.#fd = openSync(path, 'r')
    try {
      const { size } = fstatSync(this.#fd)
      this.head = this.#bytes(0, FILE_HEAD_BYTES)
      const chunkBytes = chunkBytesOf(this.head)
      if (chunkBytes === undefined) throw this.#fault('is not a sealed file')
      this.#key = fileKey(place, this.head)
      this.isClosed = this.#index(size, chunkBytes, isGrowing)
      if (!this.isClosed && !isGrowing) throw this.#fault('is cut off')
      this.size = this.#plainAt.at(-1) ?? 0
      const isEmptyEnd = this.isClosed && this.#plainAt.at(-1) === this.#plainAt.at(-2)
      this.frames = this.#at.length - (isEmptyEnd ? 1 : 0)
      this.end = this.frames < this.#at.length ? this.#at[this.frames]! : this.#endOf(this.#at.length - 1)
    } catch (fault) {
      closeSync(this.#fd)
      throw fault
    }
  }

  readAt(into: Uint8Array, position: number): number {
    let done = 0
    let number = this.#frameAt(position)
    while (done < into.length && position + done < this.size) {
      const plain = this.#open(number)
      const part = plain.subarray(position + done - this.#plainAt[number]!).subarray(0, into.length - done)
      into.set(part, done)
      done += part.length
      number += 1
    }
    return done
  }

  close(): void {
    closeSync(this.#fd)
  }

  /** Finds the frames; tells whether the last one is there. Of what the heads say nothing is believed before a frame is opened. */
  #index(size: number, chunkBytes: number, isGrowing: boolean): boolean {
    for (let at = FILE_HEAD_BYTES; at < size; ) {
      const head = readFrameHead(this.#bytes(at, FRAME_HEAD_BYTES))
      const end = at + FRAME_EXTRA_BYTES + (head?.plainBytes ?? 0)
      if (head === undefined || end > size || head.number !== this.#at.length) {
        if (!isGrowing) throw this.#fault('is cut off or damaged')
        break
      }
      if (chunkBytes > 0) this.#skipAlike(at, size, chunkBytes)
      else this.#add(at, head.plainBytes)
      at = this.#endOf(this.#at.length - 1)
      if (head.isLast && at < size) throw this.#fault('goes on behind its end')
    }
    for (;;) {
      const last = this.#at.length - 1
      if (last < 0) return false
      const opened = this.#tryOpen(last)
      if (opened !== undefined) return readFrameHead(this.#bytes(this.#at[last]!, FRAME_HEAD_BYTES))?.isLast === true
      if (!isGrowing) throw this.#fault(`frame ${last} is not what was written`)
      // A disk that lost its power may have given the file its size before its content.
      this.#at.pop()
      this.#plainAt.pop()
    }
  }

  #skipAlike(from: number, size: number, chunkBytes: number): void {
    for (let at = from; at < size; at += chunkBytes + FRAME_EXTRA_BYTES) {
      this.#add(at, Math.min(chunkBytes, size - at - FRAME_EXTRA_BYTES))
    }
  }

  #add(at: number, plainBytes: number): void {
    if (plainBytes < 0) throw this.#fault('is cut off')
    this.#at.push(at)
    this.#plainAt.push(this.#plainAt.at(-1)! + plainBytes)
  }

  #endOf(number: number): number {
    if (number < 0) return FILE_HEAD_BYTES
    return this.#at[number]! + FRAME_EXTRA_BYTES + this.#plainAt[number + 1]! - this.#plainAt[number]!
  }

  #frameAt(position: number): number {
    let [low, high] = [0, this.#at.length - 1]
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (this.#plainAt[middle]! <= position) low = middle
      else high = middle - 1
    }
    return low
  }

  #open(number: number): Buffer {
    const plain = this.#tryOpen(number)
    if (plain === undefined) throw this.#fault(`frame ${number} is not what was written`)
    return plain
  }

  #tryOpen(number: number): Buffer | undefined {
    if (this.#opened?.number === number) return this.#opened.plain
    const at = this.#at[number]!
    const frame = this.#bytes(at, this.#endOf(number) - at)
    const head = readFrameHead(frame)
    const isPlace = head?.number === number && (!head.isLast || number === this.#at.length - 1)
    const plain = isPlace ? openFrame(this.#key, frame) : undefined
    if (plain !== undefined) this.#opened = { number, plain }
    return plain
  }

  #bytes(at: number, length: number): Buffer {
    const bytes = Buffer.alloc(length)
    let done = 0
    while (done < length) {
      const count = readSync(this.#fd, bytes, done, length - done, at + done)
      if (count === 0) break
      done += count
    }
    return bytes.subarray(0, done)
  }

  #fault(what: string): AppError {
    return sealedFault(`${this.#path} ${what}`)
  }
}

/** The error of a sealed file that cannot be read. */
export function sealedFault(message: string): AppError {
  return new AppError('store.sealed', message, { result: 'server', reason: 'sealed' })
}
