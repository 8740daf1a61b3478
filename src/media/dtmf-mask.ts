// Leaves the keys that a party presses out of a copy: its telephone-events, and the audio in which a key sounds (RTP-22).
// Audio is held back for 40 ms, so that the beginning of a tone is still here when it is recognised: 30 ms later at the latest.

import { KeyToneDetector, type NarrowbandDecoder, narrowbandDecoder, type OpusDecoders, silence } from '#audio'
import type { MediaPacket } from './media-packet.ts'
import { type KeptPacket, keepPacket } from './packet-memory.ts'

/** Least audio that is held back, and most that waits when nothing comes after it. */
const HOLD_MS = 40
const LONGEST_HOLD_MS = 80
/** After the last look that found a tone its end may still be to come. */
const TAIL_MS = 40
/** A telephone-event is told at least this often while it lasts (RFC 4733 section 2.5.1.2: each 50 ms or less). */
const EVENT_MS = 100
const SAMPLES_PER_MS = 8

/** A packet on its way through a mask. */
export interface MaskedPacket {
  readonly packet: KeptPacket
  /** As given with the packet. */
  readonly isAllowed: () => boolean
  /** A packet before this one was left out. */
  readonly isAfterCut: boolean
}

interface Held extends MaskedPacket {
  readonly ms: number
  isBlank: boolean
}

/** Mask of one fork. */
export class DtmfMask {
  /** Packets left out or blanked. */
  masked = 0
  readonly #outlet: (passed: MaskedPacket) => void
  readonly #opus: OpusDecoders | undefined
  readonly #detector = new KeyToneDetector()
  readonly #held: Held[] = []
  #decoder: NarrowbandDecoder | undefined
  #encoding = ''
  #sourceId = -1
  #nextSequence = -1
  #isCut = false
  /** What could not be blanked was left out on its way out. */
  #wasLeftOut = false
  /** Until when, by the time at which packets were carried, audio is blanked. */
  #blankUntilMs = Number.NEGATIVE_INFINITY

  /** `outlet`: where packets go that have passed; `opus`: absent when it cannot be read. */
  constructor(outlet: (passed: MaskedPacket) => void, opus?: OpusDecoders) {
    this.#outlet = outlet
    this.#opus = opus
  }

  /** Takes a packet that was carried at `atMs`; false when it is left out of the copy. */
  take(packet: MediaPacket, atMs: number, isAllowed: () => boolean): boolean {
    if (packet.payload.isEvent) {
      this.#blank(atMs + EVENT_MS)
      this.flush()
      return this.#leaveOut()
    }
    this.#follow(packet)
    if (this.#decoder === undefined) return this.#takeUnread(packet, atMs, isAllowed)
    const { bytes, payloadOffset, payloadLength } = packet
    const samples = this.#decoder(bytes.subarray(payloadOffset, payloadOffset + payloadLength))
    const ms = samples.length / SAMPLES_PER_MS
    if (this.#detector.feed(samples)) this.#blank(atMs + ms + TAIL_MS)
    this.#hold(packet, atMs, isAllowed, ms)
    this.#release(HOLD_MS)
    return true
  }

  /** Says that a packet was left out before it came here: what is held goes out, and the next one taken is after a cut. */
  cut(): void {
    this.flush()
    this.#isCut = true
  }

  /** Whether the last thing that happened was a cut; forgets it. */
  endCut(): boolean {
    const isCut = this.#isCut || this.#wasLeftOut
    this.#isCut = false
    this.#wasLeftOut = false
    return isCut
  }

  /** To be called now and then: lets go what waits in vain for the next packet. */
  sweep(nowMs: number): void {
    const oldest = this.#held[0]
    if (oldest !== undefined && nowMs - oldest.packet.atMs > LONGEST_HOLD_MS) this.flush()
  }

  /** Lets go everything that is held. */
  flush(): void {
    this.#release(0)
  }

  /** Throws away what is held; how many packets that were. */
  drop(): number {
    return this.#held.splice(0).length
  }

  /** A decoder and a detector see one source in order. */
  #follow(packet: MediaPacket): void {
    const { payload, sourceId, extendedSequence } = packet
    if (payload.encoding !== this.#encoding || sourceId !== this.#sourceId) {
      this.#encoding = payload.encoding
      this.#sourceId = sourceId
      this.#decoder = narrowbandDecoder(payload.encoding, this.#opus)
      this.#detector.reset()
    } else if (extendedSequence !== this.#nextSequence) this.#detector.reset()
    this.#nextSequence = extendedSequence + 1
  }

  /** What we cannot read is left out while an event lasts, since a tone may be in it. */
  #takeUnread(packet: MediaPacket, atMs: number, isAllowed: () => boolean): boolean {
    if (atMs < this.#blankUntilMs) return this.#leaveOut()
    this.#hold(packet, atMs, isAllowed, 0)
    this.flush()
    return true
  }

  /** Blanks what is held and what is carried before `untilMs`. */
  #blank(untilMs: number): void {
    this.#blankUntilMs = Math.max(this.#blankUntilMs, untilMs)
    for (const held of this.#held) held.isBlank = true
  }

  #leaveOut(): false {
    this.masked++
    this.#isCut = true
    return false
  }

  #hold(packet: MediaPacket, atMs: number, isAllowed: () => boolean, ms: number): void {
    const isBlank = atMs < this.#blankUntilMs
    this.#held.push({ packet: keepPacket(packet, atMs), isAllowed, isAfterCut: this.#isCut, ms, isBlank })
    this.#isCut = false
  }

  #release(keepMs: number): void {
    let heldMs = this.#held.reduce((sum, { ms }) => sum + ms, 0)
    for (let oldest = this.#held[0]; oldest !== undefined && heldMs - oldest.ms >= keepMs; oldest = this.#held[0]) {
      this.#held.shift()
      heldMs -= oldest.ms
      this.#letGo(oldest)
    }
  }

  #letGo(held: Held): void {
    const { packet, isBlank } = held
    if (isBlank) this.masked++
    if (isBlank && !silence(packet.payload.encoding, packet.bytes.subarray(packet.payloadOffset))) {
      this.#wasLeftOut = true
      return
    }
    const isAfterCut = held.isAfterCut || this.#wasLeftOut
    this.#wasLeftOut = false
    this.#outlet({ ...held, isAfterCut })
  }
}
