// Whether the recorder of a fork gives any sign of life: a report or any other datagram (RFC 3550 section 6.3.5).

/** Silence that is told of when nothing ever came, and how often after that. */
const UNHEARD_EVERY_MS = 5000
/** A recorder that was heard has told that the way is open; its reports come every 2 to 8 s, and some get lost. */
const LOST_AFTER_MS = 15_000

/** Follows the signs of life while packets are being sent. */
export class SignsOfLife {
  lastHeardAtMs: number | undefined
  /** Since when a sign is waited for; undefined while nothing may be sent. */
  #sinceMs: number | undefined
  #toldMs = 0
  #isMissed = false

  /** Takes a datagram of the recorder; true when that is news: the first one, or the first after a silence that was told of. */
  heard(nowMs: number): boolean {
    const isNews = this.lastHeardAtMs === undefined || this.#isMissed
    this.lastHeardAtMs = nowMs
    this.#isMissed = false
    if (this.#sinceMs !== undefined) this.#waitFrom(nowMs)
    return isNews
  }

  /** To be called a few times a second: how long nothing came, when that is to be told now. `isSending`: packets have left and still may. */
  sweep(nowMs: number, isSending: boolean): number | undefined {
    if (!isSending) {
      this.#sinceMs = undefined
      return undefined
    }
    if (this.#sinceMs === undefined) this.#waitFrom(nowMs)
    const silentMs = nowMs - (this.#sinceMs ?? nowMs)
    const firstAfterMs = this.lastHeardAtMs === undefined ? UNHEARD_EVERY_MS : LOST_AFTER_MS
    if (silentMs < Math.max(firstAfterMs, this.#toldMs + UNHEARD_EVERY_MS)) return undefined
    this.#toldMs = silentMs - (silentMs % UNHEARD_EVERY_MS)
    this.#isMissed = true
    return silentMs
  }

  #waitFrom(nowMs: number): void {
    this.#sinceMs = nowMs
    this.#toldMs = 0
  }
}
