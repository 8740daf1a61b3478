// One recording session (RFC 7866): the SIP dialog with one recorder, its forks and its documents. Carries out what the machine says.

import type { ForkCounters, MediaLocal } from '#engine'
import { invariant, messageOf, stateTrace, type Timer } from '#kernel'
import { LocalDescription, type SdpCodec } from '#sdp'
import { writeMetadata } from '#siprec'
import type { ClientInvite, DialogEnd, IncomingRequest, InviteDialog, MessageOptions, SipResponse } from '#sip'
import { buildMetadata } from './metadata-builder.ts'
import { type AnsweredStream, offeredCodecs, offeredMedia, readAnswer } from './offer.ts'
import { answerRecorder } from './recorder-request.ts'
import { inviteHeaders, offerBody, reofferHeaders, sdpOf, withDate } from './session-messages.ts'
import {
  type OfferDirection,
  type SessionInput,
  SessionMachine,
  type SessionOutput,
  type SessionReport,
  type SessionState,
  type Wish,
} from './session-machine.ts'
import type { RecordingSurroundings, SessionPlan } from './session-port.ts'
import { rolesOf, tapOf } from './streams.ts'

interface Fork {
  readonly id: string
  readonly label: string
  readonly local: MediaLocal
}

/** Who is told about a session. */
export interface SessionListener {
  onReport(report: SessionReport): void
  /** Last counters of a fork that was removed. */
  onForkClosed(counters: ForkCounters): void
}

/** A recording session with one recorder. */
export class RecordingSession {
  readonly plan: SessionPlan
  readonly #around: RecordingSurroundings
  readonly #machine: SessionMachine
  readonly #listener: SessionListener
  readonly #codecs: readonly SdpCodec[]
  readonly #associatedAtMs: number
  #wish: Wish
  #forks: readonly Fork[] = []
  #liveForks = new Set<string>()
  #answered: readonly AnsweredStream[] = []
  #sdp: LocalDescription | undefined
  #invite: ClientInvite | undefined
  #dialog: InviteDialog | undefined
  #retry: Timer | undefined

  constructor(
    plan: SessionPlan,
    around: RecordingSurroundings,
    wish: Wish,
    listener: SessionListener,
  ) {
    this.plan = plan
    this.#around = around
    this.#wish = wish
    this.#listener = listener
    this.#codecs = offeredCodecs(plan.call.snapshot().encodings)
    this.#associatedAtMs = around.clock.wallMs()
    this.#machine = new SessionMachine(wish, (from, to) => this.#trace(from, to))
  }

  get state(): SessionState {
    return this.#machine.state
  }

  /** Whether an offer of ours is unanswered. */
  get isSignalling(): boolean {
    return this.#machine.isOffering
  }

  /** Ids of the forks that exist, for the gates of the whole recording to be shut at once. */
  get forkIds(): readonly string[] {
    return [...this.#liveForks]
  }

  /** SIP Call-ID of the recording session, once invited. */
  get sipCallId(): string | undefined {
    return this.#invite?.callId
  }

  /** Binds the ports and sends the INVITE; every outcome comes by report. */
  open(): void {
    this.#addForks().then(
      () => this.#feed({ type: 'ports-ready' }),
      (fault: unknown) => this.#feed({ type: 'refused', status: 500, reason: messageOf(fault) }),
    )
  }

  /** Tells the session what the recording wants from now on. For `paused` and `stopped` the gates have been shut before. */
  wish(wish: Wish): void {
    this.#wish = wish
    this.#feed({ type: 'wish', wish })
  }

  /** The call changed: what is copied may move, and the recorder gets a new document. */
  callChanged(): void {
    const snapshot = this.plan.call.snapshot()
    for (const fork of this.#forks) {
      if (!this.#liveForks.has(fork.id)) continue
      const stream = this.plan.streams.find((candidate) => candidate.label === fork.label)
      if (stream !== undefined) this.#media(this.plan.call.media.moveFork(fork.id, tapOf(stream, snapshot)))
    }
    this.#feed({ type: 'document-changed' })
  }

  /** Removes forks whose cut could not be confirmed. */
  dropForks(forkIds: readonly string[]): void {
    for (const id of forkIds) this.#removeFork(id)
  }

  async #addForks(): Promise<void> {
    const snapshot = this.plan.call.snapshot()
    const added = await Promise.allSettled(
      this.plan.streams.map(async (stream): Promise<Fork> => {
        const id = `${this.plan.id}/${stream.label}`
        const local = await this.plan.call.media.addFork({ id, tap: tapOf(stream, snapshot), open: false })
        return { id, label: stream.label, local }
      }),
    )
    this.#forks = added.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []))
    this.#liveForks = new Set(this.#forks.map((fork) => fork.id))
    const failed = added.find((outcome) => outcome.status === 'rejected')
    if (this.state !== 'preparing') this.#removeForks()
    if (failed !== undefined) throw failed.reason
  }

  #feed(input: SessionInput): void {
    for (const output of this.#machine.handle(input)) this.#carryOut(output)
  }

  #carryOut(output: SessionOutput): void {
    switch (output.type) {
      case 'invite':
        return this.#sendInvite(output.direction)
      case 'reoffer':
        return this.#sendReoffer(output.direction, output.withDocument)
      case 'cancel':
        return this.#invite?.cancel()
      case 'bye':
        return this.#sendBye()
      case 'farewell':
        return this.#sayFarewell()
      case 'open-gates':
        return this.#openGates()
      case 'remove-forks':
        return this.#removeForks()
      case 'set-timer':
        this.#retry?.cancel()
        this.#retry = this.#around.clock.after(output.afterMs, 'recording session retry', () =>
          this.#feed({ type: 'timer', timer: output.timer }),
        )
        return
      case 'report':
        return this.#listener.onReport(output.report)
    }
  }

  #sendInvite(direction: OfferDirection): void {
    const { around, plan } = { around: this.#around, plan: this.plan }
    const address = this.#forks[0]?.local.host
    invariant(address !== undefined, 'an invited session has forks')
    this.#sdp = new LocalDescription({ sessionId: `${around.ids.integer(2 ** 40)}`, address })
    this.#invite = around.core.invite(
      {
        uri: plan.uri,
        from: around.from,
        contactParams: '+sip.src',
        firstResponseTimeoutMs: around.times.firstResponseMs,
        headers: [...plan.headers, ...inviteHeaders(around.clock.wallMs())],
        body: offerBody(this.#offer(direction), this.#document(), around.ids),
        onTargetFailed: (target, outcome) =>
          around.log.warn('recorder address failed', { session: plan.id, target, status: outcome.status, cause: outcome.cause }),
      },
      {
        onAccepted: (dialog, response) => this.#onAccepted(dialog, response),
        onFailed: (outcome) => this.#feed({ type: 'refused', status: outcome.status, reason: outcome.reason }),
      },
    )
  }

  #onAccepted(dialog: InviteDialog, response: SipResponse): void {
    this.#dialog = dialog
    dialog.handlers = {
      onRequest: (incoming) => this.#onRequest(incoming),
      onEnd: (end) => this.#onDialogEnd(end),
    }
    if (!/\+sip\.srs\b/i.test(response.headers.get('contact') ?? '')) {
      this.#around.log.warn('recorder does not say that it is one', { session: this.plan.id })
    }
    const problem = this.#takeAnswer(response)
    this.#feed(problem === undefined ? { type: 'accepted' } : { type: 'answer-broken', reason: problem })
  }

  /** Connects the forks as answered; returns what makes the answer unusable. */
  #takeAnswer(response: SipResponse): string | undefined {
    const sdp = sdpOf(response)
    if (sdp === undefined) return 'the answer has no SDP'
    const answer = readAnswer(sdp, this.#forks, this.#codecs)
    if (!answer.ok) return answer.error
    this.#connect(answer.value)
    return undefined
  }

  #connect(answered: readonly AnsweredStream[]): void {
    this.#answered = answered
    for (const stream of answered) {
      const fork = this.#forks.find((candidate) => candidate.label === stream.label)
      if (fork === undefined || !this.#liveForks.has(fork.id)) continue
      if (stream.remote !== undefined) this.#media(this.plan.call.media.connectFork(fork.id, stream.remote))
      if (!stream.mayFlow) this.#media(this.plan.call.media.shutGates([fork.id]))
    }
  }

  #openGates(): void {
    if (this.#wish !== 'recording') return
    const flowing = new Set(this.#answered.filter((stream) => stream.mayFlow).map((stream) => stream.label))
    const forkIds = this.#forks.filter((fork) => flowing.has(fork.label) && this.#liveForks.has(fork.id)).map((fork) => fork.id)
    if (forkIds.length > 0) this.#media(this.plan.call.media.openGates(forkIds))
  }

  #sendReoffer(direction: OfferDirection, withDocument: boolean): void {
    const body = offerBody(this.#offer(direction), withDocument ? this.#document() : undefined, this.#around.ids)
    this.#reoffer('INVITE', { headers: reofferHeaders, body })
  }

  #reoffer(method: 'INVITE' | 'UPDATE', options: MessageOptions): void {
    const dialog = this.#dialog
    invariant(dialog !== undefined, 'a re-offer needs a dialog')
    const sent = method === 'INVITE' ? dialog.reinvite(options) : dialog.request(method, options)
    void sent.then((outcome) => {
      if (outcome.status >= 300) return this.#feed({ type: 'reoffer-failed', status: outcome.status })
      const problem = outcome.response === undefined ? 'no response' : this.#takeAnswer(outcome.response)
      if (problem === undefined) return this.#feed({ type: 'reoffer-answered' })
      this.#around.log.warn('answer of the recorder is unusable', { session: this.plan.id, problem })
      return this.#feed({ type: 'reoffer-failed', status: 488 })
    })
  }

  /** The last document, then BYE; BYE goes out even if nobody answers the document (SRC-69). */
  #sayFarewell(): void {
    const dialog = this.#dialog
    invariant(dialog !== undefined, 'a farewell needs a dialog')
    let isSaid = false
    const leave = (): void => {
      if (isSaid) return
      isSaid = true
      timer.cancel()
      this.#sendBye()
      this.#feed({ type: 'farewell-done' })
    }
    const timer = this.#around.clock.after(this.#around.times.farewellMs, 'recording session farewell', leave)
    const options = { headers: reofferHeaders, body: offerBody(this.#offer('inactive'), this.#document(), this.#around.ids) }
    const canUpdate = dialog.remoteAllow.has('UPDATE') && !this.#machine.isOffering
    void (canUpdate ? dialog.request('UPDATE', options) : dialog.reinvite(options)).then(leave)
  }

  #sendBye(): void {
    const dialog = this.#dialog
    if (dialog === undefined || dialog.ended) return
    void dialog.bye({ headers: withDate(this.#around.clock.wallMs()) })
  }

  #onRequest(incoming: IncomingRequest): void {
    answerRecorder(incoming, {
      codecs: this.#codecs,
      streams: this.#forks,
      ours: this.#wish === 'recording' && this.state === 'active' ? 'sendonly' : 'inactive',
      isOffering: this.#machine.isOffering,
      describe: (media) => this.#sdp?.describe(media),
      onStreams: (answered) => {
        this.#connect(answered)
        if (this.state === 'active') this.#openGates()
      },
    })
  }

  #onDialogEnd(end: DialogEnd): void {
    this.#feed({ type: 'dialog-ended', reason: end.status === undefined ? end.cause : `${end.cause} (${end.status})` })
  }

  #offer(direction: OfferDirection): Uint8Array {
    invariant(this.#sdp !== undefined, 'an offer needs a description')
    return this.#sdp.describe(offeredMedia(this.#forks, this.#codecs, direction))
  }

  #document(): Uint8Array {
    const { call, streams, recordingId } = this.plan
    const snapshot = call.snapshot()
    return writeMetadata(
      buildMetadata({
        snapshot,
        streams: rolesOf(streams, snapshot),
        recordingId,
        associatedAtMs: this.#associatedAtMs,
        ...(this.#wish === 'stopped' ? { disassociatedAtMs: this.#around.clock.wallMs() } : {}),
        jambonzWrapper: this.#around.jambonzWrapper,
      }),
    )
  }

  #removeForks(): void {
    this.#retry?.cancel()
    for (const id of [...this.#liveForks]) this.#removeFork(id)
  }

  #removeFork(id: string): void {
    if (!this.#liveForks.delete(id)) return
    this.#media(this.plan.call.media.removeFork(id).then((counters) => this.#listener.onForkClosed(counters)))
  }

  #media(command: Promise<unknown>): void {
    command.catch((fault: unknown) =>
      this.#around.log.warn('media command of a recording session failed', { session: this.plan.id, fault: messageOf(fault) }),
    )
  }

  #trace(from: SessionState, to: SessionState): void {
    this.#around.log.debug('recording session changed state', { session: this.plan.id, from, to })
    if (!stateTrace.hasSubscribers) return
    stateTrace.publish({ machine: 'recording-session', id: this.plan.id, from, to, wallMs: this.#around.clock.wallMs() })
  }
}
