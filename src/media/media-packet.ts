// One RTP packet on its way through the engine, and the door it leaves by.

import { RTP_HEADER_BYTES, type RtpHeader } from '#rtp'
import { type Payload, payloadOf } from './codec.ts'

const CSRC_BYTES = 4

/** A packet being handled; each producer fills one object again and again. */
export interface MediaPacket {
  /** Holds the payload and, right before it, room for a header that every port writes anew: one datagram serves all sends. */
  bytes: Uint8Array
  /** At least 12, and 4 more for each CSRC. */
  payloadOffset: number
  payloadLength: number
  /** Contributors named in a list right before the payload, 4 bytes each; the room for the header is before it. */
  csrcCount: number
  payload: Payload
  /** Names a run of packets with one sequence and one clock; a change of it is a change of source. */
  sourceId: number
  /** Sequence number without wrap, within the source. */
  extendedSequence: number
  timestamp: number
  marker: boolean
}

/** An empty packet to be filled. */
export function newMediaPacket(): MediaPacket {
  return {
    bytes: new Uint8Array(0),
    payloadOffset: 0,
    payloadLength: 0,
    csrcCount: 0,
    payload: payloadOf('PCMU/8000'),
    sourceId: 0,
    extendedSequence: 0,
    timestamp: 0,
    marker: false,
  }
}

/** Sends packets at once. */
export interface RtpPort {
  /**
   * Writes the header before the payload and sends both; false when that failed. A port whose system still needs the
   * memory after this returns replaces `packet.bytes` by a copy, so that the next port may write its own header.
   */
  send(header: RtpHeader, packet: MediaPacket): boolean
}

/** Where the header of a packet begins. */
export function headerOffset(packet: MediaPacket): number {
  return packet.payloadOffset - CSRC_BYTES * packet.csrcCount - RTP_HEADER_BYTES
}

/** Takes copies of what a tap carries; the packet is only lent. */
export interface PacketTaker {
  copy(packet: MediaPacket, nowMs: number): void
}

/** Hands out source ids, unique within one worker. */
export class SourceIds {
  #last = 0

  next(): number {
    return ++this.#last
  }
}
