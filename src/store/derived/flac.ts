// FLAC by libFLAC, which is optional: where its package is missing there is no FLAC, and everything else works.

import { AppError } from '#kernel'
import type { OutputShape } from './audio-output.ts'

/** Makes FLAC of samples. */
export interface FlacLibrary {
  /** An encoder whose bytes go to `onBytes`; throws AppError `store.flac` for a shape that it does not take. */
  encoder(
    shape: OutputShape,
    onBytes: (bytes: Uint8Array) => void,
  ): { write(channels: readonly Int16Array[]): void; end(): void }
}

const COMPRESSION = 5
const BITS_PER_SAMPLE = 16

/** Loads the library; undefined where it is not installed or does not run. */
export async function loadFlac(): Promise<FlacLibrary | undefined> {
  const flac = (await import('libflacjs/dist/libflac.min.js').catch(() => undefined))?.default
  if (flac === undefined) return undefined
  if (!flac.isReady()) await new Promise<void>((resolve) => flac.on('ready', resolve))
  return {
    encoder: ({ sampleRateHz, channels, frames }, onBytes) => {
      const id = flac.create_libflac_encoder(sampleRateHz, channels, BITS_PER_SAMPLE, COMPRESSION, frames, false)
      if (id === 0 || flac.init_encoder_stream(id, (bytes, count) => onBytes(bytes.subarray(0, count))) !== 0) {
        throw new AppError('store.flac', `no FLAC of ${channels} channels at ${sampleRateHz} Hz`, {
          result: 'server',
          reason: 'flac',
        })
      }
      return {
        write: (blocks) => {
          const count = blocks[0]?.length ?? 0
          const interleaved = new Int32Array(count * channels)
          blocks.forEach((samples, channel) => {
            for (let i = 0; i < count; i++) interleaved[i * channels + channel] = samples[i]!
          })
          flac.FLAC__stream_encoder_process_interleaved(id, interleaved, count)
        },
        end: () => {
          flac.FLAC__stream_encoder_finish(id)
          flac.FLAC__stream_encoder_delete(id)
        },
      }
    },
  }
}
