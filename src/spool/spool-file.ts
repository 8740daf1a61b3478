// One spool file: appended to while a recording has no recorder, read when it has one again.

import { closeSync, fstatSync, fsyncSync, ftruncateSync, openSync, readSync, rmSync, writeSync } from 'node:fs'
import { err, ok, type Result } from '#kernel'
import {
  CHUNK_HEAD_BYTES,
  type ChunkKind,
  FILE_HEAD_BYTES,
  newFileHead,
  openChunk,
  RECORD_HEAD_BYTES,
  readChunkHead,
  readFileHead,
  readRecords,
  type SpoolRecord,
  sealChunk,
  writeRecord,
} from './spool-format.ts'

const BUFFER_BYTES = 64 * 1024

/** Appends to a new file. Every method throws what the file system throws. */
export class SpoolWriter {
  readonly #id: string
  readonly #fd: number
  readonly #dataKey: Buffer
  readonly #buffer = Buffer.alloc(BUFFER_BYTES)
  #buffered = 0
  #chunks = 0
  #bytes = 0

  constructor(path: string, id: string, spoolKey: Uint8Array, wallMs: number) {
    this.#id = id
    this.#fd = openSync(path, 'wx', 0o600)
    const { head, dataKey } = newFileHead(spoolKey, id, wallMs)
    this.#dataKey = dataKey
    try {
      this.#write(head)
    } catch (fault) {
      closeSync(this.#fd)
      rmSync(path)
      throw fault
    }
  }

  /** File bytes so far. */
  get bytes(): number {
    return this.#bytes
  }

  /** Keeps a packet; nothing of it is on the disk before the next `flush`, or a full buffer. */
  append(record: SpoolRecord): void {
    if (this.#buffered + RECORD_HEAD_BYTES + record.packet.length > BUFFER_BYTES) this.#writePackets()
    if (RECORD_HEAD_BYTES + record.packet.length > BUFFER_BYTES) return
    this.#buffered = writeRecord(this.#buffer, this.#buffered, record)
  }

  /** Writes the facts anew, behind the packets so far. */
  note(facts: string): void {
    this.#writePackets()
    this.#writeChunk('facts', Buffer.from(facts))
    fsyncSync(this.#fd)
  }

  /** Brings everything to the medium. */
  flush(): void {
    if (this.#buffered === 0) return
    this.#writePackets()
    fsyncSync(this.#fd)
  }

  /** Flushes and closes. */
  close(): void {
    try {
      this.flush()
    } finally {
      try {
        ftruncateSync(this.#fd, this.#bytes)
      } finally {
        closeSync(this.#fd)
      }
    }
  }

  #writePackets(): void {
    if (this.#buffered === 0) return
    const plain = this.#buffer.subarray(0, this.#buffered)
    this.#writeChunk('packets', plain)
    this.#buffered = 0
    plain.fill(0)
  }

  #writeChunk(kind: ChunkKind, plain: Uint8Array): void {
    this.#write(sealChunk(this.#dataKey, this.#id, this.#chunks, kind, plain))
    this.#chunks += 1
  }

  /** All of it or nothing: the next write goes over what the disk took of one that it did not take whole, which nothing behind it could be read past. */
  #write(bytes: Buffer): void {
    let written = 0
    while (written < bytes.length) {
      written += writeSync(this.#fd, bytes, written, bytes.length - written, this.#bytes + written)
    }
    this.#bytes += bytes.length
  }
}

/** Reads a file from its beginning up to the first chunk that is not whole, or not what was written. */
export class SpoolReader {
  readonly madeAtMs: number
  readonly #id: string
  readonly #fd: number
  readonly #dataKey: Buffer
  readonly #size: number
  #offset = FILE_HEAD_BYTES
  #chunks = 0
  #isDamaged = false

  private constructor(id: string, fd: number, head: { readonly madeAtMs: number; readonly dataKey: Buffer }) {
    this.#id = id
    this.#fd = fd
    this.#dataKey = head.dataKey
    this.madeAtMs = head.madeAtMs
    this.#size = fstatSync(fd).size
  }

  /** Opens a file; close it when done. */
  static open(path: string, id: string, spoolKey: Uint8Array): Result<SpoolReader, string> {
    const fd = openSync(path, 'r')
    const read = readFileHead(spoolKey, id, readAt(fd, 0, FILE_HEAD_BYTES))
    if (read.ok) return ok(new SpoolReader(id, fd, read.value))
    closeSync(fd)
    return err(read.error)
  }

  /** Whether it ended at something else than the end of the file: a torn tail, or a hand that was not ours. */
  get isDamaged(): boolean {
    return this.#isDamaged
  }

  /** The packets of the next chunk that holds any; undefined at the end. */
  nextPackets(): SpoolRecord[] | undefined {
    const plain = this.#next('packets')
    return plain === undefined ? undefined : readRecords(plain)
  }

  /** Goes to the end and returns the last facts. */
  lastFacts(): string | undefined {
    let last: Buffer | undefined
    for (let plain = this.#next('facts'); plain !== undefined; plain = this.#next('facts')) last = plain
    return last?.toString()
  }

  close(): void {
    closeSync(this.#fd)
  }

  /** The next chunk of a kind; those of the other are stepped over. */
  #next(kind: ChunkKind): Buffer | undefined {
    while (!this.#isDamaged && this.#offset < this.#size) {
      const head = readChunkHead(readAt(this.#fd, this.#offset, CHUNK_HEAD_BYTES))
      const end = this.#offset + CHUNK_HEAD_BYTES + (head?.bodyBytes ?? 0)
      if (head === undefined || head.number !== this.#chunks || end > this.#size) break
      const start = this.#offset
      if (head.kind === kind) {
        const plain = openChunk(this.#dataKey, this.#id, readAt(this.#fd, start, end - start))
        if (plain === undefined) break
        this.#step(end)
        return plain
      }
      this.#step(end)
    }
    this.#isDamaged = this.#offset < this.#size
    return undefined
  }

  #step(end: number): void {
    this.#offset = end
    this.#chunks += 1
  }
}

function readAt(fd: number, offset: number, length: number): Buffer {
  const bytes = Buffer.alloc(length)
  return bytes.subarray(0, readSync(fd, bytes, 0, length, offset))
}
