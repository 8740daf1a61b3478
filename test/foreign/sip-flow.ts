// The sockets of a peer: one UDP socket, TCP connections made or accepted, and whole messages out of both.

import dgram from 'node:dgram'
import { once } from 'node:events'
import net from 'node:net'
import { StreamFramer } from './sip-text.ts'

/** A host and a port. */
export type Address = { readonly host: string; readonly port: number }

/** One way to the other side, and back. */
export type Flow = {
  readonly kind: 'udp' | 'tcp'
  readonly local: Address
  readonly remote: Address
  send(message: Buffer): void
}

type OnMessage = (raw: Buffer, flow: Flow) => void

const LOOPBACK = '127.0.0.1'

/** Binds a UDP socket on the loopback address; port 0 lets the system choose. */
export async function bindUdp(port = 0, host = LOOPBACK): Promise<dgram.Socket> {
  const socket = dgram.createSocket('udp4')
  const bound = once(socket, 'listening')
  socket.bind(port, host)
  await bound
  return socket
}

/** A UDP flow through a bound socket. */
function udpFlow(socket: dgram.Socket, remote: Address): Flow {
  return {
    kind: 'udp',
    local: { host: socket.address().address, port: socket.address().port },
    remote,
    send: (message) => socket.send(message, remote.port, remote.host),
  }
}

function tcpFlow(socket: net.Socket, onMessage: OnMessage): Flow {
  const framer = new StreamFramer()
  const flow: Flow = {
    kind: 'tcp',
    local: { host: socket.localAddress ?? LOOPBACK, port: socket.localPort ?? 0 },
    remote: { host: socket.remoteAddress ?? LOOPBACK, port: socket.remotePort ?? 0 },
    send: (message) => {
      if (!socket.destroyed) socket.write(message)
    },
  }
  socket.setNoDelay(true)
  socket.on('error', () => socket.destroy())
  socket.on('data', (chunk) => {
    for (const raw of framer.push(chunk)) onMessage(raw, flow)
  })
  return flow
}

/** A client's one flow, with the way to close it. */
export async function openFlow(
  kind: 'udp' | 'tcp',
  remote: Address,
  onMessage: OnMessage,
): Promise<{ readonly flow: Flow; close(): void }> {
  if (kind === 'udp') {
    const socket = await bindUdp()
    const flow = udpFlow(socket, remote)
    socket.on('message', (raw, from) => onMessage(raw, { ...flow, remote: { host: from.address, port: from.port } }))
    return { flow, close: () => socket.close() }
  }
  const socket = net.connect(remote.port, remote.host)
  await once(socket, 'connect')
  return { flow: tcpFlow(socket, onMessage), close: () => socket.destroy() }
}

/** A server's sockets: UDP and TCP on one port number, or UDP alone so that TCP is refused. */
export class SipListener {
  readonly #udp: dgram.Socket
  readonly #tcp: net.Server | undefined
  readonly #connections = new Set<net.Socket>()

  private constructor(udp: dgram.Socket, tcp: net.Server | undefined, onMessage: OnMessage) {
    this.#udp = udp
    this.#tcp = tcp
    udp.on('message', (raw, from) => onMessage(raw, udpFlow(udp, { host: from.address, port: from.port })))
    tcp?.on('connection', (socket) => {
      this.#connections.add(socket)
      socket.on('close', () => this.#connections.delete(socket))
      tcpFlow(socket, onMessage)
    })
  }

  static async open(withTcp: boolean, onMessage: OnMessage, at?: Address): Promise<SipListener> {
    for (let attempt = 1; ; attempt++) {
      const udp = await bindUdp(at?.port, at?.host)
      if (!withTcp) return new SipListener(udp, undefined, onMessage)
      const tcp = net.createServer()
      try {
        tcp.listen(udp.address().port, udp.address().address)
        await once(tcp, 'listening')
        return new SipListener(udp, tcp, onMessage)
      } catch (error) {
        udp.close()
        if (attempt === 20) throw error
      }
    }
  }

  get address(): Address {
    return { host: this.#udp.address().address, port: this.#udp.address().port }
  }

  /** Refuses TCP from now on and cuts the connections that are open. */
  closeTcp(): void {
    this.#tcp?.close()
    for (const socket of this.#connections) socket.destroy()
  }

  close(): void {
    this.closeTcp()
    this.#udp.close()
  }
}
