// The SIPREC recording server (SRS, RFC 7866): takes recording sessions, one IncomingSession each.

import {
  type Clock,
  err,
  type Ids,
  invariant,
  Listeners,
  type Logger,
  messageOf,
  type Result,
  type Timer,
} from '#kernel'
import { lintMessage } from '#lint'
import type { SrtpSuite } from '#rtp'
import type { RequestOutcome, SipCore, SipCoreHandlers } from '#sip'
import { type Catalogue, type DiskCondition, type RecordingStore, rowOf } from '#store'
import { ClientInvitations, type InviteProblem } from './client-invitation.ts'
import { type ClientPolicy, isPlainCall, LENIENT, policyRefusal } from './client-policy.ts'
import { IncomingSession } from './incoming-session.ts'
import { type KeptRecording, keptRecordings, type LeftRecording } from './kept-session.ts'
import { channelsOf, type LiveListener, LiveListeners } from './live-listeners.ts'
import { diskAlarm, workerAlarm } from './own-alarms.ts'
import type { RecordMedia } from './record-media.ts'
import type { RecordEvent } from './record-messages.ts'
import { missingMarks, type RequestBodies, readBodies } from './recording-request.ts'
import type { RefusedInvitations } from './refused-invitations.ts'
import { RestoredOpening } from './restored-opening.ts'
import type { LiveSession, RecordingServerEvent } from './server-events.ts'
import type { SessionContext } from './session-context.ts'
import { ReceivedOpening, type SessionOpening } from './session-opening.ts'
import type { PauseOrder, PauseResult } from './session-pause.ts'

const MAX_SESSIONS = 2000
const NO_BODIES: RequestBodies = { metadata: [], warnings: [], unknownTypes: [] }
/** A session without a packet for one to two of these is asked whether it lives. */
const PROBE_MS = 60_000

/** What of SRTP a recording server takes (RFC 4568). */
export interface RecorderSrtp {
  readonly suites: readonly SrtpSuite[]
  /** Keys are exchanged with clients whose signalling is not TLS, too. */
  readonly keysWithoutTls: boolean
}

/** What a recording server is made of. */
export interface RecordingServerOptions {
  readonly media: RecordMedia
  /** IP literal that SDP gives as the address of our media. */
  readonly address: string
  readonly store: RecordingStore
  readonly catalogue: Catalogue
  readonly clock: Clock
  readonly ids: Ids
  readonly log: Logger
  /** What is expected of the clients of an address; everybody is recorded unless told. */
  readonly policyFor?: (source: string) => ClientPolicy
  /** Takes the reasons of refusals. */
  readonly refusals?: RefusedInvitations
  /** SRTP with keys in SDP; plain RTP only unless told. */
  readonly srtp?: RecorderSrtp
  /** Keep metadata documents as they came, not only their merged state (SRS-51); true unless told. */
  readonly keepRawMetadata?: boolean
  /** Sessions at a time, 2000 unless told; above it 503. */
  readonly maxSessions?: number
  /** Sessions at a time from one address; above it 486. No limit unless told. */
  readonly maxSessionsPerSource?: number
}

/** A recording server; its SIP core is given `handlers`, and then attached. */
export interface RecordingServer {
  readonly handlers: SipCoreHandlers
  readonly events: Listeners<RecordingServerEvent>
  /** False while draining or full. */
  readonly isAvailable: boolean
  /** Sessions since the start by what their clients did against the RFCs, by code. */
  deviations(): Readonly<Record<string, number>>
  /**
   * Goes on with recordings that a dead recorder left open: takes their ports and files now, their dialogs with `attach`.
   * Gives the folders that it leaves to recovery; clients of sessions that cannot go on get a BYE, so that they come back.
   */
  resume(left: readonly LeftRecording[], withinMs: number): Promise<readonly string[]>
  /** Alarms raised since the start, by code. */
  alarms(): Readonly<Record<string, number>>
  /** Gives the server its SIP core, which `invite` needs; once. */
  attach(core: SipCore): void
  /** Asks a client to be recorded (RFC 7866 section 7.2); gives the recording's id once the session is up. */
  invite(uri: string): Promise<Result<string, InviteProblem>>
  /** Sessions under way, with the counters of their streams. */
  sessions(): Promise<readonly LiveSession[]>
  /** Hears what is received until the returned function is called; undefined for an unknown session. */
  listen(recordingId: string, listener: LiveListener): (() => void) | undefined
  /** Keeps nothing of a session from now on; undefined for an unknown session. Rejects with what the media side rejects. */
  pauseHere(recordingId: string, order: PauseOrder): Promise<PauseResult | undefined>
  /** Ends what `pauseHere` began; undefined for an unknown session. */
  resumeHere(recordingId: string): Promise<PauseResult | undefined>
  /** Removes a stream of a session by an offer of ours; undefined for an unknown session. */
  dropStream(recordingId: string, channel: number): Promise<RequestOutcome | undefined>
  /** Refuses new sessions from now on; resolves when none is left. */
  drain(): Promise<void>
  /** Ends every session and publishes what it holds; resolves when all is on disk. */
  stop(): Promise<void>
}

/** Makes a recording server over a record worker, a store and a catalogue. */
export function createRecordingServer(options: RecordingServerOptions): RecordingServer {
  return new Server(options)
}

class Server implements RecordingServer {
  readonly handlers: SipCoreHandlers = { onInvite: (invite) => void this.#begin(new ReceivedOpening(invite)) }
  readonly events: Listeners<RecordingServerEvent>
  readonly #options: RecordingServerOptions
  readonly #context: SessionContext
  readonly #sessions = new Map<string, IncomingSession>()
  readonly #invitations: ClientInvitations
  #core: SipCore | undefined
  /** Recordings to go on with, until there is a core; not open: only their clients are told. */
  readonly #resumed: { readonly kept: KeptRecording; readonly isOpen: boolean }[] = []
  readonly #idle: (() => void)[] = []
  readonly #deviations = new Map<string, number>()
  readonly #packetsBefore = new Map<string, number>()
  #probeTimer: Timer | undefined
  #isDraining = false
  #disk: DiskCondition = 'well'
  /** Alarms raised since the start, by code. */
  readonly #alarms = new Map<string, number>()
  readonly #listeners: LiveListeners

  constructor(options: RecordingServerOptions) {
    this.#options = options
    const { media, store, catalogue, clock, ids, log, address, srtp } = options
    this.events = new Listeners((fault) => log.error('listener failed', { reason: messageOf(fault) }))
    this.#listeners = new LiveListeners((recordingId, isOn) => {
      media.ask({ type: 'listen', recordingId, isOn }).catch((thrown: unknown) => {
        log.debug('no listening to a recording', { recordingId, isOn, reason: messageOf(thrown) })
      })
    })
    this.#invitations = new ClientInvitations({ ids, address, begin: (opening) => this.#begin(opening) })
    this.#context = {
      media,
      store,
      catalogue,
      clock,
      ids,
      log,
      address,
      suitesOver: (transport) => (transport === 'tls' || srtp?.keysWithoutTls === true ? (srtp?.suites ?? []) : []),
      keepRawMetadata: options.keepRawMetadata ?? true,
      emit: (event) => this.#emit(event),
      refuse: (opening, status, reason) => this.#refuse(opening, status, reason),
      onDeviations: (codes) => {
        for (const code of codes) this.#deviations.set(code, (this.#deviations.get(code) ?? 0) + 1)
      },
      onClosed: (recordingId) => this.#onClosed(recordingId),
    }
    media.onEvent((event) => {
      if (event.type === 'worker-lost') {
        this.#onWorkerLost()
        return
      }
      this.#onMediaEvent(event)
    })
  }

  get isAvailable(): boolean {
    return this.#refusal() === undefined
  }

  deviations(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#deviations)
  }

  async resume(left: readonly LeftRecording[], withinMs: number): Promise<readonly string[]> {
    const { clock, media, log } = this.#options
    for (const kept of keptRecordings(left, withinMs, clock)) {
      const { folder, manifest, session } = kept
      const { recordingId } = manifest
      try {
        if (session.media === undefined) throw new Error('the keys of its media are gone')
        const { streams } = session.media.streams
        await media.ask({ type: 'reopen', recordingId, folder, manifest, streams })
        this.#resumed.push({ kept, isOpen: true })
      } catch (thrown) {
        log.warn('recording session cannot go on', { recordingId, reason: messageOf(thrown) })
        this.#resumed.push({ kept, isOpen: false })
      }
    }
    const isTaken = (folder: string): boolean => this.#resumed.some((one) => one.isOpen && one.kept.folder === folder)
    return left.map(({ folder }) => folder).filter((folder) => !isTaken(folder))
  }

  alarms(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#alarms)
  }

  attach(core: SipCore): void {
    this.#core = core
    for (const { kept, isOpen } of this.#resumed.splice(0)) {
      const opening = new RestoredOpening(kept, core)
      const policy = this.#options.policyFor?.(opening.sip.source) ?? LENIENT
      const judgement = { bodies: NO_BODIES, marks: [], policy, isPlain: false, findings: [] }
      if (isOpen) this.#take(new IncomingSession(opening, judgement, this.#context))
      else opening.reject()
    }
  }

  async invite(uri: string): Promise<Result<string, InviteProblem>> {
    invariant(this.#core !== undefined, 'the recording server is attached to a SIP core')
    const refusal = this.#refusal()
    return refusal === undefined ? await this.#invitations.send(this.#core, uri) : err(refusal)
  }

  async sessions(): Promise<readonly LiveSession[]> {
    const { media } = this.#options
    const [totals, readings] = await Promise.all([media.ask({ type: 'totals' }), media.ask({ type: 'readings' })])
    return [...this.#sessions.values()].map((session) => {
      const view = session.view()
      const read = readings[view.recordingId]
      const streams = view.streams.map((stream) => {
        const counted = totals[view.recordingId]?.[stream.channel]
        const reading = read?.streams[stream.channel]
        return { ...stream, ...(counted && { totals: counted }), ...(reading && { reading }) }
      })
      return { ...view, streams, alarms: read?.alarms ?? [] }
    })
  }

  listen(recordingId: string, listener: LiveListener): (() => void) | undefined {
    const session = this.#sessions.get(recordingId)
    if (session === undefined) return undefined
    listener.onStreams(channelsOf(session.view()))
    const end = this.#listeners.add(recordingId, listener)
    if (session.isSilent) listener.onPause(true)
    return end
  }

  async pauseHere(recordingId: string, order: PauseOrder): Promise<PauseResult | undefined> {
    return await this.#up(recordingId)?.pause.begin(order)
  }

  async resumeHere(recordingId: string): Promise<PauseResult | undefined> {
    return await this.#up(recordingId)?.pause.end('command')
  }

  #up(recordingId: string): IncomingSession | undefined {
    const session = this.#sessions.get(recordingId)
    return session?.isUp === true ? session : undefined
  }

  async dropStream(recordingId: string, channel: number): Promise<RequestOutcome | undefined> {
    return await this.#sessions.get(recordingId)?.dropStream(channel)
  }

  async drain(): Promise<void> {
    this.#isDraining = true
    this.#invitations.cancel()
    if (this.#sessions.size > 0) await new Promise<void>((resolve) => this.#idle.push(resolve))
  }

  async stop(): Promise<void> {
    const drained = this.drain()
    await Promise.all([...this.#sessions.values()].map((session) => session.hangUp()))
    await drained
  }

  /** Begins a session, or rejects it: then undefined; otherwise the recording's id. */
  #begin(opening: SessionOpening): string | undefined {
    const { message } = opening
    const refusal = this.#refusalOf(opening)
    if (refusal !== undefined) return this.#refuse(opening, refusal.status, refusal.reason)
    const bodies = readBodies(message)
    if (!bodies.ok) return this.#refuse(opening, 400, bodies.error)
    const policy = this.#options.policyFor?.(opening.sip.source) ?? LENIENT
    const isPlain = isPlainCall(message, bodies.value)
    const findings = isPlain ? [] : lintMessage(message)
    const judgement = { bodies: bodies.value, marks: missingMarks(message), policy, isPlain, findings }
    const unwanted = policyRefusal(judgement, message)
    if (unwanted !== undefined) return this.#refuse(opening, unwanted.status, unwanted.reason)
    const session = new IncomingSession(opening, judgement, this.#context)
    this.#take(session)
    return session.recordingId
  }

  #take(session: IncomingSession): void {
    this.#sessions.set(session.recordingId, session)
    this.#probeTimer ??= this.#scheduleProbe()
  }

  #refuse(opening: SessionOpening, status: number, reason: string): undefined {
    this.#options.log.warn('recording session refused', { status, reason, source: opening.sip.source })
    this.#options.refusals?.explain(opening.sip.callId, reason)
    opening.reject(status, reason)
  }

  /** Why no session is begun now, with anybody. */
  #refusal(): InviteProblem | undefined {
    const { maxSessions = MAX_SESSIONS } = this.#options
    if (this.#isDraining) return { status: 503, reason: 'draining' }
    if (this.#disk !== 'well') return { status: 503, reason: `disk ${this.#disk}` }
    return this.#sessions.size >= maxSessions ? { status: 503, reason: 'too many sessions' } : undefined
  }

  #refusalOf(opening: SessionOpening): InviteProblem | undefined {
    const { maxSessionsPerSource = Number.POSITIVE_INFINITY } = this.#options
    const refusal = this.#refusal()
    if (refusal !== undefined) return refusal
    const { source } = opening.sip
    const ofSource = [...this.#sessions.values()].filter((session) => session.source === source).length
    return ofSource >= maxSessionsPerSource ? { status: 486, reason: 'too many sessions of this source' } : undefined
  }

  #scheduleProbe(): Timer {
    return this.#options.clock.after(PROBE_MS, 'probe', () => {
      this.#probeTimer = this.#scheduleProbe()
      this.#probeSilent().catch((thrown: unknown) => {
        this.#options.log.error('silent sessions not probed', { reason: messageOf(thrown) })
      })
    })
  }

  /** A client that died without a BYE leaves a dialog that only asking can end. */
  async #probeSilent(): Promise<void> {
    for (const { recordingId, streams } of await this.sessions()) {
      const packets = streams.reduce((sum, { totals }) => sum + (totals?.packets ?? 0), 0)
      if (packets === this.#packetsBefore.get(recordingId)) this.#sessions.get(recordingId)?.probe()
      else this.#packetsBefore.set(recordingId, packets)
    }
  }

  #onMediaEvent(event: RecordEvent): void {
    switch (event.type) {
      case 'first-packet':
        this.#sessions.get(event.recordingId)?.onFirstPacket(event.channel, event.atMs)
        return
      case 'alarm':
      case 'alarm-cleared':
        this.#sessions.get(event.recordingId)?.onAlarm(event.alarm, event.type === 'alarm-cleared')
        return
      case 'sound':
        this.#listeners.sound(event.recordingId, event.frames)
        return
      case 'watch-failed': {
        const { recordingId, message: reason } = event
        this.#options.log.error('recording is not watched any more', { recordingId, reason })
        return
      }
      case 'track-failed':
        this.#sessions.get(event.recordingId)?.onTrackFailed(event.message)
        return
      case 'disk':
        this.#onDisk(event)
        return
      case 'published':
        this.#onPublishedLate(event)
    }
  }

  /** New sessions go elsewhere; those under way go on in memory, as far as it reaches, and everybody is told. */
  #onDisk({ condition, waitingBytes, detail }: RecordEvent & { type: 'disk' }): void {
    this.#disk = condition
    const { log } = this.#options
    if (condition === 'well') {
      log.warn('disk writes again', { waitingBytes })
      return
    }
    log.error('disk does not write', { condition, waitingBytes, detail })
    for (const { recordingId } of this.#sessions.values()) {
      const told = detail ?? `disk ${condition}`
      this.#emit({ type: 'alarm', recordingId, alarm: diskAlarm(told) })
    }
  }

  #onPublishedLate({ recordingId, manifest, folder }: RecordEvent & { type: 'published' }): void {
    const { catalogue, store, log } = this.#options
    const { state, durationMs } = manifest
    log.info('recording published late', { recordingId, state, durationMs })
    catalogue.put(rowOf(manifest, store.relativeFolder(folder))).catch((thrown: unknown) => {
      log.warn('catalogue not updated', { recordingId, reason: messageOf(thrown) })
    })
    this.events.emit({ type: 'ended', recordingId, manifest, folder })
  }

  #emit(event: RecordingServerEvent): void {
    if (event.type === 'alarm') this.#alarms.set(event.alarm.code, (this.#alarms.get(event.alarm.code) ?? 0) + 1)
    if (event.type === 'metadata') this.#tellStreams(event.recordingId)
    if (/^(paused|resumed)/.test(event.type)) {
      this.#listeners.paused(event.recordingId, this.#sessions.get(event.recordingId)?.isSilent === true)
    }
    this.events.emit(event)
  }

  /** Who speaks where may be known only now. */
  #tellStreams(recordingId: string): void {
    const session = this.#sessions.get(recordingId)
    if (session !== undefined) this.#listeners.streams(recordingId, channelsOf(session.view()))
  }

  #onWorkerLost(): void {
    this.#options.log.error('record worker is gone, sessions are ended')
    this.#isDraining = true
    for (const session of this.#sessions.values()) {
      this.#emit({ type: 'alarm', recordingId: session.recordingId, alarm: workerAlarm })
      void session.hangUp()
    }
  }

  #onClosed(recordingId: string): void {
    this.#sessions.delete(recordingId)
    this.#listeners.ended(recordingId)
    this.#packetsBefore.delete(recordingId)
    if (this.#sessions.size > 0) return
    this.#probeTimer?.cancel()
    this.#probeTimer = undefined
    for (const resolve of this.#idle.splice(0)) resolve()
  }
}
