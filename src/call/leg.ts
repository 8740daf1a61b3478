// One leg of a call: a dialog, its SDP, its port pair of the media call.

import type { LegMedia, MediaCall, MediaLocal } from '#engine'
import { type Clock, type Ids, type Logger, messageOf } from '#kernel'
import { type Direction, type RecordState, receives, sends } from '#sdp'
import type { InviteDialog, SessionIds, SipBody, SipRequest, SipResponse } from '#sip'
import { LEG_EDGES, type LegState, Lifecycle } from './call-machine.ts'
import type { Capability } from './capabilities.ts'
import { wishAfterAnswer } from './direction.ts'
import { LegSdp } from './leg-sdp.ts'
import { type SignallingProtection, type SrtpPolicy, securityOf } from './protection.ts'
import { sdpBody, sdpOf } from './sdp-body.ts'
import type { VideoDescription } from './video-sdp.ts'

// The o= line wants a number; 48 bits are safe in every peer.
const SESSION_ID_RANGE = 2 ** 48

/** What a leg is made of. */
export interface LegOptions {
  readonly callId: string
  /** Name of the leg in the media call. */
  readonly name: string
  /** Its dialog is made by an INVITE of ours. */
  readonly isOutgoing: boolean
  readonly media: MediaCall
  /** UUID of whom the party of a leg talks to (RFC 7989). */
  readonly represented: (leg: Leg) => string | undefined
  readonly clock: Clock
  readonly ids: Ids
  readonly log: Logger
}

/** Where a leg has its media, and whom its party hears there. */
export interface LegPlace extends Pick<LegOptions, 'media' | 'name' | 'represented'> {
  readonly local: MediaLocal
  readonly meets: readonly Leg[]
}

/** A party's side of the call. */
export class Leg {
  readonly isOutgoing: boolean
  readonly sdp: LegSdp
  readonly lifecycle: Lifecycle<LegState>
  /** Set once the leg is confirmed. */
  dialog: InviteDialog | undefined
  /** Host that the party's messages come from, as far as it is known. */
  peerHost: string | undefined
  /** Whom the party is to talk to, until it has a seat. */
  meets: readonly Leg[] = []
  /** What the party last said it wants, apart from what our offers forced on it. */
  wish: Direction = 'sendrecv'
  /** What we last told the party of the other side's wish; undefined when it was lost to glare. */
  told: Direction | undefined = 'sendrecv'
  /** Our last offer that the party refused, as the bridge remembers it. */
  refused: string | undefined
  /** Protection of the party's signalling. */
  signalling: SignallingProtection = 'none'
  /** The party's phone shows the state of recording; once said it stays so (AMB-11). */
  isRecordAware = false
  /** What the party's user agent last said of itself. */
  capabilities: readonly Capability[] = []
  /** The party would not take an offer that told the state of recording. */
  hasRefusedRecord = false
  /** What the party is to be told of recording, in whatever way. */
  indication: RecordState | undefined
  #offered: Direction = 'sendrecv'
  #name: string
  #media: MediaCall
  #represented: (leg: Leg) => string | undefined
  #sessionIds: SessionIds | undefined
  readonly #log: Logger

  private constructor(options: LegOptions, sdp: LegSdp) {
    this.#name = options.name
    this.isOutgoing = options.isOutgoing
    this.sdp = sdp
    this.#media = options.media
    this.#represented = options.represented
    this.#log = options.log.child({ leg: options.name })
    this.lifecycle = new Lifecycle<LegState>({
      machine: 'leg',
      id: `${options.callId}/${options.name}`,
      initial: 'setup',
      edges: LEG_EDGES,
      clock: options.clock,
    })
  }

  /** Binds the leg's ports. Rejects with AppError `media.*` when the engine cannot. */
  static async open(options: LegOptions): Promise<Leg> {
    const local = await options.media.addLeg(options.name)
    return new Leg(
      options,
      new LegSdp({ sessionId: `${options.ids.integer(SESSION_ID_RANGE)}`, local, ids: options.ids }),
    )
  }

  /** Name of the leg in the media call. */
  get name(): string {
    return this.#name
  }

  /** The party's UUID, as it says or as we name it; undefined while nothing of it was heard (RFC 7989). */
  get uuid(): string | undefined {
    return this.#sessionIds?.remote
  }

  /** UUID of whom the party talks to. */
  get represented(): string | undefined {
    return this.#represented(this)
  }

  /** The endpoints of the leg's dialog, early or confirmed. */
  identify(sessionIds: SessionIds): void {
    this.#sessionIds = sessionIds
    sessionIds.represent(() => this.represented)
  }

  /** Moves to ports of another media call, which the next offer tells the party; returns the way back, for when it refuses. */
  moveTo(place: LegPlace): () => void {
    const before = {
      media: this.#media,
      name: this.#name,
      represented: this.#represented,
      meets: this.meets,
      local: this.sdp.local,
      video: this.sdp.video.local,
    }
    const go = ({ video, ...to }: typeof before): void => {
      this.#media = to.media
      this.#name = to.name
      this.#represented = to.represented
      this.meets = to.meets
      this.sdp.moveTo(to.local)
      this.sdp.video.local = video
    }
    go({ ...place, video: undefined })
    return () => go(before)
  }

  get ended(): boolean {
    return this.lifecycle.state === 'ended'
  }

  /** Whether the party holds us, by its own wish. */
  get hold(): 'none' | 'sendonly' | 'inactive' {
    if (receives(this.wish)) return 'none'
    return sends(this.wish) ? 'sendonly' : 'inactive'
  }

  /** Ready for an offer of ours: confirmed and no offer open. */
  get isStable(): boolean {
    return this.lifecycle.state === 'confirmed' && this.sdp.state === 'stable'
  }

  /** Says how the party's signalling is protected, and by that what keys may be exchanged; before the first offer. */
  secure(policy: SrtpPolicy, signalling: SignallingProtection, isOffered = false): void {
    this.signalling = signalling
    this.sdp.secure(securityOf(policy, signalling, isOffered))
  }

  /** Name of its video in the media call, if it has ports for it. */
  get videoName(): string | undefined {
    return this.sdp.video.local === undefined ? undefined : `${this.name}-video`
  }

  /** Binds ports for video; false when the engine cannot: then the call is one of audio. */
  async openVideo(): Promise<boolean> {
    try {
      this.sdp.video.local ??= await this.#media.addLeg(`${this.name}-video`, 'video')
      return true
    } catch (thrown) {
      this.#log.info('no ports for video', { error: messageOf(thrown) })
      return false
    }
  }

  /** Gives the outcome of the last exchange to the engine; false when that failed. */
  async applyMedia(): Promise<boolean> {
    const { videoName } = this
    if (videoName !== undefined) await this.#configure(videoName, this.sdp.video.media)
    return await this.#configure(this.name, this.sdp.media)
  }

  /** Our offer, as body. */
  offer(encodings: readonly string[], direction: Direction, video?: VideoDescription): SipBody {
    this.#offered = direction
    return sdpBody(this.sdp.offer(encodings, direction, video))
  }

  /** Takes the answer to our offer out of a message; undefined if the message has none, false if it is of no use. */
  takeAnswer(message: SipRequest | SipResponse): boolean | undefined {
    const description = sdpOf(message)
    if (description === undefined) return undefined
    const answer = this.sdp.takeAnswer(description)
    if (answer.ok) this.wish = wishAfterAnswer(this.wish, this.#offered, answer.value.direction)
    return answer.ok
  }

  /** Offers anew by re-INVITE; unless `agreed`, all is as before. `glare`: the party was offering too. */
  async reoffer(encodings: readonly string[], direction: Direction): Promise<'agreed' | 'refused' | 'glare'> {
    if (!this.isStable || this.dialog === undefined) return 'refused'
    return await this.#exchange(this.dialog, this.offer(encodings, direction))
  }

  /** Keeps the session alive by a re-INVITE that changes nothing (RFC 4028 section 7.4); in vain, the core asks again. */
  async refresh(): Promise<void> {
    if (!this.isStable || this.dialog === undefined) return
    this.#offered = this.sdp.direction
    await this.#exchange(this.dialog, sdpBody(this.sdp.repeat()))
  }

  async #exchange(dialog: InviteDialog, body: SipBody): Promise<'agreed' | 'refused' | 'glare'> {
    // What there is to offer may be another after glare, so the core is not to send the same again.
    const outcome = await dialog.reinvite({ body, retryGlare: false })
    if (this.ended) return 'refused'
    const { status, response } = outcome
    if (status >= 300 || response === undefined || this.takeAnswer(response) !== true) {
      this.sdp.abandonOffer()
      this.#log.info('re-offer refused', { status })
      return status === 491 ? 'glare' : 'refused'
    }
    return (await this.applyMedia()) ? 'agreed' : 'refused'
  }

  async #configure(name: string, media: LegMedia): Promise<boolean> {
    try {
      await this.#media.configureLeg(name, media)
      return true
    } catch (thrown) {
      if (!this.ended) this.#log.warn('media of a leg could not be set', { error: messageOf(thrown) })
      return false
    }
  }
}
