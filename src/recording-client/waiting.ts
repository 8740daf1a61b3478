// A wait with a deadline, and others that join it.

import type { Timer } from '#kernel'

/** At most one open wait; everyone who opened it gets the same outcome. */
export class Waiting<Outcome> {
  #promise: Promise<Outcome> | undefined
  #resolve: ((outcome: Outcome) => void) | undefined
  #deadline: Timer | undefined

  get isOpen(): boolean {
    return this.#promise !== undefined
  }

  /** Begins to wait, or joins. */
  open(): Promise<Outcome> {
    this.#promise ??= new Promise((resolve) => {
      this.#resolve = resolve
    })
    return this.#promise
  }

  /** Gives the open wait a deadline, which is cancelled when the wait is settled before. */
  limit(deadline: Timer): void {
    this.#deadline?.cancel()
    this.#deadline = deadline
    if (!this.isOpen) deadline.cancel()
  }

  /** Gives the outcome to all who wait; without effect when nobody does. */
  settle(outcome: Outcome): void {
    const resolve = this.#resolve
    this.#deadline?.cancel()
    this.#promise = undefined
    this.#resolve = undefined
    this.#deadline = undefined
    resolve?.(outcome)
  }
}
