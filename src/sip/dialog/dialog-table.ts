// The dialogs of one core by Call-ID and tags, and for a while those that are over (RFC 3891 section 3 asks for them).

import type { Clock } from '#kernel'
import type { DialogHolder } from '../core-parts.ts'

const REMEMBER_MS = 32_000
const MAX_REMEMBERED = 10_000

/** Who holds which dialog; keys are those of `dialogKey`. */
export class DialogTable {
  readonly #clock: Clock
  readonly #holders = new Map<string, DialogHolder>()
  /** When each ended, oldest first. */
  readonly #endedAtMs = new Map<string, number>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get size(): number {
    return this.#holders.size
  }

  find(key: string): DialogHolder | undefined {
    return this.#holders.get(key)
  }

  add(key: string, holder: DialogHolder): void {
    this.#holders.set(key, holder)
  }

  /** Takes the dialog out, unless somebody else holds it by now. */
  remove(key: string, holder: DialogHolder): void {
    if (this.#holders.get(key) !== holder) return
    this.#holders.delete(key)
    this.#endedAtMs.delete(key)
    this.#endedAtMs.set(key, this.#clock.nowMs())
    for (const [oldest, atMs] of this.#endedAtMs) {
      if (this.#endedAtMs.size <= MAX_REMEMBERED && !this.#isForgotten(atMs)) break
      this.#endedAtMs.delete(oldest)
    }
  }

  /** Whether the dialog ended less than 32 s ago. */
  hasEnded(key: string): boolean {
    const atMs = this.#endedAtMs.get(key)
    return atMs !== undefined && !this.#isForgotten(atMs)
  }

  clear(): void {
    this.#holders.clear()
    this.#endedAtMs.clear()
  }

  #isForgotten(endedAtMs: number): boolean {
    return this.#clock.nowMs() - endedAtMs > REMEMBER_MS
  }
}
