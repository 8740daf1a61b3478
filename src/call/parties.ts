// Who takes part in a call, with ids that stay (CallParty of the recording client).

import type { Clock, Ids } from '#kernel'
import type { RecordPreference, RecordState } from '#sdp'
import type { SipRequest } from '#sip'
import { areSameCapabilities, type Capability, capabilitiesOf } from './capabilities.ts'
import { aorOf, type Identity } from './identity.ts'
import type { CallEvent, CallParty } from './recordable-call.ts'

/** A party that joins. */
export interface Joining extends Identity {
  readonly sipCallId: string
  readonly videoLeg?: string
  readonly capabilities?: readonly Capability[]
}

/** The parties of one call in order of first joining, leavers included. Joining, leaving and hold are told as events. */
export class Parties {
  readonly #ids: Ids
  readonly #clock: Clock
  readonly #leg: string
  readonly #invite: SipRequest
  readonly #onEvent: (event: CallEvent) => void
  readonly #callerId: Uint8Array
  #automatonId: Uint8Array | undefined
  #list: readonly CallParty[] = []

  /** `leg`, `invite` and `caller` are the caller's. */
  constructor(options: {
    readonly ids: Ids
    readonly clock: Clock
    readonly leg: string
    readonly invite: SipRequest
    readonly caller: Identity
    readonly onEvent: (event: CallEvent) => void
  }) {
    this.#ids = options.ids
    this.#clock = options.clock
    this.#leg = options.leg
    this.#invite = options.invite
    this.#onEvent = options.onEvent
    const capabilities = capabilitiesOf(options.invite.headers)
    this.#callerId = this.#add({
      leg: this.#leg,
      role: 'caller',
      ...options.caller,
      sipCallId: this.#callerCallId,
      ...(capabilities.length > 0 && { capabilities }),
    })
  }

  list(): readonly CallParty[] {
    return this.#list
  }

  get callerId(): Uint8Array {
    return this.#callerId
  }

  /** A party joins, and the automaton gives way to it. Returns the party's id. */
  join(leg: string, role: 'caller' | 'callee', joining: Joining): Uint8Array {
    if (this.#automatonId !== undefined) this.leave(this.#automatonId)
    const id = this.#add({ leg, role, ...joining })
    this.#onEvent({ type: 'party-joined', participantId: id })
    return id
  }

  /** The flow stands in as the caller's other side, under the same id each time. */
  seatAutomaton(): void {
    if (this.#automatonId === undefined) {
      const aor = aorOf(this.#invite.uri) ?? this.#invite.uri
      this.#automatonId = this.#add({
        leg: this.#leg,
        role: 'automaton',
        aors: [aor],
        sipCallId: this.#callerCallId,
      })
    } else {
      this.#update(this.#automatonId, ({ leftAtMs: _left, ...party }) => ({
        ...party,
        joinedAtMs: this.#clock.wallMs(),
      }))
    }
    this.#onEvent({ type: 'party-joined', participantId: this.#automatonId })
  }

  /** Marks a party as gone. */
  leave(participantId: Uint8Array): void {
    if (this.#get(participantId)?.leftAtMs !== undefined) return
    this.#update(participantId, (party) => ({ ...party, leftAtMs: this.#clock.wallMs() }))
    this.#onEvent({ type: 'party-left', participantId })
  }

  /** Sets a party's hold. */
  setHold(participantId: Uint8Array, hold: CallParty['hold']): void {
    if (this.#get(participantId)?.hold === hold) return
    this.#update(participantId, (party) => ({ ...party, hold }))
    this.#onEvent({ type: 'hold-changed', participantId })
  }

  /** The leg that carries the party's video. */
  setVideoLeg(participantId: Uint8Array, videoLeg: string): void {
    this.#update(participantId, (party) => ({ ...party, videoLeg }))
  }

  /** The party's phone shows the state of recording. */
  setRecordAware(participantId: Uint8Array): void {
    this.#update(participantId, (party) => ({ ...party, isRecordAware: true }))
  }

  /** What the party's user agent says of itself by now. */
  setCapabilities(participantId: Uint8Array, capabilities: readonly Capability[]): void {
    if (areSameCapabilities(this.#get(participantId)?.capabilities ?? [], capabilities)) return
    this.#update(participantId, (party) => ({ ...party, capabilities }))
    this.#onEvent({ type: 'capabilities-changed', participantId })
  }

  /** What the party asks for; asking for nothing any more counts as no preference (UA-09). */
  setPreference(participantId: Uint8Array, preference: RecordPreference | undefined): void {
    const known = this.#get(participantId)?.recordPreference
    const asked = preference ?? (known === undefined ? undefined : 'nopreference')
    if (asked === undefined || asked === known) return
    this.#update(participantId, (party) => ({ ...party, recordPreference: asked }))
    this.#onEvent({ type: 'record-preference', participantId, preference: asked })
  }

  /** What the party's side tells of its own recording. */
  setRecordingElsewhere(participantId: Uint8Array, state: RecordState | undefined): void {
    if (state === undefined || this.#get(participantId)?.recordingElsewhere === state) return
    this.#update(participantId, (party) => ({ ...party, recordingElsewhere: state }))
    this.#onEvent({ type: 'recording-elsewhere', participantId, state })
  }

  get #callerCallId(): string {
    return this.#invite.headers.get('Call-ID') ?? ''
  }

  #add(party: Omit<CallParty, 'participantId' | 'joinedAtMs' | 'leftAtMs' | 'hold'>): Uint8Array {
    const participantId = this.#ids.uuid()
    this.#list = [...this.#list, { participantId, ...party, joinedAtMs: this.#clock.wallMs(), hold: 'none' }]
    return participantId
  }

  #get(participantId: Uint8Array): CallParty | undefined {
    return this.#list.find((party) => party.participantId === participantId)
  }

  #update(participantId: Uint8Array, change: (party: CallParty) => CallParty): void {
    this.#list = this.#list.map((party) => (party.participantId === participantId ? change(party) : party))
  }
}
