// One listener's place in the log: takes what its line carries, and no more is held for it than the log holds anyway.

import type { EventLog } from './event-log.ts'
import type { ApiEvent } from './event-vocabulary.ts'

/** Which events a listener wants; absent: all. */
export interface EventFilter {
  /** Types, or beginnings of types as in `recording.*`. */
  readonly types?: readonly string[]
  readonly callId?: string
  readonly recordingId?: string
}

/** Reads the log from a place on. */
export class EventCursor {
  readonly #log: EventLog
  readonly #filter: EventFilter
  readonly #isWanted: (type: string) => boolean
  #at: number

  /** `after` is the id of the last event that the listener has; absent: it wants those to come. */
  constructor(log: EventLog, filter: EventFilter, after?: number) {
    this.#log = log
    this.#filter = filter
    this.#isWanted = typeFilter(filter.types)
    this.#at = Math.min(after ?? log.lastId, log.lastId)
  }

  /** The next event for this listener, if there is one by now; `events.missed` where some are no longer kept. */
  take(): ApiEvent | undefined {
    const { missedUpTo } = this.#log
    if (this.#at < missedUpTo) return this.#missed(missedUpTo)
    for (;;) {
      const event = this.#log.next(this.#at)
      if (event === undefined) return undefined
      this.#at = event.id
      if (this.#wants(event)) return event
    }
  }

  #missed(upTo: number): ApiEvent {
    const after = this.#at
    this.#at = upTo
    const time = this.#log.next(upTo)?.time ?? new Date(0).toISOString()
    return { id: upTo, time, type: 'events.missed', data: { after } }
  }

  #wants({ type, callId, recordingId }: ApiEvent): boolean {
    const { callId: wantedCall = callId, recordingId: wantedRecording = recordingId } = this.#filter
    return this.#isWanted(type) && callId === wantedCall && recordingId === wantedRecording
  }
}

/** Whether a type is one of the patterns: a type, or the beginning of one as in `recording.*`; without patterns all are. */
export function typeFilter(patterns: readonly string[] | undefined): (type: string) => boolean {
  if (patterns === undefined || patterns.length === 0) return () => true
  return (type) =>
    patterns.some((pattern) => (pattern.endsWith('*') ? type.startsWith(pattern.slice(0, -1)) : type === pattern))
}
