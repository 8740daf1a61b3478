// Where derived audio goes: files that take blocks of samples, channel by channel.

import { interleavePcm16, type WavFormat, wavFrameBytes, wavHeader } from '#audio'
import type { OutputFile } from '../sealing/recording-files.ts'

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
  readonly #file: OutputFile

  constructor(file: OutputFile, shape: OutputShape) {
    this.#file = file
    file.append(headerOf('pcm16', shape))
  }

  write(channels: readonly Int16Array[]): void {
    this.#file.append(interleavePcm16(channels))
  }

  close(): void {
    this.#file.close()
  }
}

/** Header of a WAV file of `shape`. */
export function headerOf(format: WavFormat, { sampleRateHz, channels, frames }: OutputShape): Uint8Array {
  return wavHeader({ format, sampleRateHz, channels, dataBytes: frames * wavFrameBytes(format, channels) })
}
