// RTP and RTCP bytes (RFC 3550 sections 5.1 and 6), and a socket pair on an even port and the next one.

import type dgram from 'node:dgram'
import { bindUdp } from './sip-flow.ts'

/** One RTP packet taken apart. */
export type RtpPacket = {
  readonly payloadType: number
  readonly marker: boolean
  readonly sequence: number
  readonly timestamp: number
  readonly ssrc: number
  readonly csrcs?: readonly number[]
  readonly payload: Buffer
}

/** Reads a packet; undefined when it is not RTP version 2. */
export function parseRtp(raw: Buffer): RtpPacket | undefined {
  if (raw.length < 12 || raw.readUInt8(0) >> 6 !== 2) return undefined
  const first = raw.readUInt8(0)
  let start = 12 + (first & 15) * 4
  if (raw.length < start) return undefined
  if ((first & 16) !== 0) {
    if (raw.length < start + 4) return undefined
    start += 4 + raw.readUInt16BE(start + 2) * 4
  }
  const padding = (first & 32) !== 0 ? raw.readUInt8(raw.length - 1) : 0
  if (raw.length - padding < start) return undefined
  return {
    payloadType: raw.readUInt8(1) & 127,
    marker: (raw.readUInt8(1) & 128) !== 0,
    sequence: raw.readUInt16BE(2),
    timestamp: raw.readUInt32BE(4),
    ssrc: raw.readUInt32BE(8),
    csrcs: Array.from({ length: first & 15 }, (_unused, index) => raw.readUInt32BE(12 + 4 * index)),
    payload: raw.subarray(start, raw.length - padding),
  }
}

/** Writes a packet. */
export function buildRtp(packet: RtpPacket): Buffer {
  const head = Buffer.alloc(12)
  head.writeUInt8(0x80, 0)
  head.writeUInt8((packet.marker ? 128 : 0) | packet.payloadType, 1)
  head.writeUInt16BE(packet.sequence & 0xffff, 2)
  head.writeUInt32BE(packet.timestamp >>> 0, 4)
  head.writeUInt32BE(packet.ssrc >>> 0, 8)
  return Buffer.concat([head, packet.payload])
}

/** The packets of one compound RTCP datagram, as far as the peers look. */
export type RtcpCompound = {
  readonly types: readonly number[]
  readonly ssrc: number
  readonly cname: string | undefined
  readonly reportBlocks: number
  /** LSR of the first report block: the middle of the time of our last sender report; 0 before it was heard. */
  readonly lastSenderReport: number | undefined
  readonly packetsSent: number | undefined
  readonly rtpTimestamp: number | undefined
  readonly hasBye: boolean
}

export const RTCP_SR = 200
export const RTCP_RR = 201
export const RTCP_SDES = 202
const RTCP_BYE = 203

/** Reads a compound; undefined when its lengths do not add up. */
export function parseRtcp(raw: Buffer): RtcpCompound | undefined {
  const types: number[] = []
  let cname: string | undefined
  let reportBlocks = 0
  let lastSenderReport: number | undefined
  let packetsSent: number | undefined
  let rtpTimestamp: number | undefined
  for (let at = 0; at < raw.length; ) {
    if (raw.length < at + 4 || raw.readUInt8(at) >> 6 !== 2) return undefined
    const type = raw.readUInt8(at + 1)
    const end = at + 4 + raw.readUInt16BE(at + 2) * 4
    if (end > raw.length) return undefined
    types.push(type)
    if (type === RTCP_SR || type === RTCP_RR) reportBlocks += raw.readUInt8(at) & 31
    if (type === RTCP_RR && end - at >= 32) lastSenderReport ??= raw.readUInt32BE(at + 24)
    if (type === RTCP_SR && end - at >= 28) {
      rtpTimestamp = raw.readUInt32BE(at + 16)
      packetsSent = raw.readUInt32BE(at + 20)
    }
    if (type === RTCP_SDES && end - at >= 12 && raw.readUInt8(at + 8) === 1) {
      const length = raw.readUInt8(at + 9)
      cname = raw.subarray(at + 10, at + 10 + length).toString('utf8')
    }
    at = end
  }
  const ssrc = raw.length >= 8 ? raw.readUInt32BE(4) : 0
  return {
    types,
    ssrc,
    cname,
    reportBlocks,
    lastSenderReport,
    packetsSent,
    rtpTimestamp,
    hasBye: types.includes(RTCP_BYE),
  }
}

const NTP_EPOCH_S = 2_208_988_800

/** A sender report without report blocks, then the CNAME; `atMs` is wall-clock time. */
export function buildSenderReport(
  report: {
    readonly ssrc: number
    readonly atMs: number
    readonly rtpTimestamp: number
    readonly packets: number
    readonly octets: number
  },
  cname: string,
  isLast = false,
): Buffer {
  const sender = Buffer.alloc(28)
  sender.writeUInt32BE(0x80c80006, 0)
  sender.writeUInt32BE(report.ssrc, 4)
  sender.writeUInt32BE((Math.floor(report.atMs / 1000) + NTP_EPOCH_S) >>> 0, 8)
  sender.writeUInt32BE(Math.floor(((report.atMs % 1000) / 1000) * 2 ** 32) >>> 0, 12)
  sender.writeUInt32BE(report.rtpTimestamp >>> 0, 16)
  sender.writeUInt32BE(report.packets, 20)
  sender.writeUInt32BE(report.octets, 24)
  return Buffer.concat([sender, sourceDescription(report.ssrc, cname), ...(isLast ? [goodbye(report.ssrc)] : [])])
}

/** A receiver report on one source, then the CNAME. */
export function buildReceiverReport(ssrc: number, about: { ssrc: number; highest: number }, cname: string): Buffer {
  const receiver = Buffer.alloc(32)
  receiver.writeUInt32BE(0x81c90007, 0)
  receiver.writeUInt32BE(ssrc, 4)
  receiver.writeUInt32BE(about.ssrc, 8)
  receiver.writeUInt32BE(about.highest >>> 0, 16)
  return Buffer.concat([receiver, sourceDescription(ssrc, cname)])
}

function sourceDescription(ssrc: number, cname: string): Buffer {
  const name = Buffer.from(cname)
  const chunkBytes = Math.ceil((4 + 2 + name.length + 1) / 4) * 4
  const packet = Buffer.alloc(4 + chunkBytes)
  packet.writeUInt32BE(0x81ca0000 + chunkBytes / 4, 0)
  packet.writeUInt32BE(ssrc, 4)
  packet.writeUInt8(1, 8)
  packet.writeUInt8(name.length, 9)
  name.copy(packet, 10)
  return packet
}

function goodbye(ssrc: number): Buffer {
  const packet = Buffer.alloc(8)
  packet.writeUInt32BE(0x81cb0001, 0)
  packet.writeUInt32BE(ssrc, 4)
  return packet
}

/** Two bound sockets: RTP on an even port, RTCP on the next. */
export type SocketPair = {
  readonly rtp: dgram.Socket
  readonly rtcp: dgram.Socket
  readonly port: number
  close(): void
}

/** Binds a pair (RFC 3550 section 11). */
export async function openPair(): Promise<SocketPair> {
  for (let attempt = 1; ; attempt++) {
    const rtp = await bindUdp()
    const port = rtp.address().port
    try {
      if (port % 2 === 1 || port > 65_000) throw new Error(`port ${port} cannot begin a pair`)
      const rtcp = await bindUdp(port + 1)
      const close = () => {
        rtp.close()
        rtcp.close()
      }
      return { rtp, rtcp, port, close }
    } catch (error) {
      rtp.close()
      if (attempt === 60) throw error
    }
  }
}
