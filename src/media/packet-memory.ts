// What one tap carried lately, kept for forks to come; bounded in time, packets and bytes.

import { headerOffset, type MediaPacket, newMediaPacket } from './media-packet.ts'

const MOST_MS = 60_000
/** A minute of 10 ms packets. */
const MOST_PACKETS = 6000
const MOST_BYTES = 2 * 1024 * 1024

/** A copy of a packet with the time at which it was carried. */
export interface KeptPacket extends MediaPacket {
  /** Monotonic. */
  readonly atMs: number
}

/** Copies a packet with its payload, so that neither the socket's memory nor its header is shared. */
export function keepPacket(packet: MediaPacket, atMs: number): KeptPacket {
  const start = headerOffset(packet)
  const kept = { ...newMediaPacket(), ...packet, atMs }
  kept.bytes = new Uint8Array(packet.bytes.subarray(start, packet.payloadOffset + packet.payloadLength))
  kept.payloadOffset = packet.payloadOffset - start
  return kept
}

/** The last packets of one tap. */
export class PacketMemory {
  #keepMs = 0
  #packets: KeptPacket[] = []
  /** Packets before this one are forgotten; the array is cut from time to time. */
  #first = 0
  #bytes = 0

  /** `keepMs`: how far back; at most a minute. */
  constructor(keepMs: number) {
    this.keepFor(keepMs)
  }

  /** Changes how far back it goes. */
  keepFor(keepMs: number): void {
    this.#keepMs = Math.min(MOST_MS, keepMs)
  }

  /** Takes a packet of the tap. */
  copy(packet: MediaPacket, nowMs: number): void {
    this.#packets.push(keepPacket(packet, nowMs))
    this.#bytes += packet.payloadLength
    while (this.#isTooMuch(nowMs)) this.#bytes -= this.#packets[this.#first++]?.payloadLength ?? 0
    if (this.#first < MOST_PACKETS && this.#first * 2 < this.#packets.length) return
    this.#packets = this.#packets.slice(this.#first)
    this.#first = 0
  }

  /** What was carried since `fromMs`, oldest first, as long as it is kept. */
  since(fromMs: number, nowMs: number): KeptPacket[] {
    const oldestMs = Math.max(fromMs, nowMs - this.#keepMs)
    return this.#packets.slice(this.#first).filter((packet) => packet.atMs >= oldestMs)
  }

  #isTooMuch(nowMs: number): boolean {
    const oldest = this.#packets[this.#first]
    if (oldest === undefined) return false
    const count = this.#packets.length - this.#first
    return oldest.atMs < nowMs - this.#keepMs || count > MOST_PACKETS || this.#bytes > MOST_BYTES
  }
}
