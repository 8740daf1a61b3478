// Streams of the call of which one recorder gets no copy, since none could be made or the one that there was had to be removed: told, and
// tried again until there is one. A copy that is made late begins with its gate shut, as all do, and so keeps a pause.

import type { Clock, Timer } from '#kernel'
import type { SessionForks } from './session-forks.ts'

/** What one recorder gets no copy of, and why. */
export interface Missing {
  readonly labels: readonly string[]
  readonly reason: string
}

/** Why a recorder does not get all that flows. */
export interface Shortfall {
  readonly reason: string
  /** Labels of the streams that it does not get; absent: all. */
  readonly streams?: readonly string[]
}

/** Streams that are lacking for one reason. */
export interface Lack {
  readonly what: string
  readonly labels: readonly string[]
  readonly why?: string | undefined
}

/** What is lacking in all; undefined: nothing. */
export function shortfallOf(lacks: readonly Lack[]): Shortfall | undefined {
  const some = lacks.filter(({ labels }) => labels.length > 0)
  if (some.length === 0) return undefined
  const reasons = some.map(({ what, labels, why }) => `${what}: ${labels.join(', ')}${why ? ` (${why})` : ''}`)
  return { reason: reasons.join('; '), streams: some.flatMap(({ labels }) => labels) }
}

/** What the forks lack, and why. */
export function missingOf({ missing }: Pick<SessionForks, 'missing'>): Missing | undefined {
  if (missing.size === 0) return undefined
  return {
    labels: [...missing.keys()],
    reason: [...new Set([...missing.values()].map((one) => one.reason))].join('; '),
  }
}

const firstDelayMs = 1_000
const longestDelayMs = 30_000

/** Who is told. */
export interface MissingListener {
  /** Another stream is missing, or one of them no longer; undefined: none is. */
  onMissing(missing: Missing | undefined): void
  /** There are copies that the recorder does not know of. */
  onMade(): void
}

/** The missing streams of one recording session. */
export class MissingStreams {
  readonly #clock: Clock
  readonly #forks: SessionForks
  readonly #listener: MissingListener
  #told: Missing | undefined
  #timer: Timer | undefined
  #delayMs = firstDelayMs
  #isClosed = false

  constructor(clock: Clock, forks: SessionForks, listener: MissingListener) {
    this.#clock = clock
    this.#forks = forks
    this.#listener = listener
  }

  /** As it was told last. */
  get now(): Missing | undefined {
    return this.#told
  }

  /** Something may be missing, or there again. */
  look(): void {
    if (this.#isClosed) return
    const { missing } = this.#forks
    const lacking = missingOf(this.#forks)
    if ((lacking?.labels ?? []).join() !== (this.#told?.labels ?? []).join()) {
      this.#told = lacking
      this.#listener.onMissing(this.#told)
    }
    const isUnmade = [...missing.values()].some(({ isMade }) => !isMade)
    if (!isUnmade) this.#rest()
    else this.#timer ??= this.#clock.after(this.#delayMs, 'recording missing streams', () => this.#retry())
  }

  close(): void {
    this.#isClosed = true
    this.#told = undefined
    this.#rest()
  }

  #rest(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    this.#delayMs = firstDelayMs
  }

  #retry(): void {
    this.#timer = undefined
    this.#delayMs = Math.min(2 * this.#delayMs, longestDelayMs)
    void this.#forks.follow().then((hasNewStreams) => {
      if (this.#isClosed) return
      if (hasNewStreams) this.#listener.onMade()
      this.look()
    })
  }
}
