// A typed list of listeners in which one faulty listener cannot break the others.

/** Fan-out of one kind of event. */
export class Listeners<Event> {
  readonly #listeners = new Set<(event: Event) => void>()
  readonly #onFault: (fault: unknown) => void

  /** `onFault` is told what a listener threw. */
  constructor(onFault: (fault: unknown) => void = () => {}) {
    this.#onFault = onFault
  }

  /** Adds a listener; the returned function removes it. */
  add(listener: (event: Event) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** Calls every listener in order of addition. */
  emit(event: Event): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener(event)
      } catch (fault) {
        this.#onFault(fault)
      }
    }
  }
}
