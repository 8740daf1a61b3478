// A leg in its worker: the relay of the party and the sockets and RTCP around it.

import { FeedbackSender, OutgoingStream, PromptPlayer, RelayLeg, type StreamCount, TonePlayer } from '#media'
import { type RtcpFeedback, SecureChannel } from '#rtp'
import type { LegMedia, MediaEvent, PlayEnd, Prompt, StreamCounters, Tone } from '../media-engine.ts'
import type { PortPair } from '../port-pool.ts'
import { canonicalEndpoint } from './address.ts'
import type { CallCommands } from './protocol.ts'
import { RtcpLine } from './rtcp-line.ts'
import { RtpSocket } from './rtp-socket.ts'
import { SecurePort } from './secure-port.ts'
import type { WorkerContext } from './worker-context.ts'

/** What a leg or fork tells its call. */
export interface LineListener {
  onEvent(event: MediaEvent): void
  onFault(fault: unknown): void
  /** A bug that costs copies, and nothing of the call. */
  onCopyFault(fault: unknown): void
}

/** One leg with its port pair. */
export class LegLine {
  readonly relay: RelayLeg
  readonly #id: string
  readonly #pair: PortPair
  readonly #context: WorkerContext
  readonly #socket: RtpSocket
  readonly #channel = new SecureChannel()
  readonly #rtcp: RtcpLine
  readonly #listener: LineListener
  #player: PromptPlayer | undefined
  #tone: TonePlayer | undefined
  #endOfPlay: PlayEnd = 'stopped'

  constructor(
    { leg: id, kind, identity }: CallCommands['addLeg']['request'],
    pair: PortPair,
    context: WorkerContext,
    listener: LineListener,
  ) {
    this.#id = id
    this.#pair = pair
    this.#context = context
    this.#listener = listener
    this.#socket = new RtpSocket(pair.rtp, {
      onDatagram: (bytes, host, port) => this.#onDatagram(bytes, host, port),
      onSendError: () => {},
      onFault: listener.onFault,
    })
    const outgoing = new OutgoingStream(identity, context.sourceIds.next())
    const port = new SecurePort(this.#socket, this.#channel)
    this.relay = new RelayLeg(outgoing, context.sourceIds, port, context.copies, {
      onCopyFault: listener.onCopyFault,
      onFirstPacket: () => listener.onEvent({ type: 'first-packet', leg: id }),
      onDigit: ({ digit, durationMs }) => listener.onEvent({ type: 'dtmf', leg: id, digit, durationMs }),
    })
    const { incoming } = this.relay
    const heard = { incoming, onFeedback: (feedback: RtcpFeedback) => this.#onFeedback(feedback) }
    this.#rtcp = new RtcpLine(pair, this.#channel, outgoing, heard, context, {
      onHeard: () => this.relay.onSignOfLife(context.clock.nowMs()),
      onFault: listener.onFault,
    })
    if (kind === 'audio') return
    this.relay.feedback = new FeedbackSender(this.relay, context.clock, (feedback) => this.#rtcp.session.ask(feedback))
  }

  configure(media: LegMedia): void {
    const rtp = media.remote === undefined ? undefined : canonicalEndpoint(media.remote.rtp)
    const rtcp = media.remote === undefined ? undefined : canonicalEndpoint(media.remote.rtcp)
    const { codecs, send, receive } = media
    this.#channel.rekey(media.srtp)
    const { isSecured } = this.#channel
    this.relay.configure(
      { ...(rtp === undefined ? {} : { remote: rtp }), codecs, send, receive, isSecured },
      this.#context.clock.nowMs(),
    )
    this.#rtcp.aim(rtcp)
  }

  play(prompt: Prompt, onEnd: (end: PlayEnd) => void): void {
    this.stopPlaying()
    this.#endOfPlay = 'stopped'
    const { clock, sourceIds } = this.#context
    this.#player = new PromptPlayer(this.relay, prompt, clock, sourceIds, (how) =>
      onEnd(how === 'finished' ? 'finished' : this.#endOfPlay),
    )
  }

  stopPlaying(): void {
    this.#player?.stop()
    this.#player = undefined
  }

  /** Lays a tone over what the party hears, in place of one that is. */
  setTone(tone: Tone | undefined): void {
    this.#tone?.stop()
    const { clock, sourceIds, opus } = this.#context
    this.#tone = tone === undefined ? undefined : new TonePlayer(this.relay, tone, clock, sourceIds, opus)
  }

  sweep(nowMs: number): void {
    const forMs = this.relay.sweep(nowMs, this.#context.silentAfterMs)
    // A picture that stands still, or a camera that is off, is no silence.
    if (forMs === undefined || this.relay.feedback !== undefined) return
    this.#listener.onEvent({ type: 'silent', leg: this.#id, forMs: Math.round(forMs) })
  }

  counters(): { readonly received: StreamCounters; readonly sent: StreamCounters } {
    const { clock } = this.#context
    const originMs = clock.wallMs() - clock.nowMs()
    return {
      received: streamCounters(this.relay.received, this.relay.incoming.lost, originMs),
      sent: streamCounters(this.relay.sent, 0, originMs),
    }
  }

  #onDatagram(datagram: Uint8Array, host: string, port: number): void {
    const packet = this.#channel.openRtp(datagram)
    if (packet === undefined) this.relay.received.refused++
    else this.relay.onDatagram(packet, host, port, this.#context.clock.nowMs())
  }

  /** What the party says of the video that we send it is for who sends it. */
  #onFeedback(feedback: RtcpFeedback): void {
    this.relay.peer?.feedback?.forward(feedback, this.relay.outgoing)
  }

  async close(): Promise<void> {
    this.#endOfPlay = 'leg-gone'
    this.stopPlaying()
    this.setTone(undefined)
    this.#rtcp.close()
    this.#socket.close()
    await this.#context.pool.release(this.#pair)
  }
}

function streamCounters(count: StreamCount, lost: number, originMs: number): StreamCounters {
  return {
    packets: count.packets,
    bytes: count.bytes,
    lost,
    refused: count.refused,
    ...(count.firstAtMs === undefined ? {} : { firstAtMs: originMs + count.firstAtMs }),
    ...(count.packets === 0 ? {} : { lastAtMs: originMs + count.lastAtMs }),
  }
}
