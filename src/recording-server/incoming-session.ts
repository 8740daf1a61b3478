// One recording session from the recorder's side: its dialog, its streams, its metadata, its end (RFC 7866 sections 7 to 9).

import { AppError, checkEdge, type Edges, type Logger, messageOf, stateTrace, uuidText } from '#kernel'
import { type Finding, lintMessage } from '#lint'
import { parseSdp } from '#sdp'
import type {
  DialogEnd,
  DialogHandlers,
  DialogSnapshot,
  HeaderList,
  IncomingRequest,
  InviteDialog,
  RequestOutcome,
  SipMessage,
} from '#sip'
import type { Alarm, NoAudioCause } from '#store'
import type { ClientPolicy } from './client-policy.ts'
import { type KeptRecording, keptSession } from './kept-session.ts'
import { diskAlarm } from './own-alarms.ts'
import {
  ACCEPTED_TYPES,
  logFieldsOf,
  partiesOf,
  type RequestBodies,
  readBodies,
  transactionOf,
} from './recording-request.ts'
import { ResumedWatch } from './resumed-watch.ts'
import type { LiveSession } from './server-events.ts'
import type { Judgement, SessionContext } from './session-context.ts'
import type { SessionOpening } from './session-opening.ts'
import { SessionPause } from './session-pause.ts'
import { SessionRecord } from './session-record.ts'
import { SessionStreams } from './session-streams.ts'
import { SessionVerdict } from './session-verdict.ts'
import { SnapshotRequests } from './snapshot-requests.ts'

type State = 'opening' | 'active' | 'closing' | 'closed'

const EDGES: Edges<State> = {
  opening: ['active', 'closing'],
  active: ['closing'],
  closing: ['closed'],
  closed: [],
}

const ALLOW: HeaderList = [['Allow', 'INVITE, ACK, BYE, CANCEL, OPTIONS, UPDATE']]

/** One recording session with a client. */
export class IncomingSession {
  readonly recordingId: string
  /** Host of the client. */
  readonly source: string
  /** What the recorder itself pauses; asked only while the session is up. */
  readonly pause: SessionPause
  readonly #context: SessionContext
  readonly #log: Logger
  readonly #opening: SessionOpening
  readonly #streams: SessionStreams
  readonly #record: SessionRecord
  readonly #snapshots: SnapshotRequests
  readonly #policy: ClientPolicy
  readonly #verdict: SessionVerdict
  #state: State = 'opening'
  /** Any stream was ever to send. */
  #wasSending = false
  /** Of a session that was up before this process was. */
  #resumed: ResumedWatch | undefined
  #dialog: InviteDialog | undefined
  /** Work of this session, one piece after another. */
  #queue: Promise<void> = Promise.resolve()

  constructor(opening: SessionOpening, judgement: Judgement, context: SessionContext) {
    const { media, address, clock, ids, suitesOver } = context
    const { bodies, marks, policy, isPlain, findings } = judgement
    const { message, sip, kept } = opening
    const recordingId = kept?.manifest.recordingId ?? uuidText(ids.uuid())
    const log = context.log.child({ recordingId, ...logFieldsOf(sip) })
    this.recordingId = recordingId
    this.source = sip.source
    this.#context = context
    this.#opening = opening
    this.#log = log
    const sessionId = kept?.session.media?.description.sessionId
    const described = sessionId === undefined ? {} : { sessionId }
    this.#streams = new SessionStreams({
      recordingId,
      media,
      ids,
      address,
      suites: suitesOver(sip.transport),
      ...described,
    })
    this.#policy = policy
    this.#verdict = new SessionVerdict(message, policy, isPlain)
    const parties = isPlain ? partiesOf(message) : []
    const { verdict, labels } = { verdict: this.#verdict, labels: () => this.#streams.labels }
    this.#record = new SessionRecord({ ...context, log, recordingId, sip, labels, verdict, parties })
    this.#snapshots = new SnapshotRequests(clock, log)
    this.pause = new SessionPause({
      ...context,
      log,
      recordingId,
      // An ordinary call would be put on hold.
      canSignal: () => !isPlain,
      reoffer: (isInactive) => {
        this.#streams.isPausedHere = isInactive
        return this.#reoffer(this.#streams.offer())
      },
      onChange: () => void this.#enqueue(() => this.#keep(this.#dialog?.snapshot())),
    })
    if (kept !== undefined) {
      this.#resume(kept)
      return
    }
    this.#record.warn([...marks, ...bodies.warnings])
    this.#judge(message, bodies, findings)
    // In a later turn: the caller has to know the session before anything can end it.
    void this.#enqueue(() => this.#establish(bodies))
  }

  /** Whether there is a dialog with the client. */
  get isUp(): boolean {
    return this.#state === 'active'
  }

  /** Paused by the client or here. */
  get isSilent(): boolean {
    return this.#streams.isPaused || this.pause.now !== undefined
  }

  /** What the session looks like now; counters are not included. */
  view(): LiveSession {
    const pausedHere = this.pause.now
    return {
      recordingId: this.recordingId,
      startedAtMs: this.#record.startedAtMs,
      isPaused: this.#streams.isPaused,
      ...(pausedHere && { pausedHere }),
      facts: this.#record.facts(),
      streams: this.#streams.view(),
    }
  }

  /** The worker got the first packet of a stream. */
  onFirstPacket(channel: number, atMs: number): void {
    this.#resumed?.heard()
    this.#context.emit({ type: 'first-packet', recordingId: this.recordingId, channel, atMs })
  }

  /** The worker writes this recording no further: the client is told, so that it can go elsewhere. */
  onTrackFailed(detail: string): void {
    this.#log.error('recording cannot be written', { detail })
    void this.hangUp()
    this.#context.emit({ type: 'alarm', recordingId: this.recordingId, alarm: diskAlarm(detail) })
  }

  /** The worker finds something wrong with what it receives, or that it has healed. */
  onAlarm(alarm: Alarm, isCleared: boolean): void {
    const { code, severity, channel, label, cause, fix } = alarm
    const fields = { code, severity, channel, label, cause, fix }
    if (isCleared) this.#log.info('alarm cleared', { code, channel, label })
    else this.#log.warn('alarm raised', fields)
    this.#context.emit({ type: isCleared ? 'alarm-cleared' : 'alarm', recordingId: this.recordingId, alarm })
  }

  /** Asks a client that has been silent for long whether it still knows of the session; if not, the dialog ends. */
  probe(): void {
    void this.#dialog?.request('OPTIONS')
  }

  /** Ends the session from our side; resolves when the recording is published. */
  async hangUp(): Promise<void> {
    await this.#queue
    if (this.#state !== 'active') return
    void this.#dialog?.bye()
    await this.#enqueue(() => this.#finish('recorder ended the session'))
  }

  /** Removes a stream by a re-INVITE of ours (SRS-16); undefined when the session is not up. */
  async dropStream(channel: number): Promise<RequestOutcome | undefined> {
    return await this.#reoffer(this.#streams.offer(channel))
  }

  async #reoffer(content: Uint8Array): Promise<RequestOutcome | undefined> {
    const dialog = this.#dialog
    if (this.#state !== 'active' || dialog === undefined) return undefined
    const outcome = await dialog.reinvite({
      headers: [['Require', 'siprec']],
      body: { contentType: 'application/sdp', content },
    })
    const answer = outcome.response && outcome.status < 300 ? outcome.response.body : undefined
    if (answer !== undefined) await this.#enqueue(() => this.#takeAnswer(answer))
    return outcome
  }

  /** Goes on with a session of a recorder that died; its folder has been reopened. */
  #resume({ session, manifest }: KeptRecording): void {
    if (session.media !== undefined) this.#streams.resume(session.media)
    this.#record.resume(session.metadata, manifest)
    this.#streams.isPausedHere = session.pause?.isSignalled === true
    this.pause.resume(session.pause)
    const dialog = this.#opening.accept(this.#handlers, new Uint8Array())
    this.#dialog = dialog
    this.#enter('active')
    this.#resumed = new ResumedWatch(
      this.#context.clock,
      () => dialog.request('OPTIONS'),
      () => void this.hangUp(),
    )
    this.#context.emit({ type: 'restarted', recordingId: this.recordingId, facts: this.#record.facts() })
    this.#noteSending()
    this.#log.warn('recording session goes on after a restart', { streams: this.#streams.labels.length })
  }

  get #handlers(): DialogHandlers {
    return {
      onRequest: (incoming) => void this.#enqueue(() => this.#onRequest(incoming)),
      onEnd: (end) => void this.#enqueue(() => this.#onEnd(end)),
    }
  }

  /** Keeps what another process needs to go on, should this one die. */
  async #keep(dialog: DialogSnapshot | undefined): Promise<void> {
    if (dialog === undefined) return
    const media = this.#streams.kept()
    const pause = this.pause.now
    const parts = { dialog, ...(media && { media }), ...(pause && { pause }), metadata: this.#record.kept() }
    const session = keptSession(parts)
    await this.#context.media.ask({ type: 'keep-session', recordingId: this.recordingId, session })
  }

  async #establish(bodies: RequestBodies): Promise<void> {
    const problem = bodies.offer === undefined ? 'no offer' : this.#streams.problemOf(bodies.offer)
    if (bodies.offer === undefined || problem !== undefined) {
      this.#turnAway(488, problem ?? 'no offer')
      return
    }
    const refusal = await this.#context.store.refusal()
    if (refusal !== undefined) {
      this.#turnAway(503, refusal)
      return
    }
    const documents = this.#record.apply(this.#opening.message, bodies)
    const answer = await this.#openMedia(bodies.offer, bodies.offerText ?? '')
    if (answer === undefined) return
    // Before the 200: what was accepted is never lost.
    await this.#keep(this.#opening.snapshot())
    if (this.#opening.isCancelled) {
      this.#opening.reject(487, 'cancelled')
      await this.#finish('cancelled', 'cancelled')
      return
    }
    this.#dialog = this.#opening.accept(this.#handlers, answer)
    this.#enter('active')
    this.#context.emit({ type: 'started', recordingId: this.recordingId, facts: this.#record.facts() })
    if (this.#streams.isPaused) this.#context.emit({ type: 'paused', recordingId: this.recordingId })
    this.#noteSending()
    await this.#record.keep(documents)
    this.#askForBase()
  }

  /** Opens folder and ports; undefined when that failed and the session was rejected. */
  async #openMedia(offer: NonNullable<RequestBodies['offer']>, offerText: string): Promise<Uint8Array | undefined> {
    const { media } = this.#context
    const { recordingId } = this
    try {
      const { startedAtMs } = await media.ask({ type: 'open', recordingId, facts: this.#record.facts() })
      this.#record.startedAtMs = startedAtMs
    } catch (thrown) {
      this.#turnAway(503, messageOf(thrown))
      return undefined
    }
    this.#record.announce()
    try {
      const warnings: string[] = []
      const answer = await this.#streams.answer(offer, offerText, warnings)
      this.#record.warn(warnings)
      return answer
    } catch (thrown) {
      const reason = thrown instanceof AppError ? thrown.code : messageOf(thrown)
      this.#context.refuse(this.#opening, 503, reason)
      await this.#finish(reason, 'cancelled')
      return undefined
    }
  }

  #turnAway(status: number, reason: string): void {
    this.#context.refuse(this.#opening, status, reason)
    this.#enter('closing')
    this.#close()
  }

  async #onRequest(incoming: IncomingRequest): Promise<void> {
    const { request } = incoming
    this.#resumed?.heard()
    if (this.#state !== 'active') {
      incoming.respond(481)
      return
    }
    if (request.method !== 'INVITE' && request.method !== 'UPDATE') {
      incoming.respond(405, { headers: ALLOW })
      return
    }
    const read = readBodies(request)
    const problem = read.ok ? read.value.offer && this.#streams.problemOf(read.value.offer) : read.error
    if (!read.ok || problem !== undefined) {
      this.#record.warn([`${request.method} refused: ${problem}`])
      incoming.respond(488)
      return
    }
    const bodies = read.value
    this.#judge(request, bodies, lintMessage(request))
    if (this.#policy.strict === 'refuse' && bodies.unknownTypes.length > 0) {
      incoming.respond(415, { headers: [['Accept', ACCEPTED_TYPES.join(', ')]] })
      return
    }
    this.#record.warn(bodies.warnings)
    const wasPaused = this.#streams.isPaused
    await this.#respond(incoming, bodies)
    this.#reportPause(wasPaused)
    const documents = this.#record.apply(request, bodies)
    await this.#keep(this.#dialog?.snapshot())
    if (documents.length === 0) return
    await this.#record.keep(documents)
    this.#context.emit({ type: 'metadata', recordingId: this.recordingId, facts: this.#record.facts() })
    this.#askForBase()
  }

  /** Adds what a message shows to the verdict. */
  #judge(message: SipMessage, bodies: RequestBodies, findings: readonly Finding[]): void {
    if (bodies.offer !== undefined) this.#verdict.noteOffer(bodies.offer)
    const added = this.#verdict.note(findings, transactionOf(message), bodies.unknownTypes)
    if (added.length > 0) this.#context.onDeviations(added)
  }

  /** 200 with our answer; with our offer to an offerless re-INVITE; empty to an UPDATE without offer. */
  async #respond(incoming: IncomingRequest, bodies: RequestBodies): Promise<void> {
    const sdp = (content: Uint8Array) => ({ body: { contentType: 'application/sdp', content } })
    if (bodies.offer !== undefined) {
      const warnings: string[] = []
      try {
        incoming.respond(200, sdp(await this.#streams.answer(bodies.offer, bodies.offerText ?? '', warnings)))
      } catch (thrown) {
        this.#log.error('offer could not be applied', { reason: messageOf(thrown) })
        incoming.respond(500)
      }
      this.#record.warn(warnings)
    } else if (incoming.request.method === 'INVITE') {
      incoming.onAck = (ack) => void this.#enqueue(() => this.#takeAnswer(ack.body))
      incoming.respond(200, sdp(this.#streams.offer()))
    } else {
      incoming.respond(200)
    }
  }

  async #takeAnswer(body: Uint8Array): Promise<void> {
    const wasPaused = this.#streams.isPaused
    const answer = parseSdp(body)
    const warnings: string[] = []
    if (answer.ok) await this.#streams.takeAnswer(answer.value, warnings)
    else warnings.push('answer to our offer is not readable')
    this.#record.warn(warnings)
    await this.#keep(this.#dialog?.snapshot())
    this.#reportPause(wasPaused)
  }

  async #onEnd(end: DialogEnd): Promise<void> {
    if (this.#state !== 'active') return
    if (end.request !== undefined) {
      this.#record.endedOn(end.request.headers.get('Date'))
      const bodies = readBodies(end.request)
      if (bodies.ok) await this.#record.keep(this.#record.apply(end.request, bodies.value))
    }
    await this.#finish(end.cause)
  }

  async #finish(ended: string, noAudioCause?: 'cancelled'): Promise<void> {
    if (this.#state === 'closing' || this.#state === 'closed') return
    this.#enter('closing')
    this.#resumed?.heard()
    this.pause.close()
    this.#record.end(ended)
    const { recordingId } = this
    const neverSent = this.#streams.view().length > 0 && !this.#wasSending
    const cause: NoAudioCause | undefined = noAudioCause ?? (neverSent ? 'inactive' : undefined)
    try {
      const known = cause === undefined ? {} : { noAudioCause: cause }
      const facts = this.#record.facts()
      const { manifest, folder } = await this.#context.media.ask({ type: 'close', recordingId, facts, ...known })
      this.#record.published(manifest, folder)
      this.#context.emit({ type: 'ended', recordingId, manifest, folder })
    } catch (thrown) {
      this.#log.error('recording could not be published', { reason: messageOf(thrown) })
    }
    this.#close()
  }

  #close(): void {
    this.#enter('closed')
    this.#context.onClosed(this.recordingId)
  }

  #reportPause(wasPaused: boolean): void {
    const { isPaused } = this.#streams
    this.#noteSending()
    if (isPaused === wasPaused) return
    this.#context.emit({ type: isPaused ? 'paused' : 'resumed', recordingId: this.recordingId })
  }

  #noteSending(): void {
    if (this.#streams.sendingChannels.length > 0) this.#wasSending = true
  }

  /** A partial document without a complete one before it: asks the client for all (SRS-44). */
  #askForBase(): void {
    if (this.#record.lacksBase && this.#dialog !== undefined) void this.#snapshots.ask(this.#dialog)
  }

  #enqueue(work: () => Promise<void>): Promise<void> {
    this.#queue = this.#queue.then(work).catch((thrown: unknown) => {
      this.#log.error('recording session fault', { reason: messageOf(thrown) })
      if (this.#state === 'opening') this.#turnAway(500, 'fault')
    })
    return this.#queue
  }

  #enter(next: State): void {
    checkEdge(EDGES, this.#state, next)
    const wallMs = this.#context.clock.wallMs()
    stateTrace.publish({ machine: 'incoming-session', id: this.recordingId, from: this.#state, to: next, wallMs })
    this.#state = next
  }
}
