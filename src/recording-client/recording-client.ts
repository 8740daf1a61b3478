// The session recording client (SRC): recordings of all calls, the commands on them, and what happens to them (design, section 2).

import type { RecordableCall } from '#call'
import { assertNever, err, Listeners, messageOf, ok, type Result } from '#kernel'
import type { HeaderList, ServerInvite } from '#sip'
import {
  type CommandOrigin,
  type CommandOutcome,
  holderOf,
  outcome,
  type PauseCommand,
  type PauseEnd,
  type StartCommand,
  texts,
} from './command.ts'
import { IdleDialogs } from './idle-dialogs.ts'
import { KeptRecording, type RecordingOrder } from './kept-recording.ts'
import type { OneRecorderActivity } from './one-recorder.ts'
import { parseRecorderList } from './recorder-list.ts'
import type { Recording, RecordingLegacy } from './recording.ts'
import {
  endEvent,
  happeningOf,
  type RecordingEvent,
  type RecordingHappening,
  type RecordingView,
} from './recording-event.ts'
import type { OpenedSession, RecordingNews, ReportedState } from './recording-news.ts'
import { ReplayMemory } from './replay-memory.ts'
import type { RecordingSurroundings, SessionSurroundings } from './session-port.ts'
import { SpoolDeliveries, type SpooledView } from './spool-deliveries.ts'
import { CallStreams } from './streams.ts'
import { parsePolicy } from './success-policy.ts'

interface CallRecord {
  readonly call: RecordableCall
  readonly streams: CallStreams
  readonly unsubscribe: () => void
  current: Recording | undefined
  readonly kept: KeptRecording[]
  /** What is kept in case a recording is started. */
  early: ReplayMemory | undefined
  /** Of the recording before. */
  legacy: RecordingLegacy | undefined
  isReleased: boolean
}

/** What the original logs of a recorder, for those who search for that. */
const ORIGINAL_TEXTS: Readonly<Partial<Record<RecordingEvent['type'], string>>> = {
  'recorder.accepted': 'SrsClient:start - successfully connected to SRS',
  'recorder.failed': 'Error sending SIPREC INVITE',
}

/** The recording client of one gateway. */
export class RecordingClient {
  readonly events: Listeners<RecordingEvent>
  readonly #around: SessionSurroundings
  readonly #calls = new Map<string, CallRecord>()
  readonly #sessions = new Map<OpenedSession, KeptRecording>()
  readonly #deliveries: SpoolDeliveries | undefined
  #callCount = 0
  readonly #totals = { packetsForked: 0, packetsHeld: 0 }

  constructor(around: RecordingSurroundings) {
    this.#around = { ...around, idle: new IdleDialogs(around) }
    this.events = new Listeners((fault) =>
      around.log.error('a listener of recording events failed', { fault: `${fault}` }),
    )
    this.#deliveries =
      around.spool === undefined
        ? undefined
        : new SpoolDeliveries(around.spool, this.#around, (event) => this.#publish(event))
    void this.#deliveries?.look()
  }

  /** Starts a recording. A call that is not answered yet: refused by INFO, held until the answer otherwise. */
  start(call: RecordableCall, command: StartCommand): Promise<CommandOutcome> {
    const { log } = this.#around
    const fields = { callId: call.callId, origin: command.origin }
    log.info('startCallRecording request for a call', fields)
    const snapshot = call.snapshot()
    if (snapshot.state === 'ended' || (snapshot.state === 'ringing' && command.origin === 'info')) {
      return this.#refuse(400, snapshot.state === 'ended' ? texts.callEnded : texts.notAnswered, fields)
    }
    if (this.stateOf(call.callId) !== 'none') {
      const isFlow = command.origin === 'flow'
      // Operators search for the first text whatever the origin (product page, Troubleshooting).
      if (isFlow) log.warn(texts.duplicateStart, fields)
      return this.#refuse(400, isFlow ? texts.duplicateStartInFlow : texts.duplicateStart, fields)
    }
    const entries = parseRecorderList(command.servers)
    if (entries.length === 0) return this.#refuse(400, texts.missingServer, fields)
    for (const entry of entries) {
      if (!entry.valid) log.warn('recorder URI is not usable', { ...fields, reason: entry.reason })
    }
    if (!entries.some((entry) => entry.valid)) {
      const results = Object.fromEntries(entries.map((entry) => [entry.uri, 'failed(503)']))
      log.warn('startCallRecording answered 503', { ...fields, reason: texts.noUsableServer })
      return Promise.resolve(outcome(503, texts.noUsableServer, results))
    }
    const policy =
      command.policy === undefined || command.policy === '' ? ok(this.#around.policy) : parsePolicy(command.policy)
    if (!policy.ok) return this.#refuse(400, policy.error, fields)
    if (!command.noticePlayed) log.warn('recording.no-notice', fields)
    return this.#begin(this.#record(call), { command, entries, policy: policy.value })
  }

  /** A recorder asks by its INVITE to have what is recorded of the call as well; the reason if it cannot. */
  join(call: RecordableCall, uri: string, invitation: ServerInvite): Result<void, string> {
    const recording = this.#calls.get(call.callId)?.current
    if (recording === undefined || isEnding(recording)) return err(texts.notRecording)
    return recording.join(uri, invitation)
  }

  /** Keeps what is said from now on, so much as configured, in case that a recording starts; nothing once the call has been recorded. */
  listen(call: RecordableCall): void {
    const { preStartMs: keepMs, clock, log } = this.#around
    if (keepMs === 0 || call.snapshot().state !== 'answered') return
    const record = this.#record(call)
    if (record.kept.length > 0 || record.early !== undefined) return
    record.early = new ReplayMemory({ call, keepMs, clock, log })
    record.early.keep()
  }

  /** Forgets what was kept by `listen`, and keeps nothing. */
  deafen({ callId }: RecordableCall): void {
    const record = this.#calls.get(callId)
    record?.early?.forget()
    if (record !== undefined) record.early = undefined
  }

  /** Pauses: the media is cut when this returns; settles when that is proved. */
  pause(call: RecordableCall, { origin, limit, headers }: PauseCommand): Promise<CommandOutcome> {
    const recording = this.#calls.get(call.callId)?.current
    const state = recording?.reported ?? 'none'
    if (recording === undefined || state === 'none' || state === 'stopping') {
      return this.#refuse(400, texts.invalidPause, { callId: call.callId, origin })
    }
    return recording.pause(holderOf(origin), limit, headers)
  }

  /**
   * Resumes, unless the pause is somebody else's as well: media flows again at a recorder once it has accepted. Before a notice was heard
   * nothing is resumed, and a command waits for that. `headers` are the asker's own for the re-INVITE.
   */
  resume(call: RecordableCall, origin: CommandOrigin, headers: HeaderList = []): Promise<CommandOutcome> {
    const recording = this.#calls.get(call.callId)?.current
    const state = recording?.reported ?? 'none'
    if (recording === undefined || (state !== 'pausing' && state !== 'paused' && state !== 'resuming')) {
      return this.#refuse(400, texts.invalidResume, { callId: call.callId, origin })
    }
    return recording.resume(holderOf(origin), headers)
  }

  /** Leaves keys out of what recorders get, or not, from now on; settles when that is true of every stream. */
  mask(call: RecordableCall, isOn: boolean, origin: CommandOrigin): Promise<CommandOutcome> {
    const recording = this.#calls.get(call.callId)?.current
    const state = recording?.reported ?? 'none'
    if (recording === undefined || state === 'none' || state === 'stopping') {
      return this.#refuse(400, isOn ? texts.invalidMask : texts.invalidUnmask, { callId: call.callId, origin })
    }
    return recording.mask(isOn)
  }

  /** Stops: settles when the gates are shut; dialogs end in the background. */
  stop(call: RecordableCall, origin: CommandOrigin): Promise<CommandOutcome> {
    const recording = this.#calls.get(call.callId)?.current
    if (recording === undefined || recording.reported === 'none') {
      return this.#refuse(400, texts.notRecording, { callId: call.callId, origin })
    }
    return recording.stop('stopped')
  }

  /** Pauses, resumes or stops one recorder of the call's recording; the others go on. */
  commandOne(
    call: RecordableCall,
    activity: OneRecorderActivity,
    uri: string,
    origin: CommandOrigin,
  ): Promise<CommandOutcome> {
    const recording = this.#calls.get(call.callId)?.current
    if (recording === undefined || isEnding(recording)) {
      return this.#refuse(400, texts.noSuchRecorder, { callId: call.callId, origin, activity })
    }
    return recording.commandOne(activity, uri)
  }

  /** What the next command on this call meets. */
  stateOf(callId: string): ReportedState {
    return this.#calls.get(callId)?.current?.reported ?? 'none'
  }

  /** Recordings of a live call, oldest first. */
  recordingsOf(callId: string): RecordingView[] {
    return (this.#calls.get(callId)?.kept ?? []).map((kept) => kept.view)
  }

  /** The call that a recording session is of, by SIP Call-ID and, where calls share the session, by the label of a stream. */
  callOfSession(sipCallId: string, label: string | undefined): string | undefined {
    for (const [callId, { kept }] of this.#calls) {
      if (kept.some((one) => one.carries(sipCallId, label))) return callId
    }
    return undefined
  }

  /** Brings the ledgers of a live call to this moment. */
  async refresh(callId: string): Promise<void> {
    const record = this.#calls.get(callId)
    if (record === undefined) return
    try {
      const counters = await record.call.media.counters()
      for (const { recording } of record.kept) recording.evidence.refreshed(counters)
    } catch (fault) {
      this.#around.log.warn('counters of a recorded call could not be had', { callId, fault: messageOf(fault) })
    }
  }

  /** RTP packets of forks that are gone by now. */
  totals(): { readonly packetsForked: number; readonly packetsHeld: number } {
    return { ...this.#totals }
  }

  /** Must be zero when no call is recorded and no session waits for one. */
  census(): { readonly calls: number; readonly sessions: number } {
    const deliveries = this.#deliveries?.isBusy === true ? 1 : 0
    return { calls: this.#calls.size, sessions: this.#sessions.size + this.#around.idle.size + deliveries }
  }

  /** What waits in the spool for a recorder, oldest first. */
  get spooled(): readonly SpooledView[] {
    return this.#deliveries?.waiting ?? []
  }

  /** A recorder is there again: what was spooled is delivered now. */
  deliverSpooled(): void {
    this.#deliveries?.hurry()
  }

  /** From now on no session stays up without a call, and nothing more is delivered. */
  close(): void {
    this.#around.idle.close()
    this.#deliveries?.close()
  }

  #begin(
    record: CallRecord,
    order: Omit<RecordingOrder, 'call' | 'streams' | 'early' | 'isMasked'>,
  ): Promise<CommandOutcome> {
    const { call, streams, early } = record
    // A recorder that asks by itself knows nothing of a pause or mask, and lifts neither.
    const legacy = order.command.invitation === undefined ? undefined : record.legacy
    record.early = undefined
    record.legacy = undefined
    const kept: KeptRecording = new KeptRecording(
      { call, streams, early, isMasked: legacy?.isMasked === true, ...order },
      this.#around,
      (news) => this.#onNews(record, kept, news),
    )
    const { id, recording } = kept
    record.current = recording
    record.kept.push(kept)
    this.#around.log.info('recording begins', {
      callId: call.callId,
      recording: id,
      recorders: order.entries.length,
    })
    if (legacy?.pause !== undefined) this.#pauseAgain(recording, legacy.pause.end)
    if (call.snapshot().state === 'answered') return this.#started(record, id, recording.start())
    const unsubscribe = call.onEvent((event) => {
      if (event.type === 'answered' || event.type === 'ended') unsubscribe()
      if (event.type === 'answered' && !isEnding(recording)) recording.answered()
    })
    // A caller can be refused only before the answer, so that the recorders must be asked by then.
    return this.#started(record, id, order.policy.unmet === 'refuse' ? recording.start() : recording.hold())
  }

  #pauseAgain(recording: Recording, end: PauseEnd | undefined): void {
    if (end === undefined) {
      void recording.pause('command')
      return
    }
    const leftMs = end.atMs - this.#around.clock.wallMs()
    if (leftMs > 0) void recording.pause('command', { maxSeconds: leftMs / 1_000, next: end.next })
  }

  async #started(record: CallRecord, id: string, start: Promise<CommandOutcome>): Promise<CommandOutcome> {
    const result = await start
    const fields = { callId: record.call.callId, recording: id, results: result.results }
    if (result.status === 503)
      this.#around.log.warn('startCallRecording answered 503', { ...fields, reason: result.text })
    return result
  }

  #record(call: RecordableCall): CallRecord {
    const known = this.#calls.get(call.callId)
    if (known !== undefined) return known
    const record: CallRecord = {
      call,
      streams: new CallStreams(this.#around.ids, `${++this.#callCount}`),
      unsubscribe: call.onEvent((event) => {
        if (event.type === 'ended') this.#onCallEnded(record)
        else if (event.type !== 'answered') {
          record.early?.follow()
          record.current?.callChanged(event)
        }
      }),
      current: undefined,
      kept: [],
      early: undefined,
      legacy: undefined,
      isReleased: false,
    }
    this.#calls.set(call.callId, record)
    return record
  }

  #onCallEnded(record: CallRecord): void {
    record.unsubscribe()
    record.isReleased = true
    if (record.current !== undefined && record.current.reported !== 'none') void record.current.stop('call-ended')
    this.#forget(record)
  }

  /** A call is forgotten when it has ended and its last recording session is gone. */
  #forget(record: CallRecord): void {
    if (record.isReleased && record.kept.every((kept) => kept.isClosed)) this.#calls.delete(record.call.callId)
  }

  /** A recording is closed when it is over and its last recording session is gone: then its ledger is complete. */
  #close(record: CallRecord, kept: KeptRecording): void {
    const isBusy = kept.recording.reported !== 'none' || [...this.#sessions.values()].includes(kept)
    if (isBusy || kept.isClosed) return
    kept.isClosed = true
    this.#emit(record, kept.id, { type: 'recording.closed', ledger: kept.recording.evidence.rows })
    this.#forget(record)
  }

  #onNews(record: CallRecord, kept: KeptRecording, news: RecordingNews): void {
    const { id, recording } = kept
    switch (news.type) {
      case 'session-opened':
        this.#sessions.set(news.session, kept)
        break
      case 'session-gone':
        void news.session.forksSettled().then(() => {
          this.#sessions.delete(news.session)
          this.#close(record, kept)
        })
        break
      case 'over':
        if (record.current === recording) record.current = undefined
        record.legacy = recording.legacy
        this.#emit(record, id, endEvent(news.reason))
        this.#close(record, kept)
        break
      case 'fork-closed':
        this.#totals.packetsForked += news.counters.packets
        this.#totals.packetsHeld += news.counters.held
        break
      case 'paused':
        kept.receipts = news.receipts
        this.#emit(record, id, happeningOf(news))
        break
      case 'report':
      case 'steadiness':
      case 'unconfirmed':
      case 'confirmed':
        this.#emit(record, id, happeningOf(news), news.session.plan.uri)
        break
      case 'moved':
        this.#emit(record, id, happeningOf(news), news.move.to)
        break
      case 'spool':
        this.#emit(record, id, happeningOf(news))
        if (news.happening.type === 'spool.kept') void this.#deliveries?.look()
        break
      case 'started':
      case 'resumed':
      case 'masked':
      case 'unmasked':
      case 'pause-expired':
      case 'resume-failed':
      case 'policy':
        this.#emit(record, id, happeningOf(news))
        break
      default:
        assertNever(news)
    }
  }

  #emit({ call }: CallRecord, recording: string, happening: RecordingHappening, recorder?: string): void {
    const { callId } = call
    this.#publish({ callId, recording, ...(recorder === undefined ? {} : { recorder }), ...happening })
  }

  #publish(event: RecordingEvent): void {
    const { type, callId, recording, recorder, ...details } = event
    const who = recorder === undefined ? { callId, recording } : { callId, recording, recorder }
    const original = ORIGINAL_TEXTS[type]
    this.#around.log.info('recording event', { ...who, event: type, ...details, ...(original && { original }) })
    this.events.emit(event)
  }

  #refuse(status: number, text: string, fields: Readonly<Record<string, unknown>>): Promise<CommandOutcome> {
    this.#around.log.warn(text, fields)
    return Promise.resolve(outcome(status, text))
  }
}

function isEnding({ reported }: Recording): boolean {
  return reported === 'none' || reported === 'stopping'
}
