// A client that died without a BYE leaves a dialog that only asking can end.

import { type Clock, type Logger, messageOf, type Timer } from '#kernel'
import type { LiveSession } from './server-events.ts'

/** A session without a packet for one to two of these is asked whether it lives. */
const PROBE_MS = 60_000

/** What the watch over silent sessions works with. */
export interface SilentSessionsOptions {
  readonly clock: Clock
  readonly log: Logger
  /** Sessions under way, with their counters. */
  readonly sessions: () => Promise<readonly LiveSession[]>
  readonly probe: (recordingId: string) => void
}

/** Asks sessions that bring nothing; works only while there are any. */
export class SilentSessions {
  readonly #options: SilentSessionsOptions
  readonly #packetsBefore = new Map<string, number>()
  #timer: Timer | undefined

  constructor(options: SilentSessionsOptions) {
    this.#options = options
  }

  /** There is a session. */
  start(): void {
    this.#timer ??= this.#schedule()
  }

  forget(recordingId: string): void {
    this.#packetsBefore.delete(recordingId)
  }

  /** There is none any more. */
  stop(): void {
    this.#timer?.cancel()
    this.#timer = undefined
  }

  #schedule(): Timer {
    return this.#options.clock.after(PROBE_MS, 'probe', () => {
      this.#timer = this.#schedule()
      this.#probe().catch((thrown: unknown) => {
        this.#options.log.error('silent sessions not probed', { reason: messageOf(thrown) })
      })
    })
  }

  async #probe(): Promise<void> {
    for (const { recordingId, streams } of await this.#options.sessions()) {
      // Those of sources beside the first one of a stream are in the reading alone.
      const counts = streams.map(({ totals, reading }) => (totals?.packets ?? 0) + (reading?.packets ?? 0))
      const packets = counts.reduce((sum, count) => sum + count, 0)
      if (packets === this.#packetsBefore.get(recordingId)) this.#options.probe(recordingId)
      else this.#packetsBefore.set(recordingId, packets)
    }
  }
}
