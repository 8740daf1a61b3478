// The audio encodings that we can read, as 8 kHz samples, and their silence.

import { decodePcma, decodePcmu, PCMA_SILENCE, PCMU_SILENCE } from './g711.ts'
import { G722Decoder } from './g722.ts'
import { HalfBandDecimator } from './half-band.ts'

/** Reads the payloads of one stream in order; 8 kHz samples, one per byte. */
export type NarrowbandDecoder = (payload: Uint8Array) => Int16Array

/** The smallest step of both sub-bands, which shrinks the step size: quiet after some milliseconds. */
const G722_SILENCE = 0xff

/** A decoder for a stream of `encoding` (`NAME/clock`), if we have one. */
export function narrowbandDecoder(encoding: string): NarrowbandDecoder | undefined {
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
    default:
      return undefined
  }
}

/** Overwrites a payload of one of those encodings with silence. */
export function silence(encoding: string, payload: Uint8Array): void {
  if (encoding === 'PCMU/8000') payload.fill(PCMU_SILENCE)
  else if (encoding === 'PCMA/8000') payload.fill(PCMA_SILENCE)
  else payload.fill(G722_SILENCE)
}
