// What a socket saw of each pause of its stream; the list is bounded, whatever the peer does.

import type { PauseEvidence } from '#store'

/** Pauses that are kept, the last ones. */
const MAX_PAUSES = 1000

/** Evidence of the pauses of one stream. */
export class PauseWitness {
  readonly #closed: PauseEvidence[] = []
  #open: PauseEvidence | undefined
  #isEnd = false
  #forgotten = 0

  /** The last pauses, in order. */
  get pauses(): readonly PauseEvidence[] {
    return this.#open === undefined || this.#isEnd ? [...this.#closed] : [...this.#closed, this.#open]
  }

  /** Pauses before those that are kept. */
  get forgotten(): number {
    return this.#forgotten
  }

  /** Notes that a pause begins or ends; repeating the state changes nothing. `isEnd`: none, unless it is over one day. */
  set(isPaused: boolean, atMs: number, lastSequence: number | undefined, isEnd = false): void {
    this.#isEnd = isPaused && isEnd && (this.#open === undefined || this.#isEnd)
    if (isPaused && this.#open === undefined) {
      this.#open = { fromMs: atMs, ...(lastSequence !== undefined && { lastSequence }), packets: 0 }
    } else if (!isPaused && this.#open !== undefined) {
      this.#closed.push({ ...this.#open, toMs: atMs })
      this.#open = undefined
      if (this.#closed.length > MAX_PAUSES) this.#forget()
    }
  }

  /** A packet came, from anybody. */
  countPacket(): void {
    if (this.#open !== undefined) this.#open = { ...this.#open, packets: this.#open.packets + 1 }
  }

  #forget(): void {
    this.#closed.shift()
    this.#forgotten += 1
  }
}
