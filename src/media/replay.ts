// The beginning of a late fork: what was remembered goes first, faster than real time, and live packets wait behind it.

import type { Clock, Timer } from '#kernel'
import type { MediaPacket } from './media-packet.ts'
import { type KeptPacket, keepPacket } from './packet-memory.ts'

/** Fast enough to catch up with a minute in nine seconds, slow enough for the buffers of a recorder. */
const SPEED = 8
const STEP_MS = 5
/** After a late timer a recorder is not flooded either. */
const MOST_PER_STEP = 16
const MOST_WAITING = 12_000

/** What a replay does to its fork. */
export interface ReplayListener {
  /** Sends a packet that was carried at `packet.atMs`; false when it was left out. */
  onPacket(packet: KeptPacket): boolean
  /** It is over: everything was sent, or it was stopped; `left` packets were not sent. */
  onEnd(replay: Replay, left: number): void
}

/** One replay, from its first packet until live packets need not wait any more. */
export class Replay {
  /** Packets sent so far, and the monotonic times at which the first and the last of them were carried. */
  packets = 0
  readonly fromMs: number
  toMs: number
  readonly #waiting: KeptPacket[]
  readonly #clock: Clock
  readonly #isAllowed: () => boolean
  readonly #listener: ReplayListener
  readonly #startMs: number
  #next = 0
  #timer: Timer | undefined
  #isOver = false

  /** `packets`: at least one, oldest first. `isAllowed` is asked before each packet; the first no ends it for good. */
  constructor(packets: readonly KeptPacket[], clock: Clock, isAllowed: () => boolean, listener: ReplayListener) {
    this.#waiting = [...packets]
    this.#clock = clock
    this.#isAllowed = isAllowed
    this.#listener = listener
    this.#startMs = clock.nowMs()
    this.fromMs = packets[0]?.atMs ?? this.#startMs
    this.toMs = this.fromMs
  }

  /** Sends what is due, and goes on by itself. */
  start(): void {
    this.#step()
  }

  /** Lets a live packet wait; false when too many do. */
  wait(packet: MediaPacket, nowMs: number): boolean {
    if (this.#waiting.length - this.#next >= MOST_WAITING) return false
    this.#waiting.push(keepPacket(packet, nowMs))
    return true
  }

  /** Ends it: nothing that waits is sent any more. Harmless when it is over. */
  stop(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#timer?.cancel()
    const left = this.#waiting.length - this.#next
    this.#waiting.length = 0
    this.#listener.onEnd(this, left)
  }

  #step(): void {
    const nowMs = this.#clock.nowMs()
    for (let sent = 0; sent < MOST_PER_STEP; sent++) {
      const packet = this.#waiting[this.#next]
      if (packet === undefined || !this.#isAllowed()) {
        this.stop()
        return
      }
      if (this.#startMs + (packet.atMs - this.fromMs) / SPEED > nowMs) break
      this.#next++
      this.toMs = packet.atMs
      if (this.#listener.onPacket(packet)) this.packets++
      if (this.#isOver) return
    }
    this.#timer = this.#clock.after(STEP_MS, 'replay', () => this.#step())
  }
}
