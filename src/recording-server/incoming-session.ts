// One recording session from the recorder's side: its dialog, its streams, its metadata, its end (RFC 7866 sections 7 to 9).

import { checkEdge, type Edges, messageOf, stateTrace } from '#kernel'
import type { DialogEnd, DialogHandlers, DialogSnapshot, IncomingRequest, InviteDialog, RequestOutcome } from '#sip'
import type { Alarm } from '#store'
import { type KeptRecording, keptSession } from './kept-session.ts'
import { diskAlarm } from './own-alarms.ts'
import { type RequestBodies, readBodies } from './recording-request.ts'
import { ResumedWatch } from './resumed-watch.ts'
import type { LiveSession } from './server-events.ts'
import type { Judgement, SessionContext } from './session-context.ts'
import { establish } from './session-establishment.ts'
import type { SessionOpening } from './session-opening.ts'
import { type SessionParts, sessionParts } from './session-parts.ts'
import { SessionPause } from './session-pause.ts'

type State = 'opening' | 'active' | 'closing' | 'closed'

const EDGES: Edges<State> = {
  opening: ['active', 'closing'],
  active: ['closing'],
  closing: ['closed'],
  closed: [],
}

/** One recording session with a client. */
export class IncomingSession {
  readonly recordingId: string
  /** Host of the client. */
  readonly source: string
  /** What the recorder itself pauses; asked only while the session is up. */
  readonly pause: SessionPause
  readonly #context: SessionContext
  readonly #opening: SessionOpening
  readonly #parts: SessionParts
  #state: State = 'opening'
  /** Of a session that was up before this process was. */
  #resumed: ResumedWatch | undefined
  #dialog: InviteDialog | undefined
  /** Work of this session, one piece after another. */
  #queue: Promise<void> = Promise.resolve()

  constructor(opening: SessionOpening, judgement: Judgement, context: SessionContext) {
    const { bodies, marks, isPlain, findings } = judgement
    const { message, sip, kept } = opening
    const parts = sessionParts(opening, judgement, context)
    const { recordingId, log } = parts
    this.recordingId = recordingId
    this.source = sip.source
    this.#context = context
    this.#opening = opening
    this.#parts = parts
    this.pause = new SessionPause({
      ...context,
      log,
      recordingId,
      // An ordinary call would be put on hold.
      canSignal: () => !isPlain,
      reoffer: (isInactive) => {
        this.#parts.streams.isPausedHere = isInactive
        return this.#reoffer()
      },
    })
    if (kept !== undefined) {
      this.#resume(kept)
      return
    }
    this.#parts.record.warn([...marks, ...bodies.warnings])
    this.#parts.requests.judge(message, bodies, findings)
    // In a later turn: the caller has to know the session before anything can end it.
    void this.#enqueue(() => this.#establish(bodies))
  }

  /** Whether there is a dialog with the client. */
  get isUp(): boolean {
    return this.#state === 'active'
  }

  /** Paused by the client or here. */
  get isSilent(): boolean {
    return this.#parts.streams.isPaused || this.pause.now !== undefined
  }

  /** What the session looks like now; counters are not included. */
  view(): LiveSession {
    const pausedHere = this.pause.now
    return {
      recordingId: this.recordingId,
      startedAtMs: this.#parts.record.startedAtMs,
      isPaused: this.#parts.streams.isPaused,
      ...(pausedHere && { pausedHere }),
      facts: this.#parts.record.facts(),
      streams: this.#parts.streams.view(),
    }
  }

  /** The worker got the first packet of a stream. */
  onFirstPacket(channel: number, atMs: number): void {
    this.#resumed?.heard()
    this.#context.emit({ type: 'first-packet', recordingId: this.recordingId, channel, atMs })
  }

  /** The worker needs a whole picture of what it receives, and cannot ask for it itself. */
  onPictureWanted(): void {
    if (this.#state === 'active' && this.#dialog !== undefined) this.#parts.pictures.ask(this.#dialog)
  }

  /** The worker writes this recording no further: the client is told, so that it can go elsewhere. */
  onTrackFailed(detail: string): void {
    this.#parts.log.error('recording cannot be written', { detail })
    void this.hangUp()
    this.#context.emit({ type: 'alarm', recordingId: this.recordingId, alarm: diskAlarm(detail) })
  }

  /** The worker finds something wrong with what it receives, or that it has healed. */
  onAlarm(alarm: Alarm, isCleared: boolean): void {
    const { code, severity, channel, label, cause, fix } = alarm
    const fields = { code, severity, channel, label, cause, fix }
    if (isCleared) this.#parts.log.info('alarm cleared', { code, channel, label })
    else this.#parts.log.warn('alarm raised', fields)
    if (code === 'too-many-sources' || code === 'too-many-changes') {
      this.#parts.record.warn([`stream ${label ?? channel}: ${cause}`])
    }
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
    return await this.#reoffer(channel)
  }

  async #reoffer(dropped?: number): Promise<RequestOutcome | undefined> {
    return await this.#offer((dialog) => this.#parts.offers.send(dialog, dropped))
  }

  async #offer(send: (dialog: InviteDialog) => Promise<RequestOutcome>): Promise<RequestOutcome | undefined> {
    const dialog = this.#dialog
    if (this.#state !== 'active' || dialog === undefined) return undefined
    const outcome = await send(dialog)
    const answer = outcome.response && outcome.status < 300 ? outcome.response.body : undefined
    if (answer !== undefined) await this.#enqueue(() => this.#takeAnswer(answer))
    return outcome
  }

  /** Goes on with a session of a recorder that died; its folder has been reopened. */
  #resume({ session, manifest, pause }: KeptRecording): void {
    if (session.media !== undefined) this.#parts.streams.resume(session.media)
    this.#parts.record.resume(session.metadata, manifest)
    this.#parts.streams.isPausedHere = pause?.isSignalled === true
    this.#parts.streams.isOver = this.#parts.record.isOver
    this.pause.resume(pause)
    // Before there is a dialog: what is no session throws here.
    const facts = this.#parts.record.facts()
    const dialog = this.#opening.accept(this.#handlers, new Uint8Array())
    this.#dialog = dialog
    this.#enter('active')
    this.#resumed = new ResumedWatch(
      this.#context.clock,
      () => dialog.request('OPTIONS'),
      () => void this.hangUp(),
    )
    this.#context.emit({ type: 'restarted', recordingId: this.recordingId, facts })
    this.#parts.offers.noteSending()
    // Whoever opened the catalogue has taken it for lost.
    this.#parts.record.announce()
    this.#parts.log.warn('recording session goes on after a restart', { streams: this.#parts.streams.labels.length })
  }

  get #handlers(): DialogHandlers {
    return {
      onRequest: (incoming) => void this.#enqueue(() => this.#onRequest(incoming)),
      onRefreshDue: () => void this.#offer((dialog) => this.#parts.offers.refresh(dialog)),
      onEnd: (end) => void this.#enqueue(() => this.#onEnd(end)),
    }
  }

  /** Keeps what another process needs to go on, should this one die. */
  async #keep(dialog: DialogSnapshot | undefined): Promise<void> {
    if (dialog === undefined) return
    const media = this.#parts.streams.kept()
    const session = keptSession({ dialog, ...(media && { media }), metadata: this.#parts.record.kept() })
    await this.#context.media.ask({ type: 'keep-session', recordingId: this.recordingId, session })
  }

  async #establish(bodies: RequestBodies): Promise<void> {
    const established = await establish(this.#parts, this.#context, this.#opening.message, bodies)
    if ('reason' in established) {
      const { status, reason, isOpen } = established
      if (!isOpen) this.#turnAway(status, reason)
      else {
        this.#context.refuse(this.#opening, status, reason)
        await this.#finish(reason, 'cancelled')
      }
      return
    }
    const { answer, documents } = established
    // Before the 200: what was accepted is never lost.
    await this.#keep(this.#opening.snapshot())
    if (this.#opening.isCancelled) {
      this.#opening.reject(487, 'cancelled')
      await this.#finish('cancelled', 'cancelled')
      return
    }
    this.#dialog = this.#opening.accept(this.#handlers, answer)
    this.#enter('active')
    this.#context.emit({ type: 'started', recordingId: this.recordingId, facts: this.#parts.record.facts() })
    if (this.#parts.streams.isPaused) this.#context.emit({ type: 'paused', recordingId: this.recordingId })
    this.#parts.offers.noteSending()
    await this.#parts.record.keep(documents)
    this.#askForBase()
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
    const bodies = this.#parts.requests.read(incoming)
    if (bodies === undefined) return
    // First the metadata: it tells a pause from the end.
    const documents = this.#parts.record.apply(request, bodies)
    this.#parts.streams.isOver = this.#parts.record.isOver
    await this.#parts.offers.respond(incoming, bodies, {
      keep: () => this.#keep(this.#dialog?.snapshot()),
      onAnswer: (body) => void this.#enqueue(() => this.#takeAnswer(body)),
    })
    // Once more: the answer has begun the session timer anew.
    await this.#keep(this.#dialog?.snapshot())
    if (documents.length === 0) return
    await this.#parts.record.keep(documents)
    this.#context.emit({ type: 'metadata', recordingId: this.recordingId, facts: this.#parts.record.facts() })
    this.#askForBase()
  }

  async #takeAnswer(body: Uint8Array): Promise<void> {
    await this.#parts.offers.takeAnswer(body)
    await this.#keep(this.#dialog?.snapshot())
  }

  async #onEnd(end: DialogEnd): Promise<void> {
    if (this.#state !== 'active') return
    if (end.request !== undefined) {
      this.#parts.record.endedOn(end.request.headers.get('Date'))
      const bodies = readBodies(end.request)
      if (bodies.ok) await this.#parts.record.keep(this.#parts.record.apply(end.request, bodies.value))
    }
    await this.#finish(end.cause)
  }

  async #finish(ended: string, noAudioCause?: 'cancelled'): Promise<void> {
    if (this.#state === 'closing' || this.#state === 'closed') return
    this.#enter('closing')
    this.#resumed?.heard()
    this.pause.close()
    this.#parts.pictures.close()
    this.#parts.record.end(ended)
    const { recordingId } = this
    const published = await this.#parts.record.publish(
      noAudioCause ?? (this.#parts.offers.neverSent ? 'inactive' : undefined),
    )
    if (published !== undefined) this.#context.emit({ type: 'ended', recordingId, ...published })
    this.#close()
  }

  #close(): void {
    this.#enter('closed')
    this.#context.onClosed(this.recordingId)
  }

  /** A partial document without a complete one before it: asks the client for all (SRS-44). */
  #askForBase(): void {
    if (this.#parts.record.lacksBase && this.#dialog !== undefined) void this.#parts.snapshots.ask(this.#dialog)
  }

  #enqueue(work: () => Promise<void>): Promise<void> {
    this.#queue = this.#queue.then(work).catch((thrown: unknown) => {
      this.#parts.log.error('recording session fault', { reason: messageOf(thrown) })
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
