// An RTP stream of our own: one SSRC, one sequence, one clock that follows wall time, whatever sources feed it (RTP-07, RTP-11).

import { type RtpHeader, timestampDistance } from '#rtp'
import type { MediaPacket } from './media-packet.ts'

const FRAME_MS = 20
/** A source whose clock leaves wall time by more than this has stopped or jumped. */
const STRAYED_MS = 500
/** One that is behind by no more than this may have been held up by the network; then it makes up for it at once. */
const STALLED_MS = 2000
/** For how long that is waited for. */
const CATCHES_UP_MS = 300
/** Weight of one packet in the average that lets a slow drift of the source's clock pass. */
const DRIFT_WEIGHT = 1 / 256

/** The random beginnings of a stream (RFC 3550 section 5.1) and its CNAME (RFC 7022). */
export interface StreamIdentity {
  readonly ssrc: number
  readonly firstSequence: number
  readonly firstTimestamp: number
  readonly cname: string
}

/** Numbers packets of changing sources into one continuous stream. */
export class OutgoingStream {
  readonly ssrc: number
  readonly cname: string
  /** The source id under which others copy this stream. */
  readonly sourceId: number
  /** Extended sequence number of the packet stamped last. */
  extendedSequence: number
  packets = 0
  octets = 0
  readonly #header: RtpHeader
  #feedingSourceId = -1
  #clockRateHz = 8000
  #timestampOffset = 0
  #sequenceOffset = 0
  /** Source packets before this one came late to a cut and must not reuse its numbers. */
  #firstUsable = 0
  #isCut = false
  #highestSource = 0
  #highestSent: number
  #lastTimestamp: number
  #lastAtMs = Number.NaN
  #sourceTimestamp = 0
  #sourceAtMs = 0
  /** How far wall time has run ahead of the source's clock since the anchor, in ticks: now, and on average. */
  #deviation = 0
  #usualDeviation = 0
  /** Since when the source has been behind; NaN while it is not. */
  #behindSinceMs = Number.NaN

  constructor(identity: StreamIdentity, sourceId: number) {
    this.ssrc = identity.ssrc
    this.cname = identity.cname
    this.sourceId = sourceId
    this.extendedSequence = identity.firstSequence - 1
    this.#highestSent = this.extendedSequence
    this.#lastTimestamp = identity.firstTimestamp
    this.#header = { payloadType: 0, marker: false, sequence: 0, timestamp: 0, ssrc: identity.ssrc }
  }

  /** Sequence number and timestamp of the last packet in order; undefined before the first. */
  get last(): { readonly sequence: number; readonly timestamp: number } | undefined {
    if (this.packets === 0) return undefined
    return { sequence: this.#highestSent & 0xffff, timestamp: this.#lastTimestamp }
  }

  /**
   * Header for a packet that is to be sent now, valid until the next call; undefined when it came too late to be numbered.
   * `nowMs`: when it was carried, which lies in the past for a packet out of memory.
   */
  stamp(packet: MediaPacket, payloadType: number, nowMs: number): RtpHeader | undefined {
    const isFresh = packet.sourceId !== this.#feedingSourceId || packet.payload.clockRateHz !== this.#clockRateHz
    if (!isFresh && packet.extendedSequence < this.#firstUsable) return undefined
    if (!isFresh && this.#isCut && packet.extendedSequence <= this.#highestSource) return undefined
    const isStray = !isFresh && !packet.payload.isEvent && this.#hasStrayed(packet, nowMs)
    const isAnchored = isFresh || isStray || this.#isCut
    if (isFresh) this.#anchorTime(packet, nowMs)
    else if (isStray) this.#moveTime(packet)
    if (isFresh || this.#isCut) this.#anchorSequence(packet)
    this.extendedSequence = packet.extendedSequence + this.#sequenceOffset
    this.#highestSource = Math.max(this.#highestSource, packet.extendedSequence)
    const header = this.#header
    header.payloadType = payloadType
    const { isEvent, isVideo } = packet.payload
    header.marker = packet.marker || (isAnchored && !isEvent && !isVideo)
    header.sequence = this.extendedSequence & 0xffff
    header.timestamp = (packet.timestamp + this.#timestampOffset) >>> 0
    if (this.extendedSequence > this.#highestSent) {
      this.#highestSent = this.extendedSequence
      this.#lastTimestamp = header.timestamp
      this.#lastAtMs = nowMs
    }
    this.packets++
    this.octets += packet.payloadLength
    return header
  }

  /** Says that a packet of the source was left out on purpose: the next one sent takes the next sequence number. */
  cut(): void {
    this.#isCut = true
  }

  /** The source's own number of a packet that we sent; undefined when another source feeds the stream by now. */
  originOf(sequence: number, sourceId: number): number | undefined {
    return sourceId === this.#feedingSourceId ? (sequence - this.#sequenceOffset) & 0xffff : undefined
  }

  /** RTP timestamp that belongs to a moment, for sender reports. */
  timestampAt(nowMs: number): number {
    if (Number.isNaN(this.#lastAtMs)) return this.#lastTimestamp
    return (this.#lastTimestamp + this.#ticks(nowMs - this.#lastAtMs)) >>> 0
  }

  #ticks(ms: number): number {
    return Math.round((ms * this.#clockRateHz) / 1000)
  }

  #hasStrayed(packet: MediaPacket, nowMs: number): boolean {
    const advance = timestampDistance(this.#sourceTimestamp, packet.timestamp)
    this.#deviation += ((nowMs - this.#sourceAtMs) * this.#clockRateHz) / 1000 - advance
    this.#sourceTimestamp = packet.timestamp
    this.#sourceAtMs = nowMs
    const behind = this.#deviation - this.#usualDeviation
    if (Math.abs(behind) <= this.#ticks(STRAYED_MS)) {
      this.#usualDeviation += behind * DRIFT_WEIGHT
      this.#behindSinceMs = Number.NaN
      return false
    }
    if (behind < 0 || behind > this.#ticks(STALLED_MS)) return true
    if (Number.isNaN(this.#behindSinceMs)) this.#behindSinceMs = nowMs
    return nowMs - this.#behindSinceMs >= CATCHES_UP_MS
  }

  /** Puts a source that has strayed back on wall time; time does not run backwards for it. */
  #moveTime(packet: MediaPacket): void {
    const behind = Math.round(this.#deviation - this.#usualDeviation)
    const advance = timestampDistance(this.#lastTimestamp, packet.timestamp + this.#timestampOffset) + behind
    const timestamp = this.#lastTimestamp + Math.max(this.#ticks(FRAME_MS), advance)
    this.#timestampOffset = timestamp - packet.timestamp
    this.#settle()
  }

  /** Ties the source's clock to ours: from the last packet on as much time has passed as on the wall. */
  #anchorTime(packet: MediaPacket, nowMs: number): void {
    this.#clockRateHz = packet.payload.clockRateHz
    let timestamp = this.#lastTimestamp
    if (this.packets > 0) timestamp += Math.max(this.#ticks(FRAME_MS), this.#ticks(nowMs - this.#lastAtMs))
    this.#timestampOffset = timestamp - packet.timestamp
    this.#sourceTimestamp = packet.timestamp
    this.#sourceAtMs = nowMs
    this.#settle()
  }

  #settle(): void {
    this.#deviation = 0
    this.#usualDeviation = 0
    this.#behindSinceMs = Number.NaN
  }

  #anchorSequence(packet: MediaPacket): void {
    this.#feedingSourceId = packet.sourceId
    this.#sequenceOffset = this.#highestSent + 1 - packet.extendedSequence
    this.#firstUsable = packet.extendedSequence
    this.#highestSource = packet.extendedSequence
    this.#isCut = false
  }
}
