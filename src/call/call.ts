// One call: its life from the caller's INVITE to the end, and what a flow can do with it. Who talks with whom is its conversation's.

import type { MediaCall, Prompt } from '#engine'
import { Listeners, type Logger, messageOf, uuidText } from '#kernel'
import type { RecordState } from '#sdp'
import type { InviteDialog, Replaces, ServerInvite, SipRequest } from '#sip'
import { type Consultation, consultationOf } from './attended-transfer.ts'
import type { CallContext } from './call-context.ts'
import { because, type End, endedBy } from './call-end.ts'
import { CallFacts } from './call-facts.ts'
import { type CallHooks, type CallParts, callParts } from './call-parts.ts'
import { type DialOptions, NO_PORTS } from './callee-dial.ts'
import { CallerSide, type Refusal, refuse } from './caller-side.ts'
import { CallerSound, type Played } from './caller-sound.ts'
import { CALLER } from './conversation.ts'
import { callerStatusOf, type DialResult } from './failure-status.ts'
import type { Leg } from './leg.ts'
import { LegDialogs } from './leg-dialogs.ts'
import type { Joining } from './parties.ts'
import { NO_USABLE_ANSWER, normalClearing } from './reason.ts'
import type { CallEvent, CallSnapshot, RecordableCall } from './recordable-call.ts'
import type { ReferOptions, ReferResult } from './referral.ts'
import { takeSeat } from './replacement.ts'
import type { Route } from './router.ts'
import type { JoinOptions, JoinResult } from './third-party.ts'

const NO_RESOURCES: Refusal = { status: 503 }
const FAULT: Refusal = { status: 500 }
const DECLINED: Refusal = { status: 603 }

/** A call through the gateway. Its media is released right after `ended` was emitted: commands given in that event still count. */
export class Call implements RecordableCall {
  readonly callId: string
  readonly media: MediaCall
  /** The caller's INVITE. */
  readonly request: SipRequest
  readonly #context: CallContext
  readonly #invite: ServerInvite
  readonly #log: Logger
  readonly #facts: CallFacts
  readonly #dialogs: LegDialogs
  readonly #parts: CallParts
  readonly #sound: CallerSound
  readonly #events: Listeners<CallEvent>
  readonly #digits: Listeners<string>
  readonly #whenEnded: Promise<void>
  #resolveEnded: () => void = () => {}
  #caller: CallerSide | undefined
  #answering: Promise<boolean> | undefined
  #isCallerGone = false

  /** `hopsLeft` is the Max-Forwards of what we send on. */
  constructor(context: CallContext, invite: ServerInvite, hopsLeft: number) {
    const { clock, ids, identities } = context
    this.#context = context
    this.#invite = invite
    this.callId = uuidText(ids.uuid())
    this.request = invite.request
    this.#log = context.log.child({ callId: this.callId })
    const onFault = (fault: unknown): void => this.#log.error('call listener failed', { error: messageOf(fault) })
    this.#events = new Listeners(onFault)
    this.#digits = new Listeners(onFault)
    this.#facts = new CallFacts(this.callId, clock, ids, identities.factsOf(invite))
    this.#whenEnded = new Promise((resolve) => {
      this.#resolveEnded = resolve
    })
    this.media = context.engine.openCall(this.callId)
    this.#dialogs = new LegDialogs({
      parts: () => this.#parts,
      log: this.#log,
      isOver: () => this.ended,
      onDigit: (digit) => this.#digits.emit(digit),
      handleInfo: (info) => context.info?.(this, info) ?? false,
      onLastEnd: (request) => this.#finish(endedBy(request)),
      onFault: this.#onFault,
    })
    const { callId, media } = this
    const seed = { context, callId, invite, hopsLeft, media, log: this.#log, facts: this.#facts }
    this.#parts = callParts(seed, this.#hooks())
    this.#sound = new CallerSound({
      media,
      conversation: this.#parts.conversation,
      log: this.#log,
      state: () => this.#facts.state,
      whenEnded: this.#whenEnded,
      silenceLimitMs: context.silenceLimitMs,
      onDigit: (digit) => this.#digits.emit(digit),
      onEnd: (end) => this.#finish(end),
    })
    invite.onCancel = (cancel) => this.#onCancel(cancel)
  }

  /** The Request-URI of the caller's INVITE. */
  get dialledUri(): string {
    return this.request.uri
  }

  get ended(): boolean {
    return this.#facts.state === 'ended'
  }

  snapshot(): CallSnapshot {
    return this.#facts.snapshot(this.#parts.conversation)
  }

  onEvent(listener: (event: CallEvent) => void): () => void {
    return this.#events.add(listener)
  }

  /** Digits of the caller, by telephone-event or INFO. */
  onDigit(listener: (digit: string) => void): () => void {
    return this.#digits.add(listener)
  }

  /** Calls `listener` once when the call is over, at once if it is. */
  onEnded(listener: () => void): void {
    void this.#whenEnded.then(listener)
  }

  /** Binds the caller's ports, reads its offer, and follows the route. Never rejects. */
  async begin(route: Route): Promise<void> {
    let leg: Leg
    try {
      leg = await this.#parts.dialler.openFor(CALLER, this.#invite)
    } catch (thrown) {
      this.#log.warn('no media for a caller', { error: messageOf(thrown) })
      return this.#finish({ refusal: NO_RESOURCES })
    }
    if (this.ended) return
    try {
      this.#caller = new CallerSide(leg, this.#invite, this.#parts.conversation.bridge)
      this.#parts.conversation.seatCaller(leg)
      this.#invite.early.onUpdate = (incoming) => this.#dialogs.onRequest(leg, incoming)
      const refusal = this.#caller.takeOffer(route.kind === 'flow')
      if (refusal !== undefined) this.#finish({ refusal })
      else if (route.kind === 'flow') this.#context.flows(this, route.flow)
      else await this.#connect(route.target, route.ringTimeoutMs)
    } catch (thrown) {
      this.#onFault(thrown)
    }
  }

  /** Answers the caller in an encoding that can be played. False if the call ended instead. */
  async answer(): Promise<boolean> {
    if (this.#facts.state !== 'ringing') return !this.ended
    this.#answering ??= this.#accept(this.#caller?.playable ?? [])
    return await this.#answering
  }

  /** Plays to the caller, once answered. */
  async play(prompt: Prompt): Promise<Played> {
    return await this.#sound.play(prompt)
  }

  /** Stops what is played to the caller. */
  async stopPlaying(): Promise<void> {
    await this.#sound.stop()
  }

  /** Calls a callee and connects it to the caller, who is answered with it if not before. Never rejects. */
  async dial(options: DialOptions): Promise<DialResult> {
    return await this.#parts.dial.dial(options)
  }

  /** The leg that an INVITE is to replace, if it is of this call. */
  legOf(dialog: InviteDialog): Leg | undefined {
    return this.#parts.conversation.bridge.talking.find((leg) => leg.dialog === dialog)
  }

  /** Answers an INVITE that replaces a leg of this call. Never rejects. */
  async takeSeat(old: Leg, invite: ServerInvite): Promise<void> {
    await takeSeat(this.#parts.seating, old, invite)
  }

  /** This call as the consultation of a transfer, if the dialog is one of its. */
  consultation(dialog: Replaces): Consultation | undefined {
    return consultationOf(this.#parts.conversation, dialog, (groupId) => {
      this.#facts.session.joinGroup(groupId)
      this.#finish({})
    })
  }

  /** Calls a further party into the talk of at least two; all hear all. Never rejects. */
  async join(options: JoinOptions): Promise<JoinResult> {
    return await this.#parts.thirdParties.join(options)
  }

  /** Asks the caller's phone to call somebody else (RFC 3515). Never rejects. */
  async refer(options: ReferOptions): Promise<ReferResult> {
    return this.ended ? { result: 'hangup' } : await this.#parts.transfers.refer(options)
  }

  /** Lets the party on a leg go, as if it had hung up; false when there is no such party, or it is the caller. */
  dismiss(legName: string): boolean {
    const leg = this.#parts.conversation.bridge.talking.find((one) => one.name === legName)
    if (leg === undefined || leg === this.#parts.conversation.near) return false
    void leg.dialog?.bye()
    return true
  }

  /** Tells every party what our recording does now. */
  showRecording(state: RecordState): void {
    if (!this.ended) this.#parts.conversation.awareness.show(state)
  }

  /** Ends the call: BYE, or 603 for a caller who was not answered. `reason` is told to the parties as text. */
  hangup(reason?: string): void {
    this.#finish(reason === undefined ? { refusal: DECLINED } : because(normalClearing(reason), DECLINED))
  }

  /** Refuses a caller who was not answered; ends an answered call. */
  refuse(status: number): void {
    this.#finish({ refusal: { status } })
  }

  #hooks(): CallHooks {
    return {
      onEvent: (event) => this.#events.emit(event),
      handlersOf: (leg) => this.#dialogs.handlersOf(leg),
      carries: () => this.#caller?.carries ?? [],
      progress: async (status, encodings) => {
        if (this.#facts.state === 'ringing') await this.#caller?.progress(status, encodings)
      },
      answer: async (encodings) => {
        this.#answering ??= this.#accept(encodings)
        return await this.#answering
      },
      fail: () => this.#finish({ refusal: FAULT }),
      replace: (old, by, joining) => this.#replace(old, by, joining),
      abandon: (status) => this.#finish(because({ protocol: 'SIP', cause: status, text: 'Transfer failed' })),
      onFault: this.#onFault,
    }
  }

  async #connect(target: string, timeoutMs: number): Promise<void> {
    const outcome = await this.dial({ target, timeoutMs, until: 'answer' })
    if (outcome.result === 'answered') return
    const status = outcome.sipStatus ?? 500
    // A callee's own 503 must not make the caller avoid us (RFC 3261 section 16.7).
    const isOurs = outcome === NO_PORTS || outcome.result === 'forbidden'
    this.#finish({ refusal: { status: isOurs ? status : callerStatusOf(status) } })
  }

  async #accept(encodings: readonly string[]): Promise<boolean> {
    const caller = this.#caller
    if (caller === undefined) return false
    const isAccepted = await caller.accept(encodings, this.#dialogs.handlersOf(caller.leg))
    if (this.ended) return false
    if (!isAccepted) {
      this.#finish({ refusal: FAULT })
      return false
    }
    this.#facts.answered()
    this.#log.info('call answered')
    this.#parts.conversation.nearAnswered()
    this.#events.emit({ type: 'answered' })
    if (!(await caller.agreed())) {
      this.#finish(because(NO_USABLE_ANSWER))
      return false
    }
    this.#parts.conversation.sessionChanged(caller.leg)
    this.#parts.conversation.bridge.sync()
    return !this.ended
  }

  /** A party takes the seat of another; what stood on the old leg stands on the new one. */
  async #replace(old: Leg, by: Leg, joining: Joining): Promise<boolean> {
    const before = this.snapshot()
    if (!(await this.#parts.conversation.replace(old, by, joining))) return false
    this.#parts.dial.follow(old, by)
    if (!old.ended) old.lifecycle.enter('ended')
    if (this.#context.transfer.session === 'same') return true
    this.#facts.session.renew(before)
    this.#events.emit({ type: 'session-replaced' })
    return true
  }

  #onCancel(cancel: SipRequest | undefined): void {
    this.#isCallerGone = true
    this.#finish(endedBy(cancel))
  }

  // A bug ends its call, not the process.
  readonly #onFault = (fault: unknown): void => {
    this.#log.error('fault in a call', { error: messageOf(fault) })
    this.#finish({ refusal: FAULT })
  }

  /** The one way out: ends what is left of the legs, tells, releases. */
  #finish(end: End): void {
    if (this.ended) return
    this.#facts.end(end.reason)
    const headers = end.headers ?? []
    const refusal = end.refusal ?? { status: 480 }
    this.#parts.dial.close(headers)
    this.#parts.transfers.close(headers)
    this.#parts.thirdParties.close(headers)
    this.#parts.conversation.close(headers)
    if (this.#caller !== undefined) this.#caller.end(this.#isCallerGone, headers, refusal)
    else if (!this.#isCallerGone) refuse(this.#invite, refusal)
    const { endReason } = this.#facts
    this.#log.info('call ended', { ...(endReason !== undefined && { cause: endReason.cause }) })
    this.#events.emit({ type: 'ended' })
    this.#resolveEnded()
    void this.#release()
  }

  async #release(): Promise<void> {
    await this.#parts.conversation.succeeds(this.media.release(), 'media could not be released')
    this.#context.onReleased(this)
  }
}
