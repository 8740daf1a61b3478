// What stands between a gateway and a recorder of SIPp: TLS ends here, and what the recorder says can be held back.

import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { createServer as createTlsServer } from 'node:tls'
import { tlsIdentity } from './tls.ts'

const HOST = '127.0.0.1'

/** Passes bytes on; messages it does not know. */
export class SipRelay {
  readonly port: number
  readonly transport: 'tcp' | 'tls'
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly #held: (() => void)[] = []
  #isHeld = false
  #recorderPort = 0

  private constructor(server: Server, transport: 'tcp' | 'tls') {
    this.#server = server
    this.transport = transport
    this.port = (server.address() as AddressInfo).port
    server.on(transport === 'tls' ? 'secureConnection' : 'connection', (socket: Socket) => this.#join(socket))
  }

  /** Listens on loopback; what it has is closed after the test. */
  static async open(t: TestContext, transport: 'tcp' | 'tls'): Promise<SipRelay> {
    const server = transport === 'tls' ? createTlsServer({ ...tlsIdentity('peer') }) : createServer()
    server.listen(0, HOST)
    await once(server, 'listening')
    const relay = new SipRelay(server, transport)
    t.after(() => relay.#close())
    return relay
  }

  /** The recorder behind it, for a start command and for the recorder's Contact. */
  get uri(): string {
    return `sip:recorder@${HOST}:${this.port};transport=${this.transport}`
  }

  /** Where the recorder listens on TCP. */
  leadTo(port: number): void {
    this.#recorderPort = port
  }

  /** Keeps what the recorder says from now on. */
  hold(): void {
    this.#isHeld = true
  }

  /** Whether something of the recorder's is kept. */
  get isHolding(): boolean {
    return this.#held.length > 0
  }

  /** Passes on what was kept, in its order, and what comes. */
  release(): void {
    this.#isHeld = false
    for (const pass of this.#held.splice(0)) pass()
  }

  #join(near: Socket): void {
    const far = connect(this.#recorderPort, HOST)
    near.on('data', (bytes) => far.write(bytes))
    far.on('data', (bytes) => {
      if (this.#isHeld) this.#held.push(() => near.write(bytes))
      else near.write(bytes)
    })
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(one)
      one.on('error', () => other.destroy())
      one.on('close', () => {
        this.#sockets.delete(one)
        other.destroy()
      })
    }
  }

  #close(): void {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
  }
}
