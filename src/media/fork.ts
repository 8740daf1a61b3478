// A fork: copies of what a tap sees, sent to one recorder as an RTP stream of its own (RFC 7866 section 8.2.3, RTP-07).

import type { OpusDecoders } from '#audio'
import type { Clock } from '#kernel'
import type { CodecTable, G711Encoding, Payload } from './codec.ts'
import { DtmfMask, type MaskedPacket } from './dtmf-mask.ts'
import type { Gate } from './gate.ts'
import type { MediaPacket, RtpPort } from './media-packet.ts'
import type { OutgoingStream } from './outgoing-stream.ts'
import type { KeptPacket } from './packet-memory.ts'
import { Replay } from './replay.ts'
import { Transcoder } from './transcoder.ts'

const ALWAYS = (): boolean => true

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
  readonly #opus: OpusDecoders | undefined
  readonly #mask: DtmfMask
  #isMasking = false
  #codecs: CodecTable | undefined
  #transcoder: Transcoder | undefined
  #replay: Replay | 'to-come' | undefined

  /** `opus`: absent when it cannot be read. */
  constructor(
    id: string,
    stream: OutgoingStream,
    gate: Gate,
    port: RtpPort,
    clock: Clock,
    listener: ForkListener,
    opus?: OpusDecoders,
  ) {
    this.#opus = opus
    this.#mask = new DtmfMask((passed) => this.#onPassed(passed), opus)
    this.id = id
    this.stream = stream
    this.gate = gate
    this.#port = port
    this.#clock = clock
    this.#listener = listener
  }

  /** From now on packets may leave, in the encodings that the recorder accepted. */
  connect(codecs: CodecTable): void {
    if (codecs.g711 !== this.#codecs?.g711) {
      this.#transcoder = codecs.g711 === undefined ? undefined : new Transcoder(codecs.g711, this.#opus)
    }
    this.#codecs = codecs
  }

  /** The law of G.711 that the recorder takes, once it has answered. */
  get g711(): G711Encoding | undefined {
    return this.#codecs?.g711
  }

  /** Packets left out or blanked by the mask. */
  get masked(): number {
    return this.#mask.masked
  }

  /** Leaves the keys that a party presses out of the copy, or not; while it does, audio is late by a packet. */
  maskDtmf(isMasking: boolean): void {
    this.#isMasking = isMasking
    if (isMasking) return
    this.#mask.flush()
    if (this.#mask.endCut()) this.stream.cut()
  }

  /** To be called now and then: lets go what waits for a next packet that does not come. */
  sweep(nowMs: number): void {
    this.#mask.sweep(nowMs)
  }

  /** Sends what is held back for the next packet, since none will come. */
  flush(): void {
    this.#mask.flush()
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
    const mayReplay = (): boolean => this.gate.isOpen && isAllowed()
    const replay = new Replay(packets, this.#clock, mayReplay, {
      onPacket: (packet) => this.#resend(packet, isAllowed),
      onEnd: (ended, left) => this.#onReplayEnd(ended, left),
    })
    this.#replay = replay
    replay.start()
  }

  /** Notes what a mix has sent of the past; the times are monotonic. */
  noteReplay(fromMs: number, toMs: number, packets: number): void {
    if (packets > 0) this.#listener.onReplayed(fromMs, toMs, packets)
  }

  /** Ends a replay under way and forgets what of it is held back; live packets go on at once. */
  endReplay(): void {
    if (this.#replay instanceof Replay) this.#replay.stop()
    this.#dropHeld()
  }

  /** What is remembered is not sent any more, and not later either. */
  cancelReplay(): void {
    this.endReplay()
    this.#replay = undefined
  }

  /** Copies one packet, or holds it back. */
  copy(packet: MediaPacket, nowMs: number): void {
    if (this.#codecs === undefined || this.#replay === 'to-come') return
    if (this.#replay === undefined) this.#pass(packet, nowMs, ALWAYS)
    else if (!this.#replay.wait(packet, nowMs)) this.held++
  }

  #resend(packet: KeptPacket, isAllowed: () => boolean): boolean {
    const isPassed = this.#pass(packet, packet.atMs, isAllowed)
    if (isPassed) this.replayed++
    return isPassed
  }

  /** Brings a packet that was carried at `atMs` into the recorder's encoding and through the mask; false when it is left out. */
  #pass(packet: MediaPacket, atMs: number, isAllowed: () => boolean): boolean {
    if (!this.gate.isOpen) {
      if (this.#canSend(packet.payload)) this.held++
      this.#dropHeld()
      this.stream.cut()
      return false
    }
    // Keys tell the mask when audio has tones, whether or not the recorder takes them.
    if (this.#isMasking && packet.payload.isEvent) return this.#mask.take(packet, atMs, isAllowed)
    const ready = this.#codecs?.sent(packet.payload) === undefined ? this.#transcoder?.convert(packet) : packet
    if (ready === undefined) {
      if (this.#isMasking) this.#mask.cut()
      else this.stream.cut()
      return false
    }
    if (this.#isMasking) return this.#mask.take(ready, atMs, isAllowed)
    this.#send(ready, atMs)
    return true
  }

  #onPassed({ packet, isAllowed, isAfterCut }: MaskedPacket): void {
    if (isAfterCut) this.stream.cut()
    if (this.gate.isOpen && isAllowed()) {
      this.#send(packet, packet.atMs)
      return
    }
    this.held++
    this.stream.cut()
  }

  /** `atMs`: the place of the packet on the stream's clock. */
  #send(packet: MediaPacket, atMs: number): void {
    const payloadType = this.#codecs?.sent(packet.payload)
    const header = payloadType === undefined ? undefined : this.stream.stamp(packet, payloadType, atMs)
    if (header === undefined) return
    if (!this.#port.send(header, packet)) this.sendErrors++
    this.lastAtMs = this.#clock.nowMs()
    if (this.firstAtMs !== undefined) return
    this.firstAtMs = this.lastAtMs
    this.#listener.onFirstPacket()
  }

  #canSend(payload: Payload): boolean {
    return this.#codecs?.sent(payload) !== undefined || (this.#transcoder?.canConvert(payload) ?? false)
  }

  /** What is left out here leaves no hole in the sequence. */
  #dropHeld(): void {
    const dropped = this.#mask.drop()
    this.held += dropped
    if (dropped > 0) this.stream.cut()
  }

  #onReplayEnd(replay: Replay, left: number): void {
    this.#replay = undefined
    this.held += left
    if (left > 0) this.stream.cut()
    if (replay.packets > 0) this.#listener.onReplayed(replay.fromMs, replay.toMs, replay.packets)
  }
}
