// RTP payloads that we do not decode, kept as received. A file is `SRGWRAW1` and then records, all numbers big-endian:
// u16 payload length, u8 payload type, u8 marker, u16 sequence, u16 zero, u32 timestamp, u32 SSRC, f64 arrival in
// milliseconds of the recording, payload. A record cut off at the end is to be ignored.

import { closeSync, fsyncSync, openSync } from 'node:fs'
import { writeFully } from './wav-run-file.ts'

const MAGIC = new TextEncoder().encode('SRGWRAW1')
const RECORD_HEAD_BYTES = 24
const BUFFER_BYTES = 16 * 1024

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
  readonly #fd: number
  readonly #buffer = new Uint8Array(BUFFER_BYTES)
  readonly #view = new DataView(this.#buffer.buffer)
  #buffered = 0
  #writtenBytes = 0

  /** Creates the file; throws what the file system throws. */
  constructor(path: string) {
    this.#fd = openSync(path, 'wx')
    this.#write(MAGIC)
  }

  /** File bytes so far. */
  get bytes(): number {
    return this.#writtenBytes + this.#buffered
  }

  /** Appends one packet; payloads that do not fit a datagram cannot occur. */
  append(record: RawRecord): void {
    const { payload } = record
    if (RECORD_HEAD_BYTES + payload.length > BUFFER_BYTES - this.#buffered) this.flush()
    const at = this.#buffered
    this.#view.setUint16(at, payload.length)
    this.#view.setUint8(at + 2, record.payloadType)
    this.#view.setUint8(at + 3, record.marker ? 1 : 0)
    this.#view.setUint16(at + 4, record.sequence)
    this.#view.setUint16(at + 6, 0)
    this.#view.setUint32(at + 8, record.timestamp)
    this.#view.setUint32(at + 12, record.ssrc)
    this.#view.setFloat64(at + 16, record.arrivalMs)
    this.#buffered += RECORD_HEAD_BYTES
    if (payload.length > BUFFER_BYTES - this.#buffered) {
      this.flush()
      this.#write(payload)
      return
    }
    this.#buffer.set(payload, this.#buffered)
    this.#buffered += payload.length
  }

  /** Hands everything to the operating system. */
  flush(): void {
    if (this.#buffered === 0) return
    const count = this.#buffered
    this.#buffered = 0
    this.#write(this.#buffer.subarray(0, count))
  }

  /** Flushes to the medium and closes. */
  close(): void {
    try {
      this.flush()
      fsyncSync(this.#fd)
    } finally {
      closeSync(this.#fd)
    }
  }

  #write(bytes: Uint8Array): void {
    writeFully(this.#fd, bytes, this.#writtenBytes)
    this.#writtenBytes += bytes.length
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
