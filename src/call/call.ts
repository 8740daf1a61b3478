// One call: the caller's leg, at most one callee's leg, their bridge, and what a flow can do with them.

import type { MediaCall, MediaEvent, Prompt } from '#engine'
import { Listeners, type Logger, messageOf, redactUri, uuidText } from '#kernel'
import {
  type DialogEnd,
  type DialogHandlers,
  type IncomingRequest,
  type InviteDialog,
  parseSipUri,
  type ServerInvite,
  type SipRequest,
  type SipResponse,
} from '#sip'
import { Bridge } from './bridge.ts'
import type { CallContext } from './call-context.ts'
import { because, type End, endedBy } from './call-end.ts'
import { CALL_EDGES, type CallState, Lifecycle } from './call-machine.ts'
import { CalleeSide } from './callee-side.ts'
import { CallerSide, type Refusal, refuse } from './caller-side.ts'
import { Dialing, type DialOptions, onwardInvite } from './dialing.ts'
import { callerStatusOf, type DialResult, dialResultOf } from './failure-status.ts'
import { answerInDialog } from './in-dialog.ts'
import { Leg, type LegOptions } from './leg.ts'
import { Parties } from './parties.ts'
import { type EndReason, MEDIA_FAILURE, NO_MEDIA, NO_USABLE_ANSWER, normalClearing, reasonOf } from './reason.ts'
import type { CallEvent, CallSnapshot, RecordableCall } from './recordable-call.ts'
import type { Route } from './router.ts'

const CALLER = 'caller'
const NO_RESOURCES: Refusal = { status: 503 }
const FAULT: Refusal = { status: 500 }
const DECLINED: Refusal = { status: 603 }
const ABANDONED: DialResult = { result: 'failed', sipStatus: 487 }
const NO_PORTS: DialResult = { result: 'failed', sipStatus: 503 }

/** A call through the gateway. Its media is released right after `ended` was emitted: commands given in that event still count. */
export class Call implements RecordableCall {
  readonly callId: string
  readonly media: MediaCall
  /** The caller's INVITE. */
  readonly request: SipRequest
  readonly #context: CallContext
  readonly #invite: ServerInvite
  readonly #hopsLeft: number
  readonly #log: Logger
  readonly #lifecycle: Lifecycle<CallState>
  readonly #facts: Pick<CallSnapshot, 'sessionId' | 'groupId' | 'startedAtMs'>
  readonly #parties: Parties
  readonly #bridge: Bridge
  readonly #events: Listeners<CallEvent>
  readonly #digits: Listeners<string>
  readonly #whenEnded: Promise<void>
  #resolveEnded: () => void = () => {}
  #answeredAtMs: number | undefined
  #endedAtMs: number | undefined
  #endReason: EndReason | undefined
  #caller: CallerSide | undefined
  #callee: CalleeSide | undefined
  #answering: Promise<boolean> | undefined
  #isDialing = false
  #dialCount = 0
  #isCallerGone = false
  #encodings = ''

  /** `hopsLeft` is the Max-Forwards of what we send on. */
  constructor(context: CallContext, invite: ServerInvite, hopsLeft: number) {
    const { clock, ids } = context
    this.#context = context
    this.#invite = invite
    this.#hopsLeft = hopsLeft
    this.callId = uuidText(ids.uuid())
    this.request = invite.request
    this.#log = context.log.child({ callId: this.callId })
    const onFault = (fault: unknown): void => this.#log.error('call listener failed', { error: messageOf(fault) })
    this.#events = new Listeners(onFault)
    this.#digits = new Listeners(onFault)
    this.#lifecycle = new Lifecycle({ machine: 'call', id: this.callId, initial: 'ringing', edges: CALL_EDGES, clock })
    this.#facts = { sessionId: ids.uuid(), groupId: ids.uuid(), startedAtMs: clock.wallMs() }
    this.#parties = new Parties({
      ids,
      clock,
      leg: CALLER,
      invite: invite.request,
      onEvent: (event) => this.#events.emit(event),
    })
    this.#bridge = new Bridge({
      agent: context.domain,
      clock,
      ids,
      events: {
        onChanged: (leg) => this.#onSessionChanged(leg),
        onFault: this.#onFault,
      },
    })
    this.#whenEnded = new Promise((resolve) => {
      this.#resolveEnded = resolve
    })
    this.media = context.engine.openCall(this.callId)
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
    return {
      callId: this.callId,
      ...this.#facts,
      direction: 'inbound',
      state: this.#lifecycle.state,
      ...(this.#answeredAtMs !== undefined && { answeredAtMs: this.#answeredAtMs }),
      ...(this.#endedAtMs !== undefined && { endedAtMs: this.#endedAtMs }),
      ...(this.#endReason !== undefined && { endReason: this.#endReason }),
      parties: this.#parties.list(),
      encodings: this.#caller?.leg.sdp.encodings ?? [],
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
      leg = await Leg.open(this.#legOptions(CALLER))
    } catch (thrown) {
      this.#log.warn('no media for a caller', { error: messageOf(thrown) })
      return this.#finish({ refusal: NO_RESOURCES })
    }
    if (this.ended) return
    try {
      this.#caller = new CallerSide(leg, this.#invite, this.#bridge)
      this.#bridge.caller = leg
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
    if (!this.ended) await this.#succeeds(this.media.stopPlaying(CALLER), 'prompt could not be stopped')
  }

  /** Calls a callee and connects it to the caller, who is answered with it if not before. Never rejects. */
  async dial(options: DialOptions): Promise<DialResult> {
    const refusal = this.#refuseDial(options.target)
    if (refusal !== undefined) return refusal
    this.#isDialing = true
    try {
      const leg = await Leg.open(this.#legOptions(`callee-${++this.#dialCount}`))
      if (this.ended) return ABANDONED
      return await new Promise((settle) => this.#startDialing(leg, settle, options))
    } catch (thrown) {
      this.#log.warn('no media for a callee', { error: messageOf(thrown) })
      return NO_PORTS
    } finally {
      this.#isDialing = false
    }
  }

  /** Ends the call: BYE, or 603 for a caller who was not answered. `reason` is told to the parties as text. */
  hangup(reason?: string): void {
    this.#finish(reason === undefined ? { refusal: DECLINED } : because(normalClearing(reason), DECLINED))
  }

  /** Refuses a caller who was not answered; ends an answered call. */
  refuse(status: number): void {
    this.#finish({ refusal: { status } })
  }

  #legOptions(name: string): LegOptions {
    const { clock, ids } = this.#context
    return { callId: this.callId, name, isOutgoing: name !== CALLER, media: this.media, clock, ids, log: this.#log }
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
    this.#encodings = caller.leg.sdp.encodings.join(' ')
    this.#log.info('call answered')
    if (this.#callee?.partyId === undefined) this.#parties.seatAutomaton()
    this.#events.emit({ type: 'answered' })
    if (!(await caller.agreed())) {
      this.#finish(because(NO_USABLE_ANSWER))
      return false
    }
    this.#onSessionChanged(caller.leg)
    this.#bridge.sync()
    return !this.ended
  }

  #refuseDial(target: string): DialResult | undefined {
    if (this.ended) return ABANDONED
    if (this.#isDialing || this.#callee !== undefined) return { result: 'failed', sipStatus: 491 }
    const uri = parseSipUri(target)
    if (!uri.ok) return { result: 'failed', sipStatus: 404 }
    if (this.#hopsLeft === 0) return { result: 'failed', sipStatus: 483 }
    if (this.#context.destinations.allows(uri.value)) return undefined
    this.#log.warn('destination refused by policy', { target: redactUri(target) })
    return { result: 'forbidden', sipStatus: 403 }
  }

  #startDialing(leg: Leg, settle: (result: DialResult) => void, options: DialOptions): void {
    const { core, clock, domain } = this.#context
    const callee = new CalleeSide(leg, options.until, settle)
    this.#callee = callee
    this.#bridge.callee = leg
    const body = leg.offer(this.#caller?.carries ?? [], this.#bridge.firstDirectionFor(leg))
    const dialing = new Dialing({
      core: core(),
      clock,
      leg,
      ringTimeoutMs: options.timeoutMs,
      invite: { ...onwardInvite(this.request, options.target, domain, this.#hopsLeft), body },
      events: {
        onProgress: (response, hasMedia) =>
          void this.#onProgress(callee, response.status, hasMedia).catch(this.#onFault),
        onAnswered: (dialog, response) =>
          void this.#onAnswered(callee, options.target, dialog, response).catch(this.#onFault),
        onFailed: (status, response) => this.#onDialFailed(callee, status, response),
      },
    })
    callee.dialling(dialing)
  }

  async #onProgress(callee: CalleeSide, status: number, hasMedia: boolean): Promise<void> {
    if (hasMedia) {
      const isSet = await callee.leg.applyMedia()
      if (isSet && this.#callee === callee) await this.#couple(callee.leg)
      if (this.#callee !== callee || this.ended) return
    }
    if (this.#lifecycle.state === 'ringing') {
      await this.#caller?.progress(status, hasMedia ? callee.leg.sdp.encodings : undefined)
    }
  }

  async #onAnswered(callee: CalleeSide, target: string, dialog: InviteDialog, response: SipResponse): Promise<void> {
    const { leg } = callee
    callee.confirm(dialog, this.#dialogHandlers(leg))
    const isSet = (await leg.applyMedia()) && !leg.ended && (await this.#couple(leg))
    if (leg.ended) return
    if (!isSet) return this.#finish({ refusal: FAULT })
    callee.partyId = this.#parties.joinCallee(leg.name, target, dialog.callId, response)
    this.#parties.setHold(callee.partyId, leg.hold)
    this.#answering ??= this.#accept(leg.sdp.encodings)
    if (!(await this.#answering)) return
    this.#bridge.sync()
    if (callee.until === 'answer') callee.settle({ result: 'answered' })
  }

  #onDialFailed(callee: CalleeSide, status: number, response: SipResponse | undefined): void {
    this.#log.info('dial failed', { status })
    const reason = reasonOf(response)
    if (reason !== undefined && this.#lifecycle.state === 'ringing') this.#endReason = reason
    this.#dropCallee(callee)
    callee.settle({ result: dialResultOf(status), sipStatus: status })
  }

  /** Forgets a callee whose leg is over; the caller stays. */
  #dropCallee(callee: CalleeSide): void {
    if (!callee.leg.ended) callee.leg.lifecycle.enter('ended')
    if (this.#callee !== callee) return
    this.#callee = undefined
    this.#bridge.callee = undefined
    void this.#succeeds(this.media.removeLeg(callee.leg.name), 'leg could not be removed')
    if (callee.partyId === undefined) return
    this.#parties.leave(callee.partyId)
    this.#parties.seatAutomaton()
    this.#bridge.sync()
  }

  #dialogHandlers(leg: Leg): DialogHandlers {
    return {
      onRequest: (incoming) => this.#onRequest(leg, incoming),
      onEnd: (end) => this.#onDialogEnd(leg, end),
    }
  }

  #onRequest(leg: Leg, incoming: IncomingRequest): void {
    const { method } = incoming.request
    if (method === 'INVITE' || method === 'UPDATE') {
      void this.#bridge.change(leg, incoming).catch(this.#onFault)
      return
    }
    answerInDialog(incoming, {
      onDigit: (digit, body) => {
        if (leg.name === CALLER) this.#digits.emit(digit)
        void this.#bridge.farOf(leg)?.dialog?.request('INFO', { body })
      },
      handleInfo: (info) => this.#context.info?.(this, info) ?? false,
    })
  }

  #onDialogEnd(leg: Leg, end: DialogEnd): void {
    if (this.ended || leg.ended) return
    leg.lifecycle.enter('ended')
    this.#log.info('leg ended', { leg: leg.name, cause: end.cause })
    const callee = this.#callee
    if (callee?.leg === leg && callee.until === 'end') {
      this.#dropCallee(callee)
      callee.settle({ result: 'answered' })
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

  #onSessionChanged(leg: Leg): void {
    const partyId = leg.name === CALLER ? this.#parties.callerId : this.#callee?.partyId
    if (partyId !== undefined) this.#parties.setHold(partyId, leg.hold)
    const encodings = this.#caller?.leg.sdp.encodings.join(' ') ?? ''
    if (encodings === this.#encodings) return
    const hadEncodings = this.#encodings !== ''
    this.#encodings = encodings
    if (hadEncodings) this.#events.emit({ type: 'codec-changed' })
  }

  async #couple(callee: Leg): Promise<boolean> {
    return await this.#succeeds(this.media.bridge(CALLER, callee.name), 'legs could not be bridged')
  }

  async #succeeds(command: Promise<unknown>, complaint: string): Promise<boolean> {
    try {
      await command
      return true
    } catch (thrown) {
      if (!this.ended) this.#log.warn(complaint, { error: messageOf(thrown) })
      return false
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
    this.#bridge.close()
    const headers = end.headers ?? []
    const refusal = end.refusal ?? { status: 480 }
    const callee = this.#callee
    callee?.end(headers)
    if (this.#caller !== undefined) this.#caller.end(this.#isCallerGone, headers, refusal)
    else if (!this.#isCallerGone) refuse(this.#invite, refusal)
    callee?.settle(callee.partyId === undefined ? ABANDONED : { result: 'answered' })
    this.#log.info('call ended', { ...(this.#endReason !== undefined && { cause: this.#endReason.cause }) })
    this.#events.emit({ type: 'ended' })
    this.#resolveEnded()
    void this.#release()
  }

  async #release(): Promise<void> {
    await this.#succeeds(this.media.release(), 'media could not be released')
    this.#context.onReleased(this)
  }
}
