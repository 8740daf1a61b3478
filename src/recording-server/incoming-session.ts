// One recording session from the recorder's side: its dialog, its streams, its metadata, its end (RFC 7866 sections 7 to 9).

import {
  AppError,
  type Clock,
  checkEdge,
  type Edges,
  type Ids,
  type Logger,
  messageOf,
  stateTrace,
  type Timer,
  uuidText,
} from '#kernel'
import { labelOf, parseSdp } from '#sdp'
import type { DialogEnd, IncomingRequest, InviteDialog, RequestOutcome, ServerInvite, SipRequest } from '#sip'
import { rfc3339 } from '#siprec'
import {
  type Catalogue,
  type MetadataDocument,
  type NoAudioCause,
  openRow,
  type RecordingFacts,
  type RecordingStore,
  rowOf,
  type SipFacts,
} from '#store'
import type { RecordMedia } from './record-media.ts'
import { logFieldsOf, type RequestBodies, readBodies, sipFactsOf, transactionOf } from './recording-request.ts'
import type { LiveSession, RecordingServerEvent } from './server-events.ts'
import { SessionMetadata } from './session-metadata.ts'
import { SessionStreams } from './session-streams.ts'

type State = 'opening' | 'active' | 'closing' | 'closed'

const EDGES: Edges<State> = {
  opening: ['active', 'closing'],
  active: ['closing'],
  closing: ['closed'],
  closed: [],
}

/** A stream that should send is missed after this long. */
const NO_PACKETS_ALARM_MS = 3000
const RETRY_AFTER_SECONDS = 30
const MAX_WARNINGS = 100
const MAX_SESSION_ID = 2 ** 47

/** What every session of a server shares. */
export interface SessionContext {
  readonly media: RecordMedia
  readonly store: RecordingStore
  readonly catalogue: Catalogue
  readonly clock: Clock
  readonly ids: Ids
  readonly log: Logger
  /** Address literal for SDP. */
  readonly address: string
  readonly keepRawMetadata: boolean
  readonly emit: (event: RecordingServerEvent) => void
  readonly onClosed: (session: IncomingSession) => void
}

/** One recording session that a client opened with us. */
export class IncomingSession {
  readonly recordingId: string
  /** Host that the INVITE came from. */
  readonly source: string
  readonly #context: SessionContext
  readonly #log: Logger
  readonly #invite: ServerInvite
  readonly #streams: SessionStreams
  readonly #metadata = new SessionMetadata()
  readonly #warnings = new Set<string>()
  readonly #heard = new Set<number>()
  readonly #missed = new Set<number>()
  #sip: SipFacts
  #state: State = 'opening'
  #startedAtMs: number
  #dialog: InviteDialog | undefined
  #alarmTimer: Timer | undefined
  #isCancelled = false
  #wasToSend = false
  /** Work of this session, one piece after another. */
  #queue: Promise<void> = Promise.resolve()

  constructor(invite: ServerInvite, bodies: RequestBodies, marks: readonly string[], context: SessionContext) {
    this.#context = context
    this.#invite = invite
    this.recordingId = uuidText(context.ids.uuid())
    this.#sip = sipFactsOf(invite.request, invite.flow)
    this.source = this.#sip.source
    this.#startedAtMs = context.clock.wallMs()
    this.#log = context.log.child({ recordingId: this.recordingId, ...logFieldsOf(this.#sip) })
    this.#streams = new SessionStreams({
      recordingId: this.recordingId,
      media: context.media,
      address: context.address,
      sessionId: String(context.ids.integer(MAX_SESSION_ID)),
    })
    this.#warn([...marks, ...bodies.warnings])
    invite.onCancel = () => {
      this.#isCancelled = true
    }
    // In a later turn: the caller has to know the session before anything can end it.
    void this.#enqueue(() => this.#establish(bodies))
  }

  /** What the session looks like now; counters are not included. */
  view(): LiveSession {
    return {
      recordingId: this.recordingId,
      startedAtMs: this.#startedAtMs,
      isPaused: this.#streams.isPaused,
      facts: this.#facts(),
      streams: this.#streams.view(),
    }
  }

  /** The worker got the first packet of a stream. */
  onFirstPacket(channel: number, atMs: number): void {
    this.#heard.add(channel)
    this.#context.emit({ type: 'first-packet', recordingId: this.recordingId, channel, atMs })
  }

  /** The worker cannot write this recording any more. */
  onDiskFailed(detail: string): void {
    this.#log.error('recording cannot be written', { detail })
    this.#context.emit({ type: 'alarm', recordingId: this.recordingId, alarm: 'disk-failed', detail })
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
    const dialog = this.#dialog
    if (this.#state !== 'active' || dialog === undefined) return undefined
    const outcome = await dialog.reinvite({
      headers: [['Require', 'siprec']],
      body: { contentType: 'application/sdp', content: this.#streams.offer(channel) },
    })
    const answer = outcome.response && outcome.status < 300 ? outcome.response.body : undefined
    if (answer !== undefined) await this.#enqueue(() => this.#takeAnswer(answer))
    return outcome
  }

  async #establish(bodies: RequestBodies): Promise<void> {
    const problem = bodies.offer === undefined ? 'no offer' : this.#streams.problemOf(bodies.offer)
    if (bodies.offer === undefined || problem !== undefined) {
      this.#turnAway(488, problem ?? 'no offer', [
        ['Warning', `304 recorder "${(problem ?? '').replaceAll('"', "'")}"`],
      ])
      return
    }
    const refusal = await this.#context.store.refusal()
    if (refusal !== undefined) {
      this.#turnAway(503, refusal, [['Retry-After', String(RETRY_AFTER_SECONDS)]])
      return
    }
    const documents = this.#applyMetadata(this.#invite.request, bodies)
    const answer = await this.#openMedia(bodies.offer, bodies.offerText ?? '')
    if (answer === undefined) return
    if (this.#isCancelled) {
      await this.#finish('cancelled', 'cancelled')
      return
    }
    this.#dialog = this.#invite.accept(
      {
        onRequest: (incoming) => void this.#enqueue(() => this.#onRequest(incoming)),
        onEnd: (end) => void this.#enqueue(() => this.#onEnd(end)),
      },
      { body: { contentType: 'application/sdp', content: answer } },
    )
    this.#enter('active')
    this.#context.emit({ type: 'started', recordingId: this.recordingId, facts: this.#facts() })
    if (this.#streams.isPaused) this.#context.emit({ type: 'paused', recordingId: this.recordingId })
    this.#watchForPackets()
    await this.#keepDocuments(documents)
    this.#catalogueOpen()
  }

  /** Opens folder and ports; undefined when that failed and the INVITE was answered. */
  async #openMedia(offer: NonNullable<RequestBodies['offer']>, offerText: string): Promise<Uint8Array | undefined> {
    const { media } = this.#context
    const { recordingId } = this
    try {
      const { startedAtMs } = await media.ask({ type: 'open', recordingId, facts: this.#facts() })
      this.#startedAtMs = startedAtMs
    } catch (thrown) {
      this.#turnAway(503, messageOf(thrown), [['Retry-After', String(RETRY_AFTER_SECONDS)]])
      return undefined
    }
    this.#catalogueOpen()
    try {
      const warnings: string[] = []
      const answer = await this.#streams.answer(offer, offerText, warnings)
      this.#warn(warnings)
      return answer
    } catch (thrown) {
      const reason = thrown instanceof AppError ? thrown.code : messageOf(thrown)
      this.#log.warn('recording session refused', { status: 503, reason })
      this.#invite.reject(503, { headers: [['Retry-After', String(RETRY_AFTER_SECONDS)]] })
      await this.#finish(reason, 'cancelled')
      return undefined
    }
  }

  #turnAway(status: number, reason: string, headers: [string, string][]): void {
    this.#log.warn('recording session refused', { status, reason })
    this.#invite.reject(status, { headers })
    this.#enter('closing')
    this.#close()
  }

  async #onRequest(incoming: IncomingRequest): Promise<void> {
    const { request } = incoming
    if (request.method !== 'INVITE' && request.method !== 'UPDATE') {
      incoming.respond(405, { headers: [['Allow', 'INVITE, ACK, BYE, CANCEL, OPTIONS, UPDATE']] })
      return
    }
    const read = readBodies(request)
    const problem = read.ok ? read.value.offer && this.#streams.problemOf(read.value.offer) : read.error
    if (!read.ok || problem !== undefined) {
      this.#warn([`${request.method} refused: ${problem}`])
      incoming.respond(488)
      return
    }
    const bodies = read.value
    this.#warn(bodies.warnings)
    const wasPaused = this.#streams.isPaused
    await this.#respond(incoming, bodies)
    this.#reportPause(wasPaused)
    const documents = this.#applyMetadata(request, bodies)
    if (documents.length === 0) return
    await this.#keepDocuments(documents)
    this.#catalogueOpen()
    this.#context.emit({ type: 'metadata', recordingId: this.recordingId, facts: this.#facts() })
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
      this.#warn(warnings)
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
    if (answer.ok) await this.#streams.takeAnswer(answer.value)
    else this.#warn(['answer to our offer is not readable'])
    this.#reportPause(wasPaused)
  }

  async #onEnd(end: DialogEnd): Promise<void> {
    if (this.#state !== 'active') return
    if (end.request !== undefined) {
      const bodies = readBodies(end.request)
      if (bodies.ok) await this.#keepDocuments(this.#applyMetadata(end.request, bodies.value))
    }
    await this.#finish(end.cause)
  }

  async #finish(ended: string, noAudioCause?: 'cancelled'): Promise<void> {
    if (this.#state === 'closing' || this.#state === 'closed') return
    this.#enter('closing')
    this.#alarmTimer?.cancel()
    this.#sip = { ...this.#sip, ended }
    const { media, catalogue, store } = this.#context
    const { recordingId } = this
    const hasStreams = this.#streams.view().length > 0
    const cause: NoAudioCause | undefined = noAudioCause ?? (hasStreams && !this.#wasToSend ? 'inactive' : undefined)
    try {
      const facts = this.#facts()
      const known = cause === undefined ? {} : { noAudioCause: cause }
      const { manifest, folder } = await media.ask({ type: 'close', recordingId, facts, ...known })
      this.#catalogue(catalogue.put(rowOf(manifest, store.relativeFolder(folder))))
      this.#context.emit({ type: 'ended', recordingId, manifest, folder })
      const { state, durationMs } = manifest
      this.#log.info('recording ended', { ended, state, cause: manifest.cause, durationMs })
    } catch (thrown) {
      this.#log.error('recording could not be published', { reason: messageOf(thrown) })
    }
    this.#close()
  }

  #close(): void {
    this.#enter('closed')
    this.#context.onClosed(this)
  }

  /** Applies the metadata of a request to the state; the documents are still to be kept. */
  #applyMetadata(request: SipRequest, bodies: RequestBodies): MetadataDocument[] {
    const offered = bodies.offer?.media.flatMap((media) => labelOf(media) ?? []) ?? []
    const labels = [...new Set([...this.#streams.labels, ...offered])]
    return bodies.metadata.map((part) => {
      const warnings = this.#metadata.apply(part.content, part.contentType, labels)
      this.#warn(warnings)
      return {
        receivedAt: rfc3339(this.#context.clock.wallMs()),
        transaction: transactionOf(request),
        ...(this.#context.keepRawMetadata && { raw: part.content }),
        warnings,
        state: this.#metadata.state ?? null,
      }
    })
  }

  async #keepDocuments(documents: readonly MetadataDocument[]): Promise<void> {
    const { recordingId } = this
    try {
      for (const document of documents) await this.#context.media.ask({ type: 'metadata', recordingId, document })
      if (documents.length > 0) await this.#context.media.ask({ type: 'facts', recordingId, facts: this.#facts() })
    } catch (thrown) {
      this.#log.error('metadata not kept', { reason: messageOf(thrown) })
    }
  }

  #reportPause(wasPaused: boolean): void {
    const { isPaused } = this.#streams
    this.#watchForPackets()
    if (isPaused === wasPaused) return
    this.#context.emit({ type: isPaused ? 'paused' : 'resumed', recordingId: this.recordingId })
  }

  /** Raises an alarm for each stream that should send and has not by then. */
  #watchForPackets(): void {
    if (this.#streams.sendingChannels.length > 0) this.#wasToSend = true
    this.#alarmTimer?.cancel()
    this.#alarmTimer = this.#context.clock.after(NO_PACKETS_ALARM_MS, 'no-packets', () => {
      for (const channel of this.#streams.sendingChannels) {
        if (this.#heard.has(channel) || this.#missed.has(channel)) continue
        this.#missed.add(channel)
        const label = this.#streams.view()[channel]?.label
        this.#log.warn('no audio arrives', { channel, label })
        const named = label === undefined ? {} : { label }
        this.#context.emit({ type: 'alarm', recordingId: this.recordingId, alarm: 'no-packets', channel, ...named })
      }
    })
  }

  #facts(): RecordingFacts {
    return { sip: this.#sip, ...this.#metadata.facts(this.#streams.labels), warnings: [...this.#warnings] }
  }

  #warn(warnings: readonly string[]): void {
    for (const warning of warnings) if (this.#warnings.size < MAX_WARNINGS) this.#warnings.add(warning)
  }

  #catalogueOpen(): void {
    const streams = this.#streams.view().length
    this.#catalogue(this.#context.catalogue.put(openRow(this.recordingId, this.#startedAtMs, this.#facts(), streams)))
  }

  /** Trouble with the catalogue never touches a recording: folders are the truth. */
  #catalogue(writing: Promise<void>): void {
    writing.catch((thrown: unknown) => this.#log.warn('catalogue not updated', { reason: messageOf(thrown) }))
  }

  #enqueue(work: () => Promise<void>): Promise<void> {
    this.#queue = this.#queue.then(work).catch((thrown: unknown) => {
      this.#log.error('recording session fault', { reason: messageOf(thrown) })
      if (this.#state === 'opening') this.#turnAway(500, 'fault', [])
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
