// A fork in its worker: the copying stream, its gate, its sockets and RTCP.

import { sameEndpoint } from '#kernel'
import {
  CodecTable,
  type ContributingSource,
  Fork,
  ForkMixer,
  Gate,
  OutgoingStream,
  type PacketTaker,
  SignsOfLife,
} from '#media'
import { type RtcpFeedback, SecureChannel } from '#rtp'
import { mediaError } from '../errors.ts'
import type { ForkCounters, ForkRemote, GateReceipt, Mix, Tap } from '../media-engine.ts'
import type { PortPair } from '../port-pool.ts'
import { canonicalEndpoint } from './address.ts'
import type { LegLine, LineListener } from './leg-line.ts'
import type { CallCommands } from './protocol.ts'
import { RtcpLine } from './rtcp-line.ts'
import { RtpSocket } from './rtp-socket.ts'
import { SecurePort } from './secure-port.ts'
import { keyOf, type TapMemories } from './tap-memories.ts'
import type { WorkerContext } from './worker-context.ts'

const DRAIN_TIMEOUT_MS = 500
const REFUSED_EVENT_EVERY_MS = 5000

/** What a fork tells its call besides. */
export interface ForkLineListener extends LineListener {
  /** The recorder needs a whole picture of what a tap carries. */
  onKeyFrameWanted(tap: Tap): void
}

/** One fork with its port pair. */
export class ForkLine {
  readonly fork: Fork
  readonly #pair: PortPair
  readonly #context: WorkerContext
  readonly #socket: RtpSocket
  readonly #channel = new SecureChannel()
  readonly #rtcp: RtcpLine
  readonly #listener: ForkLineListener
  readonly #signs = new SignsOfLife()
  readonly #replayFromMs: number | undefined
  #tap: Tap | Mix
  #mixer: ForkMixer | undefined
  #isMasking: boolean
  /** What mixers before this one left out. */
  #maskedBefore = 0
  #refusedAtMs = Number.NEGATIVE_INFINITY

  constructor(
    { options, gate, identity }: CallCommands['addFork']['request'],
    pair: PortPair,
    context: WorkerContext,
    listener: ForkLineListener,
  ) {
    const { id, tap, replayFromMs } = options
    this.#tap = tap
    this.#isMasking = options.maskDtmf ?? false
    this.#replayFromMs = replayFromMs
    this.#pair = pair
    this.#context = context
    this.#listener = listener
    this.#socket = new RtpSocket(pair.rtp, {
      onDatagram: (bytes, host, port) => {
        if (!this.#rtcp.take(bytes, host, port)) this.#onHeard()
      },
      onSendError: (code) => this.#onSendError(code),
      onFault: listener.onFault,
    })
    const stream = new OutgoingStream(identity, context.sourceIds.next())
    const port = new SecurePort(this.#socket, this.#channel)
    this.fork = new Fork(
      id,
      stream,
      Gate.attach(gate),
      port,
      context.copyClock,
      {
        onFirstPacket: () => listener.onEvent({ type: 'fork-first-packet', fork: id, atMs: context.clock.wallMs() }),
        onReplayed: (fromMs, toMs, packets) => {
          const originMs = this.#originMs
          listener.onEvent({
            type: 'fork-replayed',
            fork: id,
            fromMs: originMs + fromMs,
            toMs: originMs + toMs,
            packets,
          })
        },
      },
      context.opus,
    )
    if (replayFromMs !== undefined) this.fork.awaitReplay()
    const onFeedback = (feedback: RtcpFeedback) => this.#onFeedback(feedback)
    const contributors = () => this.#mixer?.names ?? []
    this.#rtcp = new RtcpLine(pair, this.#channel, stream, { contributors, onFeedback }, context, {
      onHeard: () => this.#onHeard(),
      onFault: listener.onFault,
    })
    this.move(tap)
  }

  /** Copies another tap, or adds up others: the stream to the recorder goes on. */
  move(tap: Tap | Mix): void {
    this.#tap = tap
    if (!('mix' in tap)) this.#endMix()
    else if (this.#mixer === undefined) {
      const { copyClock, sourceIds, opus } = this.#context
      this.#mixer = new ForkMixer(this.fork, copyClock, sourceIds, (csrcs) => this.#rtcp.session.sayGone(csrcs), opus)
    }
    this.maskDtmf(this.#isMasking)
  }

  /** Leaves keys out of the copy, or not; in a mix each contributor's before it is added. */
  maskDtmf(isMasking: boolean): void {
    this.#isMasking = isMasking
    this.#mixer?.maskDtmf(isMasking)
    this.fork.maskDtmf(isMasking && this.#mixer === undefined)
  }

  /** Takes notice of which legs there are. */
  follow(legs: ReadonlyMap<string, LegLine>): void {
    if (!('mix' in this.#tap)) return
    const sources = new Map<string, ContributingSource>()
    for (const tap of this.#tap.mix) {
      const leg = legs.get(tap.leg)?.relay
      if (leg !== undefined) sources.set(keyOf(tap), tap.point === 'received' ? leg.incoming : leg.outgoing)
    }
    this.#mixer?.setSources(sources)
  }

  /** Who takes what a tap carries, when this fork copies it. */
  takerOf(tap: Tap): PacketTaker | undefined {
    if (this.#mixer !== undefined) return this.#mixer.takerOf(keyOf(tap))
    return !('mix' in this.#tap) && keyOf(this.#tap) === keyOf(tap) ? this.fork : undefined
  }

  connect(remote: ForkRemote): void {
    const rtp = canonicalEndpoint(remote.remote.rtp)
    const rtcp = canonicalEndpoint(remote.remote.rtcp)
    if (rtp === undefined) throw mediaError('media.bad-address', 'a fork needs an address to send to')
    this.#channel.rekey(remote.srtp)
    this.#socket.aim(rtp, true)
    this.#rtcp.aim(rtcp, rtcp !== undefined && sameEndpoint(rtcp, rtp) ? this.#socket : undefined)
    this.fork.connect(new CodecTable(remote.codecs))
  }

  /** Sends what is remembered of the tap, when that was asked for and the way is clear for the first time. */
  replay(memories: TapMemories): void {
    if (this.#replayFromMs === undefined || !this.fork.isReadyToReplay) return
    const nowMs = this.#context.clock.nowMs()
    const fromMs = this.#replayFromMs - this.#originMs
    const isAllowed = () => memories.isAllowed
    const taps = 'mix' in this.#tap ? this.#tap.mix : [this.#tap]
    const tapped = taps.flatMap((tap) =>
      memories.since(tap, fromMs, nowMs).map((packet) => ({ key: keyOf(tap), packet })),
    )
    if (this.#mixer === undefined) {
      this.fork.replay(
        tapped.map(({ packet }) => packet),
        isAllowed,
      )
    } else {
      this.fork.replay([], isAllowed)
      this.#mixer.replay(
        tapped.sort((a, b) => a.packet.atMs - b.packet.atMs),
        isAllowed,
      )
    }
    // The sender report tells the recorder what time the first packets are of.
    if (tapped.length > 0) this.#rtcp.session.reportNow()
  }

  /** Nothing remembered is sent any more; live packets go on at once. */
  endReplay(): void {
    this.#mixer?.endReplay()
    this.fork.endReplay()
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
    this.#cancelReplay()
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
      masked: masked + this.#maskedBefore + (this.#mixer?.masked ?? 0),
      ...(firstAtMs === undefined ? {} : { firstAtMs: originMs + firstAtMs }),
      ...(lastAtMs === undefined ? {} : { lastAtMs: originMs + lastAtMs }),
      ...(lastHeardAtMs === undefined ? {} : { lastHeardAtMs: originMs + lastHeardAtMs }),
    }
  }

  async close(): Promise<void> {
    this.#cancelReplay()
    this.#mixer?.stop()
    this.#rtcp.close()
    this.#socket.close()
    await this.#context.pool.release(this.#pair)
  }

  /** What is remembered is not sent any more, and not later either. */
  #cancelReplay(): void {
    this.#mixer?.endReplay()
    this.fork.cancelReplay()
  }

  #endMix(): void {
    if (this.#mixer === undefined) return
    this.#mixer.setSources(new Map())
    this.#mixer.stop()
    this.#maskedBefore += this.#mixer.masked
    this.#mixer = undefined
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

  /** Packets that a recorder lost are not asked for: the party would send them to the call once more. */
  #onFeedback(feedback: RtcpFeedback): void {
    if ('mix' in this.#tap || feedback.type === 'nack') return
    const { ssrc } = this.fork.stream
    const asked = feedback.type === 'full-intra' ? feedback.requests.map((one) => one.ssrc) : [feedback.mediaSsrc]
    if (asked.includes(ssrc)) this.#listener.onKeyFrameWanted(this.#tap)
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
