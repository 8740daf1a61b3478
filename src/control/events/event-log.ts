// The latest events, numbered, for whoever listens and for whoever comes back and wants to know what was missed.

import { type Clock, Listeners } from '#kernel'
import type { ApiEvent, EventNews } from './event-vocabulary.ts'

/** What a log is made of. */
export interface EventLogOptions {
  readonly clock: Clock
  /** Events that are kept; the oldest go first. */
  readonly keep: number
}

/** A bounded list of events; ids go on by one, and begin at the time of the start so that they rise over restarts. */
export class EventLog {
  /** Each event as it is added. */
  readonly added = new Listeners<ApiEvent>()
  readonly #options: EventLogOptions
  #events: ApiEvent[] = []
  /** Number of entries of `#events` that are forgotten. */
  #forgotten = 0
  #lastId: number

  constructor(options: EventLogOptions) {
    this.#options = options
    this.#lastId = Math.floor(options.clock.wallMs()) * 1_000
  }

  /** Id of the latest event, or of none if there was none yet. */
  get lastId(): number {
    return this.#lastId
  }

  /** Id of the event before the oldest that is kept. */
  get missedUpTo(): number {
    return this.#lastId - (this.#events.length - this.#forgotten)
  }

  add({ type, data, ...subject }: EventNews): void {
    this.#lastId += 1
    const time = new Date(this.#options.clock.wallMs()).toISOString()
    const event: ApiEvent = { id: this.#lastId, time, type, ...subject, data: { ...data } }
    this.#events.push(event)
    if (this.#events.length - this.#forgotten > this.#options.keep) this.#forget()
    this.added.emit(event)
  }

  /** The event that came next after `id` and is still kept. */
  next(id: number): ApiEvent | undefined {
    const index = this.#events.length - (this.#lastId - Math.max(id, this.missedUpTo))
    return this.#events[index]
  }

  /** Entries are dropped by the half, not one by one. */
  #forget(): void {
    this.#forgotten += 1
    if (this.#forgotten < this.#options.keep) return
    this.#events = this.#events.slice(this.#forgotten)
    this.#forgotten = 0
  }
}
