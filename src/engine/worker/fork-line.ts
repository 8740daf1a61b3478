// A fork in its worker: the copying stream, its gate, its sockets and RTCP.

import { CodecTable, Fork, Gate, OutgoingStream, SignsOfLife } from '#media'
import { SecureChannel } from '#rtp'
import { mediaError } from '../errors.ts'
import type { ForkCounters, ForkRemote, GateReceipt, Tap } from '../media-engine.ts'
import type { PortPair } from '../port-pool.ts'
import { canonicalEndpoint } from './address.ts'
import type { LineListener } from './leg-line.ts'
import type { CallCommands } from './protocol.ts'
import { RtcpLine } from './rtcp-line.ts'
import { RtpSocket } from './rtp-socket.ts'
import { SecurePort } from './secure-port.ts'
import type { TapMemories } from './tap-memories.ts'
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
  readonly #replayFromMs: number | undefined
  #refusedAtMs = Number.NEGATIVE_INFINITY

  constructor(
    { options, gate, identity }: CallCommands['addFork']['request'],
    pair: PortPair,
    context: WorkerContext,
    listener: LineListener,
  ) {
    const { id, tap, replayFromMs } = options
    this.tap = tap
    this.#replayFromMs = replayFromMs
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
    this.fork = new Fork(id, stream, Gate.attach(gate), port, context.clock, {
      onFirstPacket: () => listener.onEvent({ type: 'fork-first-packet', fork: id, atMs: context.clock.wallMs() }),
      onReplayed: (fromMs, toMs, packets) => {
        const originMs = this.#originMs
        listener.onEvent({ type: 'fork-replayed', fork: id, fromMs: originMs + fromMs, toMs: originMs + toMs, packets })
      },
    })
    if (replayFromMs !== undefined) this.fork.awaitReplay()
    this.fork.maskDtmf(options.maskDtmf ?? false)
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

  /** Sends what is remembered of the tap, when that was asked for and the way is clear for the first time. */
  replay(memories: TapMemories): void {
    if (this.#replayFromMs === undefined || !this.fork.isReadyToReplay) return
    const nowMs = this.#context.clock.nowMs()
    const packets = memories.since(this.tap, this.#replayFromMs - this.#originMs, nowMs)
    this.fork.replay(packets, () => memories.isAllowed)
    // The sender report tells the recorder what time the first packets are of.
    if (packets.length > 0) this.#rtcp.session.reportNow()
  }

  /** Waits until nothing is queued; false when that took too long. */
  async drained(): Promise<boolean> {
    return await this.#socket.drained(this.#context.clock, DRAIN_TIMEOUT_MS)
  }

  /** Looks for signs of life of the recorder, and after packets that wait in vain; to be called a few times a second. */
  sweep(nowMs: number): void {
    this.fork.sweep(nowMs)
    const { id, gate, firstAtMs } = this.fork
    const forMs = this.#signs.sweep(nowMs, gate.isOpen && firstAtMs !== undefined)
    if (forMs !== undefined) this.#listener.onEvent({ type: 'fork-unheard', fork: id, forMs: Math.round(forMs) })
  }

  /** Waits until nothing is queued, then says what was sent last; the gate was shut by the main thread. */
  async receipt(): Promise<GateReceipt> {
    this.fork.cancelReplay()
    const drained = await this.drained()
    const { stream, id, held, lastAtMs } = this.fork
    const last = stream.last
    return {
      fork: id,
      ssrc: stream.ssrc,
      packetsSent: stream.packets,
      packetsHeld: held,
      drained,
      ...(last === undefined ? {} : { lastSequence: last.sequence, lastTimestamp: last.timestamp }),
      ...(lastAtMs === undefined ? {} : { lastSentAtMs: this.#originMs + lastAtMs }),
    }
  }

  counters(): ForkCounters {
    const originMs = this.#originMs
    const { stream, id, held, sendErrors, replayed, masked, firstAtMs, lastAtMs } = this.fork
    const { lastHeardAtMs } = this.#signs
    return {
      fork: id,
      ssrc: stream.ssrc,
      packets: stream.packets,
      bytes: stream.octets,
      held,
      sendErrors: sendErrors + this.#socket.sendErrors,
      receiverReports: this.#rtcp.session.receiverReports,
      replayed,
      masked,
      ...(firstAtMs === undefined ? {} : { firstAtMs: originMs + firstAtMs }),
      ...(lastAtMs === undefined ? {} : { lastAtMs: originMs + lastAtMs }),
      ...(lastHeardAtMs === undefined ? {} : { lastHeardAtMs: originMs + lastHeardAtMs }),
    }
  }

  async close(): Promise<void> {
    this.fork.cancelReplay()
    this.#rtcp.close()
    this.#socket.close()
    await this.#context.pool.release(this.#pair)
  }

  /** Wall clock at monotonic 0. */
  get #originMs(): number {
    const { clock } = this.#context
    return clock.wallMs() - clock.nowMs()
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
