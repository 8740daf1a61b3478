// One SIP connection over TCP or TLS: framing, keep-alive, bounded sending, idle closing (RFC 3261 section 18, RFC 5626 section 3.5.1).

import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { Clock, Endpoint, Logger, Timer } from '#kernel'
import { type FramerOutput, type PeerCertificate, type SipFlow, type SipTarget, StreamFramer } from '#sip'
import { peerCertificate, provesIdentity } from './tls-identity.ts'

/** A peer that lets more than this pile up is not reading. */
const SEND_QUEUE_BYTES = 1024 * 1024
/** A connection that brought no complete message by then is closed. */
const FIRST_MESSAGE_MS = 15_000
/** Silence after which a connection is closed; the next request opens a new one. */
const IDLE_MS = 3_600_000
const TCP_KEEP_ALIVE_MS = 60_000
/** Nothing more comes of a message whose length is in doubt. */
const DOUBT_MS = 200
/** To take the last answer, before the connection is cut. */
const FAREWELL_MS = 2_000
const CRLF = new Uint8Array([13, 10])

/** What the owner of a connection is told. */
export interface ConnectionHandlers {
  onMessage(bytes: Uint8Array, flow: SipFlow): void
  onClosed(connection: SipConnection): void
}

/** Where a connection leads, and who opened it. */
export interface ConnectionOptions {
  readonly id: number
  readonly transport: 'tcp' | 'tls'
  readonly origin: 'inbound' | 'outbound'
  readonly remote: Endpoint
  readonly isTolerant: boolean
  /** Outbound: whom it was opened to. */
  readonly target?: SipTarget
  /** Outbound: fail when not usable by then. */
  readonly connectTimeoutMs?: number
}

interface Held {
  readonly bytes: Uint8Array
  readonly onFailed: (reason: string) => void
}

/** A connection, usable at once: what is sent while it is being opened waits for it. */
export class SipConnection {
  readonly id: number
  readonly transport: 'tcp' | 'tls'
  readonly origin: 'inbound' | 'outbound'
  readonly remote: Endpoint
  readonly #target: SipTarget | undefined
  readonly #socket: Socket
  readonly #clock: Clock
  readonly #log: Logger
  readonly #handlers: ConnectionHandlers
  readonly #framer: StreamFramer
  readonly #unsent = new Set<(reason: string) => void>()
  /** Held back until the peer has proved its name: node would encrypt and send during the handshake. */
  #held: Held[] | undefined
  /** Read at the first message: what a peer has proved stays so while the connection lasts. */
  #certificate: PeerCertificate | undefined
  #heldBytes = 0
  #deadline: Timer
  #doubt: Timer | undefined
  #lastActivityMs: number
  #heard = false
  #closing = false
  #reason = 'connection closed'

  constructor(socket: Socket, options: ConnectionOptions, handlers: ConnectionHandlers, clock: Clock, log: Logger) {
    this.id = options.id
    this.transport = options.transport
    this.origin = options.origin
    this.remote = options.remote
    this.#framer = new StreamFramer({ isTolerant: options.isTolerant })
    this.#target = options.target
    this.#socket = socket
    this.#handlers = handlers
    this.#clock = clock
    this.#log = log.child({ connectionId: options.id, transport: options.transport, remote: options.remote })
    this.#lastActivityMs = clock.nowMs()
    this.#deadline =
      options.connectTimeoutMs === undefined
        ? clock.after(FIRST_MESSAGE_MS, 'sip-first-message', () => this.#onFirstMessageDue())
        : clock.after(options.connectTimeoutMs, 'sip-connect', () => this.close('connect timeout'))
    this.#held = options.connectTimeoutMs === undefined ? undefined : []
    this.#watch()
  }

  /** Our end; port 0 while still connecting. */
  get local(): Endpoint {
    return { host: plainHost(this.#socket.localAddress ?? ''), port: this.#socket.localPort ?? 0 }
  }

  /** False once it is being closed. */
  get isOpen(): boolean {
    return !this.#closing
  }

  /** Whether a request may travel here (RFC 5923: over TLS only if the peer has proved the name, and seen the right certificate). */
  serves(target: SipTarget): boolean {
    if (this.#closing || target.transport !== this.transport) return false
    if (target.port !== this.remote.port || target.host !== this.remote.host) return false
    if (this.transport === 'tcp') return true
    const wanted = target.serverName ?? target.host
    const opened = this.#target
    if (opened !== undefined) {
      return wanted === (opened.serverName ?? opened.host) && target.tlsIdentity === opened.tlsIdentity
    }
    if (target.tlsIdentity !== undefined) return false
    const socket = this.#socket
    return socket instanceof TLSSocket && socket.authorized && provesIdentity(socket.getPeerCertificate(), wanted)
  }

  /** Sends, or reports why not; a peer that does not read is cut off. */
  send(bytes: Uint8Array, onFailed: (reason: string) => void): void {
    if (this.#closing) {
      queueMicrotask(() => onFailed(this.#reason))
      return
    }
    this.#unsent.add(onFailed)
    if (this.#heldBytes + this.#socket.writableLength + bytes.length > SEND_QUEUE_BYTES) {
      this.close('send queue full')
    } else if (this.#held === undefined) {
      this.#write(bytes, onFailed)
    } else {
      this.#held.push({ bytes, onFailed })
      this.#heldBytes += bytes.length
    }
  }

  /** Cuts the connection; what was not sent fails with `reason`. */
  close(reason: string): void {
    if (this.#closing) return
    this.#closing = true
    this.#reason = reason
    this.#deadline.cancel()
    this.#doubt?.cancel()
    this.#socket.destroy()
  }

  /** Cuts the connection when the peer has what it was sent, or has not taken it in time. */
  #closeAnswered(reason: string): void {
    if (this.#closing) return
    this.#closing = true
    this.#reason = reason
    this.#deadline.cancel()
    this.#deadline = this.#clock.after(FAREWELL_MS, 'sip-farewell', () => this.#socket.destroy())
    this.#socket.destroySoon()
  }

  #write(bytes: Uint8Array, onFailed: (reason: string) => void): void {
    this.#lastActivityMs = this.#clock.nowMs()
    this.#socket.write(bytes, (error) => {
      // Failures are told when the socket closes: only then is the cause known.
      if (error === null || error === undefined) this.#unsent.delete(onFailed)
    })
  }

  #watch(): void {
    const socket = this.#socket
    socket.setNoDelay(true)
    socket.setKeepAlive(true, TCP_KEEP_ALIVE_MS)
    if (this.#held !== undefined)
      socket.once(this.transport === 'tls' ? 'secureConnect' : 'connect', () => this.#onConnected())
    socket.on('data', (chunk: Buffer) => this.#onData(chunk))
    socket.on('end', () => this.close('closed by peer'))
    socket.on('error', (error: NodeJS.ErrnoException) => this.close(error.code ?? error.message))
    socket.on('close', () => this.#onClose())
  }

  #onConnected(): void {
    if (this.#closing) return
    this.#log.debug('sip connection opened')
    this.#deadline.cancel()
    this.#awaitSilence(IDLE_MS)
    const held = this.#held ?? []
    this.#held = undefined
    this.#heldBytes = 0
    for (const { bytes, onFailed } of held) this.#write(bytes, onFailed)
  }

  #onData(chunk: Uint8Array): void {
    this.#lastActivityMs = this.#clock.nowMs()
    this.#doubt?.cancel()
    this.#take(this.#framer.push(chunk))
    this.#doubt =
      this.#framer.isDoubtful && !this.#closing
        ? this.#clock.after(DOUBT_MS, 'sip-body-end', () => this.#take(this.#framer.settle()))
        : undefined
  }

  #take(outputs: readonly FramerOutput[]): void {
    for (const output of outputs) {
      if (this.#closing) return
      switch (output.type) {
        case 'message':
          this.#heard = true
          this.#deliver(output.bytes)
          break
        case 'ping':
          this.#heard = true
          this.send(CRLF, () => {})
          break
        case 'pong':
          break
        case 'error':
          this.#log.warn('sip connection lost framing', { code: output.error.code })
          // A request is refused before that, by who knows how; what is no SIP at all gets nothing.
          if (output.error.status !== 0 && output.error.code !== 'bad-start-line') this.#deliver(output.bytes)
          this.#closeAnswered('framing error')
          break
      }
    }
  }

  #deliver(bytes: Uint8Array): void {
    this.#certificate ??= this.#provenCertificate()
    this.#handlers.onMessage(bytes, {
      transport: this.transport,
      local: this.local,
      remote: this.remote,
      connectionId: this.id,
      ...(this.#certificate === undefined ? {} : { certificate: this.#certificate }),
    })
  }

  #provenCertificate(): PeerCertificate | undefined {
    const socket = this.#socket
    return socket instanceof TLSSocket && socket.authorized ? peerCertificate(socket.getPeerCertificate()) : undefined
  }

  #onFirstMessageDue(): void {
    if (this.#heard) this.#awaitSilence(IDLE_MS)
    else this.close('no message in time')
  }

  /** One lazy timer, re-armed when it fires, instead of one timer per message. */
  #awaitSilence(delayMs: number): void {
    this.#deadline = this.#clock.after(delayMs, 'sip-idle', () => {
      const leftMs = this.#lastActivityMs + IDLE_MS - this.#clock.nowMs()
      if (leftMs > 0) this.#awaitSilence(leftMs)
      else this.close('idle')
    })
  }

  #onClose(): void {
    this.close('connection closed')
    this.#deadline.cancel()
    this.#log.debug('sip connection closed', { reason: this.#reason })
    this.#handlers.onClosed(this)
    const unsent = [...this.#unsent]
    this.#unsent.clear()
    for (const onFailed of unsent) onFailed(this.#reason)
  }
}

/** IPv4 peers of a dual-stack socket come as `::ffff:a.b.c.d`. */
export function plainHost(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice('::ffff:'.length) : address
}
