// A file that grows at its end, and may have a head that says how long it is. Bytes wait in memory until `flush`; they
// are written in order, one write at a time, and again after a write that failed.

import type { Disk, GrowingPart } from './disk.ts'
import type { FrameSealer } from './sealing/frame-sealer.ts'

const CHUNK_BYTES = 4 * 1024
const FILL_BYTES = 64 * 1024
/** The head says this often how long the file is, and at the end. */
const HEAD_MS = 1000

/** Bytes that wait; a fill takes no memory until it is written. */
interface Waiting {
  /** Undefined: `count` times `fill`. */
  readonly bytes: Uint8Array | undefined
  readonly fill: number
  from: number
  to: number
}

/** How a file is opened. */
export interface GrowingFileOptions {
  /** The head of a file that holds so many bytes after it; always of one length. */
  readonly headFor?: (dataBytes: number) => Uint8Array
  /** What a new file begins with, from the moment it is there. */
  readonly initial?: Uint8Array
  /** Goes on behind so many bytes of a file that is there. */
  readonly continueAt?: number
}

/** Writer of one file. */
export class GrowingFile implements GrowingPart {
  readonly path: string
  readonly #disk: Disk
  readonly #isContinued: boolean
  readonly #initial: Uint8Array
  /** Opened at the first write: a file that cannot be made now can be made later. */
  #fd: number | undefined
  readonly #headFor: ((dataBytes: number) => Uint8Array) | undefined
  readonly #headBytes: number
  readonly #waiting: Waiting[] = []
  /** Bytes after the head, given so far; written so far; and what the head on disk says. */
  #bytes: number
  #written: number
  #described: number
  #describedMs = Number.NEGATIVE_INFINITY
  /** Bytes that are on the medium, after the head. */
  #synced = 0
  #isWriting = false
  #isUnsynced = false
  #isSyncing = false
  #unsyncedSinceMs: number | undefined
  #isClosed = false
  #closing: Promise<void> | undefined
  /** Where files are sealed: what seals, where the next frame goes, and the frame under way. */
  #sealer: FrameSealer | undefined
  #position = 0
  #frame: { readonly bytes: Buffer; readonly onWritten: () => void; done: number } | undefined
  #hasEnd = false
  /** A chunk that is written, for the next bytes. */
  #spare: Uint8Array | undefined
  #then: (() => void) | undefined
  readonly #settled: { readonly resolve: () => void; readonly reject: (fault: unknown) => void }[] = []

  /** Touches nothing before the first flush; what the file system says then is the disk's condition. */
  constructor(disk: Disk, path: string, options: GrowingFileOptions = {}) {
    this.#disk = disk
    this.#headFor = options.headFor
    this.#headBytes = options.headFor?.(0).length ?? 0
    this.#initial = options.initial ?? new Uint8Array()
    this.#bytes = options.continueAt ?? this.#initial.length
    this.#written = this.#bytes
    this.#described = this.#bytes
    this.path = path
    this.#isContinued = options.continueAt !== undefined
  }

  /** Bytes after the head, those that wait included. */
  get bytes(): number {
    return this.#bytes
  }

  /** Bytes after the head that the operating system has. */
  get writtenBytes(): number {
    return this.#written
  }

  get unsyncedSinceMs(): number | undefined {
    return this.#unsyncedSinceMs
  }

  checkRemoved(done: (isRemoved: boolean) => void): void {
    if (this.#fd === undefined || this.#isClosed) done(false)
    else this.#disk.port.isRemoved(this.#fd, (isRemoved) => done(isRemoved && !this.#isClosed))
  }

  /** Bytes after the head that a sync has brought to the medium. */
  get syncedBytes(): number {
    return this.#synced
  }

  /** Appends bytes; false when there is no memory left for them: they are not taken. */
  append(bytes: Uint8Array): boolean {
    if (!this.#disk.reserve(bytes.length)) return false
    this.#push(bytes)
    return true
  }

  /** As `append`, for what is small and must not be lost. */
  appendAlways(bytes: Uint8Array): void {
    this.#disk.charge(bytes.length)
    this.#push(bytes)
  }

  /** Appends `count` times the same byte. */
  appendFill(count: number, fill: number): void {
    if (count <= 0) return
    this.#bytes += count
    const last = this.#waiting.at(-1)
    if (last !== undefined && last.bytes === undefined && last.fill === fill) last.to += count
    else this.#waiting.push({ bytes: undefined, fill, from: 0, to: count })
  }

  /**
   * Begins to hand everything to the operating system: what is written survives the death of the process. `then` is done when there
   * is nothing more to write, or it cannot be written.
   */
  flush(then?: () => void): void {
    if (then !== undefined) this.#then = then
    if (this.#isClosed) this.#goOn()
    else if (!this.#isWriting) this.#writeNext()
  }

  /** Begins to bring what is written to the medium. */
  sync(): void {
    if (this.#fd === undefined || !this.#isUnsynced || this.#isSyncing || this.#isClosed) return
    this.#isUnsynced = false
    this.#isSyncing = true
    const sinceMs = this.#disk.nowMs()
    const upTo = this.#written
    this.#disk.sync(this.#fd, (error) => {
      this.#isSyncing = false
      if (this.#isClosed) this.#letGo()
      if (error !== null) {
        this.#isUnsynced = true
        return
      }
      this.#synced = upTo
      this.#unsyncedSinceMs = this.#bytes > upTo ? sinceMs : undefined
    })
  }

  /** Writes all, brings it to the medium and closes. Rejects with what the disk says; then it may be called again. */
  close(): Promise<void> {
    this.#closing ??= this.#finish().catch((fault: unknown) => {
      this.#closing = undefined
      throw fault
    })
    return this.#closing
  }

  /** Closes, whatever is not written. */
  abandon(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    for (const { bytes, from, to } of this.#waiting.splice(0)) if (bytes !== undefined) this.#disk.release(to - from)
    // Who waits for the end has it: nothing more comes.
    for (const { resolve } of this.#settled.splice(0)) resolve()
    this.#letGo()
  }

  async #finish(): Promise<void> {
    if (this.#isClosed) return
    await new Promise<void>((resolve, reject) => {
      this.#settled.push({ resolve, reject })
      this.flush()
    })
    if (this.#isClosed) return
    const fd = this.#fd
    if (fd !== undefined) {
      await new Promise<void>((resolve, reject) => {
        this.#disk.sync(fd, (error) => (error === null ? resolve() : reject(error)))
      })
    }
    this.abandon()
  }

  #push(bytes: Uint8Array): void {
    this.#bytes += bytes.length
    this.#unsyncedSinceMs ??= this.#disk.nowMs()
    const last = this.#waiting.at(-1)
    if (last?.bytes !== undefined && last.bytes.length - last.to >= bytes.length) {
      last.bytes.set(bytes, last.to)
      last.to += bytes.length
      return
    }
    const isSpare = this.#spare !== undefined && bytes.length <= CHUNK_BYTES
    const chunk = isSpare ? this.#spare! : new Uint8Array(Math.max(CHUNK_BYTES, bytes.length))
    if (isSpare) this.#spare = undefined
    chunk.set(bytes)
    this.#waiting.push({ bytes: chunk, fill: 0, from: 0, to: bytes.length })
  }

  #writeNext(): void {
    if (this.#opened() === undefined) return
    if (this.#frame !== undefined) {
      this.#writeFrame(this.#frame)
      return
    }
    const next = this.#waiting[0]
    if (next === undefined) {
      this.#goOn()
      if (this.#sealer !== undefined) {
        this.#endSealed(this.#sealer)
        return
      }
      if (this.#headFor !== undefined && this.#isHeadDue) this.#writeHead(this.#headFor)
      else for (const { resolve } of this.#settled.splice(0)) resolve()
      return
    }
    const { bytes, fill, from, to } = next
    const part = bytes?.subarray(from, to) ?? new Uint8Array(Math.min(to - from, FILL_BYTES)).fill(fill)
    const onWritten = (written: number): void => {
      this.#written += written
      next.from += written
      if (bytes !== undefined) this.#disk.release(written)
      // What came meanwhile stands behind in the same chunk.
      if (next.from < next.to) return
      this.#waiting.shift()
      if (bytes?.length === CHUNK_BYTES) this.#spare = bytes
    }
    if (this.#sealer === undefined) this.#write(part, this.#headBytes + this.#written, onWritten)
    else this.#seal(this.#sealer.next(part), () => onWritten(part.length))
  }

  /** A frame is written again, and to its end, before there is another: what is sealed once stays as it is. */
  #seal(bytes: Buffer, onWritten: () => void): void {
    this.#frame = { bytes, onWritten, done: 0 }
    this.#writeFrame(this.#frame)
  }

  #writeFrame(frame: { readonly bytes: Buffer; readonly onWritten: () => void; done: number }): void {
    this.#write(frame.bytes.subarray(frame.done), this.#position + frame.done, (written) => {
      frame.done += written
      if (frame.done < frame.bytes.length) return
      this.#position += frame.done
      this.#frame = undefined
      frame.onWritten()
    })
  }

  /** A file that is closed has a last frame, so that one that is cut off is told from it. */
  #endSealed(sealer: FrameSealer): void {
    if (this.#settled.length > 0 && !this.#hasEnd) {
      this.#seal(sealer.next(new Uint8Array(), true), () => {
        this.#hasEnd = true
      })
    } else for (const { resolve } of this.#settled.splice(0)) resolve()
  }

  get #isHeadDue(): boolean {
    if (this.#described === this.#written) return false
    return this.#settled.length > 0 || this.#disk.nowMs() - this.#describedMs >= HEAD_MS
  }

  #writeHead(headFor: (dataBytes: number) => Uint8Array): void {
    const described = this.#written
    const head = headFor(described)
    let done = 0
    const writeRest = (): void =>
      this.#write(head.subarray(done), done, (written) => {
        done += written
        if (done < head.length) writeRest()
        else {
          this.#described = described
          this.#describedMs = this.#disk.nowMs()
        }
      })
    writeRest()
  }

  #write(part: Uint8Array, position: number, onWritten: (count: number) => void): void {
    const fd = this.#opened()
    if (fd === undefined) return
    this.#isWriting = true
    this.#disk.write(fd, part, position, (error, written) => {
      this.#isWriting = false
      if (this.#isClosed) {
        this.#letGo()
        return
      }
      if (error !== null) {
        this.#fail(error)
        return
      }
      this.#isUnsynced = true
      onWritten(written)
      if (!this.#isWriting) this.#writeNext()
    })
  }

  #opened(): number | undefined {
    try {
      if (this.#fd === undefined) {
        this.#fd = this.#open()
        this.#disk.growing.add(this)
      }
    } catch (fault) {
      this.#disk.note(fault)
      this.#fail(fault)
    }
    return this.#fd
  }

  #open(): number {
    const { port, files } = this.#disk
    const first = this.#headFor?.(0) ?? this.#initial
    const growth = files.grow(this.path, this.#isContinued)
    if (growth === undefined) return this.#isContinued ? port.reopen(this.path) : port.create(this.path, first)
    const { sealer, end } = growth
    this.#sealer = sealer
    this.#position = end
    if (this.#isContinued) return port.reopen(this.path)
    const begun = Buffer.concat(first.length > 0 ? [sealer.head, sealer.next(first)] : [sealer.head])
    this.#position = begun.length
    return port.create(this.path, begun)
  }

  /** Those who wait for the end are told; what is not written waits for the next flush. */
  #fail(fault: unknown): void {
    this.#goOn()
    for (const { reject } of this.#settled.splice(0)) reject(fault)
  }

  #goOn(): void {
    const then = this.#then
    this.#then = undefined
    then?.()
  }

  /** Closes what nobody works on any more. */
  #letGo(): void {
    if (this.#isWriting || this.#isSyncing) return
    this.#disk.growing.delete(this)
    if (this.#fd !== undefined) this.#disk.port.close(this.#fd)
    this.#fd = undefined
  }
}
