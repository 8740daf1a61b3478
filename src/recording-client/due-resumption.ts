// A resumption that nobody commands any more: it is tried until a recorder accepts it or somebody commands otherwise.

import type { Clock, Timer } from '#kernel'

const firstDelayMs = 2_000
const longestDelayMs = 60_000

/** The resumption at the end of a pause with a deadline, or of a notice. */
export class DueResumption {
  readonly #clock: Clock
  readonly #attempt: () => Promise<string | undefined>
  readonly #onFailed: (text: string) => void
  #timer: Timer | undefined
  #delayMs = firstDelayMs
  /** Of the run under way; what an earlier one still hears counts no more. */
  #run: object | undefined
  #failure: string | undefined

  /** `attempt` resolves to why it is to be tried again, if so; `onFailed` is told that. */
  constructor(clock: Clock, attempt: () => Promise<string | undefined>, onFailed: (text: string) => void) {
    this.#clock = clock
    this.#attempt = attempt
    this.#onFailed = onFailed
  }

  /** Why the latest attempt failed, until one does not or nobody tries any more. */
  get failure(): string | undefined {
    return this.#failure
  }

  begin(): void {
    void this.#try(this.#beginRun())
  }

  /** Begins when an attempt has failed by now, and why. */
  beginLater(failure: string): void {
    this.#fail(this.#beginRun(), failure)
  }

  /** A recorder is there: the next attempt waits no longer. */
  hurry(): void {
    if (this.#timer !== undefined && this.#run !== undefined) this.#schedule(this.#run, 0)
  }

  cancel(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    this.#run = undefined
    this.#failure = undefined
  }

  async #try(run: object): Promise<void> {
    const failure = await this.#attempt()
    if (this.#run !== run) return
    if (failure === undefined) return this.cancel()
    this.#fail(run, failure)
  }

  #beginRun(): object {
    this.cancel()
    const run = {}
    this.#run = run
    this.#delayMs = firstDelayMs
    return run
  }

  #fail(run: object, failure: string): void {
    this.#failure = failure
    this.#onFailed(failure)
    if (this.#run !== run) return
    this.#schedule(run, this.#delayMs)
    this.#delayMs = Math.min(2 * this.#delayMs, longestDelayMs)
  }

  #schedule(run: object, afterMs: number): void {
    this.#timer?.cancel()
    this.#timer = this.#clock.after(afterMs, 'recording due resumption', () => {
      this.#timer = undefined
      void this.#try(run)
    })
  }
}
