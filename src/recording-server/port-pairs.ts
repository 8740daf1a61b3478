// RTP and RTCP port pairs of the record worker: even and odd, bound together, rested before they are used again.

import { createSocket, type Socket } from 'node:dgram'
import { AppError, type Clock } from '#kernel'

/** How long a closed pair stays unused, so that stray packets of an old session hit no new one. */
const REST_MS = 5000
const RECEIVE_BUFFER_BYTES = 1024 * 1024

/** Two bound sockets; `rtcp.port` is `rtp.port` + 1. */
export interface PortPair {
  readonly rtp: Socket
  readonly rtcp: Socket
  readonly rtpPort: number
  /** Closes both. */
  close(): void
}

/** Where the record worker gets its sockets from. */
export interface PortSource {
  /** Rejects with AppError `recorder.no-port`. */
  open(): Promise<PortPair>
}

/** Pairs out of a configured range, in turn. */
export class PortPairs implements PortSource {
  readonly #host: string
  readonly #firstPort: number
  readonly #count: number
  readonly #clock: Clock
  readonly #restingUntilMs = new Map<number, number>()
  #next = 0

  /** Both ends of the range count; an odd lower end is raised by one. */
  constructor(options: { host: string; portMin: number; portMax: number; clock: Clock }) {
    this.#host = options.host
    this.#firstPort = options.portMin + (options.portMin & 1)
    this.#count = Math.max(0, Math.floor((options.portMax - this.#firstPort + 1) / 2))
    this.#clock = options.clock
  }

  async open(): Promise<PortPair> {
    for (let tried = 0; tried < this.#count; tried++) {
      const port = this.#firstPort + 2 * (this.#next++ % this.#count)
      if ((this.#restingUntilMs.get(port) ?? 0) > this.#clock.nowMs()) continue
      // Held at once, so that nobody else gets it while the sockets are being bound.
      this.#restingUntilMs.set(port, Number.POSITIVE_INFINITY)
      const pair = await this.#bindPair(port)
      if (pair !== undefined) return pair
      this.#restingUntilMs.delete(port)
    }
    const verdict = { result: 'server', reason: 'no-port', sipStatus: 503 } as const
    throw new AppError('recorder.no-port', 'no free RTP port pair', verdict)
  }

  async #bindPair(port: number): Promise<PortPair | undefined> {
    const rtp = await bind(this.#host, port)
    if (rtp === undefined) return undefined
    const rtcp = await bind(this.#host, port + 1)
    if (rtcp === undefined) {
      rtp.close()
      return undefined
    }
    const close = (): void => {
      rtp.close()
      rtcp.close()
      this.#restingUntilMs.set(port, this.#clock.nowMs() + REST_MS)
    }
    return { rtp, rtcp, rtpPort: port, close }
  }
}

function bind(host: string, port: number): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = createSocket({ type: host.includes(':') ? 'udp6' : 'udp4', recvBufferSize: RECEIVE_BUFFER_BYTES })
    socket.once('error', () => {
      socket.close()
      resolve(undefined)
    })
    socket.bind({ address: host, port, exclusive: true }, () => {
      socket.removeAllListeners('error')
      // Errors of a bound UDP socket are ICMP echoes of our reports; the stream does not end for them.
      socket.on('error', () => {})
      resolve(socket)
    })
  })
}
