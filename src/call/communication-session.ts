// The communication session of a call as metadata names it: one for the whole call, or a new one in the same group after each transfer.

import type { Clock, Ids } from '#kernel'
import type { CallSnapshot, EarlierSession } from './recordable-call.ts'

/** Session and group of a call (RFC 7865 sections 6.2 and 6.3). */
export class CommunicationSession {
  readonly #clock: Clock
  readonly #ids: Ids
  readonly #startedAtMs: number
  #groupId: Uint8Array
  #sessionId: Uint8Array
  #sinceMs: number
  #earlier: readonly EarlierSession[] = []

  constructor(clock: Clock, ids: Ids) {
    this.#clock = clock
    this.#ids = ids
    this.#groupId = ids.uuid()
    this.#sessionId = ids.uuid()
    this.#startedAtMs = clock.wallMs()
    this.#sinceMs = this.#startedAtMs
  }

  /** What a snapshot says of it. */
  facts(): Pick<CallSnapshot, 'sessionId' | 'groupId' | 'startedAtMs' | 'earlierSessions'> {
    return {
      sessionId: this.#sessionId,
      groupId: this.#groupId,
      startedAtMs: this.#startedAtMs,
      ...(this.#earlier.length > 0 && { earlierSessions: this.#earlier }),
    }
  }

  /** The call goes on as a new session of the same group (RFC 8068 section 3.2.3); `parties` and `sipSessionIds` are those until now. */
  renew({ parties, sipSessionIds = [] }: Pick<CallSnapshot, 'parties' | 'sipSessionIds'>): void {
    const endedAtMs = this.#clock.wallMs()
    const took = parties.filter(({ leftAtMs }) => leftAtMs === undefined || leftAtMs >= this.#sinceMs)
    const ended = { sessionId: this.#sessionId, sipSessionIds, startedAtMs: this.#sinceMs, endedAtMs }
    this.#earlier = [...this.#earlier, { ...ended, participantIds: took.map((party) => party.participantId) }]
    this.#sessionId = this.#ids.uuid()
    this.#sinceMs = endedAtMs
  }

  /** The call turned out to belong to another: a consultation (RFC 7865 section 6.2). */
  joinGroup(groupId: Uint8Array): void {
    this.#groupId = groupId
  }

  get groupId(): Uint8Array {
    return this.#groupId
  }
}
