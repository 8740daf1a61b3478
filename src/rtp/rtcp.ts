// RTCP packets, read tolerantly and written exactly (RFC 3550 section 6).
//
//  0                   1                   2                   3
//  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
// |V=2|P|  count  |      PT       |     length in words - 1       |
// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//
// Report block (section 6.4.1), 24 bytes:
//   SSRC | fraction lost (8), cumulative lost (24) | extended highest sequence | jitter | LSR | DLSR

import { parseFeedback, type RtcpFeedback } from './feedback.ts'
import { readUint32, writeUint32 } from './packet.ts'

const SR = 200
const RR = 201
const SDES = 202
const BYE = 203
const SDES_CNAME = 1
const REPORT_BYTES = 24
const MAX_COUNT = 31

/** Reception report about one source. */
export interface ReportBlock {
  readonly ssrc: number
  /** Fraction lost since the last report, of 256. */
  readonly fractionLost: number
  readonly cumulativeLost: number
  readonly highestSequence: number
  /** In ticks of the source's RTP clock. */
  readonly jitter: number
  /** Middle 32 bits of the NTP time of the last sender report, 0 when there was none. */
  readonly lastSenderReport: number
  /** In units of 1/65536 s. */
  readonly delaySinceLastSenderReport: number
}

/** The sender's half of a sender report. */
export interface SenderReport {
  readonly ssrc: number
  readonly ntpSeconds: number
  readonly ntpFraction: number
  readonly rtpTimestamp: number
  readonly packetCount: number
  /** Payload octets. */
  readonly octetCount: number
  readonly reports: readonly ReportBlock[]
}

/** One packet out of a compound RTCP datagram. */
export type RtcpPacket =
  | ({ readonly type: 'sender-report' } & SenderReport)
  | { readonly type: 'receiver-report'; readonly ssrc: number; readonly reports: readonly ReportBlock[] }
  | { readonly type: 'sdes'; readonly chunks: readonly { readonly ssrc: number; readonly cname?: string }[] }
  | { readonly type: 'bye'; readonly ssrcs: readonly number[]; readonly reason?: string }
  | RtcpFeedback
  | { readonly type: 'other'; readonly packetType: number }

const utf8Decoder = new TextDecoder()
const utf8Encoder = new TextEncoder()

/** Reads a compound datagram; stops silently at the first packet that is malformed. */
export function parseRtcp(bytes: Uint8Array): RtcpPacket[] {
  const packets: RtcpPacket[] = []
  let offset = 0
  while (offset + 4 <= bytes.length && bytes[offset]! >> 6 === 2) {
    const end = offset + 4 * (((bytes[offset + 2]! << 8) | bytes[offset + 3]!) + 1)
    if (end > bytes.length) break
    const packet = parsePacket(bytes.subarray(offset, end))
    if (packet === undefined) break
    packets.push(packet)
    offset = end
  }
  return packets
}

function parsePacket(bytes: Uint8Array): RtcpPacket | undefined {
  const count = bytes[0]! & 0x1f
  switch (bytes[1]) {
    case SR: {
      if (bytes.length < 28 + count * REPORT_BYTES) return undefined
      return {
        type: 'sender-report',
        ssrc: readUint32(bytes, 4),
        ntpSeconds: readUint32(bytes, 8),
        ntpFraction: readUint32(bytes, 12),
        rtpTimestamp: readUint32(bytes, 16),
        packetCount: readUint32(bytes, 20),
        octetCount: readUint32(bytes, 24),
        reports: parseReports(bytes, 28, count),
      }
    }
    case RR: {
      if (bytes.length < 8 + count * REPORT_BYTES) return undefined
      return { type: 'receiver-report', ssrc: readUint32(bytes, 4), reports: parseReports(bytes, 8, count) }
    }
    case SDES:
      return parseSdes(bytes, count)
    case BYE:
      return parseBye(bytes, count)
    default:
      return parseFeedback(bytes) ?? { type: 'other', packetType: bytes[1]! }
  }
}

function parseReports(bytes: Uint8Array, start: number, count: number): ReportBlock[] {
  const reports: ReportBlock[] = []
  for (let offset = start; reports.length < count; offset += REPORT_BYTES) {
    const loss = readUint32(bytes, offset + 4)
    reports.push({
      ssrc: readUint32(bytes, offset),
      fractionLost: loss >>> 24,
      cumulativeLost: (loss << 8) >> 8,
      highestSequence: readUint32(bytes, offset + 8),
      jitter: readUint32(bytes, offset + 12),
      lastSenderReport: readUint32(bytes, offset + 16),
      delaySinceLastSenderReport: readUint32(bytes, offset + 20),
    })
  }
  return reports
}

function parseSdes(bytes: Uint8Array, count: number): RtcpPacket | undefined {
  const chunks: { ssrc: number; cname?: string }[] = []
  let offset = 4
  while (chunks.length < count) {
    if (offset + 4 > bytes.length) return undefined
    const chunk: { ssrc: number; cname?: string } = { ssrc: readUint32(bytes, offset) }
    offset += 4
    while (offset < bytes.length && bytes[offset] !== 0) {
      const start = offset + 2
      const end = start + (bytes[offset + 1] ?? 0)
      if (start > bytes.length || end > bytes.length) return undefined
      if (bytes[offset] === SDES_CNAME) chunk.cname = utf8Decoder.decode(bytes.subarray(start, end))
      offset = end
    }
    chunks.push(chunk)
    // The list of items ends with at least one zero byte, up to the next word.
    offset = (offset + 4) & ~3
  }
  return { type: 'sdes', chunks }
}

function parseBye(bytes: Uint8Array, count: number): RtcpPacket | undefined {
  const reasonAt = 4 + 4 * count
  if (reasonAt > bytes.length) return undefined
  const ssrcs = Array.from({ length: count }, (_, index) => readUint32(bytes, 4 + 4 * index))
  const length = bytes[reasonAt]
  if (length === undefined || reasonAt + 1 + length > bytes.length) return { type: 'bye', ssrcs }
  return { type: 'bye', ssrcs, reason: utf8Decoder.decode(bytes.subarray(reasonAt + 1, reasonAt + 1 + length)) }
}

function packetOf(packetType: number, count: number, byteCount: number): Uint8Array {
  const bytes = new Uint8Array(byteCount)
  bytes[0] = 0x80 | count
  bytes[1] = packetType
  bytes[2] = (byteCount / 4 - 1) >>> 8
  bytes[3] = byteCount / 4 - 1
  return bytes
}

function writeReports(bytes: Uint8Array, start: number, reports: readonly ReportBlock[]): void {
  let offset = start
  for (const report of reports) {
    writeUint32(bytes, offset, report.ssrc)
    writeUint32(bytes, offset + 4, (report.fractionLost << 24) | (report.cumulativeLost & 0xffffff))
    writeUint32(bytes, offset + 8, report.highestSequence)
    writeUint32(bytes, offset + 12, report.jitter)
    writeUint32(bytes, offset + 16, report.lastSenderReport)
    writeUint32(bytes, offset + 20, report.delaySinceLastSenderReport)
    offset += REPORT_BYTES
  }
}

/** Sender report packet (section 6.4.1); at most 31 report blocks are written. */
export function buildSenderReport(report: SenderReport): Uint8Array {
  const reports = report.reports.slice(0, MAX_COUNT)
  const bytes = packetOf(SR, reports.length, 28 + REPORT_BYTES * reports.length)
  writeUint32(bytes, 4, report.ssrc)
  writeUint32(bytes, 8, report.ntpSeconds)
  writeUint32(bytes, 12, report.ntpFraction)
  writeUint32(bytes, 16, report.rtpTimestamp)
  writeUint32(bytes, 20, report.packetCount)
  writeUint32(bytes, 24, report.octetCount)
  writeReports(bytes, 28, reports)
  return bytes
}

/** Receiver report packet (section 6.4.2), also legal without blocks; at most 31 are written. */
export function buildReceiverReport(ssrc: number, reports: readonly ReportBlock[]): Uint8Array {
  const blocks = reports.slice(0, MAX_COUNT)
  const bytes = packetOf(RR, blocks.length, 8 + REPORT_BYTES * blocks.length)
  writeUint32(bytes, 4, ssrc)
  writeReports(bytes, 8, blocks)
  return bytes
}

/** A source and its CNAME, which is cut at 255 bytes. */
export interface SourceName {
  readonly ssrc: number
  readonly cname: string
}

/** Source description packet with CNAMEs (section 6.5.1); at most 31 are written. */
export function buildSdes(...sources: readonly SourceName[]): Uint8Array {
  const chunks = sources.slice(0, MAX_COUNT).map(sdesChunk)
  const bytes = packetOf(
    SDES,
    chunks.length,
    chunks.reduce((sum, chunk) => sum + chunk.length, 4),
  )
  bytes.set(compoundRtcp(chunks), 4)
  return bytes
}

function sdesChunk({ ssrc, cname }: SourceName): Uint8Array {
  const text = utf8Encoder.encode(cname).subarray(0, 255)
  const bytes = new Uint8Array((4 + 2 + text.length + 4) & ~3)
  writeUint32(bytes, 0, ssrc)
  bytes[4] = SDES_CNAME
  bytes[5] = text.length
  bytes.set(text, 6)
  return bytes
}

/** Goodbye packet (section 6.6); at most 31 sources are written. */
export function buildBye(...ssrcs: readonly number[]): Uint8Array {
  const gone = ssrcs.slice(0, MAX_COUNT)
  const bytes = packetOf(BYE, gone.length, 4 + 4 * gone.length)
  for (const [index, ssrc] of gone.entries()) writeUint32(bytes, 4 + 4 * index, ssrc)
  return bytes
}

/** One compound datagram; section 6.1 wants SR or RR first, then SDES, BYE last. */
export function compoundRtcp(packets: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(packets.reduce((sum, packet) => sum + packet.length, 0))
  let offset = 0
  for (const packet of packets) {
    bytes.set(packet, offset)
    offset += packet.length
  }
  return bytes
}
