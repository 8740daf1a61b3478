// Who takes part in a call, with ids that stay (CallParty of the recording client).

import type { Ids } from '#kernel'
import type { CallParty } from './recordable-call.ts'

/** A party about to join. */
export type NewParty = Omit<CallParty, 'participantId' | 'leftAtMs' | 'hold'>

/** The parties of one call in order of first joining, leavers included. */
export class Parties {
  readonly #ids: Ids
  #list: readonly CallParty[] = []

  constructor(ids: Ids) {
    this.#ids = ids
  }

  list(): readonly CallParty[] {
    return this.#list
  }

  /** Adds a party. */
  join(party: NewParty): CallParty {
    const joined: CallParty = { participantId: this.#ids.uuid(), ...party, hold: 'none' }
    this.#list = [...this.#list, joined]
    return joined
  }

  /** Brings back a party that left, under its own id. */
  rejoin(party: CallParty, joinedAtMs: number): void {
    const { leftAtMs: _left, ...rest } = party
    this.#replace({ ...rest, joinedAtMs })
  }

  /** Marks a party as gone; false when it was not there. */
  leave(party: CallParty, leftAtMs: number): boolean {
    const current = this.#current(party)
    if (current === undefined || current.leftAtMs !== undefined) return false
    this.#replace({ ...current, leftAtMs })
    return true
  }

  /** Sets a party's hold; false when it is so already. */
  setHold(party: CallParty, hold: CallParty['hold']): boolean {
    const current = this.#current(party)
    if (current === undefined || current.hold === hold) return false
    this.#replace({ ...current, hold })
    return true
  }

  #current(party: CallParty): CallParty | undefined {
    return this.#list.find((one) => one.participantId === party.participantId)
  }

  #replace(party: CallParty): void {
    this.#list = this.#list.map((one) => (one.participantId === party.participantId ? party : one))
  }
}
