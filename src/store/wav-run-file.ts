// A growing WAV file of one codec run that is playable after every flush: append, then patch the header in place.

import { closeSync, fstatSync, openSync, writeSync } from 'node:fs'
import { WAV_HEADER_BYTES, type WavFormat, wavHeader } from '#audio'
import type { Disk } from './disk.ts'
import { GrowingFile } from './growing-file.ts'
import type { RecordingFiles } from './sealing/recording-files.ts'
import type { OpenFile } from './sealing/sealed-file.ts'

/** What a run file is made of. */
export interface WavRunOptions {
  readonly format: 'pcmu' | 'pcma'
  readonly sampleRateHz: number
  /** The byte that is silence. */
  readonly silence: number
  /** A stretch of audio that found no memory while the disk did not write; silence stands in its place. */
  readonly onDropped: (fromByte: number, toByte: number) => void
}

/** G.711 payload as received, one channel. */
export class WavRunFile {
  readonly #file: GrowingFile
  readonly #silence: number
  readonly #onDropped: (fromByte: number, toByte: number) => void
  #droppedFrom: number | undefined

  /** Creates the file; throws what the file system throws. */
  constructor(disk: Disk, path: string, options: WavRunOptions) {
    const { format, sampleRateHz } = options
    this.#silence = options.silence
    this.#onDropped = options.onDropped
    this.#file = new GrowingFile(disk, path, {
      headFor: (dataBytes) => wavHeader({ format: format satisfies WavFormat, sampleRateHz, channels: 1, dataBytes }),
    })
    this.#file.flush()
  }

  /** Audio bytes so far. */
  get bytes(): number {
    return this.#file.bytes
  }

  /** Appends audio; it is on its way to disk at the next flush. */
  append(bytes: Uint8Array): void {
    const at = this.#file.bytes
    if (this.#file.append(bytes)) this.#endDropped(at)
    else {
      this.#droppedFrom ??= at
      this.#file.appendFill(bytes.length, this.#silence)
    }
  }

  /** Appends `count` bytes of silence. */
  appendSilence(count: number): void {
    this.#file.appendFill(count, this.#silence)
  }

  /** Begins to hand everything to the operating system: what is there survives the death of the process. */
  flush(): void {
    this.#file.flush()
  }

  /** Begins to bring what is written to the medium. */
  sync(): void {
    this.#file.sync()
  }

  /** Writes all, to the medium, and closes; rejects with what the disk says, and may then be called again. */
  async close(): Promise<void> {
    this.#endDropped(this.#file.bytes)
    await this.#file.close()
  }

  /** Closes, whatever is not written. */
  abandon(): void {
    this.#file.abandon()
  }

  /** Gives up what is not written, and tells of it. */
  forsake(): void {
    const { bytes, writtenBytes } = this.#file
    this.#droppedFrom = undefined
    if (bytes > writtenBytes) this.#onDropped(writtenBytes, bytes)
    this.abandon()
  }

  #endDropped(atByte: number): void {
    if (this.#droppedFrom === undefined) return
    this.#onDropped(this.#droppedFrom, atByte)
    this.#droppedFrom = undefined
  }
}

/** Writes all bytes at a position; throws what the file system throws. */
function writeFully(fd: number, bytes: Uint8Array, position: number): void {
  let done = 0
  while (done < bytes.length) done += writeSync(fd, bytes, done, bytes.length - done, position + done)
}

/** Makes the header of a file left behind say what the file holds; returns its audio bytes. */
export function repairWavHeader(
  path: string,
  format: 'pcmu' | 'pcma',
  sampleRateHz: number,
  files: RecordingFiles,
): number {
  // The head of a sealed file is as it was in the beginning: nothing in it is written twice.
  if (files.placeOf(path) !== undefined) {
    files.finish(path)
    const file = files.open(path)
    file.close()
    return Math.max(0, file.size - WAV_HEADER_BYTES)
  }
  const fd = openSync(path, 'r+')
  try {
    const dataBytes = Math.max(0, fstatSync(fd).size - WAV_HEADER_BYTES)
    writeFully(fd, wavHeader({ format, sampleRateHz, channels: 1, dataBytes }), 0)
    return dataBytes
  } finally {
    closeSync(fd)
  }
}

/** Reads up to `into.length` audio bytes from `offset`; returns how many there were. */
export function readWavData(file: OpenFile, offset: number, into: Uint8Array): number {
  return file.readAt(into, WAV_HEADER_BYTES + offset)
}
