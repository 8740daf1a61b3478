// RTP payloads that we do not decode, kept as received. A file is `SRGWRAW2` and then records, all numbers big-endian:
// u16 payload length, u8 payload type, u8 marker, u16 sequence, u16 zero, u32 timestamp, u32 SSRC, f64 arrival in
// milliseconds of the recording, f64 position in ticks of the RTP clock since the run's start, payload. Files of before,
// `SRGWRAW1`, have no position. A record cut off at the end is to be ignored.

import type { Disk } from './disk.ts'
import { GrowingFile } from './growing-file.ts'
import { plainFiles, type RecordingFiles } from './sealing/recording-files.ts'
import type { OpenFile } from './sealing/sealed-file.ts'

const MAGIC_BYTES = 8
const MAGIC = new TextEncoder().encode('SRGWRAW2')
const OLD_MAGIC = 'SRGWRAW1'
const OLD_HEAD_BYTES = 24
const RECORD_HEAD_BYTES = 32
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
  readonly #file: GrowingFile
  readonly #onDropped: (fromMs: number, toMs: number) => void
  readonly #head = new DataView(new ArrayBuffer(RECORD_HEAD_BYTES))
  #droppedFromMs: number | undefined
  #lastMs = 0
  /** When the packets came that ended at a size of the file, as long as it is not written. */
  readonly #marks: { readonly bytes: number; readonly arrivalMs: number }[] = []

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
    head.setFloat64(24, record.position)
    const bytes = new Uint8Array(RECORD_HEAD_BYTES + payload.length)
    bytes.set(new Uint8Array(head.buffer))
    bytes.set(payload, RECORD_HEAD_BYTES)
    if (this.#file.append(bytes)) this.#endDropped(arrivalMs)
    else this.#droppedFromMs ??= arrivalMs
  }

  /** Begins to hand everything to the operating system. */
  flush(): void {
    const { bytes, writtenBytes } = this.#file
    while (this.#marks[1] !== undefined && this.#marks[1].bytes <= writtenBytes) this.#marks.shift()
    if (this.#marks.at(-1)?.bytes !== bytes) this.#marks.push({ bytes, arrivalMs: this.#lastMs })
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

  /** Gives up what is not written, and tells of it. */
  forsake(): void {
    const { bytes, writtenBytes } = this.#file
    const fromMs = this.#marks.findLast((mark) => mark.bytes <= writtenBytes)?.arrivalMs ?? this.#lastMs
    this.#droppedFromMs = undefined
    if (bytes > writtenBytes) this.#onDropped(fromMs, this.#lastMs)
    this.abandon()
  }

  #endDropped(atMs: number): void {
    if (this.#droppedFromMs === undefined) return
    this.#onDropped(this.#droppedFromMs, atMs)
    this.#droppedFromMs = undefined
  }
}

/** The records of a raw run in order of position, up to the first incomplete one; throws what the file system throws. */
export function* readRawRun(
  path: string,
  run: { readonly clockRateHz: number; readonly startMs: number },
  files: Pick<RecordingFiles, 'open'> = plainFiles,
): Generator<RawRecord> {
  const file = files.open(path)
  try {
    const read = new ForwardReader(file)
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
    file.close()
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
  readonly #file: OpenFile
  readonly #buffer = new Uint8Array(READ_BYTES)
  #from = 0
  #to = 0
  #position = 0

  constructor(file: OpenFile) {
    this.#file = file
  }

  /** The next bytes, as a copy; undefined when there are not so many. */
  take(count: number): Uint8Array | undefined {
    while (this.#to - this.#from < count) {
      this.#buffer.copyWithin(0, this.#from, this.#to)
      this.#to -= this.#from
      this.#from = 0
      const got = this.#file.readAt(this.#buffer.subarray(this.#to), this.#position)
      if (got === 0) return undefined
      this.#position += got
      this.#to += got
    }
    this.#from += count
    return this.#buffer.slice(this.#from - count, this.#from)
  }
}
