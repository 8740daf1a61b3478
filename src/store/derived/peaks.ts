// peaks.dat: how loud each channel is, every 20 ms, so that a wave form is drawn without reading the audio. The file is
// `SRGWPK01`, u16 channels, u16 milliseconds of a bucket, u32 zero (big-endian), and for each bucket and channel the least and
// the greatest sample as signed bytes.

import { type OutputFile, plainFiles, type RecordingFiles } from '../sealing/recording-files.ts'
import type { OpenFile } from '../sealing/sealed-file.ts'
import type { AudioOutput } from './audio-output.ts'

/** Name of the file in a recording's folder. */
export const PEAKS_FILE = 'peaks.dat'

const MAGIC = new TextEncoder().encode('SRGWPK01')
const HEAD_BYTES = 16
const BUCKET_MS = 20
const BUFFER_BYTES = 64 * 1024
const PER_VALUE = 2

/** Writes peaks.dat of the samples that pass. */
export class PeakOutput implements AudioOutput {
  readonly #file: OutputFile
  readonly #framesPerBucket: number
  readonly #buffer = new Int8Array(BUFFER_BYTES)
  readonly #least: Int16Array
  readonly #greatest: Int16Array
  #buffered = 0
  #framesInBucket = 0

  constructor(
    file: OutputFile,
    { sampleRateHz, channels }: { readonly sampleRateHz: number; readonly channels: number },
  ) {
    this.#framesPerBucket = Math.max(1, Math.round((sampleRateHz * BUCKET_MS) / 1000))
    this.#least = new Int16Array(channels)
    this.#greatest = new Int16Array(channels)
    const head = new Uint8Array(HEAD_BYTES)
    head.set(MAGIC)
    new DataView(head.buffer).setUint16(8, channels)
    new DataView(head.buffer).setUint16(10, BUCKET_MS)
    this.#file = file
    file.append(head)
  }

  write(channels: readonly Int16Array[]): void {
    const frames = channels[0]?.length ?? 0
    for (let from = 0; from < frames; ) {
      const to = Math.min(frames, from + this.#framesPerBucket - this.#framesInBucket)
      for (const [channel, samples] of channels.entries()) this.#note(samples, channel, from, to)
      this.#framesInBucket += to - from
      if (this.#framesInBucket === this.#framesPerBucket) this.#endBucket()
      from = to
    }
  }

  close(): void {
    try {
      if (this.#framesInBucket > 0) this.#endBucket()
      this.#flush()
    } finally {
      this.#file.close()
    }
  }

  #note(samples: Int16Array, channel: number, from: number, to: number): void {
    let least = this.#least[channel]!
    let greatest = this.#greatest[channel]!
    for (let i = from; i < to; i++) {
      const sample = samples[i]!
      if (sample < least) least = sample
      if (sample > greatest) greatest = sample
    }
    this.#least[channel] = least
    this.#greatest[channel] = greatest
  }

  #endBucket(): void {
    if (this.#buffered + PER_VALUE * this.#least.length > BUFFER_BYTES) this.#flush()
    for (let channel = 0; channel < this.#least.length; channel++) {
      this.#buffer[this.#buffered++] = this.#least[channel]! >> 8
      // Rounded away from zero, so that a quiet voice is not drawn as silence.
      this.#buffer[this.#buffered++] = Math.min(127, (this.#greatest[channel]! + 255) >> 8)
    }
    this.#least.fill(0)
    this.#greatest.fill(0)
    this.#framesInBucket = 0
  }

  #flush(): void {
    this.#file.append(new Uint8Array(this.#buffer.buffer, 0, this.#buffered))
    this.#buffered = 0
  }
}

/** A wave form to draw. */
export interface Peaks {
  readonly channels: number
  readonly fromMs: number
  readonly toMs: number
  /** For each channel: least and greatest sample of each bucket in turn, -128 to 127. */
  readonly values: readonly (readonly number[])[]
}

/** What part of the recording is drawn, in how many buckets. */
export interface PeaksQuery {
  readonly fromMs?: number
  readonly toMs?: number
  readonly buckets: number
}

/** Reads a part of peaks.dat; undefined when the file is missing or none of ours. */
export function readPeaks(path: string, query: PeaksQuery, files: RecordingFiles = plainFiles): Peaks | undefined {
  let file: OpenFile
  try {
    file = files.open(path)
  } catch {
    return undefined
  }
  try {
    const head = Buffer.alloc(HEAD_BYTES)
    file.readAt(head, 0)
    const [channels, bucketMs] = [head.readUInt16BE(8), head.readUInt16BE(10)]
    if (!head.subarray(0, MAGIC.length).equals(MAGIC) || channels === 0 || bucketMs === 0) return undefined
    const width = PER_VALUE * channels
    const stored = Math.floor((file.size - HEAD_BYTES) / width)
    const from = Math.min(stored, Math.max(0, Math.floor((query.fromMs ?? 0) / bucketMs)))
    const to = Math.min(stored, Math.max(from, Math.ceil((query.toMs ?? Number.POSITIVE_INFINITY) / bucketMs)))
    const bytes = new Int8Array((to - from) * width)
    file.readAt(new Uint8Array(bytes.buffer), HEAD_BYTES + from * width)
    const count = Math.min(query.buckets, to - from)
    const values = Array.from({ length: channels }, (_unused, channel) => reduced(bytes, channel, width, count))
    return { channels, fromMs: from * bucketMs, toMs: to * bucketMs, values }
  } finally {
    file.close()
  }
}

/** Brings the stored buckets of a channel together to `count`. */
function reduced(bytes: Int8Array, channel: number, width: number, count: number): number[] {
  const stored = bytes.length / width
  const values: number[] = []
  for (let bucket = 0; bucket < count; bucket++) {
    const to = Math.floor(((bucket + 1) * stored) / count)
    let least = 0
    let greatest = 0
    for (let at = Math.floor((bucket * stored) / count); at < to; at++) {
      least = Math.min(least, bytes[at * width + PER_VALUE * channel]!)
      greatest = Math.max(greatest, bytes[at * width + PER_VALUE * channel + 1]!)
    }
    values.push(least, greatest)
  }
  return values
}
