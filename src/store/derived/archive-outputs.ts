// Smaller copies of a recording for archives: FLAC, which loses nothing, and Opus, which is a tenth of it.

import { OggOpusWriter, type OpusEncoder, type OpusLibrary, type OpusRate } from '#audio'
import type { OutputFile } from '../sealing/recording-files.ts'
import type { AudioOutput, OutputShape } from './audio-output.ts'
import type { FlacLibrary } from './flac.ts'

const OPUS_BITS_PER_CHANNEL = 24_000
const OPUS_FRAMES_PER_SECOND = 50
const GRANULE_HZ = 48_000
const MOST_FLAC_CHANNELS = 8
/** From here on FLAC takes rates of whole tens only. */
const FLAC_TENS_HZ = 65_536

/** FLAC of 16 bits; at most eight channels. */
export class FlacOutput implements AudioOutput {
  readonly #file: OutputFile
  readonly #encoder: ReturnType<FlacLibrary['encoder']>

  constructor(file: OutputFile, library: FlacLibrary, shape: OutputShape) {
    this.#file = file
    this.#encoder = library.encoder(shape, (bytes) => this.#file.append(bytes))
  }

  /** Whether a recording of this shape can be FLAC. */
  static takes({ channels, sampleRateHz }: OutputShape): boolean {
    return channels <= MOST_FLAC_CHANNELS && (sampleRateHz < FLAC_TENS_HZ || sampleRateHz % 10 === 0)
  }

  write(channels: readonly Int16Array[]): void {
    this.#encoder.write(channels)
  }

  close(): void {
    try {
      this.#encoder.end()
    } finally {
      this.#file.close()
    }
  }
}

/** Ogg Opus of one or two channels. */
export class OpusOutput implements AudioOutput {
  readonly #file: OutputFile
  readonly #encoder: OpusEncoder
  readonly #ogg: OggOpusWriter
  readonly #shape: OutputShape
  readonly #frame: Int16Array
  #filled = 0

  constructor(file: OutputFile, library: OpusLibrary, shape: OutputShape, serial: number) {
    const { sampleRateHz } = shape
    const channels = shape.channels === 1 ? 1 : 2
    this.#shape = shape
    this.#file = file
    const bitsPerSecond = OPUS_BITS_PER_CHANNEL * channels
    this.#encoder = library.encoder({ sampleRateHz: sampleRateHz as OpusRate, channels, bitsPerSecond })
    this.#frame = new Int16Array((sampleRateHz / OPUS_FRAMES_PER_SECOND) * channels)
    const { preSkip } = this.#encoder
    this.#ogg = new OggOpusWriter({ channels, inputRateHz: sampleRateHz, preSkip, serial }, (page) =>
      this.#file.append(page),
    )
  }

  /** Whether a recording of this shape can be Opus. */
  static takes({ channels, sampleRateHz }: OutputShape): boolean {
    return channels <= 2 && [8000, 16_000, 48_000].includes(sampleRateHz)
  }

  write(channels: readonly Int16Array[]): void {
    const frames = channels[0]?.length ?? 0
    for (let i = 0; i < frames; i++) {
      for (const samples of channels) this.#frame[this.#filled++] = samples[i]!
      if (this.#filled === this.#frame.length) this.#encodeFrame()
    }
  }

  close(): void {
    try {
      const { frames, sampleRateHz } = this.#shape
      // The encoder is behind by the pre-skip: frames of silence push out what it holds.
      const end = this.#encoder.preSkip + Math.round((frames * GRANULE_HZ) / sampleRateHz)
      this.#encodeFrame()
      this.#encodeFrame()
      this.#ogg.close(end)
    } finally {
      this.#file.close()
    }
  }

  #encodeFrame(): void {
    this.#frame.fill(0, this.#filled)
    this.#filled = 0
    this.#ogg.append(this.#encoder.encode(this.#frame))
  }
}
