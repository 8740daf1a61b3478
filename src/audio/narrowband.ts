// The audio encodings that we can read, as 8 kHz samples, and their silence.

import { decodePcma, decodePcmu, PCMA_SILENCE, PCMU_SILENCE } from './g711.ts'
import { G722Decoder } from './g722.ts'
import { HalfBandDecimator } from './half-band.ts'
import type { OpusDecoders } from './opus.ts'

/** Reads the payloads of one stream in order; 8 kHz samples, none of a payload that is broken. */
export type NarrowbandDecoder = (payload: Uint8Array) => Int16Array

/** The encodings that we can always read, and Opus, which takes a codec that is loaded. */
export const READ_ALWAYS: readonly string[] = ['PCMU/8000', 'PCMA/8000', 'G722/8000']
export const OPUS = 'OPUS/48000/2'

/** The smallest step of both sub-bands, which shrinks the step size: quiet after some milliseconds. */
const G722_SILENCE = 0xff

/** A decoder for a stream of `encoding` (`NAME/clock`), if we have one. */
export function narrowbandDecoder(encoding: string, opus?: OpusDecoders): NarrowbandDecoder | undefined {
  switch (encoding) {
    case 'PCMU/8000':
      return decodePcmu
    case 'PCMA/8000':
      return decodePcma
    case 'G722/8000': {
      const decoder = new G722Decoder()
      const decimator = new HalfBandDecimator()
      return (payload) => decimator.decimate(decoder.decode(payload))
    }
    case OPUS:
      return opus?.()
    default:
      return undefined
  }
}

/** Overwrites a payload with silence; false when its encoding has none that fits every payload. */
export function silence(encoding: string, payload: Uint8Array): boolean {
  if (encoding === 'PCMU/8000') payload.fill(PCMU_SILENCE)
  else if (encoding === 'PCMA/8000') payload.fill(PCMA_SILENCE)
  else if (encoding === 'G722/8000') payload.fill(G722_SILENCE)
  else return false
  return true
}
