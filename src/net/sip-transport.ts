// All SIP sockets of one core: listeners, connections and the choice between them (RFC 3261 section 18).

import { connect, isIP, isIPv6, type Socket } from 'node:net'
import { connect as tlsConnect } from 'node:tls'
import { AppError, type Clock, type Endpoint, endpointText, invariant, type Logger } from '#kernel'
import type { SipFlow, SipTarget, SipTransportPort, TransportName } from '#sip'
import { plainHost, SipConnection } from './sip-stream.ts'
import { UdpListener } from './sip-udp.ts'
import { type ListenerTls, StreamListener } from './stream-listener.ts'
import { provesIdentity } from './tls-identity.ts'
import { TlsKeyring } from './tls-keyring.ts'
import type { TlsOptions } from './tls-options.ts'

const CONNECT_TIMEOUT_MS = 5_000

/** One address to listen on. */
export interface SipListen {
  readonly transport: TransportName
  /** IP literal. */
  readonly host: string
  /** 0 lets the system choose; see `boundPorts`. */
  readonly port: number
  /** Put into Via and Contact instead of the bound address; needed when `host` is a wildcard. */
  readonly advertisedHost?: string
  readonly advertisedPort?: number
}

/** What a SipTransport is made from. */
export interface SipTransportOptions {
  readonly listen: readonly SipListen[]
  /** Serves TLS listeners and the TLS connections that we open. */
  readonly tls?: TlsOptions
  readonly clock: Clock
  readonly log: Logger
  /** Streams are framed as StreamFramer tolerates. */
  readonly isTolerant?: boolean
  /** Called for each message; never before `open` has resolved. */
  readonly onMessage: (bytes: Uint8Array, flow: SipFlow) => void
}

/** A listener as it was bound. */
export interface BoundListener extends Endpoint {
  readonly transport: TransportName
}

/** Sockets that are open right now. */
export interface SipSocketCensus {
  readonly listeners: number
  readonly inbound: number
  readonly outbound: number
}

/** SIP over UDP, TCP and TLS sockets of this machine. */
export class SipTransport implements SipTransportPort {
  readonly #options: SipTransportOptions
  readonly #keyring: TlsKeyring | undefined
  readonly #udp: UdpListener[] = []
  readonly #streams: StreamListener[] = []
  readonly #bound: BoundListener[] = []
  readonly #advertised = new Map<TransportName, Endpoint>()
  readonly #connections = new Map<number, SipConnection>()
  readonly #byRemote = new Map<string, Set<SipConnection>>()
  #nextConnectionId = 1
  #state: 'opening' | 'open' | 'closed' = 'opening'
  #onLastClosed = (): void => {}

  private constructor(options: SipTransportOptions) {
    this.#options = options
    this.#keyring = options.tls === undefined ? undefined : new TlsKeyring(options.tls)
  }

  /** Binds every listener or none; rejects with AppError `net.listen-failed`, `net.listen-invalid` or `net.tls-invalid`. */
  static async open(options: SipTransportOptions): Promise<SipTransport> {
    const transport = new SipTransport(options)
    try {
      for (const listen of options.listen) await transport.#listen(listen)
    } catch (fault) {
      await transport.close()
      throw fault
    }
    transport.#state = 'open'
    for (const udp of transport.#udp) udp.receive(options.onMessage)
    return transport
  }

  /** The listeners with their real ports, in the order of the options. */
  get boundPorts(): readonly BoundListener[] {
    return this.#bound
  }

  supports(transport: TransportName): boolean {
    return this.#advertised.has(transport)
  }

  localAddress(transport: TransportName): Endpoint {
    const address = this.#advertised.get(transport) ?? this.#advertised.values().next().value
    invariant(address !== undefined, 'no sip listener')
    return address
  }

  sendTo(target: SipTarget, bytes: Uint8Array, onFailed: (reason: string) => void): void {
    if (target.transport === 'udp') {
      this.#sendDatagram(target, bytes, onFailed)
      return
    }
    const known = target.connectionId === undefined ? undefined : this.#connections.get(target.connectionId)
    if (known?.transport === target.transport && known.isOpen) {
      known.send(bytes, onFailed)
      return
    }
    const refusal = this.#refusal(target)
    if (refusal !== undefined) queueMicrotask(() => onFailed(refusal))
    else this.#connectionTo(target, target.transport).send(bytes, onFailed)
  }

  sendBack(flow: SipFlow, bytes: Uint8Array, onFailed: (reason: string) => void, fallback?: SipTarget): void {
    if (flow.transport === 'udp') {
      this.#sendDatagram(flow.remote, bytes, onFailed, flow.local)
      return
    }
    const connection = flow.connectionId === undefined ? undefined : this.#connections.get(flow.connectionId)
    if (connection !== undefined) connection.send(bytes, onFailed)
    else if (fallback !== undefined) this.sendTo(fallback, bytes, onFailed)
    else queueMicrotask(() => onFailed('connection closed'))
  }

  /** Breaks the connection that a message came by; nothing happens for UDP. */
  hangUp({ connectionId }: SipFlow): void {
    if (connectionId !== undefined) this.#connections.get(connectionId)?.close('hung up')
  }

  /** Shows other certificates on connections made from now on; throws AppError `net.tls-invalid`, and then the old ones stay. */
  renewTls(tls: TlsOptions): void {
    invariant(this.#keyring !== undefined, 'a transport without tls has no certificates')
    this.#keyring.replace(tls)
    for (const stream of this.#streams) stream.renewTls(this.#keyring)
  }

  /** Destroys all sockets; resolves when the ports are free. Sends that are under way fail. */
  async close(): Promise<void> {
    this.#state = 'closed'
    const closing = [...this.#udp, ...this.#streams].map((listener) => listener.close())
    this.#udp.length = 0
    this.#streams.length = 0
    if (this.#connections.size > 0) {
      closing.push(
        new Promise((resolve) => {
          this.#onLastClosed = resolve
        }),
      )
    }
    for (const connection of this.#connections.values()) connection.close('transport closed')
    await Promise.all(closing)
  }

  /** Counts open sockets, for leak checks and metrics. */
  census(): SipSocketCensus {
    const connections = [...this.#connections.values()]
    const inbound = connections.filter((connection) => connection.origin === 'inbound').length
    return { listeners: this.#udp.length + this.#streams.length, inbound, outbound: connections.length - inbound }
  }

  async #listen(listen: SipListen): Promise<void> {
    const { transport } = listen
    const { log } = this.#options
    this.#check(listen)
    let local: Endpoint
    try {
      if (transport === 'udp') {
        const udp = await UdpListener.open(listen, log)
        this.#udp.push(udp)
        local = udp.local
      } else {
        const tls = transport === 'tls' ? this.#listenerTls() : undefined
        const stream = await StreamListener.open(listen, tls, log, (socket) => this.#onSocket(socket, transport))
        this.#streams.push(stream)
        local = stream.local
      }
    } catch (fault) {
      const cause = (fault as NodeJS.ErrnoException).code ?? String(fault)
      const message = `cannot listen on ${transport} ${endpointText(listen)}: ${cause}`
      throw new AppError('net.listen-failed', message, { result: 'server', reason: 'listen-failed' }, { cause: fault })
    }
    this.#bound.push({ transport, ...local })
    if (!this.#advertised.has(transport)) {
      const advertised = { host: listen.advertisedHost ?? local.host, port: listen.advertisedPort ?? local.port }
      this.#advertised.set(transport, advertised)
    }
    log.info('listening for sip', { transport, ...local })
  }

  #listenerTls(): ListenerTls | undefined {
    const { tls } = this.#options
    if (tls === undefined || this.#keyring === undefined) return undefined
    // Asked for whenever we could judge it: a proven name allows reuse of the connection (RFC 5923).
    return { keyring: this.#keyring, asksClient: tls.ca !== undefined, verifiesClient: tls.verifyClient === true }
  }

  #check(listen: SipListen): void {
    const at = `${listen.transport} ${endpointText(listen)}`
    if (isIP(listen.host) === 0) throw invalid(`${at}: the host must be an IP address`)
    if (listen.transport === 'tls' && this.#keyring === undefined)
      throw invalid(`${at}: a certificate and key are needed`)
    // A wildcard in Via or Contact would lead the peer to itself.
    const isWildcard = listen.host === '0.0.0.0' || listen.host === '::'
    if (isWildcard && listen.advertisedHost === undefined) throw invalid(`${at}: an advertised host is needed`)
  }

  /** Why nothing can be sent there; node would throw on such addresses. */
  #refusal(target: SipTarget): string | undefined {
    if (this.#state !== 'open') return 'transport closed'
    if (isIP(target.host) === 0 || !(target.port > 0 && target.port < 65536)) return 'invalid address'
    if (target.transport !== 'tls') return undefined
    if (this.#keyring === undefined) return 'tls is not configured'
    return this.#keyring.clientSide(target.tlsIdentity) === undefined ? 'tls identity is not configured' : undefined
  }

  #sendDatagram(remote: Endpoint, bytes: Uint8Array, onFailed: (reason: string) => void, from?: Endpoint): void {
    const refusal = this.#refusal({ transport: 'udp', ...remote })
    if (refusal !== undefined) {
      queueMicrotask(() => onFailed(refusal))
      return
    }
    const isIpv6 = isIPv6(remote.host)
    const udp =
      this.#udp.find(({ local }) => from !== undefined && local.port === from.port && local.host === from.host) ??
      this.#udp.find((listener) => listener.isIpv6 === isIpv6)
    if (udp === undefined) queueMicrotask(() => onFailed('no udp listener'))
    else udp.send(remote, bytes, onFailed)
  }

  #connectionTo(target: SipTarget, transport: 'tcp' | 'tls'): SipConnection {
    for (const connection of this.#byRemote.get(endpointText(target)) ?? []) {
      if (connection.serves(target)) return connection
    }
    const socket = transport === 'tls' ? this.#secureSocket(target) : connect({ host: target.host, port: target.port })
    return this.#adopt(socket, transport, 'outbound', target, target)
  }

  #secureSocket(target: SipTarget): Socket {
    const serverName = target.serverName ?? target.host
    const side = this.#keyring?.clientSide(target.tlsIdentity)
    invariant(side !== undefined, 'a refused target is not connected to')
    const { context, allowWildcard } = side
    return tlsConnect({
      host: target.host,
      port: target.port,
      ...(isIP(serverName) === 0 ? { servername: serverName } : {}),
      secureContext: context,
      checkServerIdentity: (_host, certificate) => {
        if (provesIdentity(certificate, serverName, allowWildcard)) return undefined
        return Object.assign(new Error('certificate is for another name'), { code: 'ERR_TLS_CERT_ALTNAME_INVALID' })
      },
    })
  }

  #onSocket(socket: Socket, transport: 'tcp' | 'tls'): void {
    if (this.#state !== 'open' || socket.remoteAddress === undefined) {
      socket.destroy()
      return
    }
    this.#adopt(socket, transport, 'inbound', { host: plainHost(socket.remoteAddress), port: socket.remotePort ?? 0 })
  }

  #adopt(
    socket: Socket,
    transport: 'tcp' | 'tls',
    origin: 'inbound' | 'outbound',
    remote: Endpoint,
    target?: SipTarget,
  ): SipConnection {
    const id = this.#nextConnectionId++
    const connection = new SipConnection(
      socket,
      {
        id,
        transport,
        origin,
        remote: { host: remote.host, port: remote.port },
        isTolerant: this.#options.isTolerant === true,
        ...(target === undefined ? {} : { target, connectTimeoutMs: target.connectTimeoutMs ?? CONNECT_TIMEOUT_MS }),
      },
      { onMessage: this.#options.onMessage, onClosed: (closed) => this.#forget(closed) },
      this.#options.clock,
      this.#options.log,
    )
    this.#connections.set(id, connection)
    const key = endpointText(remote)
    const siblings = this.#byRemote.get(key) ?? new Set()
    this.#byRemote.set(key, siblings.add(connection))
    return connection
  }

  #forget(connection: SipConnection): void {
    this.#connections.delete(connection.id)
    const key = endpointText(connection.remote)
    const siblings = this.#byRemote.get(key)
    siblings?.delete(connection)
    if (siblings?.size === 0) this.#byRemote.delete(key)
    if (this.#connections.size === 0) this.#onLastClosed()
  }
}

function invalid(detail: string): AppError {
  return new AppError('net.listen-invalid', detail, { result: 'server', reason: 'listen-invalid' })
}
