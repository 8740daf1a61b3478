// Who talks with whom in a call: the legs in their seats, their sessions coupled, their media joined, their parties named.

import type { MediaCall } from '#engine'
import { type Clock, type Ids, type Logger, messageOf } from '#kernel'
import type { HeaderList, SipRequest } from '#sip'
import { Awareness, saysRecordAware, type ToneRules } from './awareness.ts'
import { Bridge } from './bridge.ts'
import type { Answer } from './dialler.ts'
import type { Leg } from './leg.ts'
import { Parties } from './parties.ts'
import { weakestOf } from './protection.ts'
import type { CallEvent, CallSnapshot } from './recordable-call.ts'

/** Name of the caller's leg in the media call. */
export const CALLER = 'caller'

/** What a conversation is made of. */
export interface ConversationOptions {
  /** The caller's INVITE. */
  readonly invite: SipRequest
  readonly media: MediaCall
  readonly clock: Clock
  readonly ids: Ids
  readonly log: Logger
  /** Host name for Warning headers. */
  readonly domain: string
  readonly tones: ToneRules
  readonly onEvent: (event: CallEvent) => void
  /** A bug: the call cannot go on. */
  readonly onFault: (fault: unknown) => void
}

/** The legs of one call that talk, or are about to; a caller alone talks to a flow. */
export class Conversation {
  readonly parties: Parties
  readonly bridge: Bridge
  readonly awareness: Awareness
  readonly #media: MediaCall
  readonly #log: Logger
  readonly #onEvent: (event: CallEvent) => void
  readonly #partyOf = new Map<Leg, Uint8Array>()
  readonly #invite: SipRequest
  #encodings = ''

  constructor(options: ConversationOptions) {
    const { clock, ids, invite, domain, tones, onEvent, onFault } = options
    this.#media = options.media
    this.#log = options.log
    this.#onEvent = onEvent
    this.parties = new Parties({ ids, clock, leg: CALLER, invite, onEvent })
    this.bridge = new Bridge({
      agent: domain,
      clock,
      ids,
      events: {
        onChanged: (leg) => this.sessionChanged(leg),
        onOffer: (leg) => this.#readRecording(leg),
        onFault,
      },
    })
    this.awareness = new Awareness({
      media: options.media,
      log: options.log,
      tones,
      legs: () => [...this.#partyOf.keys()].filter((leg) => leg.lifecycle.state === 'confirmed'),
      aorOf: (leg) => this.#aorOf(leg),
      offer: () => this.bridge.sync(),
    })
    this.#invite = invite
  }

  /** The near side: the caller's leg. */
  get near(): Leg | undefined {
    return this.bridge.near
  }

  /** The caller takes its seat. */
  seatCaller(leg: Leg): void {
    this.#partyOf.set(leg, this.parties.callerId)
    this.bridge.seat(leg)
    if (!saysRecordAware(this.#invite)) return
    leg.isRecordAware = true
    this.parties.setRecordAware(this.parties.callerId)
  }

  /** The near side was answered: from now on its encodings are watched, and the flow stands in while nobody else is there. */
  nearAnswered(): void {
    this.#encodings = this.#nearEncodings
    if (this.#partyOf.size < 2) this.parties.seatAutomaton()
    if (this.near !== undefined) this.#readRecording(this.near)
    this.awareness.update()
  }

  /** A callee was answered by its phone; its leg is seated since it was called. */
  joinCallee(leg: Leg, target: string, answer: Answer): void {
    const partyId = this.parties.joinCallee(leg.name, target, answer.sipCallId, answer.response)
    this.#partyOf.set(leg, partyId)
    this.parties.setHold(partyId, leg.hold)
    if (saysRecordAware(answer.response)) {
      leg.isRecordAware = true
      this.parties.setRecordAware(partyId)
    }
    this.#readRecording(leg)
    this.awareness.update()
  }

  /** Forgets a leg that is over; the others stay, and the flow stands in for a callee that had joined. */
  leave(leg: Leg): void {
    this.bridge.unseat(leg)
    void this.succeeds(this.#media.removeLeg(leg.name), 'leg could not be removed')
    const partyId = this.#partyOf.get(leg)
    if (partyId === undefined) return
    this.#partyOf.delete(leg)
    this.awareness.forget(leg)
    this.parties.leave(partyId)
    this.parties.seatAutomaton()
    this.bridge.sync()
  }

  /** Whether a party was told to have joined on this leg, and has not left before the call did. */
  hasJoined(leg: Leg): boolean {
    return this.#partyOf.has(leg)
  }

  /** Relays between the near side and a leg; false when the engine could not. */
  async couple(leg: Leg): Promise<boolean> {
    const near = this.near
    if (near === undefined) return false
    return await this.succeeds(this.#media.bridge(near.name, leg.name), 'legs could not be bridged')
  }

  /** Tells of what a new session of a leg changed: the hold of its party, the encodings of the near side. */
  sessionChanged(leg: Leg): void {
    const partyId = this.#partyOf.get(leg)
    if (partyId !== undefined) this.parties.setHold(partyId, leg.hold)
    this.#readRecording(leg)
    this.awareness.update()
    const encodings = this.#nearEncodings
    if (encodings === this.#encodings) return
    const hadEncodings = this.#encodings !== ''
    this.#encodings = encodings
    if (hadEncodings) this.#onEvent({ type: 'codec-changed' })
  }

  /** Ends every leg but the near side's by BYE, and makes no more offers. */
  close(headers: HeaderList): void {
    for (const leg of this.bridge.close()) {
      if (leg === this.near || leg.ended) continue
      void leg.dialog?.bye({ headers })
      leg.lifecycle.enter('ended')
    }
  }

  /** Whether a command of the engine was carried out; if not, `complaint` is logged. */
  async succeeds(command: Promise<unknown>, complaint: string): Promise<boolean> {
    try {
      await command
      return true
    } catch (thrown) {
      if (this.near?.ended !== true) this.#log.warn(complaint, { error: messageOf(thrown) })
      return false
    }
  }

  /** The weakest protection among the legs. */
  get protection(): CallSnapshot['protection'] {
    return weakestOf(this.bridge.talking)
  }

  /** What a leg's last description says of recording, and what it is told in turn. */
  #readRecording(leg: Leg): void {
    const partyId = this.#partyOf.get(leg)
    if (partyId === undefined) return
    this.parties.setRecordingElsewhere(partyId, leg.sdp.told)
    this.parties.setPreference(partyId, leg.sdp.preference)
    this.awareness.prepare(leg)
  }

  #aorOf(leg: Leg): string {
    const partyId = this.#partyOf.get(leg)
    return this.parties.list().find((party) => party.participantId === partyId)?.aors[0] ?? ''
  }

  get #nearEncodings(): string {
    return this.near?.sdp.encodings.join(' ') ?? ''
  }
}
