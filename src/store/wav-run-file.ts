// A growing WAV file of one codec run that is playable after every flush: append, then patch the header in place.

import { closeSync, fstatSync, fsyncSync, openSync, readSync, writeSync } from 'node:fs'
import { WAV_HEADER_BYTES, type WavFormat, wavHeader } from '#audio'

const SILENCE_CHUNK_BYTES = 64 * 1024
const BUFFER_BYTES = 16 * 1024

/** G.711 payload as received, one channel. */
export class WavRunFile {
  readonly #fd: number
  readonly #format: WavFormat
  readonly #sampleRateHz: number
  readonly #silence: number
  readonly #buffer = new Uint8Array(BUFFER_BYTES)
  #buffered = 0
  #writtenBytes = 0
  /** What the header says. */
  #describedBytes = 0

  /** Creates the file with an empty header; throws what the file system throws. */
  constructor(path: string, options: { format: 'pcmu' | 'pcma'; sampleRateHz: number; silence: number }) {
    this.#format = options.format
    this.#sampleRateHz = options.sampleRateHz
    this.#silence = options.silence
    this.#fd = openSync(path, 'wx')
    this.#patchHeader()
  }

  /** Audio bytes so far. */
  get bytes(): number {
    return this.#writtenBytes + this.#buffered
  }

  /** Appends audio; it is on its way to disk at the next flush. */
  append(bytes: Uint8Array): void {
    if (bytes.length > BUFFER_BYTES - this.#buffered) this.#spill()
    if (bytes.length > BUFFER_BYTES) {
      this.#writeAtEnd(bytes)
      return
    }
    this.#buffer.set(bytes, this.#buffered)
    this.#buffered += bytes.length
  }

  /** Appends `count` bytes of silence. */
  appendSilence(count: number): void {
    const chunk = new Uint8Array(Math.min(count, SILENCE_CHUNK_BYTES)).fill(this.#silence)
    for (let left = count; left > 0; left -= chunk.length) this.append(chunk.subarray(0, Math.min(left, chunk.length)))
  }

  /** Hands everything to the operating system: from now on it survives the death of the process. */
  flush(): void {
    this.#spill()
    if (this.#describedBytes !== this.#writtenBytes) this.#patchHeader()
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

  #spill(): void {
    if (this.#buffered === 0) return
    const count = this.#buffered
    this.#buffered = 0
    this.#writeAtEnd(this.#buffer.subarray(0, count))
  }

  #writeAtEnd(bytes: Uint8Array): void {
    writeFully(this.#fd, bytes, WAV_HEADER_BYTES + this.#writtenBytes)
    this.#writtenBytes += bytes.length
  }

  #patchHeader(): void {
    const shape = { format: this.#format, sampleRateHz: this.#sampleRateHz, channels: 1, dataBytes: this.#writtenBytes }
    writeFully(this.#fd, wavHeader(shape), 0)
    this.#describedBytes = this.#writtenBytes
  }
}

/** Writes all bytes at a position; throws what the file system throws. */
export function writeFully(fd: number, bytes: Uint8Array, position: number): void {
  let done = 0
  while (done < bytes.length) done += writeSync(fd, bytes, done, bytes.length - done, position + done)
}

/** Makes the header of a file left behind say what the file holds; returns its audio bytes. */
export function repairWavHeader(path: string, format: 'pcmu' | 'pcma', sampleRateHz: number): number {
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
export function readWavData(fd: number, offset: number, into: Uint8Array): number {
  let done = 0
  while (done < into.length) {
    const count = readSync(fd, into, done, into.length - done, WAV_HEADER_BYTES + offset + done)
    if (count === 0) break
    done += count
  }
  return done
}
