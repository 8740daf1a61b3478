// What is noticed of one stream while it is received: whether packets are due, what comes, from whom, and how it sounds.

import type { StreamSettings } from '../record-messages.ts'
import type { ReadCodec } from '../track.ts'
import { type ClockMeasure, SenderClock } from './sender-clock.ts'
import type { SoundDecoders } from './sound-decoders.ts'
import { type StreamLevel, StreamSound } from './stream-sound.ts'

/** What came lately is counted in steps; the last eight of them are two seconds. */
export const STEP_MS = 250
const STEPS = 8

/** Why a datagram was not taken. */
export type Refused = 'no-rtp' | 'unauthentic' | 'payload-type'

/**
 * Whether a stream is silent by somebody's word: `none`; `idle`: the client's, and what comes all the same is kept; `paused`: the client's, and
 * what comes is dropped; `asked`: ours, which the client was told; `dropped`: ours alone; `over`: the stream, or what it was for.
 */
export type StreamSilence = 'none' | 'idle' | 'paused' | 'asked' | 'dropped' | 'over'

/** What of one stream there is to see while it is received. */
export interface StreamReading {
  readonly channel: number
  /** Packets are due: the stream is not on hold, inactive, removed or paused. */
  readonly isExpected: boolean
  /** Taken so far, of all sources. */
  readonly packets: number
  /** Of the last two seconds. */
  readonly packetsPerSecond: number
  readonly lastPacketAgoMs?: number
  /** Absent while nothing is heard, or nothing that can be decoded. */
  readonly level?: StreamLevel
}

interface Counts {
  accepted: number
  'no-rtp': number
  unauthentic: number
  'payload-type': number
}

/** Which stream it is. */
export interface StreamAbout {
  readonly channel: number
  readonly label: string | undefined
  readonly rtpPort: number
}

/** Watch over one stream. */
export class StreamWatch {
  readonly channel: number
  readonly label: string | undefined
  readonly rtpPort: number
  readonly sound: StreamSound
  #settings: StreamSettings
  #isExpected = false
  #isOpen = false
  #silence: StreamSilence = 'over'
  #silentSinceMs = 0
  #expectedSinceMs = 0
  #packets = 0
  #allPackets = 0
  #lastPacketMs = Number.NEGATIVE_INFINITY
  readonly #steps: Counts[] = [noCounts()]
  #refusedType: number | undefined
  #source = ''
  #hasRtcp = false
  #isQuietAllowed = false
  #clock = new SenderClock()
  /** Clocks of the sources beside the one that the stream is locked to, by SSRC. */
  readonly #others = new Map<number, SenderClock>()

  constructor(stream: StreamAbout, settings: StreamSettings, decoders: SoundDecoders) {
    this.channel = stream.channel
    this.label = stream.label
    this.rtpPort = stream.rtpPort
    this.#settings = settings
    this.sound = new StreamSound(decoders)
  }

  get settings(): StreamSettings {
    return this.#settings
  }

  /** Whether packets are due: the stream is there, and not on hold, inactive or paused. */
  get isExpected(): boolean {
    return this.#isExpected
  }

  /** By SDP packets may come, and they would be kept: true also where the metadata alone says that nobody speaks. */
  get isOpen(): boolean {
    return this.#isOpen
  }

  /** By whose word it is silent. */
  get silence(): StreamSilence {
    return this.#silence
  }

  /** The client has announced that nothing comes, and nothing comes that is kept. */
  get isInactive(): boolean {
    return this.#silence === 'paused' || (this.#silence === 'idle' && this.recent('accepted') === 0)
  }

  /** Whether anything of it ever came. */
  get hasBegun(): boolean {
    return this.#allPackets > 0
  }

  /** Packets taken since they are due. */
  get packets(): number {
    return this.#packets
  }

  /** Host that the latest packet came from. */
  get source(): string {
    return this.#source
  }

  /** RTCP of the client came. */
  get hasRtcp(): boolean {
    return this.#hasRtcp
  }

  /** The client suppresses silence. */
  get isQuietAllowed(): boolean {
    return this.#isQuietAllowed
  }

  /** The latest payload type that was not negotiated. */
  get refusedType(): number | undefined {
    return this.#refusedType
  }

  /** Clocks of all sources that have sent two seconds of packets; the one that the stream is locked to comes first, without SSRC. */
  get clocks(): readonly (ClockMeasure & { readonly ssrc?: number })[] {
    const own = this.#clock.measure
    const others = [...this.#others].flatMap(([ssrc, { measure }]) =>
      measure === undefined ? [] : [{ ssrc, ...measure }],
    )
    return own === undefined ? others : [own, ...others]
  }

  /** SSRCs of the sources that send beside the one that the stream is locked to. */
  get others(): readonly number[] {
    return [...this.#others.keys()]
  }

  expectedForMs(nowMs: number): number {
    return this.#isExpected ? nowMs - this.#expectedSinceMs : 0
  }

  silentForMs(nowMs: number): number {
    return nowMs - this.#lastPacketMs
  }

  /** Since when `silence` is what it is. */
  silenceForMs(nowMs: number): number {
    return nowMs - this.#silentSinceMs
  }

  /** Of the last two seconds. */
  recent(what: keyof Counts): number {
    return this.#steps.reduce((sum, counts) => sum + counts[what], 0)
  }

  reading(nowMs: number): StreamReading {
    const silentForMs = this.silentForMs(nowMs)
    const level = this.sound.levelAt(nowMs)
    return {
      channel: this.channel,
      isExpected: this.#isExpected,
      packets: this.#allPackets,
      packetsPerSecond: Math.round((this.recent('accepted') * 1000) / (this.#steps.length * STEP_MS)),
      ...(Number.isFinite(silentForMs) && { lastPacketAgoMs: Math.round(silentForMs) }),
      ...(level !== undefined && this.#isExpected && { level }),
    }
  }

  configure(settings: StreamSettings): void {
    this.#settings = settings
  }

  /** Says whether packets are due, and whether they may come; when they become due, what is judged begins anew. */
  expect(isExpected: boolean, nowMs: number, isOpen = isExpected): void {
    if (isExpected && !this.#isExpected) {
      this.#expectedSinceMs = nowMs
      this.#packets = 0
      this.#lastPacketMs = Number.NEGATIVE_INFINITY
      this.#steps.splice(0, STEPS, noCounts())
      this.#clock = new SenderClock()
      this.#others.clear()
      this.sound.reset()
    }
    this.#isExpected = isExpected
    this.#isOpen = isOpen
  }

  /** Says by whose word it is silent now. */
  setSilence(silence: StreamSilence, nowMs: number): void {
    if (silence === this.#silence) return
    this.#silence = silence
    this.#silentSinceMs = nowMs
  }

  /** The next step begins; to be called each STEP_MS. */
  step(): void {
    this.#steps.push(noCounts())
    if (this.#steps.length > STEPS) this.#steps.shift()
  }

  onRefused(why: Refused, payloadType?: number): void {
    this.#now[why] += 1
    if (payloadType !== undefined) this.#refusedType = payloadType
  }

  onRtcp(): void {
    this.#hasRtcp = true
  }

  /** A packet was taken; `ssrc` is that of a source beside the one that the stream is locked to. */
  onPacket(codec: ReadCodec, timestamp: number, payload: Uint8Array, host: string, nowMs: number, ssrc?: number): void {
    this.#now.accepted += 1
    this.#packets += 1
    this.#allPackets += 1
    this.#source = host
    this.#lastPacketMs = nowMs
    // Nothing is heard in pictures and text, and their timestamps stand still or leap as they are made.
    if (this.#settings.kind !== undefined) return
    if (codec.kind === 'quiet') this.#isQuietAllowed = true
    if (codec.kind === 'quiet' || codec.kind === 'event') return
    this.#clockOf(ssrc).onPacket(timestamp, codec.clockRateHz, nowMs)
    if (this.#isExpected) this.sound.hear(codec.encoding, payload, nowMs, ssrc)
  }

  #clockOf(ssrc: number | undefined): SenderClock {
    if (ssrc === undefined) return this.#clock
    const known = this.#others.get(ssrc) ?? new SenderClock()
    this.#others.set(ssrc, known)
    return known
  }

  get #now(): Counts {
    return this.#steps.at(-1)!
  }
}

function noCounts(): Counts {
  return { accepted: 0, 'no-rtp': 0, unauthentic: 0, 'payload-type': 0 }
}
