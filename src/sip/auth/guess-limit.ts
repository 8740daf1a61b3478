// How often somebody may be wrong about a password: an address and a user name so many times in a minute.

import type { Clock } from '#kernel'

const WINDOW_MS = 60_000
/** Above it those that were wrong longest ago are forgotten. */
const MOST_KEPT = 10_000

interface Failures {
  readonly sinceMs: number
  readonly count: number
}

/** Counts wrong answers. */
export class GuessLimit {
  readonly #most: number
  readonly #clock: Clock
  readonly #failures = new Map<string, Failures>()

  /** `most`: in a minute, from one address for one user. */
  constructor(most: number, clock: Clock) {
    this.#most = most
    this.#clock = clock
  }

  /** Whether that user is not to be listened to from there for now, whatever is said. */
  isSpent(host: string, username: string): boolean {
    return (this.#of(keyOf(host, username))?.count ?? 0) >= this.#most
  }

  failed(host: string, username: string): void {
    const key = keyOf(host, username)
    const { sinceMs, count } = this.#of(key) ?? { sinceMs: this.#clock.nowMs(), count: 0 }
    this.#failures.set(key, { sinceMs, count: count + 1 })
    const [oldest] = this.#failures.keys()
    if (this.#failures.size > MOST_KEPT && oldest !== undefined) this.#failures.delete(oldest)
  }

  succeeded(host: string, username: string): void {
    this.#failures.delete(keyOf(host, username))
  }

  #of(key: string): Failures | undefined {
    const failures = this.#failures.get(key)
    if (failures === undefined || this.#clock.nowMs() - failures.sinceMs < WINDOW_MS) return failures
    this.#failures.delete(key)
    return undefined
  }
}

function keyOf(host: string, username: string): string {
  return `${host}\n${username}`
}
