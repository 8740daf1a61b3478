// WAV files: a fixed-size header that can be patched in place and grow into RF64 (EBU Tech 3306), and a tolerant reader.

import { err, ok, type Result } from '#kernel'
import { decodePcma, decodePcmu } from './g711.ts'

/** Sample formats that we write and read. */
export type WavFormat = 'pcm16' | 'pcmu' | 'pcma'

/** What a header says. */
export interface WavShape {
  readonly format: WavFormat
  readonly sampleRateHz: number
  readonly channels: number
  /** Length of the sample data; at 4 GiB and above the header becomes RF64. */
  readonly dataBytes: number
}

/** Length of every header that `wavHeader` makes. */
export const WAV_HEADER_BYTES = 94

/** A decoded file. */
export interface WavAudio {
  readonly format: WavFormat
  readonly sampleRateHz: number
  readonly channels: number
  /** One array per channel. */
  readonly samples: Int16Array[]
}

/** Why bytes are not a WAV file that we can read. */
export interface WavError {
  readonly code: 'not-wav' | 'no-format' | 'no-data' | 'unsupported'
  readonly message: string
}

const TAGS: Readonly<Record<WavFormat, number>> = { pcm16: 1, pcma: 6, pcmu: 7 }
const EXTENSIBLE = 0xfffe
const DS64_BYTES = 28
const MAX_CHANNELS = 64
const UINT32 = 0x1_0000_0000

/** Bytes of one frame (one sample of every channel). */
export function wavFrameBytes(format: WavFormat, channels: number): number {
  return channels * (format === 'pcm16' ? 2 : 1)
}

/** RIFF, JUNK (room for ds64), fmt, fact and the data chunk's head: WAV_HEADER_BYTES bytes. */
export function wavHeader(shape: WavShape): Uint8Array {
  const bytes = new Uint8Array(WAV_HEADER_BYTES)
  const view = new DataView(bytes.buffer)
  const frameBytes = wavFrameBytes(shape.format, shape.channels)
  const frames = Math.floor(shape.dataBytes / frameBytes)
  // No pad byte follows data of odd length: what is counted is what the file has.
  const riffBytes = WAV_HEADER_BYTES - 8 + shape.dataBytes
  const isLarge = riffBytes >= UINT32
  const size32 = (value: number): number => (isLarge ? UINT32 - 1 : value)
  putTag(bytes, 0, isLarge ? 'RF64' : 'RIFF')
  view.setUint32(4, size32(riffBytes), true)
  putTag(bytes, 8, 'WAVE')
  putTag(bytes, 12, isLarge ? 'ds64' : 'JUNK')
  view.setUint32(16, DS64_BYTES, true)
  if (isLarge) {
    view.setBigUint64(20, BigInt(riffBytes), true)
    view.setBigUint64(28, BigInt(shape.dataBytes), true)
    view.setBigUint64(36, BigInt(frames), true)
  }
  putTag(bytes, 48, 'fmt ')
  view.setUint32(52, 18, true)
  view.setUint16(56, TAGS[shape.format], true)
  view.setUint16(58, shape.channels, true)
  view.setUint32(60, shape.sampleRateHz, true)
  view.setUint32(64, shape.sampleRateHz * frameBytes, true)
  view.setUint16(68, frameBytes, true)
  view.setUint16(70, shape.format === 'pcm16' ? 16 : 8, true)
  putTag(bytes, 74, 'fact')
  view.setUint32(78, 4, true)
  view.setUint32(82, size32(frames), true)
  putTag(bytes, 86, 'data')
  view.setUint32(90, size32(shape.dataBytes), true)
  return bytes
}

/** The shape of a file that begins with a header that `wavHeader` made; undefined for any other beginning. */
export function readWavHeader(bytes: Uint8Array): WavShape | undefined {
  if (bytes.length < WAV_HEADER_BYTES || tagAt(bytes, 86) !== 'data') return undefined
  const { format: found } = readChunks(bytes.subarray(0, WAV_HEADER_BYTES))
  const format = (Object.keys(TAGS) as WavFormat[]).find((key) => TAGS[key] === found?.tag)
  if (found === undefined || format === undefined || found.channels < 1) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const dataBytes = tagAt(bytes, 0) === 'RF64' ? Number(view.getBigUint64(28, true)) : view.getUint32(90, true)
  return { format, sampleRateHz: found.sampleRateHz, channels: found.channels, dataBytes }
}

/** Interleaves channels as 16-bit little-endian PCM; shorter channels end in silence. */
export function interleavePcm16(channels: readonly Int16Array[]): Uint8Array {
  const frames = Math.max(0, ...channels.map((channel) => channel.length))
  const bytes = new Uint8Array(frames * channels.length * 2)
  const view = new DataView(bytes.buffer)
  channels.forEach((channel, index) => {
    for (let i = 0; i < channel.length; i++) view.setInt16((i * channels.length + index) * 2, channel[i]!, true)
  })
  return bytes
}

interface Chunks {
  readonly format?: { tag: number; channels: number; sampleRateHz: number; bits: number }
  readonly data?: Uint8Array
}

/** Reads PCM16 and G.711 files, RF64 and cut-off files included; never throws. */
export function readWav(bytes: Uint8Array): Result<WavAudio, WavError> {
  if (bytes.length < 12 || !['RIFF', 'RF64'].includes(tagAt(bytes, 0)) || tagAt(bytes, 8) !== 'WAVE') {
    return fail('not-wav', 'no RIFF/WAVE header')
  }
  const { format, data } = readChunks(bytes)
  if (format === undefined) return fail('no-format', 'no usable fmt chunk')
  if (data === undefined) return fail('no-data', 'no data chunk')
  const name = (Object.keys(TAGS) as WavFormat[]).find((key) => TAGS[key] === format.tag)
  if (name === undefined || format.bits !== (name === 'pcm16' ? 16 : 8)) {
    return fail('unsupported', `format tag ${format.tag} with ${format.bits} bits`)
  }
  if (format.channels < 1 || format.channels > MAX_CHANNELS || format.sampleRateHz < 1) {
    return fail('unsupported', `${format.channels} channels at ${format.sampleRateHz} Hz`)
  }
  const samples = split(data, name, format.channels)
  return ok({ format: name, sampleRateHz: format.sampleRateHz, channels: format.channels, samples })
}

function readChunks(bytes: Uint8Array): Chunks {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let format: Chunks['format']
  let largeDataBytes: number | undefined
  let offset = 12
  while (offset + 8 <= bytes.length) {
    const tag = tagAt(bytes, offset)
    const body = offset + 8
    let size = view.getUint32(offset + 4, true)
    if (tag === 'ds64' && body + 16 <= bytes.length) largeDataBytes = Number(view.getBigUint64(body + 8, true))
    if (tag === 'fmt ' && size >= 16 && body + 16 <= bytes.length) {
      const first = view.getUint16(body, true)
      const isExtensible = first === EXTENSIBLE && size >= 26 && body + 26 <= bytes.length
      format = {
        tag: isExtensible ? view.getUint16(body + 24, true) : first,
        channels: view.getUint16(body + 2, true),
        sampleRateHz: view.getUint32(body + 4, true),
        bits: view.getUint16(body + 14, true),
      }
    }
    if (tag === 'data') {
      if (size === UINT32 - 1 && largeDataBytes !== undefined) size = largeDataBytes
      return { ...(format && { format }), data: bytes.subarray(body, Math.min(bytes.length, body + size)) }
    }
    offset = body + size + (size & 1)
  }
  return format ? { format } : {}
}

function split(data: Uint8Array, format: WavFormat, channels: number): Int16Array[] {
  const frames = Math.floor(data.length / wavFrameBytes(format, channels))
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
  const decoded = format === 'pcmu' ? decodePcmu(data) : format === 'pcma' ? decodePcma(data) : undefined
  return Array.from({ length: channels }, (_unused, channel) => {
    const samples = new Int16Array(frames)
    for (let i = 0; i < frames; i++) {
      const at = i * channels + channel
      samples[i] = decoded ? decoded[at]! : view.getInt16(at * 2, true)
    }
    return samples
  })
}

function putTag(bytes: Uint8Array, offset: number, tag: string): void {
  for (let i = 0; i < 4; i++) bytes[offset + i] = tag.charCodeAt(i)
}

function tagAt(bytes: Uint8Array, offset: number): string {
  return String.fromCharCode(bytes[offset]!, bytes[offset + 1]!, bytes[offset + 2]!, bytes[offset + 3]!)
}

function fail(code: WavError['code'], message: string): Result<never, WavError> {
  return err({ code, message })
}
