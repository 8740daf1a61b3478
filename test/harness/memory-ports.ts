// Port pairs without sockets: datagrams come the moment they are given, so that hours of a call take seconds and what throws is seen.

import { EventEmitter } from 'node:events'
import type { PortPair, PortPool } from '#engine'

const FIRST_PORT = 20_000
const SENDER = { address: '127.0.0.1', family: 'IPv4', size: 0 }

/** A socket as far as media need one; what it sends goes nowhere. */
class MemorySocket extends EventEmitter {
  send(_bytes: Uint8Array, _port: number, _host: string, done: () => void): void {
    done()
  }

  setRecvBufferSize(): void {}
}

/** Ports of a recorder. */
export class MemoryPorts {
  readonly #pairs = new Map<number, PortPair>()

  /** What the recorder takes its ports from. */
  get pool(): PortPool {
    return {
      take: () => Promise.resolve(this.#bind(FIRST_PORT + 2 * this.#pairs.size)),
      takeAt: (port: number) => Promise.resolve(this.#bind(port)),
      release: () => Promise.resolve(),
    } as unknown as PortPool
  }

  /** A datagram comes to an RTP port, or to the one for RTCP beside it. */
  give(port: number, datagram: Uint8Array, { fromPort = 40_000, isRtcp = false } = {}): void {
    const pair = this.#pairs.get(port)!
    const socket = isRtcp ? pair.rtcp : pair.rtp
    socket.emit('message', Buffer.from(datagram), { ...SENDER, port: fromPort })
  }

  #bind(port: number): PortPair {
    const pair = { port, rtp: new MemorySocket(), rtcp: new MemorySocket() } as unknown as PortPair
    this.#pairs.set(port, pair)
    return pair
  }
}
