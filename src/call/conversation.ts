// Who talks with whom in a call: the legs in their seats, their sessions coupled, their media joined, their parties named.

import type { MediaCall, Prompt } from '#engine'
import { type Clock, type Ids, type Logger, messageOf } from '#kernel'
import type { SrtpSuite } from '#rtp'
import type { HeaderList, SipRequest } from '#sip'
import { Awareness, type ToneRules } from './awareness.ts'
import { Bridge } from './bridge.ts'
import type { Identity } from './identity.ts'
import type { Leg } from './leg.ts'
import { type Joining, Parties } from './parties.ts'
import { weakestOf } from './protection.ts'
import type { CallEvent, CallParty, CallSnapshot } from './recordable-call.ts'
import type { VideoDescription } from './video-sdp.ts'

/** Name of the caller's leg in the media call. */
export const CALLER = 'caller'

/** What a conversation is made of. */
export interface ConversationOptions {
  /** The caller's INVITE. */
  readonly invite: SipRequest
  /** UUID that a flow or a conference goes by in Session-ID. */
  readonly uuid: string
  readonly caller: Identity
  readonly media: MediaCall
  readonly clock: Clock
  readonly ids: Ids
  readonly log: Logger
  /** Host name for Warning headers. */
  readonly domain: string
  readonly tones: ToneRules
  /** Loads an announcement; undefined: it cannot be played. */
  readonly announcement: (name: string) => Promise<Prompt | undefined>
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
  readonly #uuid: string
  #sipSessionIds: readonly string[] = []
  #encodings = ''
  readonly #suites = new WeakMap<Leg, SrtpSuite | undefined>()

  constructor(options: ConversationOptions) {
    const { clock, ids, invite, caller, domain, tones, announcement, onEvent, onFault } = options
    this.#media = options.media
    this.#log = options.log
    this.#uuid = options.uuid
    this.#onEvent = onEvent
    this.parties = new Parties({ ids, clock, leg: CALLER, invite, caller, onEvent })
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
      announce: async (leg, name) => {
        const prompt = await announcement(name)
        return prompt !== undefined && !leg.ended && (await this.#media.play(leg.name, prompt)) === 'finished'
      },
      offer: () => this.bridge.sync(),
    })
  }

  /** The near side: the caller's leg. */
  get near(): Leg | undefined {
    return this.bridge.near
  }

  /** The caller takes its seat. */
  seatCaller(leg: Leg): void {
    this.#partyOf.set(leg, this.parties.callerId)
    this.bridge.seat(leg)
    if (leg.isRecordAware) this.parties.setRecordAware(this.parties.callerId)
  }

  /** The near side was answered: from now on its encodings are watched, and the flow stands in while nobody else is there. */
  nearAnswered(): void {
    this.#encodings = this.#nearEncodings
    if (this.#partyOf.size < 2) this.parties.seatAutomaton()
    if (this.near !== undefined) {
      this.#suites.set(this.near, this.near.sdp.suite)
      this.#readRecording(this.near)
    }
    this.awareness.update()
  }

  /** Who else talks. */
  others(leg: Leg): readonly Leg[] {
    return this.bridge.talking.filter((one) => one !== leg)
  }

  /** A callee was answered by its phone; its leg is seated since it was called. */
  joinCallee(leg: Leg, joining: Joining): void {
    this.#join(leg, 'callee', joining)
  }

  /** Seats one more leg among those that talk; false when the engine could not join it to them. */
  async admit(leg: Leg, joining: Joining): Promise<boolean> {
    this.bridge.seat(leg)
    if (!(await this.#joinMedia()) || leg.ended) {
      this.bridge.unseat(leg)
      await this.#joinMedia()
      return false
    }
    this.joinCallee(leg, joining)
    this.bridge.sync()
    return true
  }

  /** Forgets a leg that is over; those who stay talk on, and the flow stands in for a callee when nobody else is left. */
  leave(leg: Leg): void {
    // Nobody is there any more to see the near side.
    if (leg !== this.near && leg.videoName !== undefined) this.near?.sdp.video.accept([])
    this.bridge.unseat(leg)
    this.#removeMedia(leg)
    void this.#joinMedia()
    const partyId = this.#partyOf.get(leg)
    if (partyId === undefined) return
    this.#forget(leg)
    this.parties.leave(partyId)
    if (this.#partyOf.size < 2) this.parties.seatAutomaton()
    this.bridge.sync()
  }

  /** The party of a leg has left; the seat stays for the one who is to take it. */
  vacate(leg: Leg): void {
    const partyId = this.#partyOf.get(leg)
    if (partyId !== undefined) this.parties.leave(partyId)
    const silent = { codecs: [], send: false, receive: false }
    void this.succeeds(this.#media.configureLeg(leg.name, silent), 'leg could not be silenced')
  }

  /** Seats a leg in the place of another, whose party leaves; false when the engine could not join it to the others. */
  async replace(old: Leg, by: Leg, joining: Joining): Promise<boolean> {
    this.bridge.replace(old, by)
    if (!(await this.#joinMedia()) || by.ended) {
      this.bridge.replace(by, old)
      await this.#joinMedia()
      return false
    }
    const oldId = this.#partyOf.get(old)
    const role = this.near === by ? 'caller' : 'callee'
    this.#forget(old)
    if (oldId !== undefined) this.parties.leave(oldId)
    this.#join(by, role, joining)
    this.#removeMedia(old)
    this.bridge.sync()
    return true
  }

  /** Removes a leg that never got a seat. */
  async discard(leg: Leg): Promise<void> {
    if (!leg.ended) {
      leg.lifecycle.enter('ended')
      void leg.dialog?.bye()
    }
    await this.succeeds(this.#media.removeLeg(leg.name), 'leg could not be removed')
  }

  /** Relays between the near side and a leg; false when the engine could not. */
  async couple(leg: Leg): Promise<boolean> {
    const near = this.near
    if (near === undefined) return false
    await this.#coupleVideo(near, leg)
    return await this.succeeds(this.#media.bridge(near.name, leg.name), 'legs could not be bridged')
  }

  /** What a callee may be offered of the video that the caller offers; only a caller who is not answered yet gets any. */
  async videoFor(leg: Leg): Promise<VideoDescription | undefined> {
    const { near } = this
    const video = near?.sdp.state === 'remote-offer' ? near.sdp.video.offered : undefined
    if (near === undefined || video === undefined) return undefined
    return (await near.openVideo()) && (await leg.openVideo()) ? video : undefined
  }

  /** Encodings of the near side's video. */
  get videoEncodings(): readonly string[] {
    return [...new Set(this.near?.sdp.video.codecs.map(({ encoding }) => encoding))]
  }

  async #coupleVideo(near: Leg, leg: Leg): Promise<void> {
    const { codecs } = leg.sdp.video
    if (near.videoName === undefined || leg.videoName === undefined || codecs.length === 0) return
    near.sdp.video.accept(codecs)
    const isBridged = await this.succeeds(
      this.#media.bridge(near.videoName, leg.videoName),
      'video could not be bridged',
    )
    const partyId = this.#partyOf.get(near)
    if (isBridged && partyId !== undefined) this.parties.setVideoLeg(partyId, near.videoName)
  }

  #removeMedia(leg: Leg): void {
    for (const name of [leg.name, leg.videoName]) {
      if (name !== undefined) void this.succeeds(this.#media.removeLeg(name), 'leg could not be removed')
    }
  }

  #join(leg: Leg, role: 'caller' | 'callee', joining: Joining): void {
    const videoLeg = leg.sdp.video.codecs.length > 0 ? leg.videoName : undefined
    const { capabilities } = leg
    const has = { ...(videoLeg !== undefined && { videoLeg }), ...(capabilities.length > 0 && { capabilities }) }
    const partyId = this.parties.join(leg.name, role, { ...joining, ...has })
    this.#partyOf.set(leg, partyId)
    this.#suites.set(leg, leg.sdp.suite)
    this.parties.setHold(partyId, leg.hold)
    if (leg.isRecordAware) this.parties.setRecordAware(partyId)
    this.#readRecording(leg)
    this.awareness.update()
  }

  #forget(leg: Leg): void {
    this.#partyOf.delete(leg)
    this.awareness.forget(leg)
  }

  async #joinMedia(): Promise<boolean> {
    const legs = this.bridge.talking.map((leg) => leg.name)
    const [a, b] = legs
    if (a === undefined || b === undefined) return true
    const joined = legs.length === 2 ? this.#media.bridge(a, b) : this.#media.conference(legs)
    return await this.succeeds(joined, 'legs could not be joined')
  }

  /** Tells of what a new session of a leg changed: the hold of its party, its protection, the encodings of the near side. */
  sessionChanged(leg: Leg): void {
    const partyId = this.#partyOf.get(leg)
    if (partyId !== undefined) this.parties.setHold(partyId, leg.hold)
    this.#readRecording(leg)
    this.awareness.update()
    const { suite } = leg.sdp
    if (suite !== this.#suites.get(leg)) this.#onEvent({ type: 'protection-changed' })
    this.#suites.set(leg, suite)
    const encodings = this.#nearEncodings
    if (encodings === this.#encodings) return
    const hadEncodings = this.#encodings !== ''
    this.#encodings = encodings
    if (hadEncodings) this.#onEvent({ type: 'codec-changed' })
  }

  /** Ends every confirmed leg by BYE, and makes no more offers. */
  close(headers: HeaderList): void {
    for (const leg of this.bridge.close()) {
      if (leg.ended || (leg === this.near && leg.dialog === undefined)) continue
      void leg.dialog?.bye({ headers })
      leg.lifecycle.enter('ended')
    }
  }

  /** The party that sits on a leg. */
  partyOn(leg: Leg): CallParty | undefined {
    const partyId = this.#partyOf.get(leg)
    return this.parties.list().find((party) => party.participantId === partyId)
  }

  /** Lets a leg go that talks elsewhere from now on. */
  release(leg: Leg): void {
    const partyId = this.#partyOf.get(leg)
    this.bridge.unseat(leg)
    this.#forget(leg)
    if (partyId !== undefined) this.parties.leave(partyId)
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

  /** UUID of whom the party of a leg talks to: one other party, or else us (RFC 7989 sections 7 and 9). */
  representedTo(leg: Leg): string | undefined {
    const [other, ...more] = this.bridge.isSeated(leg) ? this.bridge.facing(leg) : leg.meets
    return other === undefined || more.length > 0 ? this.#uuid : other.uuid
  }

  /** Session-ID of each dialog, of two that talk to each other one for both; when nobody talks, as it was last told. */
  sipSessionIds(): readonly string[] {
    const { talking } = this.bridge
    const pairs = (talking.length === 2 ? talking.slice(0, 1) : talking).flatMap(({ uuid, represented }) =>
      uuid === undefined || represented === undefined ? [] : [`${uuid};remote=${represented}`],
    )
    if (pairs.length > 0) this.#sipSessionIds = pairs
    return this.#sipSessionIds
  }

  /** What a leg's last description says of recording, and what it is told in turn. */
  #readRecording(leg: Leg): void {
    const partyId = this.#partyOf.get(leg)
    if (partyId === undefined) return
    this.parties.setRecordingElsewhere(partyId, leg.sdp.record.heard)
    this.parties.setPreference(partyId, leg.sdp.record.preference)
    this.parties.setCapabilities(partyId, leg.capabilities)
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
