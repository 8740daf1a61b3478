// Who listens to a call: an ear on what each party says, and what it heard told a few times a second.

import type { Timer } from '#kernel'
import { ListeningTap, type PacketTaker } from '#media'
import type { Hearing, MediaEvent, Tap } from '../media-engine.ts'
import type { LegLine } from './leg-line.ts'
import type { WorkerContext } from './worker-context.ts'

const LEVELS_MS = 250
const SOUND_MS = 60

/** The ears on one call. */
export class Ears {
  readonly #context: WorkerContext
  readonly #onEvent: (event: MediaEvent) => void
  readonly #taps = new Map<string, ListeningTap>()
  #hearing: Hearing = 'nothing'
  #timer: Timer | undefined

  constructor(context: WorkerContext, onEvent: (event: MediaEvent) => void) {
    this.#context = context
    this.#onEvent = onEvent
  }

  hear(hearing: Hearing): void {
    this.#hearing = hearing
    for (const tap of this.#taps.values()) tap.keepsSound = hearing === 'sound'
    this.#timer?.cancel()
    this.#timer = hearing === 'nothing' ? undefined : this.#schedule()
    if (hearing === 'nothing') this.#taps.clear()
  }

  /** Takes notice of which legs there are. */
  follow(legs: ReadonlyMap<string, LegLine>): void {
    for (const id of this.#taps.keys()) if (!legs.has(id)) this.#taps.delete(id)
    if (this.#hearing === 'nothing') return
    for (const [id, { relay }] of legs) {
      // Video has feedback, and no sound.
      if (relay.feedback !== undefined || this.#taps.has(id)) continue
      const tap = new ListeningTap(this.#context.opus)
      tap.keepsSound = this.#hearing === 'sound'
      this.#taps.set(id, tap)
    }
  }

  /** Who hears what a tap carries. */
  takersOf({ leg, point }: Tap): readonly PacketTaker[] {
    const tap = point === 'received' ? this.#taps.get(leg) : undefined
    return tap === undefined ? [] : [tap]
  }

  #schedule(): Timer {
    const everyMs = this.#hearing === 'sound' ? SOUND_MS : LEVELS_MS
    return this.#context.copyClock.after(everyMs, 'ears', () => {
      this.#timer = this.#schedule()
      const nowMs = this.#context.clock.nowMs()
      const legs = [...this.#taps].map(([leg, tap]) => ({ leg, ...tap.take(nowMs) }))
      this.#onEvent({ type: 'heard', legs })
    })
  }
}
