// Sessions of people in a browser: an opaque cookie stands for who they are, here, until they leave or are long idle.

import { createHash } from 'node:crypto'
import type { Clock, Ids } from '#kernel'
import type { Identity } from './sign-in.ts'

/** How long sessions last. */
export interface SessionLimits {
  /** Without a request. */
  readonly idleMs: number
  readonly longestMs: number
}

/** A session that is open. */
export interface Session extends Identity {
  /** Public name of the session: tells sessions apart, opens nothing. */
  readonly id: string
  /** Wall clock, ms since 1970, of its end if nothing is asked meanwhile. */
  readonly expiresAtMs: number
}

interface Kept extends Identity {
  readonly id: string
  readonly openedAtMs: number
  usedAtMs: number
}

const MOST_SESSIONS = 10_000
const SECRET_BYTES = 32
const ID_BYTES = 8

/** The open sessions; a restart ends them all. */
export class Sessions {
  readonly #limits: SessionLimits
  readonly #clock: Clock
  readonly #ids: Ids
  /** By the hash of the secret, oldest first: what is in memory opens nothing. */
  readonly #open = new Map<string, Kept>()

  constructor(limits: SessionLimits, clock: Clock, ids: Ids) {
    this.#limits = limits
    this.#clock = clock
    this.#ids = ids
  }

  /** Opens one; the secret goes into the cookie. */
  open(identity: Identity): { readonly secret: string; readonly session: Session } {
    const secret = this.#ids.hex(SECRET_BYTES)
    const now = this.#clock.nowMs()
    const kept: Kept = { ...identity, id: this.#ids.hex(ID_BYTES), openedAtMs: now, usedAtMs: now }
    if (this.#open.size >= MOST_SESSIONS) this.#makeRoom()
    this.#open.set(hashOf(secret), kept)
    return { secret, session: this.#viewOf(kept) }
  }

  /** The session of a secret, used by this; undefined when there is none, or none any more. */
  find(secret: string): Session | undefined {
    const key = hashOf(secret)
    const kept = this.#open.get(key)
    if (kept === undefined) return undefined
    if (this.#leftMs(kept) <= 0) {
      this.#open.delete(key)
      return undefined
    }
    kept.usedAtMs = this.#clock.nowMs()
    return this.#viewOf(kept)
  }

  /** Whether there is such a session; it is not used by this. */
  isOpen(secret: string): boolean {
    const kept = this.#open.get(hashOf(secret))
    return kept !== undefined && this.#leftMs(kept) > 0
  }

  close(secret: string): void {
    this.#open.delete(hashOf(secret))
  }

  #viewOf(kept: Kept): Session {
    const { openedAtMs: _opened, usedAtMs: _used, ...view } = kept
    return { ...view, expiresAtMs: this.#clock.wallMs() + this.#leftMs(kept) }
  }

  #leftMs({ openedAtMs, usedAtMs }: Kept): number {
    const { idleMs, longestMs } = this.#limits
    return Math.min(usedAtMs + idleMs, openedAtMs + longestMs) - this.#clock.nowMs()
  }

  #makeRoom(): void {
    for (const [key, kept] of this.#open) if (this.#leftMs(kept) <= 0) this.#open.delete(key)
    const [oldest] = this.#open.keys()
    if (oldest !== undefined && this.#open.size >= MOST_SESSIONS) this.#open.delete(oldest)
  }
}

function hashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex')
}
