// What is noticed of one stream while it is received: whether packets are due, what comes, from whom, and how it sounds.

import type { StreamSettings } from '../record-messages.ts'
import type { ReadCodec } from '../track.ts'
import type { SoundDecoders } from './sound-decoders.ts'
import { type StreamLevel, StreamSound } from './stream-sound.ts'

/** What came lately is counted in steps; the last eight of them are two seconds. */
export const STEP_MS = 250
const STEPS = 8
/** The clock of a sender is measured over so long. */
const CLOCK_WINDOW_MS = 2000

/** Why a datagram was not taken. */
export type Refused = 'no-rtp' | 'unauthentic' | 'payload-type'

/** What of one stream there is to see while it is received. */
export interface StreamReading {
  readonly channel: number
  /** Packets are due: the stream is not on hold, inactive, removed or paused. */
  readonly isExpected: boolean
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
  #expectedSinceMs = 0
  #packets = 0
  #lastPacketMs = Number.NEGATIVE_INFINITY
  readonly #steps: Counts[] = [noCounts()]
  #refusedType: number | undefined
  #source = ''
  #hasRtcp = false
  #isQuietAllowed = false
  #clockRateHz = 0
  #measuredHz: number | undefined
  #window: { readonly fromMs: number; ticks: number; timestamp: number } | undefined

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

  /** Rate of the sender's timestamps by our clock, and what it should be; undefined before two seconds of packets. */
  get clock(): { readonly measuredHz: number; readonly wantedHz: number } | undefined {
    return this.#measuredHz === undefined ? undefined : { measuredHz: this.#measuredHz, wantedHz: this.#clockRateHz }
  }

  expectedForMs(nowMs: number): number {
    return this.#isExpected ? nowMs - this.#expectedSinceMs : 0
  }

  silentForMs(nowMs: number): number {
    return nowMs - this.#lastPacketMs
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
      packetsPerSecond: Math.round((this.recent('accepted') * 1000) / (this.#steps.length * STEP_MS)),
      ...(Number.isFinite(silentForMs) && { lastPacketAgoMs: Math.round(silentForMs) }),
      ...(level !== undefined && this.#isExpected && { level }),
    }
  }

  configure(settings: StreamSettings): void {
    this.#settings = settings
  }

  /** Says whether packets are due; when they become due, what is judged begins anew. */
  expect(isExpected: boolean, nowMs: number): void {
    if (isExpected && !this.#isExpected) {
      this.#expectedSinceMs = nowMs
      this.#packets = 0
      this.#lastPacketMs = Number.NEGATIVE_INFINITY
      this.#steps.splice(0, STEPS, noCounts())
      this.#measuredHz = undefined
      this.#window = undefined
      this.sound.reset()
    }
    this.#isExpected = isExpected
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

  /** A packet was taken. */
  onPacket(codec: ReadCodec, timestamp: number, payload: Uint8Array, source: string, nowMs: number): void {
    this.#now.accepted += 1
    this.#packets += 1
    this.#source = source
    const pauseMs = nowMs - this.#lastPacketMs
    this.#lastPacketMs = nowMs
    if (codec.kind === 'quiet') this.#isQuietAllowed = true
    if (codec.kind === 'quiet' || codec.kind === 'event') return
    this.#measureClock(timestamp, codec.clockRateHz, pauseMs, nowMs)
    if (this.#isExpected) this.sound.hear(codec.encoding, payload, nowMs)
  }

  get #now(): Counts {
    return this.#steps.at(-1)!
  }

  #measureClock(timestamp: number, clockRateHz: number, pauseMs: number, nowMs: number): void {
    const window = this.#window
    const ticks = window === undefined ? 0 : (timestamp - window.timestamp) | 0
    const isNew = window === undefined || clockRateHz !== this.#clockRateHz || pauseMs > CLOCK_WINDOW_MS / 4
    if (isNew || Math.abs(ticks) > clockRateHz * CLOCK_WINDOW_MS) {
      this.#clockRateHz = clockRateHz
      this.#measuredHz = undefined
      this.#window = { fromMs: nowMs, ticks: 0, timestamp }
      return
    }
    window.ticks += ticks
    window.timestamp = timestamp
    const tookMs = nowMs - window.fromMs
    if (tookMs < CLOCK_WINDOW_MS) return
    this.#measuredHz = (window.ticks * 1000) / tookMs
    this.#window = { fromMs: nowMs, ticks: 0, timestamp }
  }
}

function noCounts(): Counts {
  return { accepted: 0, 'no-rtp': 0, unauthentic: 0, 'payload-type': 0 }
}
