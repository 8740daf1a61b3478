// One call: its life from the caller's INVITE to the end, and what a flow can do with it. Who talks with whom is its conversation's.

import type { MediaCall, MediaEvent, Prompt } from '#engine'
import { Listeners, type Logger, messageOf, uuidText } from '#kernel'
import type { RecordState } from '#sdp'
import type { DialogEnd, DialogHandlers, IncomingRequest, ServerInvite, SipRequest } from '#sip'
import type { CallContext } from './call-context.ts'
import { because, type End, endedBy } from './call-end.ts'
import { CALL_EDGES, type CallState, Lifecycle } from './call-machine.ts'
import { CallerSide, type Refusal, refuse } from './caller-side.ts'
import { CALLER, Conversation } from './conversation.ts'
import { type Answer, type Attempt, Dialler, type Failure } from './dialler.ts'
import { callerStatusOf, type DialResult, dialResultOf } from './failure-status.ts'
import { answerInDialog } from './in-dialog.ts'
import type { Leg } from './leg.ts'
import { type EndReason, MEDIA_FAILURE, NO_MEDIA, NO_USABLE_ANSWER, normalClearing, reasonOf } from './reason.ts'
import type { CallEvent, CallSnapshot, RecordableCall } from './recordable-call.ts'
import type { Route } from './router.ts'

const NO_RESOURCES: Refusal = { status: 503 }
const FAULT: Refusal = { status: 500 }
const DECLINED: Refusal = { status: 603 }
const ABANDONED: DialResult = { result: 'failed', sipStatus: 487 }
const NO_PORTS: DialResult = { result: 'failed', sipStatus: 503 }

/** Whom to call, and how. */
export interface DialOptions {
  /** SIP URI. */
  readonly target: string
  /** How long it may ring. */
  readonly timeoutMs: number
  /** `answer`: the call ends with the callee. `end`: the dial does, and the flow goes on. */
  readonly until: 'answer' | 'end'
}

/** A dial under way, from its INVITE until the callee has left. */
interface Dial {
  readonly attempt: Attempt
  readonly until: DialOptions['until']
  /** The callee has left, or the call is over. */
  readonly onLeft: () => void
}

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
  readonly #facts: Pick<CallSnapshot, 'sessionId' | 'groupId' | 'startedAtMs'>
  readonly #conversation: Conversation
  readonly #dialler: Dialler
  readonly #events: Listeners<CallEvent>
  readonly #digits: Listeners<string>
  readonly #whenEnded: Promise<void>
  #resolveEnded: () => void = () => {}
  #answeredAtMs: number | undefined
  #endedAtMs: number | undefined
  #endReason: EndReason | undefined
  #caller: CallerSide | undefined
  #dial: Dial | undefined
  #answering: Promise<boolean> | undefined
  #isDialing = false
  #dialCount = 0
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
    this.#facts = { sessionId: ids.uuid(), groupId: ids.uuid(), startedAtMs: clock.wallMs() }
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
      domain: context.domain,
      tones: context.tones,
      onEvent: (event) => this.#events.emit(event),
      onFault: this.#onFault,
    })
    this.#dialler = new Dialler({
      ...shared,
      context,
      callId: this.callId,
      request: invite.request,
      hopsLeft,
      handlersOf: (leg) => this.#dialogHandlers(leg),
      isCallerSecured: () => this.#conversation.near?.sdp.suite !== undefined,
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
    const { protection } = this.#conversation
    return {
      callId: this.callId,
      ...this.#facts,
      direction: 'inbound',
      state: this.#lifecycle.state,
      ...(this.#answeredAtMs !== undefined && { answeredAtMs: this.#answeredAtMs }),
      ...(this.#endedAtMs !== undefined && { endedAtMs: this.#endedAtMs }),
      ...(this.#endReason !== undefined && { endReason: this.#endReason }),
      parties: this.#conversation.parties.list(),
      encodings: this.#conversation.near?.sdp.encodings ?? [],
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
      leg = await this.#dialler.open(CALLER, false)
    } catch (thrown) {
      this.#log.warn('no media for a caller', { error: messageOf(thrown) })
      return this.#finish({ refusal: NO_RESOURCES })
    }
    if (this.ended) return
    try {
      this.#caller = new CallerSide(leg, this.#invite, this.#conversation.bridge)
      leg.secure(this.#context.srtp, this.#invite.flow.transport === 'tls' ? 'tls' : 'none')
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
    const played = this.media.play(CALLER, prompt).then(
      (end) => (end === 'leg-gone' ? ('hangup' as const) : end),
      () => 'failed' as const,
    )
    const end = await Promise.race([played, this.#whenEnded.then(() => 'hangup' as const)])
    return this.ended ? 'hangup' : end
  }

  /** Stops what is played to the caller. */
  async stopPlaying(): Promise<void> {
    if (!this.ended) await this.#conversation.succeeds(this.media.stopPlaying(CALLER), 'prompt could not be stopped')
  }

  /** Calls a callee and connects it to the caller, who is answered with it if not before. Never rejects. */
  async dial(options: DialOptions): Promise<DialResult> {
    const refusal = this.#refuseDial(options.target)
    if (refusal !== undefined) return refusal
    this.#isDialing = true
    try {
      const leg = await this.#dialler.open(`callee-${++this.#dialCount}`, true)
      return this.ended ? ABANDONED : await this.#callOut(leg, options)
    } catch (thrown) {
      this.#log.warn('no media for a callee', { error: messageOf(thrown) })
      return NO_PORTS
    } finally {
      this.#isDialing = false
    }
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

  #refuseDial(target: string): DialResult | undefined {
    if (this.ended) return ABANDONED
    if (this.#isDialing || this.#dial !== undefined) return { result: 'failed', sipStatus: 491 }
    return this.#dialler.refuses(target)
  }

  async #callOut(leg: Leg, options: DialOptions): Promise<DialResult> {
    const { bridge } = this.#conversation
    bridge.seat(leg)
    const attempt = this.#dialler.call(leg, {
      ...options,
      encodings: this.#caller?.carries ?? [],
      direction: bridge.firstDirectionFor(leg),
      onProgress: ({ status }, hasMedia) => void this.#onProgress(leg, status, hasMedia).catch(this.#onFault),
    })
    const whenLeft = new Promise<void>((resolve) => {
      this.#dial = { attempt, until: options.until, onLeft: resolve }
    })
    const outcome = await attempt.outcome
    if (outcome.isAnswered) {
      await this.#onAnswered(leg, options.target, outcome).catch(this.#onFault)
      if (options.until === 'end') await whenLeft
      return this.#conversation.hasJoined(leg) || !this.ended ? { result: 'answered' } : ABANDONED
    }
    if (this.ended) return ABANDONED
    this.#onDialFailed(leg, outcome)
    return { result: dialResultOf(outcome.status), sipStatus: outcome.status }
  }

  async #onProgress(leg: Leg, status: number, hasMedia: boolean): Promise<void> {
    if (hasMedia) {
      const isSet = await leg.applyMedia()
      if (isSet && !leg.ended) await this.#conversation.couple(leg)
      if (leg.ended || this.ended) return
    }
    if (this.#lifecycle.state === 'ringing') {
      await this.#caller?.progress(status, hasMedia ? leg.sdp.encodings : undefined)
    }
  }

  async #onAnswered(leg: Leg, target: string, answer: Answer): Promise<void> {
    const isSet = (await leg.applyMedia()) && !leg.ended && (await this.#conversation.couple(leg))
    if (leg.ended) return
    if (!isSet) return this.#finish({ refusal: FAULT })
    this.#conversation.joinCallee(leg, target, answer)
    this.#answering ??= this.#accept(leg.sdp.encodings)
    if (await this.#answering) this.#conversation.bridge.sync()
  }

  #onDialFailed(leg: Leg, { status, response }: Failure): void {
    this.#log.info('dial failed', { status })
    const reason = reasonOf(response)
    if (reason !== undefined && this.#lifecycle.state === 'ringing') this.#endReason = reason
    this.#drop(leg)
  }

  /** Forgets a callee whose leg is over; the caller stays. */
  #drop(leg: Leg): void {
    if (!leg.ended) leg.lifecycle.enter('ended')
    this.#conversation.leave(leg)
    this.#endDial()
  }

  #endDial(): void {
    this.#dial?.onLeft()
    this.#dial = undefined
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
      onDigit: (digit, body) => {
        if (leg.name === CALLER) this.#digits.emit(digit)
        void this.#conversation.bridge.farOf(leg)?.dialog?.request('INFO', { body })
      },
      handleInfo: (info) => this.#context.info?.(this, info) ?? false,
    })
  }

  #onDialogEnd(leg: Leg, end: DialogEnd): void {
    if (this.ended || leg.ended) return
    leg.lifecycle.enter('ended')
    this.#log.info('leg ended', { leg: leg.name, cause: end.cause })
    if (this.#dial?.attempt.leg === leg && this.#dial.until === 'end') {
      this.#drop(leg)
      return
    }
    if (leg.name === CALLER) this.#isCallerGone = true
    this.#finish(endedBy(end.request))
  }

  #onCancel(cancel: SipRequest | undefined): void {
    this.#isCallerGone = true
    this.#finish(endedBy(cancel))
  }

  #onMediaEvent(event: MediaEvent): void {
    if (this.ended) return
    if (event.type === 'dtmf') {
      if (event.leg === CALLER) this.#digits.emit(event.digit)
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
    this.#dial?.attempt.cancel(headers)
    this.#conversation.close(headers)
    if (this.#caller !== undefined) this.#caller.end(this.#isCallerGone, headers, refusal)
    else if (!this.#isCallerGone) refuse(this.#invite, refusal)
    this.#endDial()
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
