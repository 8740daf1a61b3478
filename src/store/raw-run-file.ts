// RTP payloads that we do not decode, kept as received. A file is `SRGWRAW1` and then records, all numbers big-endian:
// u16 payload length, u8 payload type, u8 marker, u16 sequence, u16 zero, u32 timestamp, u32 SSRC, f64 arrival in
// milliseconds of the recording, payload. A record cut off at the end is to be ignored.

import type { Disk } from './disk.ts'
import { GrowingFile } from './growing-file.ts'

const MAGIC = new TextEncoder().encode('SRGWRAW1')
const RECORD_HEAD_BYTES = 24

/** One packet as kept. */
export interface RawRecord {
  readonly payloadType: number
  readonly marker: boolean
  readonly sequence: number
  readonly timestamp: number
  readonly ssrc: number
  readonly arrivalMs: number
  readonly payload: Uint8Array
}

/** Append-only file of raw records. */
export class RawRunFile {
  readonly #file: GrowingFile
  readonly #onDropped: (fromMs: number, toMs: number) => void
  readonly #head = new DataView(new ArrayBuffer(RECORD_HEAD_BYTES))
  #droppedFromMs: number | undefined
  #lastMs = 0

  /** Creates the file; throws what the file system throws. `onDropped`: packets that found no memory while the disk did not write. */
  constructor(disk: Disk, path: string, onDropped: (fromMs: number, toMs: number) => void) {
    this.#file = new GrowingFile(disk, path)
    this.#onDropped = onDropped
    this.#file.appendAlways(MAGIC)
    this.#file.flush()
  }

  /** File bytes so far. */
  get bytes(): number {
    return this.#file.bytes
  }

  /** Appends one packet; payloads that do not fit a datagram cannot occur. */
  append(record: RawRecord): void {
    const { payload, arrivalMs } = record
    this.#lastMs = arrivalMs
    const head = this.#head
    head.setUint16(0, payload.length)
    head.setUint8(2, record.payloadType)
    head.setUint8(3, record.marker ? 1 : 0)
    head.setUint16(4, record.sequence)
    head.setUint16(6, 0)
    head.setUint32(8, record.timestamp)
    head.setUint32(12, record.ssrc)
    head.setFloat64(16, arrivalMs)
    const bytes = new Uint8Array(RECORD_HEAD_BYTES + payload.length)
    bytes.set(new Uint8Array(head.buffer))
    bytes.set(payload, RECORD_HEAD_BYTES)
    if (this.#file.append(bytes)) this.#endDropped(arrivalMs)
    else this.#droppedFromMs ??= arrivalMs
  }

  /** Begins to hand everything to the operating system. */
  flush(): void {
    this.#file.flush()
  }

  /** Begins to bring what is written to the medium. */
  sync(): void {
    this.#file.sync()
  }

  /** Writes all, to the medium, and closes; rejects with what the disk says, and may then be called again. */
  async close(): Promise<void> {
    this.#endDropped(this.#lastMs)
    await this.#file.close()
  }

  /** Closes, whatever is not written. */
  abandon(): void {
    this.#file.abandon()
  }

  #endDropped(atMs: number): void {
    if (this.#droppedFromMs === undefined) return
    this.#onDropped(this.#droppedFromMs, atMs)
    this.#droppedFromMs = undefined
  }
}

/** The records of a file; stops at the first incomplete one. */
export function parseRawRun(bytes: Uint8Array): RawRecord[] {
  const records: RawRecord[] = []
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let offset = MAGIC.length
  while (offset + RECORD_HEAD_BYTES <= bytes.length) {
    const end = offset + RECORD_HEAD_BYTES + view.getUint16(offset)
    if (end > bytes.length) break
    records.push({
      payloadType: view.getUint8(offset + 2),
      marker: view.getUint8(offset + 3) === 1,
      sequence: view.getUint16(offset + 4),
      timestamp: view.getUint32(offset + 8),
      ssrc: view.getUint32(offset + 12),
      arrivalMs: view.getFloat64(offset + 16),
      payload: bytes.subarray(offset + RECORD_HEAD_BYTES, end),
    })
    offset = end
  }
  return records
}
