// The sound of all calls of a soak: ports for the callers, for the callees, for the recorders. RTCP is taken and not read:
// a closed port would be refused by ICMP, by which the gateway knows a recorder that is gone.

import type { Clock, Timer } from '#kernel'
import { openPair, type SocketPair } from '../foreign/rtp-wire.ts'

const HOST = '127.0.0.1'
const FRAME_MS = 20
const FRAME_BYTES = 160
const HEADER_BYTES = 12
/** RTCP types on the RTP port begin at 200 (RFC 5761 section 4). */
const isRtp = (packet: Uint8Array): boolean => (packet[1]! & 0x7f) < 64

/** Where the two parties of a call send to, once they know; either may be missing. */
export interface SoundOf {
  callerTo?: number
  calleeTo?: number
}

/** Sends a packet of G.711 every 20 ms for each party that talks. */
export class SoakMedia {
  /** RTP packets that the recorders got. */
  recorded = 0
  /** RTP packets that the parties got. */
  heard = 0
  readonly #caller: SocketPair
  readonly #callee: SocketPair
  readonly #recorder: SocketPair
  readonly #clock: Clock
  readonly #talking = new Set<SoundOf>()
  #sequence = 0
  #tick: Timer

  private constructor(clock: Clock, [caller, callee, recorder]: readonly [SocketPair, SocketPair, SocketPair]) {
    this.#clock = clock
    this.#caller = caller
    this.#callee = callee
    this.#recorder = recorder
    const count = (name: 'heard' | 'recorded') => (packet: Uint8Array) => {
      if (isRtp(packet)) this[name]++
    }
    for (const { rtp } of [caller, callee]) rtp.on('message', count('heard'))
    recorder.rtp.on('message', count('recorded'))
    this.#tick = this.#next()
  }

  static async open(clock: Clock): Promise<SoakMedia> {
    return new SoakMedia(clock, [await openPair(), await openPair(), await openPair()])
  }

  get ports(): { readonly caller: number; readonly callee: number; readonly recorder: number } {
    return { caller: this.#caller.port, callee: this.#callee.port, recorder: this.#recorder.port }
  }

  /** Both parties talk until told to fall silent. */
  talk(sound: SoundOf): void {
    this.#talking.add(sound)
  }

  fallSilent(sound: SoundOf): void {
    this.#talking.delete(sound)
  }

  close(): void {
    this.#tick.cancel()
    for (const pair of [this.#caller, this.#callee, this.#recorder]) pair.close()
  }

  #next(): Timer {
    return this.#clock.after(FRAME_MS, 'soak-media', () => {
      this.#sequence++
      for (const { callerTo, calleeTo } of this.#talking) {
        if (callerTo !== undefined) this.#caller.rtp.send(this.#packet(1), callerTo, HOST)
        if (calleeTo !== undefined) this.#callee.rtp.send(this.#packet(2), calleeTo, HOST)
      }
      this.#tick = this.#next()
    })
  }

  #packet(ssrc: number): Buffer {
    const packet = Buffer.alloc(HEADER_BYTES + FRAME_BYTES, 0xd5)
    packet.set([0x80, 0])
    packet.writeUInt16BE(this.#sequence & 0xffff, 2)
    packet.writeUInt32BE((this.#sequence * FRAME_BYTES) >>> 0, 4)
    packet.writeUInt32BE(ssrc, 8)
    return packet
  }
}
