// RTCP socket and session of one leg or fork: symmetric, latched like RTP (RTP-02, RTP-03).

import type { Endpoint } from '#kernel'
import { Latch, type OutgoingStream, RtcpSession, type RtcpSessionOptions } from '#media'
import { isRtcp, type SecureChannel } from '#rtp'
import type { PortPair } from '../port-pool.ts'
import { RtpSocket } from './rtp-socket.ts'
import type { WorkerContext } from './worker-context.ts'

/** RTCP comes every few seconds: a shorter silence says nothing. */
const RELATCH_AFTER_MS = 15_000

/** What an RTCP line tells its leg or fork. */
export interface RtcpListener {
  /** RTCP came from the peer, or from another port of its host. */
  onHeard(): void
  onFault(fault: unknown): void
}

/** Sends and receives the RTCP of one stream. */
export class RtcpLine {
  readonly session: RtcpSession
  readonly #socket: RtpSocket
  readonly #latch = new Latch(RELATCH_AFTER_MS)
  readonly #channel: SecureChannel
  readonly #context: WorkerContext
  readonly #listener: RtcpListener
  #peerHost: string | undefined
  /** The socket of the RTP where the peer takes both on one port (RFC 5761). */
  #shared: RtpSocket | undefined

  constructor(
    pair: PortPair,
    channel: SecureChannel,
    stream: OutgoingStream,
    heard: Pick<RtcpSessionOptions, 'incoming' | 'contributors' | 'onFeedback'>,
    context: WorkerContext,
    listener: RtcpListener,
  ) {
    this.#channel = channel
    this.#context = context
    this.#listener = listener
    this.#socket = new RtpSocket(pair.rtcp, {
      onDatagram: (bytes, host, port) => this.#onDatagram(bytes, host, port),
      onSendError: () => {},
      onFault: (fault) => listener.onFault(fault),
    })
    this.session = new RtcpSession({
      stream,
      ...heard,
      clock: context.clock,
      random: context.random,
      minimumMs: context.rtcpMinimumMs,
      send: (compound) => this.#send(compound),
    })
  }

  /** Takes the peer's address; reports begin with the first one. With `shared` they go by that socket, which is aimed there. */
  aim(remote: Endpoint | undefined, shared?: RtpSocket): void {
    this.#shared = shared
    this.#peerHost = remote?.host
    this.#latch.expect(remote, this.#context.clock.nowMs())
    this.#socket.aim(this.#latch.target, false)
    if (remote !== undefined) this.session.start()
  }

  /** Reads what came to the shared socket; false: it is not RTCP, or the socket is not shared. */
  take(bytes: Uint8Array, host: string, port: number): boolean {
    if (this.#shared === undefined || !isRtcp(bytes)) return false
    this.#onDatagram(bytes, host, port)
    return true
  }

  /** Says BYE and stops. */
  close(): void {
    this.session.close()
    this.#socket.close()
  }

  #send(compound: Uint8Array): void {
    const datagram = this.#channel.sealRtcp(compound)
    if (datagram !== undefined) (this.#shared ?? this.#socket).sendDatagram(datagram)
  }

  #onDatagram(bytes: Uint8Array, host: string, port: number): void {
    if (!isRtcp(bytes)) return
    const compound = this.#channel.openRtcp(bytes)
    if (compound === undefined) return
    const verdict = this.#latch.accept(host, port, this.#context.clock.nowMs(), this.#channel.isSecured)
    if (verdict !== 'refused' || host === this.#peerHost) this.#listener.onHeard()
    if (verdict === 'refused') return
    if (verdict === 'latched') this.#socket.aim(this.#latch.target, false)
    this.session.onDatagram(compound)
  }
}
