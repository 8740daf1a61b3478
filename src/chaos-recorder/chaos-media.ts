// RTP at the chaos recorder: ports as a port, and what arrives counted per stream and state.

import type { Clock, Endpoint, Timer } from '#kernel'
import { buildReceiverReport, buildSdes, compoundRtcp, newRtpView, parseRtp, ReceptionStats } from '#rtp'

const REPORT_EVERY_MS = 2_500
/** Jitter is told as if all audio were narrowband. */
const CLOCK_RATE_HZ = 8000

/** A bound pair of RTP and RTCP ports. */
export interface ChaosSocket {
  /** RTP; RTCP is one above. */
  readonly port: number
  sendRtcp(bytes: Uint8Array, to: Endpoint): void
  close(): void
}

/** What the recorder needs of the machine for media. */
export interface ChaosSockets {
  open(onPacket: (kind: 'rtp' | 'rtcp', bytes: Uint8Array) => void): Promise<ChaosSocket>
}

/** Packets of one stream as they arrived, by the state that the client had announced. */
export interface StreamCount {
  readonly label: string
  readonly active: number
  /** While the m-line was inactive or refused. */
  readonly paused: number
  readonly rtcp: number
  readonly lastAtMs?: number
}

/** One stream of a session. */
export class ChaosStream {
  readonly port: number
  readonly #socket: ChaosSocket
  readonly #clock: Clock
  readonly #ssrc: number
  readonly #view = newRtpView()
  #label = ''
  #isPaused = false
  #counts = { active: 0, paused: 0, rtcp: 0 }
  #lastAtMs: number | undefined
  #source: ReceptionStats | undefined
  #reportsTo: Endpoint | undefined
  #timer: Timer | undefined
  #isClosed = false

  private constructor(socket: ChaosSocket, clock: Clock, ssrc: number) {
    this.port = socket.port
    this.#socket = socket
    this.#clock = clock
    this.#ssrc = ssrc
  }

  static async open(sockets: ChaosSockets, clock: Clock, ssrc: number): Promise<ChaosStream> {
    let stream: ChaosStream | undefined
    const socket = await sockets.open((kind, bytes) => stream?.receive(kind, bytes))
    stream = new ChaosStream(socket, clock, ssrc)
    return stream
  }

  /** What the client said of the stream last; reports go to `reportsTo`, absent for a secure stream. */
  describe(label: string, isPaused: boolean, reportsTo: Endpoint | undefined): void {
    this.#label = label
    this.#isPaused = isPaused
    this.#reportsTo = reportsTo
    if (reportsTo !== undefined && this.#timer === undefined && !this.#isClosed) this.#reportLater()
  }

  get count(): StreamCount {
    return {
      label: this.#label,
      ...this.#counts,
      ...(this.#lastAtMs === undefined ? {} : { lastAtMs: this.#lastAtMs }),
    }
  }

  receive(kind: 'rtp' | 'rtcp', bytes: Uint8Array): void {
    if (kind === 'rtcp') {
      this.#counts.rtcp += 1
      return
    }
    if (!parseRtp(bytes, this.#view)) return
    this.#counts[this.#isPaused ? 'paused' : 'active'] += 1
    this.#lastAtMs = this.#clock.wallMs()
    const { ssrc, sequence, timestamp } = this.#view
    if (this.#source?.ssrc !== ssrc) this.#source = new ReceptionStats(ssrc)
    this.#source.onPacket(sequence, timestamp, this.#clock.nowMs(), CLOCK_RATE_HZ)
  }

  /** No receiver reports any more. */
  stopReports(): void {
    this.#timer?.cancel()
    this.#reportsTo = undefined
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.stopReports()
    this.#socket.close()
  }

  #reportLater(): void {
    this.#timer = this.#clock.after(REPORT_EVERY_MS, 'chaos receiver report', () => {
      this.#timer = undefined
      if (this.#reportsTo === undefined) return
      this.#socket.sendRtcp(this.#report(), this.#reportsTo)
      this.#reportLater()
    })
  }

  #report(): Uint8Array {
    const blocks = this.#source === undefined ? [] : [this.#source.reportBlock(this.#clock.nowMs())]
    return compoundRtcp([
      buildReceiverReport(this.#ssrc, blocks),
      buildSdes({ ssrc: this.#ssrc, cname: `chaos-${this.#ssrc}` }),
    ])
  }
}
