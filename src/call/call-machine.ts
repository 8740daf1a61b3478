// The states of a call and of a leg, and the moves between them; each move is published on the state trace.

import { type Clock, checkEdge, type Edges, type StateTrace, stateTrace } from '#kernel'

/** `ringing` until the caller was sent its 200. */
export type CallState = 'ringing' | 'answered' | 'ended'

/** Legal moves of a call. */
export const CALL_EDGES: Edges<CallState> = {
  ringing: ['answered', 'ended'],
  answered: ['ended'],
  ended: [],
}

/** `early` once a provisional response was sent or received, `confirmed` from the 200 on. */
export type LegState = 'setup' | 'early' | 'confirmed' | 'ended'

/** Legal moves of a leg. */
export const LEG_EDGES: Edges<LegState> = {
  setup: ['early', 'confirmed', 'ended'],
  early: ['confirmed', 'ended'],
  confirmed: ['ended'],
  ended: [],
}

/** A state that moves along a table of edges only. */
export class Lifecycle<State extends string> {
  readonly #machine: string
  readonly #id: string
  readonly #edges: Edges<State>
  readonly #clock: Clock
  #state: State

  constructor(options: {
    readonly machine: string
    readonly id: string
    readonly initial: State
    readonly edges: Edges<State>
    readonly clock: Clock
  }) {
    this.#machine = options.machine
    this.#id = options.id
    this.#edges = options.edges
    this.#clock = options.clock
    this.#state = options.initial
  }

  get state(): State {
    return this.#state
  }

  /** Moves to `next`; throws InvariantError when no edge leads there. */
  enter(next: State): void {
    checkEdge(this.#edges, this.#state, next)
    const from = this.#state
    this.#state = next
    const trace: StateTrace = { machine: this.#machine, id: this.#id, from, to: next, wallMs: this.#clock.wallMs() }
    stateTrace.publish(trace)
  }
}
