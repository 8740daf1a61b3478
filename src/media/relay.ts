// One leg of a call: takes a party's packets, hands them to the bridged leg and the forks, and sends what is meant for the party.

import type { Endpoint } from '#kernel'
import { newRtpView, parseRtp, type TelephoneEvent, TelephoneEventDetector } from '#rtp'
import { CodecTable, type StreamCodec } from './codec.ts'
import type { Copies } from './copy-queue.ts'
import { StreamCount } from './counters.ts'
import type { FeedbackSender } from './feedback-sender.ts'
import { IncomingStream } from './incoming-stream.ts'
import { Latch } from './latch.ts'
import { type MediaPacket, newMediaPacket, type PacketTaker, type RtpPort, type SourceIds } from './media-packet.ts'
import type { OutgoingStream } from './outgoing-stream.ts'
import type { Overlay } from './tone-player.ts'

/** The socket of a leg, seen from the packet path. */
export interface LegPort extends RtpPort {
  /** Sends to `target` from now on; undefined: nowhere. `locked` says that nobody else is listened to. */
  aim(target: Endpoint | undefined, locked: boolean): void
}

/** What a leg tells about itself. */
export interface LegListener {
  onFirstPacket(): void
  onDigit(event: TelephoneEvent): void
  /** A bug of ours, met while a packet was copied: the call goes on. */
  onCopyFault(fault: unknown): void
}

/** State of a leg after an offer/answer exchange. */
export interface LegSettings {
  readonly remote?: Endpoint
  readonly codecs: readonly StreamCodec[]
  readonly send: boolean
  readonly receive: boolean
  /** Only authenticated packets come to `onDatagram`: they may come from anywhere. */
  readonly isSecured?: boolean
}

/** Relay of one leg. */
export class RelayLeg {
  readonly outgoing: OutgoingStream
  readonly incoming: IncomingStream
  readonly received = new StreamCount()
  readonly sent = new StreamCount()
  /** Who copies what the party said, and what we sent to the party. */
  readonly taps: { received: readonly PacketTaker[]; sent: readonly PacketTaker[] } = { received: [], sent: [] }
  /** The leg that hears this one. */
  peer: RelayLeg | undefined
  /** Changes what the party hears. */
  overlay: Overlay | undefined
  /** Takes what the party says where more than one leg hears it. */
  audience: PacketTaker | undefined
  /** Tells the party what is asked of its video; absent with audio. */
  feedback: FeedbackSender | undefined
  /** Something is played to the party, who hears nothing else meanwhile. */
  isPlaying = false
  codecs = CodecTable.empty
  readonly #port: LegPort
  readonly #copies: Copies
  readonly #listener: LegListener
  readonly #onCopyFault = (fault: unknown): void => this.#listener.onCopyFault(fault)
  readonly #latch = new Latch()
  readonly #view = newRtpView()
  readonly #packet = newMediaPacket()
  readonly #sentPacket = newMediaPacket()
  #digits = new TelephoneEventDetector()
  #maySend = false
  #mayReceive = false
  #isSecured = false
  #isLocked = false
  #quietSinceMs = 0
  #isReportedSilent = false

  constructor(outgoing: OutgoingStream, sourceIds: SourceIds, port: LegPort, copies: Copies, listener: LegListener) {
    this.outgoing = outgoing
    this.incoming = new IncomingStream(sourceIds, `${outgoing.cname}-party`)
    this.#port = port
    this.#copies = copies
    this.#listener = listener
    this.#sentPacket.sourceId = outgoing.sourceId
  }

  /** Takes the result of an offer/answer exchange. */
  configure(settings: LegSettings, nowMs: number): void {
    this.codecs = new CodecTable(settings.codecs)
    this.#maySend = settings.send && settings.remote !== undefined
    this.#mayReceive = settings.receive
    this.#isSecured = settings.isSecured === true
    this.onSignOfLife(nowMs)
    this.#latch.expect(settings.remote, nowMs)
    this.#isLocked = false
    this.#port.aim(this.#latch.target, false)
  }

  /** Handles one datagram from the network; anything that is not from the party is counted and dropped. */
  onDatagram(bytes: Uint8Array, host: string, port: number, nowMs: number): void {
    const view = this.#view
    const payload = this.#mayReceive && parseRtp(bytes, view) ? this.codecs.received(view.payloadType) : undefined
    const verdict = payload === undefined ? 'refused' : this.#latch.accept(host, port, nowMs, this.#isSecured)
    if (payload === undefined || verdict === 'refused') {
      this.received.refused++
      return
    }
    if (verdict === 'latched' || (!this.#isLocked && this.#latch.isSettled)) this.#lock()
    const sourceBefore = this.incoming.sourceId
    if (!this.incoming.accept(view, payload.clockRateHz, nowMs)) return
    if (sourceBefore !== this.incoming.sourceId) this.#digits = new TelephoneEventDetector(payload.clockRateHz)
    const packet = this.#packet
    packet.bytes = bytes
    packet.payloadOffset = view.payloadOffset
    packet.payloadLength = view.payloadLength
    packet.payload = payload
    packet.sourceId = this.incoming.sourceId
    packet.extendedSequence = this.incoming.extendedSequence
    packet.timestamp = view.timestamp
    packet.marker = view.marker
    const isFirst = this.received.packets === 0
    this.received.add(view.payloadLength, nowMs)
    this.onSignOfLife(nowMs)
    if (this.peer !== undefined && !this.peer.isPlaying) this.peer.deliver(packet, nowMs)
    this.audience?.copy(packet, nowMs)
    this.#copies.add(this.taps.received, packet, nowMs, this.#onCopyFault)
    this.#detectDigit(packet)
    if (isFirst) this.#listener.onFirstPacket()
  }

  /** The party has shown that it is there, by RTCP. */
  onSignOfLife(nowMs: number): void {
    this.#quietSinceMs = nowMs
    this.#isReportedSilent = false
  }

  /** Sends a packet of another source to the party, as part of our one stream to it. */
  deliver(original: MediaPacket, nowMs: number): void {
    const { overlay } = this
    const packet = overlay?.prepare(original, this.codecs.g711, nowMs) ?? original
    const payloadType = this.#maySend ? this.codecs.sent(packet.payload) : undefined
    if (payloadType === undefined) {
      this.outgoing.cut()
      return
    }
    const header = this.outgoing.stamp(packet, payloadType, nowMs)
    if (header === undefined) return
    if (packet !== original) overlay?.mix(packet, header.timestamp)
    this.#port.send(header, packet)
    this.sent.add(packet.payloadLength, nowMs)
    if (this.taps.sent.length === 0) return
    const copy = this.#sentPacket
    // A tone over the conversation is for the party's ear, not for who copies it (UA-19).
    copy.bytes = original.bytes
    copy.payloadOffset = original.payloadOffset
    copy.payloadLength = original.payloadLength
    copy.payload = original.payload
    copy.extendedSequence = this.outgoing.extendedSequence
    copy.timestamp = header.timestamp
    copy.marker = header.marker
    this.#copies.add(this.taps.sent, copy, nowMs, this.#onCopyFault)
  }

  /** Looks after silence; to be called a few times a second. Returns how long the party has been silent, once, when that is `silentAfterMs` or more. */
  sweep(nowMs: number, silentAfterMs: number): number | undefined {
    if (this.#isLocked && this.#latch.isQuiet(nowMs)) {
      this.#isLocked = false
      this.#port.aim(this.#latch.target, false)
    }
    const silentMs = nowMs - this.#quietSinceMs
    if (!this.#mayReceive || this.#isReportedSilent || silentMs < silentAfterMs) return undefined
    this.#isReportedSilent = true
    return silentMs
  }

  #lock(): void {
    this.#isLocked = true
    // A socket that is connected would not even see who moved.
    this.#port.aim(this.#latch.target, !this.#isSecured)
  }

  #detectDigit(packet: MediaPacket): void {
    const event = packet.payload.isEvent
      ? this.#digits.onPacket(
          this.#view,
          packet.bytes.subarray(packet.payloadOffset, packet.payloadOffset + packet.payloadLength),
        )
      : this.#digits.onOtherPacket(packet.timestamp)
    if (event !== undefined) this.#listener.onDigit(event)
  }
}
