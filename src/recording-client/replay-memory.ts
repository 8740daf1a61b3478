// What was said lately, kept for recorders that come late or take another's place; never across a pause, and from before the
// start only where configuration asks for it.

import type { RecordableCall } from '#call'
import type { Tap } from '#engine'
import { type Clock, type Logger, messageOf } from '#kernel'
import { voiceTaps } from './streams.ts'

/** What the memory of a recording is made of. */
export interface ReplayMemoryOptions {
  readonly call: RecordableCall
  /** How much is kept, in milliseconds; 0: nothing. */
  readonly keepMs: number
  readonly clock: Clock
  readonly log: Logger
}

/** The replay memory of one recording. */
export class ReplayMemory {
  readonly #options: ReplayMemoryOptions
  #taps: readonly Tap[] = []
  /** Monotonic: the system's clock may be set meanwhile. */
  #sinceMs: number | undefined
  /** What is kept beyond `keepMs`, as long as nothing is forgotten. */
  #longerMs = 0

  constructor(options: ReplayMemoryOptions) {
    this.#options = options
  }

  /** Goes on with what was kept before a recording began: as much as that memory keeps, and what is said until `waitMs` from now. */
  inherit(early: ReplayMemory, waitMs: number): void {
    const sinceMs = early.#sinceMs
    if (sinceMs === undefined) return
    const { keepMs } = early.#options
    this.#sinceMs = Math.max(sinceMs, this.#options.clock.nowMs() - keepMs)
    this.#longerMs = keepMs + waitMs
    this.follow()
  }

  /** Begins to keep what is said from now on. */
  keep(): void {
    if (this.#keepMs === 0) return
    this.#sinceMs ??= this.#options.clock.nowMs()
    this.follow()
  }

  /** Keeps what the streams are copied from now. */
  follow(): void {
    if (this.#sinceMs === undefined) return
    const { call } = this.#options
    const taps = voiceTaps(call.snapshot())
    if (sameTaps(taps, this.#taps)) return
    this.#taps = taps
    this.#watch(call.media.remember(taps, this.#keepMs))
  }

  /** Forgets everything at once and keeps nothing until told. */
  forget(): void {
    if (this.#sinceMs === undefined) return
    this.#sinceMs = undefined
    this.#longerMs = 0
    this.#taps = []
    this.#watch(this.#options.call.media.forget())
  }

  /**
   * From when on a new fork is sent what is remembered, on the wall clock as it stands; undefined: nothing. `goodAtMs`: until then another
   * recorder had it.
   */
  fromMs(goodAtMs: number | undefined): number | undefined {
    if (this.#sinceMs === undefined) return undefined
    const { clock } = this.#options
    const sinceMs = clock.wallMs() - (clock.nowMs() - this.#sinceMs)
    return Math.max(sinceMs, goodAtMs ?? sinceMs)
  }

  get #keepMs(): number {
    return Math.max(this.#options.keepMs, this.#longerMs)
  }

  #watch(command: Promise<void>): void {
    command.catch((fault: unknown) =>
      this.#options.log.warn('replay memory of a recording failed', {
        callId: this.#options.call.callId,
        fault: messageOf(fault),
      }),
    )
  }
}

function sameTaps(a: readonly Tap[], b: readonly Tap[]): boolean {
  return a.length === b.length && a.every((tap, at) => tap.leg === b[at]?.leg && tap.point === b[at]?.point)
}
