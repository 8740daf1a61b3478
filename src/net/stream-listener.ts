// A listening TCP or TLS socket that hands accepted connections on.

import { createServer, isIPv6, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer, Server as TlsServer } from 'node:tls'
import type { Endpoint, Logger } from '#kernel'
import type { TlsKeyring } from './tls-keyring.ts'

/** TLS of a listener. */
export interface ListenerTls {
  readonly keyring: TlsKeyring
  /** Clients are asked for a certificate. */
  readonly asksClient: boolean
  /** Clients without a trusted certificate are refused. */
  readonly verifiesClient: boolean
}

const MOST_CONNECTIONS = 10_000
const HANDSHAKE_MS = 10_000

/** A bound listener. */
export class StreamListener {
  readonly #server: Server
  readonly #accepted: Set<Socket>
  readonly local: Endpoint

  private constructor(server: Server, accepted: Set<Socket>, local: Endpoint) {
    this.#server = server
    this.#accepted = accepted
    this.local = local
  }

  /** Binds, over TLS when options are given; rejects with the system's error. */
  static async open(
    endpoint: Endpoint,
    tls: ListenerTls | undefined,
    log: Logger,
    onSocket: (socket: Socket) => void,
  ): Promise<StreamListener> {
    const server = tls === undefined ? createServer(onSocket) : createTlsListener(tls, log, onSocket)
    server.maxConnections = MOST_CONNECTIONS
    const accepted = new Set<Socket>()
    server.on('connection', (socket: Socket) => {
      accepted.add(socket)
      socket.once('close', () => accepted.delete(socket))
    })
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(
        { host: endpoint.host, port: endpoint.port, ipv6Only: isIPv6(endpoint.host), exclusive: true },
        () => {
          server.off('error', reject)
          resolve()
        },
      )
    })
    const address = server.address()
    const local =
      typeof address === 'object' && address !== null ? { host: address.address, port: address.port } : endpoint
    server.on('error', (error: NodeJS.ErrnoException) => log.warn('sip listener error', { local, cause: error.code }))
    return new StreamListener(server, accepted, local)
  }

  /** Shows the certificates that are in the keyring by now to clients that come from now on. */
  renewTls(keyring: TlsKeyring): void {
    if (this.#server instanceof TlsServer) this.#server.setSecureContext(keyring.serverSettings)
  }

  /** Stops listening and destroys accepted connections, those in a TLS handshake included. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve())
      for (const socket of this.#accepted) socket.destroy()
    })
  }
}

function createTlsListener(
  { keyring, asksClient, verifiesClient }: ListenerTls,
  log: Logger,
  onSocket: (socket: Socket) => void,
): Server {
  const server = createTlsServer({
    ...keyring.serverSettings,
    SNICallback: (serverName, done) => done(null, keyring.serverSide(serverName)),
    handshakeTimeout: HANDSHAKE_MS,
    requestCert: asksClient,
    rejectUnauthorized: verifiesClient,
  })
  server.on('secureConnection', onSocket)
  server.on('tlsClientError', (error: NodeJS.ErrnoException, socket) => {
    log.info('tls handshake refused', { remote: socket.remoteAddress, cause: error.code ?? error.message })
    socket.destroy()
  })
  return server
}
