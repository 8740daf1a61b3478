// A tone laid over what a party hears: mixed into the G.711 that goes to it, and sent with silence when nothing else does.

import { decodePcma, decodePcmu, encodePcma, encodePcmu, type OpusDecoders, silence } from '#audio'
import type { Clock, Timer } from '#kernel'
import { RTP_HEADER_BYTES } from '#rtp'
import { type G711Encoding, payloadOf } from './codec.ts'
import { type MediaPacket, newMediaPacket, type SourceIds } from './media-packet.ts'
import type { RelayLeg } from './relay.ts'
import { Transcoder } from './transcoder.ts'

const FRAME_MS = 20
const FRAME_BYTES = 160
const SAMPLES_PER_MS = 8
/** Nothing else for so long: the line is idle. */
const IDLE_AFTER_MS = 60
const RAMP_SAMPLES = 40
/** A sine of this level in dBm0 reaches full scale (ITU-T G.711 section 4). */
const FULL_SCALE_DBM0 = 3.14

/** Beeps as long as they are set. */
export interface ToneSettings {
  readonly frequencyHz: number
  readonly onMs: number
  /** From the beginning of one beep to the next. */
  readonly everyMs: number
  readonly levelDbm0: number
}

/** What a leg asks about each packet that it sends. */
export interface Overlay {
  /** The packet to be sent instead, in `encoding`; the packet itself when it is none that can be mixed into. */
  prepare(packet: MediaPacket, encoding: G711Encoding | undefined, nowMs: number): MediaPacket
  /** Mixes into a packet that `prepare` made, at its place on the stream's clock. */
  mix(packet: MediaPacket, timestamp: number): void
}

/** One tone of one leg. */
export class TonePlayer implements Overlay {
  readonly #leg: RelayLeg
  readonly #clock: Clock
  readonly #tone: ToneSettings
  readonly #peak: number
  readonly #opus: OpusDecoders | undefined
  readonly #filler = newMediaPacket()
  readonly #startMs: number
  #transcoder: { readonly to: G711Encoding; readonly transcoder: Transcoder } | undefined
  #otherAtMs = Number.NEGATIVE_INFINITY
  /** RTP timestamp at which the tone began. */
  #origin: number | undefined
  #timer: Timer | undefined

  /** Begins at once. */
  constructor(leg: RelayLeg, tone: ToneSettings, clock: Clock, sourceIds: SourceIds, opus?: OpusDecoders) {
    this.#opus = opus
    this.#leg = leg
    this.#clock = clock
    this.#tone = tone
    this.#peak = 32_767 * 10 ** ((tone.levelDbm0 - FULL_SCALE_DBM0) / 20)
    this.#filler.sourceId = sourceIds.next()
    this.#filler.payloadOffset = RTP_HEADER_BYTES
    this.#filler.payloadLength = FRAME_BYTES
    this.#startMs = clock.nowMs()
    this.#otherAtMs = this.#startMs
    leg.overlay = this
    this.#schedule(0)
  }

  /** Takes the tone away; harmless when it is. */
  stop(): void {
    this.#timer?.cancel()
    if (this.#leg.overlay === this) this.#leg.overlay = undefined
  }

  prepare(packet: MediaPacket, encoding: G711Encoding | undefined, nowMs: number): MediaPacket {
    if (packet.sourceId !== this.#filler.sourceId) this.#otherAtMs = nowMs
    if (encoding === undefined) return packet
    if (this.#transcoder?.to !== encoding)
      this.#transcoder = { to: encoding, transcoder: new Transcoder(encoding, this.#opus) }
    return this.#transcoder.transcoder.convert(packet) ?? packet
  }

  mix(packet: MediaPacket, timestamp: number): void {
    this.#origin ??= timestamp
    const position = (timestamp - this.#origin) >>> 0
    const isPcma = packet.payload.encoding === 'PCMA/8000'
    const payload = packet.bytes.subarray(packet.payloadOffset, packet.payloadOffset + packet.payloadLength)
    const samples = isPcma ? decodePcma(payload) : decodePcmu(payload)
    for (let i = 0; i < samples.length; i++) {
      samples[i] = Math.max(-32_768, Math.min(32_767, samples[i]! + this.#sampleAt(position + i)))
    }
    payload.set(isPcma ? encodePcma(samples) : encodePcmu(samples))
  }

  /** Beeps begin and end softly. */
  #sampleAt(position: number): number {
    const { frequencyHz, onMs, everyMs } = this.#tone
    const inBeep = position % (everyMs * SAMPLES_PER_MS)
    const left = onMs * SAMPLES_PER_MS - inBeep
    if (left <= 0) return 0
    const ramp = Math.min(1, (inBeep + 1) / RAMP_SAMPLES, left / RAMP_SAMPLES)
    return Math.round(this.#peak * ramp * Math.sin((2 * Math.PI * frequencyHz * inBeep) / (SAMPLES_PER_MS * 1000)))
  }

  #schedule(frame: number): void {
    const delayMs = Math.max(0, this.#startMs + frame * FRAME_MS - this.#clock.nowMs())
    this.#timer = this.#clock.after(delayMs, 'tone-frame', () => this.#tick())
  }

  /** Sends a frame when nobody else does; frames that a late timer missed are left out. */
  #tick(): void {
    const nowMs = this.#clock.nowMs()
    const frame = Math.floor((nowMs - this.#startMs) / FRAME_MS)
    const encoding = this.#leg.codecs.g711
    if (encoding !== undefined && nowMs - this.#otherAtMs >= IDLE_AFTER_MS) {
      const filler = this.#filler
      filler.payload = payloadOf(encoding)
      filler.bytes = new Uint8Array(RTP_HEADER_BYTES + FRAME_BYTES)
      silence(encoding, filler.bytes)
      filler.extendedSequence++
      filler.timestamp = frame * FRAME_BYTES
      this.#leg.deliver(filler, nowMs)
    }
    this.#schedule(frame + 1)
  }
}
