// A command that waits for its outcome, and others that join it.

import type { CommandOutcome } from './command.ts'

/** At most one open wait; everyone who opened it gets the same outcome. */
export class Waiting {
  #promise: Promise<CommandOutcome> | undefined
  #resolve: ((outcome: CommandOutcome) => void) | undefined

  get isOpen(): boolean {
    return this.#promise !== undefined
  }

  /** Begins to wait, or joins. */
  open(): Promise<CommandOutcome> {
    this.#promise ??= new Promise((resolve) => {
      this.#resolve = resolve
    })
    return this.#promise
  }

  /** Gives the outcome to all who wait; without effect when nobody does. */
  settle(outcome: CommandOutcome): void {
    const resolve = this.#resolve
    this.#promise = undefined
    this.#resolve = undefined
    resolve?.(outcome)
  }
}
