// Plays G.711 bytes into a leg: 20 ms frames, paced by a clock, in whichever law the leg speaks at the moment.

import type { Clock, Timer } from '#kernel'
import { RTP_HEADER_BYTES } from '#rtp'
import { payloadOf } from './codec.ts'
import { newMediaPacket, type SourceIds } from './media-packet.ts'
import type { RelayLeg } from './relay.ts'

const FRAME_MS = 20
const FRAME_BYTES = 160
const PCMU = payloadOf('PCMU/8000')
const PCMA = payloadOf('PCMA/8000')
/** The quietest codes of both laws, to fill up the last frame. */
const PCMU_SILENCE = 0xff
const PCMA_SILENCE = 0xd5

/** The same audio in both laws, mono 8 kHz, one byte per sample. */
export interface PromptAudio {
  readonly pcmu: Uint8Array
  readonly pcma: Uint8Array
}

/** One prompt being played. */
export class PromptPlayer {
  readonly #leg: RelayLeg
  readonly #clock: Clock
  readonly #audio: PromptAudio
  readonly #onEnd: (how: 'finished' | 'stopped') => void
  readonly #packet = newMediaPacket()
  readonly #startMs: number
  #frame = 0
  #timer: Timer | undefined
  #isOver = false

  /** Starts at once; `onEnd` is called exactly once. */
  constructor(
    leg: RelayLeg,
    audio: PromptAudio,
    clock: Clock,
    sourceIds: SourceIds,
    onEnd: (how: 'finished' | 'stopped') => void,
  ) {
    this.#leg = leg
    this.#audio = audio
    this.#clock = clock
    this.#onEnd = onEnd
    this.#packet.sourceId = sourceIds.next()
    this.#packet.payloadOffset = RTP_HEADER_BYTES
    this.#packet.payloadLength = FRAME_BYTES
    this.#startMs = clock.nowMs()
    leg.isPlaying = true
    this.#tick()
  }

  /** Ends it before its time; harmless when it is over. */
  stop(): void {
    this.#end('stopped')
  }

  /** Sends every frame that is due: a timer that fired late is caught up with. */
  #tick(): void {
    const nowMs = this.#clock.nowMs()
    const frames = Math.ceil(Math.max(this.#audio.pcmu.length, this.#audio.pcma.length) / FRAME_BYTES)
    while (this.#frame < frames && this.#startMs + this.#frame * FRAME_MS <= nowMs) this.#sendFrame(nowMs)
    // The last frame is heard until its end.
    if (this.#frame >= frames && this.#startMs + frames * FRAME_MS <= nowMs) {
      this.#end('finished')
      return
    }
    const dueMs = this.#startMs + this.#frame * FRAME_MS
    this.#timer = this.#clock.after(Math.max(0, dueMs - nowMs), 'prompt-frame', () => this.#tick())
  }

  #sendFrame(nowMs: number): void {
    const packet = this.#packet
    const isPcma = this.#leg.codecs.g711 === 'PCMA/8000'
    const audio = isPcma ? this.#audio.pcma : this.#audio.pcmu
    const offset = this.#frame * FRAME_BYTES
    packet.payload = isPcma ? PCMA : PCMU
    packet.bytes = new Uint8Array(RTP_HEADER_BYTES + FRAME_BYTES).fill(isPcma ? PCMA_SILENCE : PCMU_SILENCE)
    packet.bytes.set(audio.subarray(offset, offset + FRAME_BYTES), RTP_HEADER_BYTES)
    packet.extendedSequence = this.#frame
    packet.timestamp = offset
    packet.marker = this.#frame === 0
    this.#frame++
    this.#leg.deliver(packet, nowMs)
  }

  #end(how: 'finished' | 'stopped'): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#timer?.cancel()
    this.#leg.isPlaying = false
    this.#onEnd(how)
  }
}
