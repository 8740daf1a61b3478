// What the receiver of video asks of its sender: lost packets, a whole picture (RFC 4585 section 6, RFC 5104 section 4.3.1).
//
//  0                   1                   2                   3
//  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
// |V=2|P|   FMT   |      PT       |     length in words - 1       |
// |                  SSRC of the packet's sender                  |
// |           SSRC of the media source (0 with FIR)               |
// :      PLI: nothing; NACK: PID (16), BLP (16); FIR: SSRC, command (8), 0 (24)

import { readUint32, writeUint32 } from './packet.ts'

const TRANSPORT = 205
const PAYLOAD = 206
const NACK = 1
const PLI = 1
const FIR = 4
const HEAD_BYTES = 12
const NACK_BYTES = 4
const FIR_BYTES = 8

/** A request of a receiver; `ssrc` is its own. */
export type RtcpFeedback =
  | {
      readonly type: 'nack'
      readonly ssrc: number
      readonly mediaSsrc: number
      /** `following`: a bit for each of the 16 packets after `sequence`. */
      readonly lost: readonly { readonly sequence: number; readonly following: number }[]
    }
  | { readonly type: 'picture-loss'; readonly ssrc: number; readonly mediaSsrc: number }
  | {
      readonly type: 'full-intra'
      readonly ssrc: number
      /** The same command number again is the same request. */
      readonly requests: readonly { readonly ssrc: number; readonly command: number }[]
    }

/** Reads one RTCP packet; undefined when it is none of these requests. */
export function parseFeedback(bytes: Uint8Array): RtcpFeedback | undefined {
  if (bytes.length < HEAD_BYTES) return undefined
  const format = bytes[0]! & 0x1f
  const ssrc = readUint32(bytes, 4)
  const mediaSsrc = readUint32(bytes, 8)
  if (bytes[1] === PAYLOAD && format === PLI) return { type: 'picture-loss', ssrc, mediaSsrc }
  if (bytes[1] === PAYLOAD && format === FIR) {
    const requests = entries(bytes, FIR_BYTES, (at) => ({ ssrc: readUint32(bytes, at), command: bytes[at + 4]! }))
    return { type: 'full-intra', ssrc, requests }
  }
  if (bytes[1] !== TRANSPORT || format !== NACK) return undefined
  const lost = entries(bytes, NACK_BYTES, (at) => {
    const entry = readUint32(bytes, at)
    return { sequence: entry >>> 16, following: entry & 0xffff }
  })
  return { type: 'nack', ssrc, mediaSsrc, lost }
}

/** One RTCP packet, to be put behind a report in a compound (RFC 4585 section 3.1). */
export function buildFeedback(feedback: RtcpFeedback): Uint8Array {
  switch (feedback.type) {
    case 'picture-loss':
      return packetOf(PAYLOAD, PLI, feedback.ssrc, feedback.mediaSsrc, 0)
    case 'full-intra': {
      const bytes = packetOf(PAYLOAD, FIR, feedback.ssrc, 0, FIR_BYTES * feedback.requests.length)
      for (const [index, { ssrc, command }] of feedback.requests.entries()) {
        writeUint32(bytes, HEAD_BYTES + FIR_BYTES * index, ssrc)
        bytes[HEAD_BYTES + FIR_BYTES * index + 4] = command
      }
      return bytes
    }
    case 'nack': {
      const bytes = packetOf(TRANSPORT, NACK, feedback.ssrc, feedback.mediaSsrc, NACK_BYTES * feedback.lost.length)
      for (const [index, { sequence, following }] of feedback.lost.entries()) {
        writeUint32(bytes, HEAD_BYTES + NACK_BYTES * index, ((sequence << 16) | following) >>> 0)
      }
      return bytes
    }
  }
}

function entries<Entry>(bytes: Uint8Array, size: number, read: (at: number) => Entry): Entry[] {
  const count = Math.floor((bytes.length - HEAD_BYTES) / size)
  return Array.from({ length: count }, (_unused, index) => read(HEAD_BYTES + size * index))
}

function packetOf(packetType: number, format: number, ssrc: number, mediaSsrc: number, more: number): Uint8Array {
  const bytes = new Uint8Array(HEAD_BYTES + more)
  bytes[0] = 0x80 | format
  bytes[1] = packetType
  bytes[2] = (bytes.length / 4 - 1) >>> 8
  bytes[3] = bytes.length / 4 - 1
  writeUint32(bytes, 4, ssrc)
  writeUint32(bytes, 8, mediaSsrc)
  return bytes
}
