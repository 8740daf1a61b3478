// A party that speaks G.711 in packets of a chosen length.

import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'

const HOST = '127.0.0.1'
const SAMPLES_PER_MS = 8
const HEADER_BYTES = 12

/** Opens a UDP socket on loopback. */
export async function openRtpSocket(): Promise<Socket> {
  const socket = createSocket('udp4').bind(0, HOST)
  await once(socket, 'listening')
  return socket
}

/** Speaks from a socket until stopped. */
export class RtpSpeaker {
  readonly #timer: NodeJS.Timeout

  /** Sends packets of `frameMs` milliseconds of sound to a port of this machine, as many as time has passed. */
  constructor(socket: Socket, port: number, frameMs: number) {
    const samples = frameMs * SAMPLES_PER_MS
    let sequence = 0
    let dueMs = performance.now()
    this.#timer = setInterval(() => {
      for (; dueMs <= performance.now(); dueMs += frameMs) {
        const packet = Buffer.alloc(HEADER_BYTES + samples, 0xd5)
        sequence++
        packet.set([0x80, 0])
        packet.writeUInt16BE(sequence & 0xffff, 2)
        packet.writeUInt32BE((sequence * samples) >>> 0, 4)
        packet.writeUInt32BE(port, 8)
        // Not a sound, but the time of sending, for who measures delays.
        packet.writeDoubleBE(performance.now(), HEADER_BYTES)
        socket.send(packet, port, HOST)
      }
    }, 1)
  }

  stop(): void {
    clearInterval(this.#timer)
  }
}
