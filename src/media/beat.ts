// The 20 ms beat of a mix, on the worker's clock; a timer that fired late is caught up with.

import type { Clock, Timer } from '#kernel'

/** Length of a frame. */
export const FRAME_MS = 20
/** After a longer standstill the frames in between are left out. */
const MOST_BEHIND = 50

/** Beats from its making until `stop`. */
export class Beat {
  readonly #clock: Clock
  readonly #onFrame: (dueMs: number) => void
  #dueMs: number
  #timer: Timer | undefined
  #hasYielded = false
  #isStopped = false

  /** `onFrame` is told the moment that the frame is due. */
  constructor(clock: Clock, onFrame: (dueMs: number) => void) {
    this.#clock = clock
    this.#onFrame = onFrame
    this.#dueMs = clock.nowMs() + FRAME_MS
    this.#schedule()
  }

  /** When the next frame is due. */
  get dueMs(): number {
    return this.#dueMs
  }

  stop(): void {
    this.#isStopped = true
    this.#timer?.cancel()
  }

  #schedule(): void {
    const delayMs = Math.max(0, this.#dueMs - this.#clock.nowMs())
    this.#timer = this.#clock.after(delayMs, 'mix-frame', () => this.#tick())
  }

  #tick(): void {
    const nowMs = this.#clock.nowMs()
    const behind = Math.floor((nowMs - this.#dueMs) / FRAME_MS)
    // Where this thread stood still, packets wait in its sockets: they are read before their frames are made.
    if (behind >= 1 && !this.#hasYielded) {
      this.#hasYielded = true
      this.#schedule()
      return
    }
    this.#hasYielded = false
    if (behind > MOST_BEHIND) this.#dueMs += behind * FRAME_MS
    while (this.#dueMs <= nowMs && !this.#isStopped) {
      this.#onFrame(this.#dueMs)
      this.#dueMs += FRAME_MS
    }
    if (!this.#isStopped) this.#schedule()
  }
}
