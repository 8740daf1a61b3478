// Codecs that another program decodes, as ffmpeg does where it is installed: what they are called, how their payload becomes a file
// that it reads, and how many samples each packet makes.

/** A program that decodes: the whole stream in, 16-bit samples at the codec's rate out; undefined when it cannot. */
export type ExternalDecoder = (format: ExternalFormat, stream: Uint8Array) => Int16Array | undefined

/** Names of the formats, as ffmpeg's `-f` has them. */
export type ExternalFormat = 'g729' | 'amr'

/** What one packet adds to the stream. */
export interface ExternalFrames {
  readonly bytes: Uint8Array
  readonly samples: number
}

/** How a codec's packets become a stream. */
export interface ExternalCodec {
  readonly format: ExternalFormat
  readonly sampleRateHz: number
  /** Bytes before the first frame. */
  readonly head: Uint8Array
  frames(payload: Uint8Array): ExternalFrames
}

const G729_FRAME_BYTES = 10
const G729_FRAME_SAMPLES = 80
const G729_RATE_HZ = 8000
const QUALITY_GOOD = 0x04
const AMR_FRAMES_PER_SECOND = 50

/** One of the two AMR codecs. */
interface Amr {
  readonly magic: string
  readonly sampleRateHz: number
  /** Speech bits of a frame by its type; the last types are no data. */
  readonly bits: readonly number[]
}

/** 3GPP TS 26.101 and TS 26.201. */
const NARROW: Amr = {
  magic: '#!AMR\n',
  sampleRateHz: 8000,
  bits: [95, 103, 118, 134, 148, 159, 204, 244, 39, 0, 0, 0, 0, 0, 0, 0],
}
const WIDE: Amr = {
  magic: '#!AMR-WB\n',
  sampleRateHz: 16_000,
  bits: [132, 177, 253, 285, 317, 365, 397, 461, 477, 40, 0, 0, 0, 0, 0, 0],
}

/** The codec of an encoding as in SDP, upper case; undefined for those that are not decoded outside either. */
export function externalCodec(encoding: string): ExternalCodec | undefined {
  switch (encoding.split('/').slice(0, 2).join('/')) {
    case 'G729/8000':
    case 'G729A/8000':
      return { format: 'g729', sampleRateHz: G729_RATE_HZ, head: new Uint8Array(0), frames: g729Frames }
    case 'AMR/8000':
      return amrCodec(NARROW)
    case 'AMR-WB/16000':
      return amrCodec(WIDE)
    default:
      return undefined
  }
}

/** Whole frames; a shorter one at the end describes comfort noise and is left out (RFC 3551 section 4.5.6). */
function g729Frames(payload: Uint8Array): ExternalFrames {
  const count = Math.floor(payload.length / G729_FRAME_BYTES)
  return { bytes: payload.subarray(0, count * G729_FRAME_BYTES), samples: count * G729_FRAME_SAMPLES }
}

function amrCodec(amr: Amr): ExternalCodec {
  const head = new TextEncoder().encode(amr.magic)
  return { format: 'amr', sampleRateHz: amr.sampleRateHz, head, frames: (payload) => amrFrames(payload, amr) }
}

/** Frames as in an AMR file (RFC 4867 section 5.3), of an octet-aligned or a bandwidth-efficient payload, whichever its length fits. */
function amrFrames(payload: Uint8Array, { bits, sampleRateHz }: Amr): ExternalFrames {
  const frames = alignedFrames(payload, bits) ?? packedFrames(payload, bits) ?? []
  const bytes = new Uint8Array(frames.reduce((sum, frame) => sum + frame.length, 0))
  let at = 0
  for (const frame of frames) {
    bytes.set(frame, at)
    at += frame.length
  }
  return { bytes, samples: (frames.length * sampleRateHz) / AMR_FRAMES_PER_SECOND }
}

/** RFC 4867 section 4.4: a byte for the mode request, a byte for each frame's head, then the speech of each in whole bytes. */
function alignedFrames(payload: Uint8Array, speechBits: readonly number[]): Uint8Array[] | undefined {
  const heads: number[] = []
  let at = 1
  for (let more = true; more; at++) {
    const head = payload[at]
    if (head === undefined) return undefined
    heads.push(head)
    more = (head & 0x80) !== 0
  }
  const frames: Uint8Array[] = []
  for (const head of heads) {
    const size = bytesOf(speechBits[(head >> 3) & 0x0f]!)
    if (at + size > payload.length) return undefined
    frames.push(Uint8Array.of(head & 0x7c, ...payload.subarray(at, at + size)))
    at += size
  }
  return at === payload.length ? frames : undefined
}

/** RFC 4867 section 4.3: the same without padding, bit after bit. */
function packedFrames(payload: Uint8Array, speechBits: readonly number[]): Uint8Array[] | undefined {
  let at = 4
  const bits = (count: number): number => {
    let value = 0
    for (let i = 0; i < count; i++, at++) value = (value << 1) | (((payload[at >> 3] ?? 0) >> (7 - (at & 7))) & 1)
    return value
  }
  const types: number[] = []
  for (let more = 1; more === 1; ) {
    if (at + 6 > payload.length * 8) return undefined
    more = bits(1)
    types.push(bits(4))
    bits(1)
  }
  const needed = types.reduce((sum, type) => sum + speechBits[type]!, at)
  if (needed > payload.length * 8 || payload.length * 8 - needed > 7) return undefined
  return types.map((type) => {
    const frame = new Uint8Array(1 + bytesOf(speechBits[type]!))
    frame[0] = (type << 3) | QUALITY_GOOD
    for (let bit = 0; bit < speechBits[type]!; bit++) frame[1 + (bit >> 3)]! |= bits(1) << (7 - (bit & 7))
    return frame
  })
}

function bytesOf(bits: number): number {
  return Math.ceil(bits / 8)
}
