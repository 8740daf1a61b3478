// Which recorder carries one entry of the parallel list, and which is tried next: ordered failover at the start, re-homing after a
// loss (rows SRC-60, SRC-63). Without sockets or time.

import { assertNever, checkEdge, type Edges, type Machine } from '#kernel'
import type { Comeback } from './departure.ts'

/** `proving`: accepted by a recorder after sessions that did not last; `waiting`: everyone has been tried, and will be again. */
export type SlotState = 'idle' | 'trying' | 'proving' | 'carried' | 'waiting' | 'over'

/** What happens to a slot. */
export type SlotInput =
  | { readonly type: 'begin' }
  | { readonly type: 'accepted' }
  /** The recorder that had to prove itself has stayed. */
  | { readonly type: 'proved' }
  | { readonly type: 'refused' }
  | { readonly type: 'lost'; readonly comeback: Comeback; readonly carriedMs: number }
  | { readonly type: 'due' }
  | { readonly type: 'end' }

/** What is to be done; candidates are numbers in their list. */
export type SlotOutput =
  | { readonly type: 'open'; readonly candidate: number }
  | { readonly type: 'wait'; readonly afterMs: number }
  | { readonly type: 'prove'; readonly afterMs: number }
  | { readonly type: 'over' }

/** Legal moves. */
const slotEdges: Edges<SlotState> = {
  idle: ['trying', 'over'],
  trying: ['trying', 'proving', 'carried', 'waiting', 'over'],
  proving: ['trying', 'carried', 'waiting', 'over'],
  carried: ['trying', 'waiting', 'over'],
  waiting: ['trying', 'over'],
  over: [],
}

/** Before each round of tries after a loss. */
const backOffMs = [0, 1_000, 2_000, 5_000, 10_000] as const
/** A recorder that stayed so long has earned all its rounds again. */
const steadyMs = 60_000
/** A session that ends sooner was none. */
const lastingMs = 10_000
/** After so many of them in a row the next one has to last before it counts. */
const maxBriefSessions = 3

/** The machine of one slot. */
export class SlotMachine implements Machine<SlotInput, SlotOutput> {
  readonly #isPersistent: boolean
  readonly #excluded = new Set<number>()
  readonly #count: number
  #state: SlotState = 'idle'
  #queue: number[] = []
  #current = 0
  #round = 0
  #wasCarried = false
  #briefSessions = 0

  /** `isPersistent`: it is tried again and again while somebody may be asked. */
  constructor(candidates: number, isPersistent: boolean) {
    this.#count = candidates
    this.#isPersistent = isPersistent
  }

  get state(): SlotState {
    return this.#state
  }

  /** Whether recorders have accepted and left at once so often that an acceptance alone says nothing. */
  get isUnsteady(): boolean {
    return this.#briefSessions >= maxBriefSessions
  }

  /** Whether anyone comes after the recorder that is being tried, before it would have to be waited. */
  get hasNext(): boolean {
    return this.#queue.length > 0
  }

  handle(input: SlotInput): SlotOutput[] {
    switch (input.type) {
      case 'begin':
        return this.#state === 'idle' ? this.#tryAll(0) : []
      case 'accepted':
        return this.#state === 'trying' ? this.#onAccepted() : []
      case 'proved':
        if (this.#state !== 'proving') return []
        this.#briefSessions = 0
        this.#enter('carried')
        return []
      case 'refused':
        return this.#state === 'trying' ? this.#next() : []
      case 'lost':
        return this.#state === 'carried' || this.#state === 'proving'
          ? this.#onLost(input.comeback, input.carriedMs)
          : []
      case 'due':
        return this.#state === 'waiting' ? this.#tryAll(this.#current + 1) : []
      case 'end':
        return this.#end()
      default:
        return assertNever(input)
    }
  }

  #onAccepted(): SlotOutput[] {
    this.#wasCarried = true
    if (!this.isUnsteady) {
      this.#enter('carried')
      return []
    }
    this.#enter('proving')
    return [{ type: 'prove', afterMs: lastingMs }]
  }

  #onLost(comeback: Comeback, carriedMs: number): SlotOutput[] {
    if (comeback === 'never') return this.#end()
    if (comeback === 'elsewhere') this.#excluded.add(this.#current)
    this.#briefSessions = carriedMs < lastingMs ? this.#briefSessions + 1 : 0
    if (carriedMs >= steadyMs) this.#round = 0
    return this.#again()
  }

  /** Everyone once, beginning at a place in the list: after a loss the one that was lost comes last. */
  #tryAll(first: number): SlotOutput[] {
    const order = Array.from({ length: this.#count }, (_, at) => (first + at) % this.#count)
    this.#queue = order.filter((candidate) => !this.#excluded.has(candidate))
    return this.#next()
  }

  #next(): SlotOutput[] {
    const candidate = this.#queue.shift()
    if (candidate !== undefined) {
      this.#current = candidate
      this.#enter('trying')
      return [{ type: 'open', candidate }]
    }
    if (!this.#wasCarried && !this.#isPersistent) return this.#end()
    this.#round = Math.max(1, this.#round)
    return this.#again()
  }

  /** The next round, now or later, if there is another. */
  #again(): SlotOutput[] {
    const afterMs = backOffMs[this.#round] ?? (this.#isPersistent ? backOffMs.at(-1) : undefined)
    this.#round += 1
    if (afterMs === undefined || this.#excluded.size === this.#count) return this.#end()
    if (afterMs === 0) return this.#tryAll(this.#current + 1)
    this.#enter('waiting')
    return [{ type: 'wait', afterMs }]
  }

  #end(): SlotOutput[] {
    if (this.#state === 'over') return []
    this.#enter('over')
    return [{ type: 'over' }]
  }

  #enter(next: SlotState): void {
    checkEdge(slotEdges, this.#state, next)
    this.#state = next
  }
}
