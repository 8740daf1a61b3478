// One RTP packet on its way through the engine, and the door it leaves by.

import type { RtpHeader } from '#rtp'
import { type Payload, payloadOf } from './codec.ts'

/** A packet being handled; each producer fills one object again and again. */
export interface MediaPacket {
  /** The datagram that holds the payload. */
  bytes: Uint8Array
  payloadOffset: number
  payloadLength: number
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
    payload: payloadOf('PCMU/8000'),
    sourceId: 0,
    extendedSequence: 0,
    timestamp: 0,
    marker: false,
  }
}

/** Sends one packet made of a header and a payload out of `bytes`; false when it could not be sent. */
export interface RtpPort {
  send(header: RtpHeader, bytes: Uint8Array, payloadOffset: number, payloadLength: number): boolean
}

/** Hands out source ids, unique within one worker. */
export class SourceIds {
  #last = 0

  next(): number {
    return ++this.#last
  }
}
