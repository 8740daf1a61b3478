// The time axis of one recording: time since it began, or, where a client delivers what it kept, what was
// delivered by now and what can have been since.

import type { Clock } from '#kernel'
import { SenderClocks } from './sender-clocks.ts'
import { SenderTime } from './sender-time.ts'

/** Faster deliveries are taken for that fast. */
const FASTEST = 64

/** Milliseconds of the recording at this moment. */
export class RecordingTime {
  readonly #clock: Clock
  readonly #originMs: number
  #pace = 1
  readonly #sender = new SenderTime()
  /** What the streams of the client say of their time, live. */
  readonly clocks = new SenderClocks()
  /** When the latest packet came, and up to where there is audio by then. */
  #latest: { readonly nowMs: number; readonly endMs: number } | undefined

  /** Begins now, or began so long ago. */
  constructor(clock: Clock, agoMs = 0) {
    this.#clock = clock
    this.#originMs = clock.nowMs() - agoMs
  }

  /** What arrives was said before, and arrives at another pace. */
  get isDelivered(): boolean {
    return this.#pace !== 1
  }

  /** The clock of a client that delivers; undefined where what is said arrives at once. */
  get sender(): SenderTime | undefined {
    return this.isDelivered ? this.#sender : undefined
  }

  /** Says how many times faster than it was said everything comes; to be called before the first packet. */
  deliverAt(pace: number): void {
    if (pace > 1) this.#pace = Math.min(FASTEST, pace)
  }

  /** A packet has been placed, and a stream has audio up to `endMs`: the time of a delivery goes on from there. */
  reached(endMs: number): void {
    if (!this.isDelivered) return
    const nowMs = this.#clock.nowMs()
    this.#latest = { nowMs, endMs: Math.max(endMs, this.#latest?.endMs ?? 0) }
  }

  elapsedMs(): number {
    const nowMs = this.#clock.nowMs()
    if (!this.isDelivered) return nowMs - this.#originMs
    return this.#latest === undefined ? 0 : this.#latest.endMs + (nowMs - this.#latest.nowMs) * this.#pace
  }

  /** By the clock on the wall. */
  tookMs(): number {
    return this.#clock.nowMs() - this.#originMs
  }
}
