// FLAC by libFLAC, which is optional: where its package is missing there is no FLAC, and everything else works.

import { AppError } from '#kernel'
import type { OutputShape } from './audio-output.ts'

/** Makes FLAC of samples. */
export interface FlacLibrary {
  /** An encoder whose bytes go to `onBytes`; throws AppError `store.flac` for a shape that it does not take, and what `onBytes` throws. */
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
      // What is thrown through the library leaves its memory as it is at that moment, for good.
      let fault: unknown
      const onData = (bytes: Uint8Array, count: number): void => {
        if (fault !== undefined) return
        try {
          onBytes(bytes.subarray(0, count))
        } catch (thrown) {
          fault = thrown
        }
      }
      const isReady = id !== 0 && flac.init_encoder_stream(id, onData) === 0
      if (id !== 0 && (!isReady || fault !== undefined)) flac.FLAC__stream_encoder_delete(id)
      if (fault !== undefined) throw fault
      if (!isReady) {
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
          if (fault !== undefined) throw fault
        },
        end: () => {
          flac.FLAC__stream_encoder_finish(id)
          flac.FLAC__stream_encoder_delete(id)
          if (fault !== undefined) throw fault
        },
      }
    },
  }
}
