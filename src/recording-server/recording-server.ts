// The SIPREC recording server (SRS, RFC 7866): takes recording sessions, one IncomingSession each.

import { err, invariant, Listeners, messageOf, type Result, settledWithin } from '#kernel'
import type { RequestOutcome, SipCore, SipCoreHandlers } from '#sip'
import type { ClosedFolder } from '#store'
import { Admission } from './admission.ts'
import { keptKinds } from './answer-plan.ts'
import { ClientInvitations, type InviteProblem } from './client-invitation.ts'
import { IncomingSession } from './incoming-session.ts'
import type { LeftRecording } from './kept-session.ts'
import { channelsOf, type LiveListener, LiveListeners } from './live-listeners.ts'
import { workerAlarm } from './own-alarms.ts'
import type { DiskState } from './record-messages.ts'
import type { RequestBodies } from './recording-request.ts'
import { RestoredOpening } from './restored-opening.ts'
import { giveUp, type ResumedRecording, reopenRecordings } from './resumed-recordings.ts'
import type { LiveSession, RecordingServerEvent } from './server-events.ts'
import type { RecordingServer, RecordingServerOptions } from './server-port.ts'
import type { SessionContext } from './session-context.ts'
import { ReceivedOpening, type SessionOpening } from './session-opening.ts'
import type { PauseOrder, PauseResult } from './session-pause.ts'
import { SilentSessions } from './silent-sessions.ts'
import { WorkerReports } from './worker-reports.ts'

/** Recordings may be published after their BYE. */
const STOP_MS = 10_000
const NO_BODIES: RequestBodies = { metadata: [], warnings: [], unknownTypes: [] }

/** Makes a recording server over a record worker, a store and a catalogue. */
export function createRecordingServer(options: RecordingServerOptions): RecordingServer {
  return new Server(options)
}

class Server implements RecordingServer {
  readonly handlers: SipCoreHandlers = { onInvite: (invite) => void this.#begin(new ReceivedOpening(invite)) }
  readonly events: Listeners<RecordingServerEvent>
  diskState: DiskState | undefined
  readonly #options: RecordingServerOptions
  readonly #context: SessionContext
  readonly #sessions = new Map<string, IncomingSession>()
  readonly #invitations: ClientInvitations
  #core: SipCore | undefined
  /** Recordings to go on with, until there is a core. */
  readonly #resumed: ResumedRecording[] = []
  readonly #idle: (() => void)[] = []
  readonly #deviations = new Map<string, number>()
  readonly #admission: Admission
  readonly #silent: SilentSessions
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
      kinds: options.kinds ?? keptKinds,
      keepsKeys: srtp?.keepsKeys === true,
      emit: (event) => this.#emit(event),
      refuse: (opening, status, reason) => this.#refuse(opening, status, reason),
      onDeviations: (codes) => {
        for (const code of codes) this.#deviations.set(code, (this.#deviations.get(code) ?? 0) + 1)
      },
      onClosed: (recordingId) => this.#onClosed(recordingId),
    }
    const sources = (): string[] => [...this.#sessions.values()].map(({ source }) => source)
    this.#admission = new Admission({ ...options, sources })
    this.#silent = new SilentSessions({
      clock,
      log,
      sessions: () => this.sessions(),
      probe: (recordingId) => this.#sessions.get(recordingId)?.probe(),
    })
    const reports = new WorkerReports({
      ...{ sessions: this.#sessions, listeners: this.#listeners, catalogue, store, log },
      emit: (event) => this.#emit(event),
      onDisk: (condition) => {
        this.#admission.disk = condition
      },
      onDiskState: (state) => {
        this.diskState = state
      },
    })
    media.onEvent((event) => (event.type === 'worker-lost' ? this.#onWorkerLost() : reports.take(event)))
  }

  get isAvailable(): boolean {
    return this.#admission.refusal() === undefined
  }

  deviations(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#deviations)
  }

  async resume(left: readonly LeftRecording[], withinMs: number): Promise<readonly ClosedFolder[]> {
    const { keepsKeys } = this.#context
    const { resumed, closed } = await reopenRecordings(left, withinMs, { ...this.#options, keepsKeys })
    this.#resumed.push(...resumed)
    return closed
  }

  alarms(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#alarms)
  }

  attach(core: SipCore): void {
    this.#core = core
    for (const { kept, isOpen } of this.#resumed.splice(0)) {
      try {
        const opening = new RestoredOpening(kept, core)
        const policy = this.#admission.policyFor(opening.sip.source)
        const isPlain = kept.manifest.facts.verdict?.kind === 'plain'
        const judgement = { bodies: NO_BODIES, marks: [], policy, isPlain, findings: [] }
        if (isOpen) this.#take(new IncomingSession(opening, judgement, this.#context))
        else opening.reject()
      } catch (thrown) {
        void giveUp({ kept, isOpen }, thrown, this.#options)
      }
    }
  }

  async invite(uri: string): Promise<Result<string, InviteProblem>> {
    invariant(this.#core !== undefined, 'the recording server is attached to a SIP core')
    const refusal = this.#admission.refusal()
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
    this.#admission.isDraining = true
    this.#invitations.cancel()
    if (this.#sessions.size > 0) await new Promise<void>((resolve) => this.#idle.push(resolve))
  }

  async stop(): Promise<void> {
    const drained = this.drain()
    const ended = Promise.all([...this.#sessions.values()].map((session) => session.hangUp()))
    // What a disk that hangs keeps from being published is told of, and left to recovery, with the media side.
    await settledWithin(this.#options.clock, STOP_MS, Promise.all([ended, drained]))
  }

  /** Begins a session, or rejects it: then undefined; otherwise the recording's id. */
  #begin(opening: SessionOpening): string | undefined {
    const { judgement, problem } = this.#admission.judge(opening)
    if (problem !== undefined) return this.#refuse(opening, problem.status, problem.reason)
    const session = new IncomingSession(opening, judgement, this.#context)
    this.#take(session)
    return session.recordingId
  }

  #take(session: IncomingSession): void {
    this.#sessions.set(session.recordingId, session)
    this.#silent.start()
  }

  #refuse(opening: SessionOpening, status: number, reason: string): undefined {
    this.#options.log.warn('recording session refused', { status, reason, source: opening.sip.source })
    this.#options.refusals?.explain(opening.sip.callId, reason)
    opening.reject(status, reason)
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
    this.#admission.isDraining = true
    for (const session of this.#sessions.values()) {
      this.#emit({ type: 'alarm', recordingId: session.recordingId, alarm: workerAlarm })
      void session.hangUp()
    }
  }

  #onClosed(recordingId: string): void {
    this.#sessions.delete(recordingId)
    this.#listeners.ended(recordingId)
    this.#silent.forget(recordingId)
    if (this.#sessions.size > 0) return
    this.#silent.stop()
    for (const resolve of this.#idle.splice(0)) resolve()
  }
}
