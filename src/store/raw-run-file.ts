// RTP payloads that we do not decode, kept as received. A file is `SRGWRAW2` and then records, all numbers big-endian:
// u16 payload length, u8 payload type, u8 marker, u16 sequence, u16 zero, u32 timestamp, u32 SSRC, f64 arrival in
// milliseconds of the recording, f64 position in ticks of the RTP clock since the run's start, payload. Files of before,
// `SRGWRAW1`, have no position. A record cut off at the end is to be ignored.

import { closeSync, fsyncSync, openSync, readSync } from 'node:fs'
import { writeFully } from './wav-run-file.ts'

const MAGIC_BYTES = 8
const MAGIC = new TextEncoder().encode('SRGWRAW2')
const OLD_MAGIC = 'SRGWRAW1'
const OLD_HEAD_BYTES = 24
const RECORD_HEAD_BYTES = 32
const BUFFER_BYTES = 16 * 1024
const READ_BYTES = 128 * 1024

/** One packet as kept. */
export interface RawRecord {
  readonly payloadType: number
  readonly marker: boolean
  readonly sequence: number
  readonly timestamp: number
  readonly ssrc: number
  readonly arrivalMs: number
  /** Where it belongs: ticks of the run's RTP clock since the run's start, as bytes are in a G.711 run. */
  readonly position: number
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
    this.#view.setFloat64(at + 24, record.position)
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

/** The records of a raw run in order of position, up to the first incomplete one; throws what the file system throws. */
export function* readRawRun(
  path: string,
  run: { readonly clockRateHz: number; readonly startMs: number },
): Generator<RawRecord> {
  const fd = openSync(path, 'r')
  try {
    const read = new ForwardReader(fd)
    const magic = read.take(MAGIC_BYTES)
    if (magic === undefined) return
    const isOld = new TextDecoder().decode(magic) === OLD_MAGIC
    const place = isOld ? new OldPlacement(run) : undefined
    for (;;) {
      const head = read.take(isOld ? OLD_HEAD_BYTES : RECORD_HEAD_BYTES)
      if (head === undefined) return
      const view = new DataView(head.buffer)
      const payload = read.take(view.getUint16(0))
      if (payload === undefined) return
      const record = {
        payloadType: view.getUint8(2),
        marker: view.getUint8(3) === 1,
        sequence: view.getUint16(4),
        timestamp: view.getUint32(8),
        ssrc: view.getUint32(12),
        arrivalMs: view.getFloat64(16),
        payload,
      }
      yield { ...record, position: place?.of(record) ?? view.getFloat64(24) }
    }
  } finally {
    closeSync(fd)
  }
}

/** Positions that files of before do not hold: RTP time within a source, arrival between sources. */
class OldPlacement {
  readonly #run: { readonly clockRateHz: number; readonly startMs: number }
  #last: { ssrc: number; timestamp: number; position: number } | undefined

  constructor(run: { readonly clockRateHz: number; readonly startMs: number }) {
    this.#run = run
  }

  of({ ssrc, timestamp, arrivalMs }: { ssrc: number; timestamp: number; arrivalMs: number }): number {
    const last = this.#last
    const position =
      last?.ssrc === ssrc
        ? last.position + ((timestamp - last.timestamp) | 0)
        : Math.round(((arrivalMs - this.#run.startMs) * this.#run.clockRateHz) / 1000)
    this.#last = { ssrc, timestamp, position }
    return position
  }
}

/** Reads a file from its beginning in large steps. */
class ForwardReader {
  readonly #fd: number
  readonly #buffer = new Uint8Array(READ_BYTES)
  #from = 0
  #to = 0

  constructor(fd: number) {
    this.#fd = fd
  }

  /** The next bytes, as a copy; undefined when there are not so many. */
  take(count: number): Uint8Array | undefined {
    while (this.#to - this.#from < count) {
      this.#buffer.copyWithin(0, this.#from, this.#to)
      this.#to -= this.#from
      this.#from = 0
      const got = readSync(this.#fd, this.#buffer, this.#to, READ_BYTES - this.#to, null)
      if (got === 0) return undefined
      this.#to += got
    }
    this.#from += count
    return this.#buffer.slice(this.#from - count, this.#from)
  }
}
