// Guesses of passwords, limited by the address that they come from, in bounded memory.

import type { Clock } from '#kernel'

/** How many wrong proofs an address has, and for how long it is refused then. */
export interface GuessLimitOptions {
  /** Wrong proofs within the window, the last of which shuts the address out. */
  readonly maxFailures: number
  readonly windowMs: number
  readonly refuseMs: number
  /** Told once each time that an address is shut out. */
  readonly onShut?: (host: string) => void
}

interface Guesses {
  count: number
  sinceMs: number
  /** Undefined while its proofs are looked at. */
  shutUntilMs: number | undefined
}

/** Addresses remembered of each kind; the oldest are forgotten first. */
const MAX_HOSTS = 10_000

/** Counts wrong proofs by address. One that has proved itself is never shut out: datagrams with a forged source must not reach a client in use. */
export class GuessLimit {
  readonly #options: GuessLimitOptions
  readonly #clock: Clock
  readonly #guesses = new Map<string, Guesses>()
  readonly #proven = new Set<string>()

  constructor(options: GuessLimitOptions, clock: Clock) {
    this.#options = options
    this.#clock = clock
  }

  /** For how long an address is still refused, in ms; 0 where it is not. */
  refusedMs(host: string): number {
    const until = this.#guesses.get(host)?.shutUntilMs
    if (until === undefined) return 0
    const leftMs = until - this.#clock.nowMs()
    if (leftMs > 0) return leftMs
    this.#guesses.delete(host)
    return 0
  }

  /** A proof was wrong. */
  fail(host: string): void {
    if (this.#proven.has(host)) return
    const nowMs = this.#clock.nowMs()
    const { maxFailures, windowMs, refuseMs, onShut } = this.#options
    const known = this.#guesses.get(host)
    const guesses =
      known !== undefined && nowMs - known.sinceMs < windowMs
        ? known
        : { count: 0, sinceMs: nowMs, shutUntilMs: undefined }
    guesses.count += 1
    if (guesses !== known) {
      this.#guesses.delete(host)
      this.#guesses.set(host, guesses)
      forgetOldest(this.#guesses)
    }
    if (guesses.count < maxFailures) return
    guesses.shutUntilMs = nowMs + refuseMs
    onShut?.(host)
  }

  /** A proof was right. */
  succeed(host: string): void {
    this.#guesses.delete(host)
    this.#proven.delete(host)
    this.#proven.add(host)
    forgetOldest(this.#proven)
  }
}

function forgetOldest(hosts: Map<string, unknown> | Set<string>): void {
  if (hosts.size <= MAX_HOSTS) return
  for (const oldest of hosts.keys()) {
    hosts.delete(oldest)
    return
  }
}
