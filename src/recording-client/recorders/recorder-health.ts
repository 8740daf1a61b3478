// Whether a recorder can be expected to answer: from probes and from what attempts at it came to.

import { checkEdge, type Edges, type Machine } from '#kernel'

/** What is believed of a recorder. */
export type RecorderState = 'unknown' | 'up' | 'down'

/** Signs of a recorder: `accepted` is a recording session, `answered` any other answer that shows it at work. */
export type HealthInput =
  | { readonly type: 'accepted' | 'answered' | 'failed' }
  | { readonly type: 'busy'; readonly untilMs: number }

/** The belief has changed. */
export type HealthOutput = { readonly type: 'up' | 'down' }

/** Legal moves. */
const healthEdges: Edges<RecorderState> = {
  unknown: ['up', 'down'],
  up: ['down'],
  down: ['up'],
}

/** Failures, and answers to probes, in a row that change the belief: a single one may be chance. */
const SIGNS_NEEDED = 2

/** The machine of one recorder. */
export class RecorderHealth implements Machine<HealthInput, HealthOutput> {
  #state: RecorderState = 'unknown'
  #failures = 0
  #answers = 0
  #skippedUntilMs = Number.NEGATIVE_INFINITY

  get state(): RecorderState {
    return this.#state
  }

  /** Until when the recorder asked to be left alone (RFC 3261 section 21.5.4). */
  get skippedUntilMs(): number {
    return this.#skippedUntilMs
  }

  handle(input: HealthInput): HealthOutput[] {
    switch (input.type) {
      case 'accepted':
        this.#skippedUntilMs = Number.NEGATIVE_INFINITY
        return this.#onAlive(SIGNS_NEEDED)
      case 'answered':
        return this.#onAlive(1)
      case 'busy':
        this.#skippedUntilMs = input.untilMs
        return []
      default:
        return this.#onFailed()
    }
  }

  #onAlive(signs: number): HealthOutput[] {
    this.#failures = 0
    this.#answers += signs
    const isEnough = this.#state === 'unknown' || this.#answers >= SIGNS_NEEDED
    return this.#state !== 'up' && isEnough ? this.#enter('up') : []
  }

  #onFailed(): HealthOutput[] {
    this.#answers = 0
    this.#failures += 1
    return this.#state !== 'down' && this.#failures >= SIGNS_NEEDED ? this.#enter('down') : []
  }

  #enter(next: 'up' | 'down'): HealthOutput[] {
    checkEdge(healthEdges, this.#state, next)
    this.#state = next
    return [{ type: next }]
  }
}
