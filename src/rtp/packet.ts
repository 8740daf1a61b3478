// RTP fixed header, read and written in place (RFC 3550 section 5.1).
//
//  0                   1                   2                   3
//  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
// |V=2|P|X|  CC   |M|     PT      |       sequence number         |
// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
// |                           timestamp                           |
// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
// |           synchronization source (SSRC) identifier            |
// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+

/** Bytes of an RTP header without CSRC list and extension. */
export const RTP_HEADER_BYTES = 12

/** The fields that we write into a packet of our own. */
export interface RtpHeader {
  payloadType: number
  marker: boolean
  /** 16 bits. */
  sequence: number
  /** 32 bits, in ticks of the payload's clock. */
  timestamp: number
  /** 32 bits. */
  ssrc: number
}

/** Where the parts of a received packet are; one object is filled again for every packet. */
export interface RtpView extends RtpHeader {
  csrcCount: number
  /** Offset of the payload from the start of the datagram, extension and CSRC list skipped. */
  payloadOffset: number
  /** Payload bytes, padding taken off. */
  payloadLength: number
}

/** An empty view to be filled by `parseRtp`. */
export function newRtpView(): RtpView {
  return {
    payloadType: 0,
    marker: false,
    sequence: 0,
    timestamp: 0,
    ssrc: 0,
    csrcCount: 0,
    payloadOffset: 0,
    payloadLength: 0,
  }
}

/** Reads an unsigned 32-bit big-endian number; the caller has checked the bounds. */
export function readUint32(bytes: Uint8Array, offset: number): number {
  return ((bytes[offset]! << 24) | (bytes[offset + 1]! << 16) | (bytes[offset + 2]! << 8) | bytes[offset + 3]!) >>> 0
}

/** Writes an unsigned 32-bit big-endian number. */
export function writeUint32(bytes: Uint8Array, offset: number, value: number): void {
  bytes[offset] = value >>> 24
  bytes[offset + 1] = value >>> 16
  bytes[offset + 2] = value >>> 8
  bytes[offset + 3] = value
}

/** Bytes before the payload of the packet in `bytes[0, size)`, CSRC list and extension included; -1 when it is no RTP packet. */
export function rtpHeaderBytes(bytes: Uint8Array, size: number): number {
  if (size < RTP_HEADER_BYTES || bytes[0]! >> 6 !== 2) return -1
  const first = bytes[0]!
  let offset = RTP_HEADER_BYTES + 4 * (first & 0x0f)
  if ((first & 0x10) !== 0) {
    // Header extension (section 5.3.1): 16 bits of profile, 16 bits of length in words.
    if (offset + 4 > size) return -1
    offset += 4 + 4 * ((bytes[offset + 2]! << 8) | bytes[offset + 3]!)
  }
  return offset > size ? -1 : offset
}

/** Fills `into` from a datagram without allocating; false when it is no well-formed RTP packet (then `into` is undefined). */
export function parseRtp(bytes: Uint8Array, into: RtpView): boolean {
  const size = bytes.length
  const offset = rtpHeaderBytes(bytes, size)
  if (offset < 0 || isRtcp(bytes)) return false
  const first = bytes[0]!
  let length = size - offset
  if ((first & 0x20) !== 0) {
    const padding = bytes[size - 1]!
    if (padding === 0 || padding > length) return false
    length -= padding
  }
  into.payloadType = bytes[1]! & 0x7f
  into.marker = (bytes[1]! & 0x80) !== 0
  into.sequence = (bytes[2]! << 8) | bytes[3]!
  into.timestamp = readUint32(bytes, 4)
  into.ssrc = readUint32(bytes, 8)
  into.csrcCount = first & 0x0f
  into.payloadOffset = offset
  into.payloadLength = length
  return true
}

/** Writes the 12 bytes of a header without extension or padding at `offset`; a list of `csrcCount` CSRCs stands behind them already. */
export function writeRtpHeader(target: Uint8Array, offset: number, header: RtpHeader, csrcCount = 0): void {
  target[offset] = 0x80 | csrcCount
  target[offset + 1] = (header.payloadType & 0x7f) | (header.marker ? 0x80 : 0)
  target[offset + 2] = header.sequence >>> 8
  target[offset + 3] = header.sequence
  writeUint32(target, offset + 4, header.timestamp)
  writeUint32(target, offset + 8, header.ssrc)
}

/** Whether a datagram is RTCP by its second byte (RFC 5761 section 4: packet types 192 to 223). */
export function isRtcp(bytes: Uint8Array): boolean {
  return bytes.length >= 2 && bytes[0]! >> 6 === 2 && bytes[1]! >= 192 && bytes[1]! <= 223
}
