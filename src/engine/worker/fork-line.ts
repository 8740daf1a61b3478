// A fork in its worker: the copying stream, its gate, its sockets and RTCP.

import { CodecTable, Fork, Gate, OutgoingStream, SignsOfLife, type StreamIdentity } from '#media'
import { mediaError } from '../errors.ts'
import type { ForkCounters, ForkRemote, GateReceipt, Tap } from '../media-engine.ts'
import type { PortPair } from '../port-pool.ts'
import { canonicalEndpoint } from './address.ts'
import type { LineListener } from './leg-line.ts'
import { RtcpLine } from './rtcp-line.ts'
import { RtpSocket } from './rtp-socket.ts'
import { SecureChannel, SecurePort } from './secure-channel.ts'
import type { WorkerContext } from './worker-context.ts'

const DRAIN_TIMEOUT_MS = 500
const REFUSED_EVENT_EVERY_MS = 5000

/** One fork with its port pair. */
export class ForkLine {
  readonly fork: Fork
  tap: Tap
  readonly #pair: PortPair
  readonly #context: WorkerContext
  readonly #socket: RtpSocket
  readonly #channel = new SecureChannel()
  readonly #rtcp: RtcpLine
  readonly #listener: LineListener
  readonly #signs = new SignsOfLife()
  #refusedAtMs = Number.NEGATIVE_INFINITY

  constructor(
    id: string,
    tap: Tap,
    gate: SharedArrayBuffer,
    pair: PortPair,
    identity: StreamIdentity,
    context: WorkerContext,
    listener: LineListener,
  ) {
    this.tap = tap
    this.#pair = pair
    this.#context = context
    this.#listener = listener
    this.#socket = new RtpSocket(pair.rtp, {
      onDatagram: () => this.#onHeard(),
      onSendError: (code) => this.#onSendError(code),
      onFault: listener.onFault,
    })
    const stream = new OutgoingStream(identity, context.sourceIds.next())
    const port = new SecurePort(this.#socket, this.#channel)
    this.fork = new Fork(id, stream, Gate.attach(gate), port, () =>
      listener.onEvent({ type: 'fork-first-packet', fork: id, atMs: context.clock.wallMs() }),
    )
    this.#rtcp = new RtcpLine(pair, this.#channel, stream, undefined, context, {
      onHeard: () => this.#onHeard(),
      onFault: listener.onFault,
    })
  }

  connect(remote: ForkRemote): void {
    const rtp = canonicalEndpoint(remote.remote.rtp)
    const rtcp = canonicalEndpoint(remote.remote.rtcp)
    if (rtp === undefined) throw mediaError('media.bad-address', 'a fork needs an address to send to')
    this.#channel.rekey(remote.srtp)
    this.#socket.aim(rtp, true)
    this.#rtcp.aim(rtcp)
    this.fork.connect(new CodecTable(remote.codecs))
  }

  /** Looks for signs of life of the recorder; to be called a few times a second. */
  sweep(nowMs: number): void {
    const { id, gate, firstAtMs } = this.fork
    const forMs = this.#signs.sweep(nowMs, gate.isOpen && firstAtMs !== undefined)
    if (forMs !== undefined) this.#listener.onEvent({ type: 'fork-unheard', fork: id, forMs: Math.round(forMs) })
  }

  /** Waits until nothing is queued, then says what was sent last; the gate was shut by the main thread. */
  async receipt(): Promise<GateReceipt> {
    const { clock } = this.#context
    const drained = await this.#socket.drained(clock, DRAIN_TIMEOUT_MS)
    const { stream, id, held } = this.fork
    const last = stream.last
    return {
      fork: id,
      ssrc: stream.ssrc,
      packetsSent: stream.packets,
      packetsHeld: held,
      drained,
      ...(last === undefined
        ? {}
        : {
            lastSequence: last.sequence,
            lastTimestamp: last.timestamp,
            lastSentAtMs: clock.wallMs() - clock.nowMs() + last.atMs,
          }),
    }
  }

  counters(): ForkCounters {
    const { clock } = this.#context
    const originMs = clock.wallMs() - clock.nowMs()
    const { stream, id, held, sendErrors, firstAtMs } = this.fork
    const { lastHeardAtMs } = this.#signs
    const last = stream.last
    return {
      fork: id,
      ssrc: stream.ssrc,
      packets: stream.packets,
      bytes: stream.octets,
      held,
      sendErrors: sendErrors + this.#socket.sendErrors,
      receiverReports: this.#rtcp.session.receiverReports,
      ...(firstAtMs === undefined ? {} : { firstAtMs: originMs + firstAtMs }),
      ...(last === undefined ? {} : { lastAtMs: originMs + last.atMs }),
      ...(lastHeardAtMs === undefined ? {} : { lastHeardAtMs: originMs + lastHeardAtMs }),
    }
  }

  async close(): Promise<void> {
    this.#rtcp.close()
    this.#socket.close()
    await this.#context.pool.release(this.#pair)
  }

  /** The socket is connected, so any datagram is of the recorder. */
  #onHeard(): void {
    const { clock } = this.#context
    if (!this.#signs.heard(clock.nowMs())) return
    this.#listener.onEvent({ type: 'fork-heard', fork: this.fork.id, atMs: clock.wallMs() })
  }

  #onSendError(code: string): void {
    const nowMs = this.#context.clock.nowMs()
    if (nowMs - this.#refusedAtMs < REFUSED_EVENT_EVERY_MS) return
    this.#refusedAtMs = nowMs
    const address = this.#socket.target
    this.#listener.onEvent({
      type: 'fork-refused',
      fork: this.fork.id,
      reason: code,
      ...(address === undefined ? {} : { address }),
    })
  }
}
