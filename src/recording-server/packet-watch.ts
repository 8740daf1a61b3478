// "Is it really recording?": misses the streams that should send and do not.

import type { Clock, Timer } from '#kernel'

/** A stream that should send is missed after this long. */
const PATIENCE_MS = 3000

/** Watch over the first packets of one session's streams. */
export class PacketWatch {
  readonly #clock: Clock
  readonly #onMissed: (channel: number) => void
  readonly #heard = new Set<number>()
  readonly #missed = new Set<number>()
  #timer: Timer | undefined
  #wasExpecting = false

  /** `onMissed` is told once per channel. */
  constructor(clock: Clock, onMissed: (channel: number) => void) {
    this.#clock = clock
    this.#onMissed = onMissed
  }

  /** Whether any stream was ever to send. */
  get wasExpecting(): boolean {
    return this.#wasExpecting
  }

  /** The channel's first packet came. */
  heard(channel: number): void {
    this.#heard.add(channel)
  }

  /** From now on packets are due on these channels, and on no others. */
  expect(channels: readonly number[]): void {
    if (channels.length > 0) this.#wasExpecting = true
    this.stop()
    this.#timer = this.#clock.after(PATIENCE_MS, 'no-packets', () => {
      for (const channel of channels) {
        if (this.#heard.has(channel) || this.#missed.has(channel)) continue
        this.#missed.add(channel)
        this.#onMissed(channel)
      }
    })
  }

  stop(): void {
    this.#timer?.cancel()
  }
}
