// RTP/RTCP port pairs: even and odd, bound while held, rested before they are used again (RFC 3550 section 11).

import { createSocket, type Socket } from 'node:dgram'
import { type Clock, messageOf } from '#kernel'
import { mediaError } from './errors.ts'

const RECEIVE_BUFFER_BYTES = 256 * 1024
const REST_MS = 1000

/** Two bound sockets on neighbouring ports. */
export interface PortPair {
  /** The even port, for RTP; RTCP has the next one. */
  readonly port: number
  readonly rtp: Socket
  readonly rtcp: Socket
}

/** What a pool hands out and where. */
export interface PortPoolOptions {
  /** IP literal to bind to. */
  readonly host: string
  /** Lowest and highest port, both included. */
  readonly portMin: number
  readonly portMax: number
  readonly clock: Clock
  /** Uniform integer, 0 <= n < `below`. */
  readonly randomInteger: (below: number) => number
}

/** Names are never looked up here: an address goes to the system as it stands, in the same turn. */
function literalLookup(
  host: string,
  family: unknown,
  done: (error: null, address: string, family: number) => void,
): void {
  done(null, host, family === 6 ? 6 : 4)
}

async function bindSocket(host: string, port: number): Promise<Socket> {
  const socket = createSocket({
    type: host.includes(':') ? 'udp6' : 'udp4',
    recvBufferSize: RECEIVE_BUFFER_BYTES,
    lookup: literalLookup as never,
  })
  return await new Promise((resolve, reject) => {
    socket.once('error', (error) => {
      socket.close()
      reject(error)
    })
    socket.bind({ port, address: host, exclusive: true }, () => {
      socket.removeAllListeners('error')
      resolve(socket)
    })
  })
}

/** Closes a socket and waits until the port is free. */
export async function closeSocket(socket: Socket): Promise<void> {
  await new Promise<void>((resolve) => void socket.close(() => resolve()))
}

function isTaken(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code
  return code === 'EADDRINUSE' || code === 'EACCES'
}

/** Binds `port` and `port + 1`; undefined when one of them is taken; other failures reject with `media.bind-failed`. */
export async function bindPortPair(host: string, port: number): Promise<PortPair | undefined> {
  let rtp: Socket | undefined
  try {
    rtp = await bindSocket(host, port)
    return { port, rtp, rtcp: await bindSocket(host, port + 1) }
  } catch (error) {
    if (rtp !== undefined) await closeSocket(rtp)
    if (isTaken(error)) return undefined
    throw mediaError('media.bind-failed', `cannot bind media ports: ${messageOf(error)}`, error)
  }
}

/** A range of port pairs, handed out in turn from a random start. */
export class PortPool {
  readonly #options: PortPoolOptions
  readonly #firstPort: number
  readonly #pairCount: number
  #next: number
  readonly #held = new Set<number>()
  /** Since when released ports rest, so that late packets of their last call meet nobody. */
  readonly #restingSince = new Map<number, number>()

  constructor(options: PortPoolOptions) {
    this.#options = options
    this.#firstPort = options.portMin + (options.portMin % 2)
    this.#pairCount = Math.max(0, Math.floor((options.portMax - this.#firstPort + 1) / 2))
    this.#next = this.#pairCount === 0 ? 0 : options.randomInteger(this.#pairCount)
  }

  /** Ports bound now. */
  get boundPorts(): number {
    return 2 * this.#held.size
  }

  /** Binds the next free pair; rejects with `media.no-ports` when there is none. */
  async take(): Promise<PortPair> {
    for (let tried = 0; tried < this.#pairCount; tried++) {
      const port = this.#firstPort + 2 * this.#next
      this.#next = (this.#next + 1) % this.#pairCount
      if (!this.#isUsable(port)) continue
      this.#held.add(port)
      const pair = await this.#bind(port)
      if (pair !== undefined) return pair
    }
    throw mediaError('media.no-ports', 'every media port of the range is in use')
  }

  /** Binds one pair of the range again, as it was before a restart; rejects with `media.no-ports` when it is not to be had. */
  async takeAt(port: number): Promise<PortPair> {
    const isOurs = port >= this.#firstPort && port < this.#firstPort + 2 * this.#pairCount && port % 2 === 0
    if (isOurs && !this.#held.has(port)) {
      this.#held.add(port)
      const pair = await this.#bind(port)
      if (pair !== undefined) return pair
    }
    throw mediaError('media.no-ports', 'the media port is in use, or not of the range')
  }

  /** Closes a pair and lets it rest. */
  async release(pair: PortPair): Promise<void> {
    await Promise.all([closeSocket(pair.rtp), closeSocket(pair.rtcp)])
    this.#restingSince.set(pair.port, this.#options.clock.nowMs())
    this.#held.delete(pair.port)
  }

  async #bind(port: number): Promise<PortPair | undefined> {
    let pair: PortPair | undefined
    try {
      pair = await bindPortPair(this.#options.host, port)
    } finally {
      if (pair === undefined) this.#held.delete(port)
    }
    return pair
  }

  #isUsable(port: number): boolean {
    if (this.#held.has(port)) return false
    const since = this.#restingSince.get(port)
    if (since === undefined) return true
    if (this.#options.clock.nowMs() - since < REST_MS) return false
    this.#restingSince.delete(port)
    return true
  }
}
