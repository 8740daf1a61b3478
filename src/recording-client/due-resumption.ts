// A resumption that nobody commands any more: it is tried until a recorder accepts it or somebody commands otherwise.

import type { Clock, Timer } from '#kernel'

const firstDelayMs = 2_000
const longestDelayMs = 60_000

/** The resumption at the end of a pause with a deadline, or of a notice. */
export class DueResumption {
  readonly #clock: Clock
  readonly #attempt: () => Promise<boolean>
  #timer: Timer | undefined
  #delayMs = firstDelayMs
  /** Of the run under way; what an earlier one still hears counts no more. */
  #run: object | undefined

  /** `attempt` resolves to whether it is to be tried again. */
  constructor(clock: Clock, attempt: () => Promise<boolean>) {
    this.#clock = clock
    this.#attempt = attempt
  }

  begin(): void {
    void this.#try(this.#beginRun())
  }

  /** Begins when an attempt has failed by now. */
  beginLater(): void {
    this.#repeat(this.#beginRun())
  }

  /** A recorder is there: the next attempt waits no longer. */
  hurry(): void {
    if (this.#timer !== undefined && this.#run !== undefined) this.#schedule(this.#run, 0)
  }

  cancel(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    this.#run = undefined
  }

  async #try(run: object): Promise<void> {
    const isDue = await this.#attempt()
    if (this.#run !== run) return
    if (isDue) this.#repeat(run)
    else this.cancel()
  }

  #beginRun(): object {
    this.cancel()
    const run = {}
    this.#run = run
    this.#delayMs = firstDelayMs
    return run
  }

  #repeat(run: object): void {
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
