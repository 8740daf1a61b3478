// One call: its life from the caller's INVITE to the end, and what a flow can do with it. Who talks with whom is its conversation's.

import type { MediaCall, MediaEvent, Prompt } from '#engine'
import { Listeners, type Logger, messageOf, uuidText } from '#kernel'
import type { RecordState } from '#sdp'
import type { DialogEnd, DialogHandlers, IncomingRequest, InviteDialog, Replaces, ServerInvite, SipRequest } from '#sip'
import { type Consultation, consultationOf, type ReceivingCall } from './attended-transfer.ts'
import type { CallContext } from './call-context.ts'
import { because, type End, endedBy } from './call-end.ts'
import { CALL_EDGES, type CallState, Lifecycle } from './call-machine.ts'
import { CalleeDial, type DiallingCall, type DialOptions, NO_PORTS } from './callee-dial.ts'
import { CallerSide, type Refusal, refuse } from './caller-side.ts'
import { CommunicationSession } from './communication-session.ts'
import { CALLER, Conversation } from './conversation.ts'
import { Dialler } from './dialler.ts'
import { callerStatusOf, type DialResult } from './failure-status.ts'
import { answerInDialog } from './in-dialog.ts'
import type { Leg } from './leg.ts'
import type { Joining } from './parties.ts'
import { type EndReason, MEDIA_FAILURE, NO_MEDIA, NO_USABLE_ANSWER, normalClearing } from './reason.ts'
import type { CallEvent, CallSnapshot, RecordableCall } from './recordable-call.ts'
import type { ReferOptions, ReferResult } from './referral.ts'
import { type ReplacedCall, takeSeat } from './replacement.ts'
import type { Route } from './router.ts'
import { type JoinOptions, type JoinResult, ThirdParties } from './third-party.ts'
import { Transfers } from './transfer.ts'

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
  readonly #lifecycle: Lifecycle<CallState>
  readonly #session: CommunicationSession
  readonly #facts: NonNullable<CallSnapshot['facts']>
  readonly #conversation: Conversation
  readonly #dialler: Dialler
  readonly #dial: CalleeDial
  readonly #seating: ReplacedCall & ReceivingCall
  readonly #thirdParties: ThirdParties
  readonly #transfers: Transfers
  readonly #events: Listeners<CallEvent>
  readonly #digits: Listeners<string>
  readonly #whenEnded: Promise<void>
  #resolveEnded: () => void = () => {}
  #answeredAtMs: number | undefined
  #endedAtMs: number | undefined
  #endReason: EndReason | undefined
  #caller: CallerSide | undefined
  #answering: Promise<boolean> | undefined
  #legCount = 0
  #isCallerGone = false

  /** `hopsLeft` is the Max-Forwards of what we send on. */
  constructor(context: CallContext, invite: ServerInvite, hopsLeft: number) {
    const { clock, ids } = context
    this.#context = context
    this.#invite = invite
    this.callId = uuidText(ids.uuid())
    this.request = invite.request
    this.#log = context.log.child({ callId: this.callId })
    const onFault = (fault: unknown): void => this.#log.error('call listener failed', { error: messageOf(fault) })
    this.#events = new Listeners(onFault)
    this.#digits = new Listeners(onFault)
    this.#lifecycle = new Lifecycle({ machine: 'call', id: this.callId, initial: 'ringing', edges: CALL_EDGES, clock })
    this.#session = new CommunicationSession(clock, ids)
    this.#facts = context.identities.factsOf(invite)
    this.#whenEnded = new Promise((resolve) => {
      this.#resolveEnded = resolve
    })
    this.media = context.engine.openCall(this.callId)
    const shared = { media: this.media, log: this.#log }
    this.#conversation = new Conversation({
      ...shared,
      clock,
      ids,
      invite: invite.request,
      uuid: this.callId.replaceAll('-', ''),
      caller: context.identities.callerOf(invite),
      domain: context.domain,
      tones: context.tones,
      onEvent: (event) => this.#events.emit(event),
      onFault: this.#onFault,
    })
    this.#dialler = new Dialler({
      ...shared,
      context,
      callId: this.callId,
      invite,
      hopsLeft,
      handlersOf: (leg) => this.#dialogHandlers(leg),
      isCallerSecured: () => this.#conversation.near?.sdp.suite !== undefined,
      represented: (leg) => this.#conversation.representedTo(leg),
    })
    const tools = {
      conversation: this.#conversation,
      dialler: this.#dialler,
      log: this.#log,
      nextLegName: () => `callee-${++this.#legCount}`,
    }
    const hasEnded = (): boolean => this.ended
    this.#seating = {
      ...tools,
      media: this.media,
      handlersOf: this.#dialler.handlersOf,
      represented: this.#dialler.represented,
      groupId: this.#session.groupId,
      replace: (old, by, joining) => this.#replace(old, by, joining),
      get ended() {
        return hasEnded()
      },
    }
    this.#dial = new CalleeDial(this.#forDial(tools))
    this.#thirdParties = new ThirdParties(this.#seating)
    this.#transfers = new Transfers({
      ...this.#seating,
      clock,
      domain: context.domain,
      policy: context.transfer,
      consultation: context.consultation,
      abandon: (status) => this.#finish(because({ protocol: 'SIP', cause: status, text: 'Transfer failed' })),
    })
    this.media.onEvent((event) => this.#onMediaEvent(event))
    invite.onCancel = (cancel) => this.#onCancel(cancel)
  }

  /** The Request-URI of the caller's INVITE. */
  get dialledUri(): string {
    return this.request.uri
  }

  get ended(): boolean {
    return this.#lifecycle.state === 'ended'
  }

  snapshot(): CallSnapshot {
    const { protection, videoEncodings } = this.#conversation
    return {
      callId: this.callId,
      ...this.#session.facts(),
      sipSessionIds: this.#conversation.sipSessionIds(),
      direction: 'inbound',
      state: this.#lifecycle.state,
      ...(this.#answeredAtMs !== undefined && { answeredAtMs: this.#answeredAtMs }),
      ...(this.#endedAtMs !== undefined && { endedAtMs: this.#endedAtMs }),
      ...(this.#endReason !== undefined && { endReason: this.#endReason }),
      parties: this.#conversation.parties.list(),
      encodings: this.#conversation.near?.sdp.encodings ?? [],
      ...(videoEncodings.length > 0 && { videoEncodings }),
      ...(Object.keys(this.#facts).length > 0 && { facts: this.#facts }),
      ...(protection !== undefined && { protection }),
    }
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
      leg = await this.#dialler.openFor(CALLER, this.#invite)
    } catch (thrown) {
      this.#log.warn('no media for a caller', { error: messageOf(thrown) })
      return this.#finish({ refusal: NO_RESOURCES })
    }
    if (this.ended) return
    try {
      this.#caller = new CallerSide(leg, this.#invite, this.#conversation.bridge)
      this.#conversation.seatCaller(leg)
      this.#invite.early.onUpdate = (incoming) => this.#onRequest(leg, incoming)
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
    if (this.#lifecycle.state !== 'ringing') return !this.ended
    this.#answering ??= this.#accept(this.#caller?.playable ?? [])
    return await this.#answering
  }

  /** Plays to the caller, once answered. */
  async play(prompt: Prompt): Promise<'finished' | 'stopped' | 'hangup' | 'failed'> {
    if (this.ended) return 'hangup'
    if (this.#lifecycle.state !== 'answered') return 'failed'
    const played = this.media.play(this.#nearName, prompt).then(
      (end) => (end === 'leg-gone' ? ('hangup' as const) : end),
      () => 'failed' as const,
    )
    const end = await Promise.race([played, this.#whenEnded.then(() => 'hangup' as const)])
    return this.ended ? 'hangup' : end
  }

  /** Stops what is played to the caller. */
  async stopPlaying(): Promise<void> {
    if (!this.ended)
      await this.#conversation.succeeds(this.media.stopPlaying(this.#nearName), 'prompt could not be stopped')
  }

  /** Calls a callee and connects it to the caller, who is answered with it if not before. Never rejects. */
  async dial(options: DialOptions): Promise<DialResult> {
    return await this.#dial.dial(options)
  }

  /** The leg that an INVITE is to replace, if it is of this call. */
  legOf(dialog: InviteDialog): Leg | undefined {
    return this.#conversation.bridge.talking.find((leg) => leg.dialog === dialog)
  }

  /** Answers an INVITE that replaces a leg of this call. Never rejects. */
  async takeSeat(old: Leg, invite: ServerInvite): Promise<void> {
    await takeSeat(this.#seating, old, invite)
  }

  /** This call as the consultation of a transfer, if the dialog is one of its. */
  consultation(dialog: Replaces): Consultation | undefined {
    return consultationOf(this.#conversation, dialog, (groupId) => {
      this.#session.joinGroup(groupId)
      this.#finish({})
    })
  }

  /** Calls a further party into the talk of at least two; all hear all. Never rejects. */
  async join(options: JoinOptions): Promise<JoinResult> {
    return await this.#thirdParties.join(options)
  }

  /** Asks the caller's phone to call somebody else (RFC 3515). Never rejects. */
  async refer(options: ReferOptions): Promise<ReferResult> {
    return this.ended ? { result: 'hangup' } : await this.#transfers.refer(options)
  }

  /** Lets the party on a leg go, as if it had hung up; false when there is no such party, or it is the caller. */
  dismiss(legName: string): boolean {
    const leg = this.#conversation.bridge.talking.find((one) => one.name === legName)
    if (leg === undefined || leg === this.#conversation.near) return false
    void leg.dialog?.bye()
    return true
  }

  /** Tells every party what our recording does now. */
  showRecording(state: RecordState): void {
    if (!this.ended) this.#conversation.awareness.show(state)
  }

  /** Ends the call: BYE, or 603 for a caller who was not answered. `reason` is told to the parties as text. */
  hangup(reason?: string): void {
    this.#finish(reason === undefined ? { refusal: DECLINED } : because(normalClearing(reason), DECLINED))
  }

  /** Refuses a caller who was not answered; ends an answered call. */
  refuse(status: number): void {
    this.#finish({ refusal: { status } })
  }

  #forDial(tools: Pick<DiallingCall, 'conversation' | 'dialler' | 'log' | 'nextLegName'>): DiallingCall {
    const hasEnded = (): boolean => this.ended
    const carries = (): readonly string[] => this.#caller?.carries ?? []
    return {
      ...tools,
      get ended() {
        return hasEnded()
      },
      get carries() {
        return carries()
      },
      progress: async (status, encodings) => {
        if (this.#lifecycle.state === 'ringing') await this.#caller?.progress(status, encodings)
      },
      answer: async (encodings) => {
        this.#answering ??= this.#accept(encodings)
        return await this.#answering
      },
      refused: (reason) => {
        if (this.#lifecycle.state === 'ringing') this.#endReason = reason
      },
      fail: () => this.#finish({ refusal: FAULT }),
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
    const isAccepted = await caller.accept(encodings, this.#dialogHandlers(caller.leg))
    if (this.ended) return false
    if (!isAccepted) {
      this.#finish({ refusal: FAULT })
      return false
    }
    this.#lifecycle.enter('answered')
    this.#answeredAtMs = this.#context.clock.wallMs()
    this.#log.info('call answered')
    this.#conversation.nearAnswered()
    this.#events.emit({ type: 'answered' })
    if (!(await caller.agreed())) {
      this.#finish(because(NO_USABLE_ANSWER))
      return false
    }
    this.#conversation.sessionChanged(caller.leg)
    this.#conversation.bridge.sync()
    return !this.ended
  }

  /** A party takes the seat of another; what stood on the old leg stands on the new one. */
  async #replace(old: Leg, by: Leg, joining: Joining): Promise<boolean> {
    const before = this.snapshot()
    if (!(await this.#conversation.replace(old, by, joining))) return false
    this.#dial.follow(old, by)
    if (!old.ended) old.lifecycle.enter('ended')
    if (this.#context.transfer.session === 'same') return true
    this.#session.renew(before)
    this.#events.emit({ type: 'session-replaced' })
    return true
  }

  get #nearName(): string {
    return this.#conversation.near?.name ?? CALLER
  }

  #dialogHandlers(leg: Leg): DialogHandlers {
    return {
      onRequest: (incoming) => this.#onRequest(leg, incoming),
      onRefreshDue: () => void leg.refresh().catch(this.#onFault),
      onEnd: (end) => this.#onDialogEnd(leg, end),
    }
  }

  #onRequest(leg: Leg, incoming: IncomingRequest): void {
    const { method } = incoming.request
    if (method === 'INVITE' || method === 'UPDATE') {
      void this.#conversation.bridge.change(leg, incoming).catch(this.#onFault)
      return
    }
    answerInDialog(incoming, {
      onRefer: (refer) => this.#transfers.onRefer(leg, refer),
      onNotify: (notify) => this.#transfers.onNotify(leg, notify),
      onDigit: (digit, body) => {
        if (leg === this.#conversation.near) this.#digits.emit(digit)
        void this.#conversation.bridge.farOf(leg)?.dialog?.request('INFO', { body })
      },
      handleInfo: (info) => this.#context.info?.(this, info) ?? false,
    })
  }

  #onDialogEnd(leg: Leg, end: DialogEnd): void {
    if (this.ended || leg.ended) return
    leg.lifecycle.enter('ended')
    this.#log.info('leg ended', { leg: leg.name, cause: end.cause })
    if (!this.#conversation.bridge.isSeated(leg)) return
    if (this.#transfers.keepsSeatOf(leg)) {
      this.#conversation.vacate(leg)
      return
    }
    const others = this.#conversation.others(leg)
    const heir = others.at(-1)
    if (leg !== this.#conversation.near && others.length > 1 && heir !== undefined) {
      this.#conversation.leave(leg)
      this.#dial.follow(leg, heir)
    } else if (!this.#dial.takesEndOf(leg)) this.#finish(endedBy(end.request))
  }

  #onCancel(cancel: SipRequest | undefined): void {
    this.#isCallerGone = true
    this.#finish(endedBy(cancel))
  }

  #onMediaEvent(event: MediaEvent): void {
    if (this.ended) return
    if (event.type === 'dtmf') {
      if (event.leg === this.#nearName) this.#digits.emit(event.digit)
    } else if (event.type === 'silent') {
      if (event.forMs < this.#context.silenceLimitMs) return
      this.#log.warn('no media from a party, ending the call', { leg: event.leg, silentMs: Math.round(event.forMs) })
      this.#finish(because(NO_MEDIA, FAULT))
    } else if (event.type === 'failed') {
      this.#log.error('media engine gave up a call', { reason: event.reason })
      this.#finish(because(MEDIA_FAILURE, FAULT))
    }
  }

  // A bug ends its call, not the process.
  readonly #onFault = (fault: unknown): void => {
    this.#log.error('fault in a call', { error: messageOf(fault) })
    this.#finish({ refusal: FAULT })
  }

  /** The one way out: ends what is left of the legs, tells, releases. */
  #finish(end: End): void {
    if (this.ended) return
    this.#lifecycle.enter('ended')
    this.#endedAtMs = this.#context.clock.wallMs()
    this.#endReason = end.reason ?? this.#endReason
    const headers = end.headers ?? []
    const refusal = end.refusal ?? { status: 480 }
    this.#dial.close(headers)
    this.#transfers.close(headers)
    this.#thirdParties.close(headers)
    this.#conversation.close(headers)
    if (this.#caller !== undefined) this.#caller.end(this.#isCallerGone, headers, refusal)
    else if (!this.#isCallerGone) refuse(this.#invite, refusal)
    this.#log.info('call ended', { ...(this.#endReason !== undefined && { cause: this.#endReason.cause }) })
    this.#events.emit({ type: 'ended' })
    this.#resolveEnded()
    void this.#release()
  }

  async #release(): Promise<void> {
    await this.#conversation.succeeds(this.media.release(), 'media could not be released')
    this.#context.onReleased(this)
  }
}
