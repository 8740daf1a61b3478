// Where derived audio goes: files that take blocks of samples, channel by channel.

import { closeSync, fsyncSync, openSync } from 'node:fs'
import { interleavePcm16, WAV_HEADER_BYTES, type WavFormat, wavFrameBytes, wavHeader } from '#audio'
import { writeFully } from '../wav-run-file.ts'

/** Takes the recording from beginning to end. */
export interface AudioOutput {
  /** The next block, all channels of one length; throws what the file system throws. */
  write(channels: readonly Int16Array[]): void
  /** Ends the file durably. */
  close(): void
}

/** What an output is to hold. */
export interface OutputShape {
  readonly sampleRateHz: number
  readonly channels: number
  readonly frames: number
}

/** A WAV file of known length: 16-bit PCM, RF64 from 4 GiB on. */
export class WavOutput implements AudioOutput {
  readonly #fd: number
  #position: number = WAV_HEADER_BYTES

  constructor(path: string, shape: OutputShape) {
    this.#fd = openSync(path, 'w')
    writeFully(this.#fd, headerOf('pcm16', shape), 0)
  }

  write(channels: readonly Int16Array[]): void {
    const bytes = interleavePcm16(channels)
    writeFully(this.#fd, bytes, this.#position)
    this.#position += bytes.length
  }

  close(): void {
    try {
      fsyncSync(this.#fd)
    } finally {
      closeSync(this.#fd)
    }
  }
}

/** Header of a WAV file of `shape`. */
export function headerOf(format: WavFormat, { sampleRateHz, channels, frames }: OutputShape): Uint8Array {
  return wavHeader({ format, sampleRateHz, channels, dataBytes: frames * wavFrameBytes(format, channels) })
}
