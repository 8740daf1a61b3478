// A fork: copies of what a tap sees, sent to one recorder as an RTP stream of its own (RFC 7866 section 8.2.3, RTP-07).

import type { Clock } from '#kernel'
import type { CodecTable } from './codec.ts'
import type { Gate } from './gate.ts'
import type { MediaPacket, RtpPort } from './media-packet.ts'
import type { OutgoingStream } from './outgoing-stream.ts'
import type { KeptPacket } from './packet-memory.ts'
import { Replay } from './replay.ts'

/** What a fork tells about itself. */
export interface ForkListener {
  onFirstPacket(): void
  /** A replay has ended; times are monotonic, of when the packets were carried. */
  onReplayed(fromMs: number, toMs: number, packets: number): void
}

/** Copies packets to a recorder while its gate is open. */
export class Fork {
  readonly id: string
  readonly stream: OutgoingStream
  readonly gate: Gate
  held = 0
  sendErrors = 0
  replayed = 0
  firstAtMs: number | undefined
  /** When the last packet left. */
  lastAtMs: number | undefined
  readonly #port: RtpPort
  readonly #clock: Clock
  readonly #listener: ForkListener
  #codecs: CodecTable | undefined
  #replay: Replay | 'to-come' | undefined

  constructor(id: string, stream: OutgoingStream, gate: Gate, port: RtpPort, clock: Clock, listener: ForkListener) {
    this.id = id
    this.stream = stream
    this.gate = gate
    this.#port = port
    this.#clock = clock
    this.#listener = listener
  }

  /** From now on packets may leave, in the encodings that the recorder accepted. */
  connect(codecs: CodecTable): void {
    this.#codecs = codecs
  }

  /** Sends nothing before `replay`, so that what is remembered comes first. */
  awaitReplay(): void {
    this.#replay = 'to-come'
  }

  /** A replay is awaited and nothing stands in its way. */
  get isReadyToReplay(): boolean {
    return this.#replay === 'to-come' && this.#codecs !== undefined && this.gate.isOpen
  }

  /** Sends what was remembered, as long as the gate stays open and `isAllowed`; live packets wait behind. */
  replay(packets: readonly KeptPacket[], isAllowed: () => boolean): void {
    this.#replay = undefined
    if (packets.length === 0) return
    const replay = new Replay(packets, this.#clock, () => this.gate.isOpen && isAllowed(), {
      onPacket: (packet) => this.#resend(packet),
      onEnd: (ended, left) => this.#onReplayEnd(ended, left),
    })
    this.#replay = replay
    replay.start()
  }

  /** Ends a replay under way; live packets go on at once. */
  endReplay(): void {
    if (this.#replay instanceof Replay) this.#replay.stop()
  }

  /** What is remembered is not sent any more, and not later either. */
  cancelReplay(): void {
    this.endReplay()
    this.#replay = undefined
  }

  /** Copies one packet, or holds it back. */
  copy(packet: MediaPacket, nowMs: number): void {
    if (this.#codecs === undefined || this.#replay === 'to-come') return
    if (this.#replay === undefined) this.#send(packet, nowMs, nowMs)
    else if (!this.#replay.wait(packet, nowMs)) this.held++
  }

  #resend(packet: KeptPacket): boolean {
    const isSent = this.#send(packet, packet.atMs, this.#clock.nowMs())
    if (isSent) this.replayed++
    return isSent
  }

  /** `carriedAtMs`: when the packet was carried, which is its place on the stream's clock. */
  #send(packet: MediaPacket, carriedAtMs: number, nowMs: number): boolean {
    const payloadType = this.#codecs?.sent(packet.payload)
    if (payloadType === undefined || !this.gate.isOpen) {
      if (payloadType !== undefined) this.held++
      this.stream.cut()
      return false
    }
    const header = this.stream.stamp(packet, payloadType, carriedAtMs)
    if (header === undefined) return false
    if (!this.#port.send(header, packet)) this.sendErrors++
    this.lastAtMs = nowMs
    if (this.firstAtMs !== undefined) return true
    this.firstAtMs = nowMs
    this.#listener.onFirstPacket()
    return true
  }

  #onReplayEnd(replay: Replay, left: number): void {
    this.#replay = undefined
    this.held += left
    if (left > 0) this.stream.cut()
    if (replay.packets > 0) this.#listener.onReplayed(replay.fromMs, replay.toMs, replay.packets)
  }
}
