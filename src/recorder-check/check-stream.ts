// One stream of a synthetic call: a sound in G.711 over and over, and the RTCP that comes back.

import { encodePcma, encodePcmu } from '#audio'
import type { Clock, Endpoint, Timer } from '#kernel'
import { parseRtcp, RTP_HEADER_BYTES, writeRtpHeader } from '#rtp'

const FRAME_MS = 20
const FRAME_SAMPLES = 160

/** A bound pair of RTP and RTCP ports. */
export interface CheckSocket {
  /** RTP; RTCP is one above. */
  readonly port: number
  sendRtp(bytes: Uint8Array, to: Endpoint): void
  close(): void
}

/** What a check needs of the machine for media. */
export interface CheckSockets {
  open(onRtcp: (bytes: Uint8Array) => void): Promise<CheckSocket>
}

/** Sends while it has a target. */
export class CheckStream {
  readonly port: number
  sent = 0
  receiverReports = 0
  readonly #socket: CheckSocket
  readonly #clock: Clock
  readonly #ssrc: number
  readonly #samples: Int16Array
  #timer: Timer | undefined
  #frame = 0

  private constructor(socket: CheckSocket, clock: Clock, ssrc: number, samples: Int16Array) {
    this.port = socket.port
    this.#socket = socket
    this.#clock = clock
    this.#ssrc = ssrc
    this.#samples = samples
  }

  /** Opens one that says `samples`, of 8 kHz and whole frames of 20 ms, in a loop. */
  static async open(sockets: CheckSockets, clock: Clock, ssrc: number, samples: Int16Array): Promise<CheckStream> {
    let stream: CheckStream | undefined
    const socket = await sockets.open((bytes) => stream?.onRtcp(bytes))
    stream = new CheckStream(socket, clock, ssrc, samples)
    return stream
  }

  onRtcp(bytes: Uint8Array): void {
    const isReport = parseRtcp(bytes).some((packet) => packet.type === 'receiver-report')
    if (isReport) this.receiverReports += 1
  }

  /** Sends there from now on; undefined: nothing. */
  aim(target: Endpoint | undefined, payloadType: 0 | 8): void {
    this.#timer?.cancel()
    this.#timer = undefined
    if (target !== undefined) this.#send(target, payloadType, this.#clock.nowMs())
  }

  close(): void {
    this.aim(undefined, 0)
    this.#socket.close()
  }

  #send(target: Endpoint, payloadType: 0 | 8, dueMs: number): void {
    const at = (this.#frame * FRAME_SAMPLES) % this.#samples.length
    const samples = this.#samples.subarray(at, at + FRAME_SAMPLES)
    const payload = payloadType === 0 ? encodePcmu(samples) : encodePcma(samples)
    const packet = new Uint8Array(RTP_HEADER_BYTES + payload.length)
    const timestamp = (this.#frame * FRAME_SAMPLES) >>> 0
    const sequence = this.#frame & 0xffff
    writeRtpHeader(packet, 0, { payloadType, marker: this.sent === 0, sequence, timestamp, ssrc: this.#ssrc })
    packet.set(payload, RTP_HEADER_BYTES)
    this.#socket.sendRtp(packet, target)
    this.#frame += 1
    this.sent += 1
    const nextMs = dueMs + FRAME_MS
    const waitMs = Math.max(0, nextMs - this.#clock.nowMs())
    this.#timer = this.#clock.after(waitMs, 'check frame', () => this.#send(target, payloadType, nextMs))
  }
}
