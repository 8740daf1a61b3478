// Waiting without sleeping: a condition is tested again at every arrival, and a deadline ends the wait with an error.

type Waiter = { readonly predicate: () => boolean; readonly done: () => void }

/** The arrivals of one peer: whoever waits on it is woken by `changed`. */
export class Arrivals {
  readonly #waiters = new Set<Waiter>()

  /** Tests every waiting condition again. */
  changed(): void {
    for (const waiter of [...this.#waiters]) {
      if (waiter.predicate()) {
        this.#waiters.delete(waiter)
        waiter.done()
      }
    }
  }

  /** Resolves once the predicate holds; rejects with `what` after `deadlineMs`. */
  waitFor(predicate: () => boolean, deadlineMs: number, what = 'the awaited condition'): Promise<void> {
    if (predicate()) return Promise.resolve()
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        predicate,
        done: () => {
          clearTimeout(timer)
          resolve()
        },
      }
      const timer = setTimeout(() => {
        this.#waiters.delete(waiter)
        reject(new Error(`${what} did not come within ${deadlineMs} ms`))
      }, deadlineMs)
      this.#waiters.add(waiter)
    })
  }
}

/** Resolves after `ms`; for pacing media and for protocol timers, never for synchronisation. */
export function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
