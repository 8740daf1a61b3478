// The beginning of a late mixed fork: what was remembered of its contributors is mixed first, faster than real time, and what they say
// meanwhile waits to be mixed after it.

import type { Clock, Timer } from '#kernel'
import { FRAME_MS } from './beat.ts'
import type { MediaPacket } from './media-packet.ts'
import { type KeptPacket, keepPacket } from './packet-memory.ts'

/** As fast as a replay that is not mixed. */
const SPEED = 8
const STEP_MS = 5
const MOST_PER_STEP = 16
const MOST_WAITING = 24_000

/** A packet of one of the taps that are mixed. */
export interface TappedPacket {
  readonly key: string
  readonly packet: KeptPacket
}

/** The mix that is brought to the present. */
export interface ReplayedMix {
  /** When the next frame is due that the beat will ask for. */
  readonly dueMs: number
  /** A contributor takes a packet that was carried at `packet.atMs`. */
  onPacket(tapped: TappedPacket): void
  /** Makes and sends the frame of a moment in the past. */
  onFrame(dueMs: number): void
  /** It is over, and was complete or not: what waited has been taken by contributors, or is lost. */
  onEnd(replay: MixReplay, isComplete: boolean): void
}

/** One replay, from its first frame until the mix is one of the present. */
export class MixReplay {
  frames = 0
  readonly fromMs: number
  toMs: number
  readonly #mix: ReplayedMix
  readonly #clock: Clock
  readonly #isAllowed: () => boolean
  readonly #startMs: number
  readonly #waiting: TappedPacket[]
  #next = 0
  /** Frames between the next one to be made and the next one of the beat. */
  #behind: number
  #timer: Timer | undefined
  #isOver = false

  /** `packets`: at least one, oldest first. `isAllowed` is asked before each frame; the first no ends it for good. */
  constructor(packets: readonly TappedPacket[], clock: Clock, isAllowed: () => boolean, mix: ReplayedMix) {
    this.#waiting = [...packets]
    this.#clock = clock
    this.#isAllowed = isAllowed
    this.#mix = mix
    this.#startMs = clock.nowMs()
    this.#behind = Math.max(0, Math.ceil((mix.dueMs - (packets[0]?.packet.atMs ?? mix.dueMs)) / FRAME_MS))
    this.fromMs = this.#dueMs
    this.toMs = this.fromMs
  }

  /** Makes the frames that are due, and goes on by itself. */
  start(): void {
    this.#step()
  }

  /** A frame of the present is due, and has to wait. */
  onBeat(): void {
    this.#behind++
  }

  /** Lets a packet of the present wait. */
  wait(key: string, packet: MediaPacket, nowMs: number): void {
    if (this.#waiting.length - this.#next < MOST_WAITING) this.#waiting.push({ key, packet: keepPacket(packet, nowMs) })
  }

  /** Ends it: nothing that waits is mixed any more. Harmless when it is over. */
  stop(): void {
    this.#end(false)
  }

  get #dueMs(): number {
    return this.#mix.dueMs - FRAME_MS * this.#behind
  }

  #step(): void {
    const dueFrames = ((this.#clock.nowMs() - this.#startMs) * SPEED) / FRAME_MS
    for (let made = 0; made < MOST_PER_STEP; made++) {
      if (this.#behind === 0 || !this.#isAllowed()) {
        this.#end(this.#behind === 0)
        return
      }
      if (this.frames > dueFrames) break
      const dueMs = this.#dueMs
      this.#feedUntil(dueMs)
      this.#behind--
      this.frames++
      this.toMs = dueMs
      this.#mix.onFrame(dueMs)
      if (this.#isOver) return
    }
    this.#timer = this.#clock.after(STEP_MS, 'mix-replay', () => this.#step())
  }

  #feedUntil(dueMs: number): void {
    for (let tapped = this.#waiting[this.#next]; tapped !== undefined; tapped = this.#waiting[this.#next]) {
      if (tapped.packet.atMs > dueMs) return
      this.#next++
      this.#mix.onPacket(tapped)
    }
  }

  #end(isComplete: boolean): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#timer?.cancel()
    if (isComplete) this.#feedUntil(Number.POSITIVE_INFINITY)
    this.#waiting.length = 0
    this.#mix.onEnd(this, isComplete)
  }
}
