// Decoders of the encodings that recordings are played in, each at its own rate.

import { decodePcma, decodePcmu, passingDecoder } from './g711.ts'
import { G722Decoder } from './g722.ts'
import type { OpusLibrary } from './opus-library.ts'

/** Reads the payloads of one stream in order. */
export interface AudioDecoder {
  readonly sampleRateHz: number
  /** Samples of one packet, one channel. */
  decode(payload: Uint8Array): Int16Array
}

const G722_RATE_HZ = 16_000
const MOST_HZ = 48_000
/** What a voice needs; libopus decodes at any of its rates (RFC 6716 section 2.1.3). */
const OPUS_RATE_HZ = 16_000

/** As `audioDecoder`, for who is done with the samples of a packet before the next one: they may be written over. */
export function passingAudioDecoder(encoding: string, opus?: OpusLibrary): AudioDecoder | undefined {
  const decoder = audioDecoder(encoding, opus)
  const name = encoding.split('/')[0]
  if (decoder === undefined || (name !== 'PCMU' && name !== 'PCMA')) return decoder
  return { sampleRateHz: decoder.sampleRateHz, decode: passingDecoder(name === 'PCMU' ? 'pcmu' : 'pcma') }
}

/** A decoder for a stream of `encoding` as in SDP, upper case (`NAME/clock[/channels]`), if we have one; Opus needs its library. */
export function audioDecoder(encoding: string, opus?: OpusLibrary): AudioDecoder | undefined {
  const [name = '', clock = '', channels] = encoding.split('/')
  if (name === 'OPUS') return opus?.decoder(OPUS_RATE_HZ)
  const sampleRateHz = Number(clock)
  if (!(sampleRateHz >= 1000 && sampleRateHz <= MOST_HZ) || (channels !== undefined && channels !== '1'))
    return undefined
  switch (name) {
    case 'PCMU':
      return { sampleRateHz, decode: decodePcmu }
    case 'PCMA':
      return { sampleRateHz, decode: decodePcma }
    case 'L16':
      return { sampleRateHz, decode: decodeL16 }
    case 'G722': {
      // Its RTP clock runs at 8 kHz by a historic error, its samples at 16 kHz (RFC 3551 section 4.5.2).
      const decoder = new G722Decoder()
      return { sampleRateHz: G722_RATE_HZ, decode: (payload) => decoder.decode(payload) }
    }
    default:
      return undefined
  }
}

/** 16-bit samples in network byte order (RFC 3551 section 4.5.11). */
function decodeL16(payload: Uint8Array): Int16Array {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength)
  return Int16Array.from({ length: payload.length >> 1 }, (_unused, index) => view.getInt16(2 * index))
}
