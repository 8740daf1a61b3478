// In-memory twin of RecordableCall: the test says who joins, leaves, holds, and when the call is answered or over.

import type { CallEvent, CallParty, CallSnapshot, RecordableCall } from '#call'
import { type Ids, Listeners, type ManualClock } from '#kernel'
import type { FakeEngine, FakeMediaCall } from './fake-engine.ts'

/** A call without signalling. It begins with a caller that is answered by an automaton, unless told otherwise. */
export class FakeCall implements RecordableCall {
  readonly callId: string
  readonly media: FakeMediaCall
  readonly #clock: ManualClock
  readonly #ids: Ids
  readonly #listeners = new Listeners<CallEvent>((fault) => {
    throw fault
  })
  #snapshot: CallSnapshot

  constructor(engine: FakeEngine, clock: ManualClock, ids: Ids, state: 'ringing' | 'answered' = 'answered') {
    this.callId = `call-${ids.hex(4)}`
    this.media = engine.openCall(this.callId)
    this.#clock = clock
    this.#ids = ids
    void this.media.addLeg('caller')
    const startedAtMs = clock.wallMs()
    this.#snapshot = {
      callId: this.callId,
      sessionId: ids.uuid(),
      groupId: ids.uuid(),
      direction: 'inbound',
      state,
      startedAtMs,
      parties: [this.#party('caller', 'caller', 'sip:alice@carrier.example', 'Älice <&>')],
      encodings: ['PCMU/8000', 'TELEPHONE-EVENT/8000'],
    }
    if (state === 'answered') this.#add(this.#party('automaton', 'caller', 'sip:ivr@gw.example'))
  }

  snapshot(): CallSnapshot {
    return this.#snapshot
  }

  onEvent(listener: (event: CallEvent) => void): () => void {
    return this.#listeners.add(listener)
  }

  /** Number of parties ever. */
  get partyCount(): number {
    return this.#snapshot.parties.length
  }

  /** A callee answers: it takes the automaton's place. */
  join(leg = 'callee', aor = 'sip:bob@desk.example'): Uint8Array {
    void this.media.addLeg(leg)
    for (const party of this.#snapshot.parties) if (party.role === 'automaton') this.leave(party.participantId)
    return this.#add(this.#party('callee', leg, aor))
  }

  leave(participantId: Uint8Array): void {
    const party = this.#snapshot.parties.find((each) => each.participantId === participantId)
    if (party === undefined || party.leftAtMs !== undefined) return
    this.#update(participantId, { leftAtMs: this.#clock.wallMs() })
    this.#listeners.emit({ type: 'party-left', participantId })
  }

  hold(participantId: Uint8Array, hold: CallParty['hold']): void {
    this.#update(participantId, { hold })
    this.#listeners.emit({ type: 'hold-changed', participantId })
  }

  /** The party's user agent says of itself what it can. */
  announce(participantId: Uint8Array, capabilities: NonNullable<CallParty['capabilities']>): void {
    this.#update(participantId, { capabilities })
    this.#listeners.emit({ type: 'capabilities-changed', participantId })
  }

  /** The automaton answers. */
  answer(encodings: readonly string[] = this.#snapshot.encodings): void {
    this.#snapshot = { ...this.#snapshot, state: 'answered', answeredAtMs: this.#clock.wallMs(), encodings }
    this.#add(this.#party('automaton', 'caller', 'sip:ivr@gw.example'))
    this.#listeners.emit({ type: 'answered' })
  }

  changeEncodings(encodings: readonly string[]): void {
    this.#snapshot = { ...this.#snapshot, encodings }
    this.#listeners.emit({ type: 'codec-changed' })
  }

  /** Texts given to `hangup`. */
  readonly hangups: (string | undefined)[] = []

  hangup(reason?: string): void {
    this.hangups.push(reason)
    this.end()
  }

  /** Statuses given to `refuse`. */
  readonly refusals: number[] = []

  refuse(status: number): void {
    this.refusals.push(status)
    this.end()
  }

  /** Changes any facts of the call and tells of it. */
  change(facts: Partial<CallSnapshot>, event: CallEvent): void {
    this.#snapshot = { ...this.#snapshot, ...facts }
    this.#listeners.emit(event)
  }

  /** Ends the call and lets go of its media, in the order in which a real call does. */
  end(): void {
    if (this.#snapshot.state === 'ended') return
    const endReason = { protocol: 'Q.850', cause: 16, text: 'Normal call clearing' }
    this.#snapshot = { ...this.#snapshot, state: 'ended', endedAtMs: this.#clock.wallMs(), endReason }
    this.#listeners.emit({ type: 'ended' })
    void this.media.release()
  }

  #party(role: CallParty['role'], leg: string, aor: string, displayName?: string): CallParty {
    return {
      participantId: this.#ids.uuid(),
      leg,
      role,
      aors: [aor],
      ...(displayName === undefined ? {} : { displayName }),
      sipCallId: `${leg}@phones.example`,
      joinedAtMs: this.#clock.wallMs(),
      hold: 'none',
    }
  }

  #add(party: CallParty): Uint8Array {
    this.#snapshot = { ...this.#snapshot, parties: [...this.#snapshot.parties, party] }
    this.#listeners.emit({ type: 'party-joined', participantId: party.participantId })
    return party.participantId
  }

  #update(participantId: Uint8Array, change: Partial<CallParty>): void {
    const parties = this.#snapshot.parties.map((party) =>
      party.participantId === participantId ? { ...party, ...change } : party,
    )
    this.#snapshot = { ...this.#snapshot, parties }
  }
}
