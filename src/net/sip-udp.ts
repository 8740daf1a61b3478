// One UDP socket that SIP is listened on and sent from (RFC 3261 section 18).

import { createSocket, type Socket } from 'node:dgram'
import { isIPv6 } from 'node:net'
import type { Endpoint, Logger } from '#kernel'
import type { SipFlow } from '#sip'

const RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024
/** Shorter datagrams are keep-alives (CRLF, CRLFCRLF, a NUL byte): there is no SIP message of this size. */
const SMALLEST_MESSAGE_BYTES = 16

type Lookup = (
  host: string,
  options: unknown,
  done: (error: NodeJS.ErrnoException | null, address: string, family: number) => void,
) => void

/** Only IP literals come here, so there is nothing to look up; answering at once saves a trip through the event loop. */
const literalLookup: Lookup = (host, _options, done) => done(null, host, isIPv6(host) ? 6 : 4)

/** A bound UDP socket. */
export class UdpListener {
  readonly #socket: Socket
  readonly local: Endpoint
  readonly isIpv6: boolean

  private constructor(socket: Socket, local: Endpoint) {
    this.#socket = socket
    this.local = local
    this.isIpv6 = isIPv6(local.host)
  }

  /** Binds; rejects with the system's error. Datagrams are dropped until `receive` is called. */
  static async open(endpoint: Endpoint, log: Logger): Promise<UdpListener> {
    const socket = createSocket({
      type: isIPv6(endpoint.host) ? 'udp6' : 'udp4',
      ipv6Only: isIPv6(endpoint.host),
      recvBufferSize: RECEIVE_BUFFER_BYTES,
      lookup: literalLookup,
    })
    try {
      await new Promise<void>((resolve, reject) => {
        socket.once('error', reject)
        socket.bind({ address: endpoint.host, port: endpoint.port, exclusive: true }, () => {
          socket.off('error', reject)
          resolve()
        })
      })
    } catch (fault) {
      socket.close()
      throw fault
    }
    const address = socket.address()
    const local = { host: address.address, port: address.port }
    socket.on('error', (error: NodeJS.ErrnoException) => log.warn('udp socket error', { local, cause: error.code }))
    return new UdpListener(socket, local)
  }

  /** Starts delivery of datagrams. */
  receive(onMessage: (bytes: Uint8Array, flow: SipFlow) => void): void {
    this.#socket.on('message', (bytes, from) => {
      // Nothing can be answered to port 0.
      if (bytes.length < SMALLEST_MESSAGE_BYTES || from.port === 0) return
      onMessage(bytes, { transport: 'udp', local: this.local, remote: { host: from.address, port: from.port } })
    })
  }

  /**
   * Sends one datagram to an IP literal. The system reports refusals of its own (no route, too long, firewall);
   * ICMP answers reach only connected sockets, so silence is left to the transaction timers.
   */
  send(remote: Endpoint, bytes: Uint8Array, onFailed: (reason: string) => void): void {
    this.#socket.send(bytes, remote.port, remote.host, (error: NodeJS.ErrnoException | null) => {
      if (error !== null) onFailed(error.code ?? error.message)
    })
  }

  /** Closes the socket. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#socket.close(() => resolve())
    })
  }
}
