// Listens to SIP, states and events of recording sessions, and makes a capture of each that failed.

import {
  type Clock,
  type Ids,
  type Listeners,
  type SipTrace,
  type StateTrace,
  sipTrace,
  stateTrace,
  type Timer,
} from '#kernel'
import type { RecordingEvent, RecordingView } from '../recording-event.ts'
import type { DeliverySession } from '../spool-port.ts'
import { type CaptureBundle, type CaptureEntry, type RawEntry, SessionLog } from './capture.ts'
import { redactMessage } from './message-redaction.ts'
import { CaptureStandIns } from './stand-ins.ts'

/** What the collector works with. */
export interface CollectorOptions {
  readonly clock: Clock
  readonly ids: Ids
  readonly product: string
  /** Name of the SIP core that recording sessions are made with. */
  readonly core: string
  readonly events: Listeners<RecordingEvent>
  readonly recordingsOf: (callId: string) => readonly RecordingView[]
  /** Gets each capture once, when nothing more is expected of the session. */
  readonly onCapture: (bundle: CaptureBundle) => void
}

interface Failed {
  readonly event: RecordingEvent
  readonly sessionId: string | undefined
  readonly sipCallId: string | undefined
  readonly view: RecordingView | undefined
  readonly timer: Timer
}

type SessionView = RecordingView['sessions'][number]

/** After a failure the session may still say ACK, CANCEL or BYE. */
const settleMs = 5_000
const maxSessions = 20_000
const ownUsers = ['src', 'gateway']
const headBytes = 4_096
const failures: ReadonlySet<string> = new Set([
  'recorder.failed',
  'recorder.lost',
  'recorder.signal-failed',
  'recorder.no-audio-confirmed',
  'recorder.streams-missing',
  'spool.undelivered',
])
const overs: ReadonlySet<string> = new Set(['recorder.failed', 'recorder.lost', 'spool.undelivered'])
const ends: ReadonlySet<string> = new Set(['recorder.closed', 'spool.delivered'])
/** Failures of a recording as a whole, and what they follow upon; each is in the captures of the sessions that it is of. */
const commonFailures: ReadonlySet<string> = new Set(['recording.resume-failed', 'spool.refused', 'spool.stopped'])
const commonEvents: ReadonlySet<string> = new Set(['recording.pause-expired', ...commonFailures])
/** What was tried again and again is well then, or over. */
const commonEnds: ReadonlySet<string> = new Set(['recording.resumed', 'recording.closed'])

/** Makes captures from the traces, until closed. */
export class CaptureCollector {
  readonly #options: CollectorOptions
  readonly #messages = new Map<string, SessionLog>()
  readonly #states = new Map<string, SessionLog>()
  readonly #failed = new Map<string, Failed>()
  /** Sessions that are not forgotten, by the dialog that they have, or share. */
  readonly #sharers = new Map<string, Set<string>>()
  /** Sessions that are over, by their ids. */
  readonly #over = new Map<string, DeliverySession>()
  /** Failures of recordings as a whole that go on, each captured once. */
  readonly #common = new Set<string>()
  readonly #unsubscribe: () => void

  constructor(options: CollectorOptions) {
    this.#options = options
    const onSip = (trace: unknown): void => this.#onSip(trace as SipTrace)
    const onState = (trace: unknown): void => this.#onState(trace as StateTrace)
    sipTrace.subscribe(onSip)
    stateTrace.subscribe(onState)
    const stopEvents = options.events.add((event) => this.#onEvent(event))
    this.#unsubscribe = () => {
      sipTrace.unsubscribe(onSip)
      stateTrace.unsubscribe(onState)
      stopEvents()
    }
  }

  /** Sessions that are listened to, and captures that wait for the last words. */
  census(): { readonly sessions: number; readonly settling: number } {
    return { sessions: this.#messages.size + this.#states.size, settling: this.#failed.size }
  }

  /** Finishes the captures under way and stops listening. */
  close(): void {
    this.#unsubscribe()
    for (const [key, { timer }] of this.#failed) {
      timer.cancel()
      this.#finish(key)
    }
    this.#messages.clear()
    this.#states.clear()
    this.#sharers.clear()
  }

  #onSip(trace: SipTrace): void {
    if (trace.core !== this.#options.core) return
    const head = new TextDecoder('latin1').decode(trace.bytes.subarray(0, headBytes))
    const callId = /^(?:call-id|i)[ \t]*:[ \t]*(\S{1,256})/im.exec(head)?.[1]
    if (callId === undefined) return
    const log = this.#messages.get(callId) ?? this.#begin(callId, trace, head)
    log?.addMessage({
      type: 'sip',
      wallMs: trace.wallMs,
      direction: trace.direction === 'out' ? 'sent' : 'received',
      transport: trace.transport,
      remote: trace.remote,
      bytes: trace.bytes,
    })
  }

  /** A recording session begins with an INVITE of ours as a recording client, or of a recorder. */
  #begin(callId: string, { direction }: SipTrace, head: string): SessionLog | undefined {
    const isOne = head.startsWith('INVITE ') && head.includes(direction === 'out' ? '+sip.src' : '+sip.srs')
    if (!isOne || this.#messages.size >= maxSessions) return undefined
    const log = new SessionLog()
    this.#messages.set(callId, log)
    return log
  }

  #onState({ machine, id, from, to, wallMs }: StateTrace): void {
    if (machine !== 'recording-session') return
    let log = this.#states.get(id)
    if (log === undefined) {
      if (this.#states.size >= maxSessions) return
      log = new SessionLog()
      this.#states.set(id, log)
    }
    log.add({ type: 'state', wallMs, from, to })
  }

  #onEvent(event: RecordingEvent): void {
    const view = this.#options.recordingsOf(event.callId).find(({ id }) => id === event.recording)
    if (event.recorder === undefined) {
      this.#onCommon(event, view)
      return
    }
    const delivery = 'session' in event ? event.session : undefined
    const session = delivery ?? view?.sessions.findLast(({ uri }) => uri === event.recorder)
    const key = session?.id ?? `${event.recording} ${event.recorder}`
    this.#note(event, session)
    if (session !== undefined) this.#share(session)
    if (failures.has(event.type)) this.#onFailure(key, event, view, session)
    if (session === undefined || !(overs.has(event.type) || ends.has(event.type))) return
    this.#over.set(session.id, session)
    this.#forget(session.id)
  }

  /** What happens to a recording as a whole stands in the captures of the sessions that it is of. */
  #onCommon(event: RecordingEvent, view: RecordingView | undefined): void {
    const { type, recording } = event
    if (commonEnds.has(type)) {
      for (const failure of commonFailures) this.#common.delete(`${failure} ${recording}`)
    }
    if (!commonEvents.has(type)) return
    const sessions = sessionsOf(event, view)
    for (const session of sessions) this.#note(event, session)
    const key = `${type} ${recording}`
    if (!commonFailures.has(type) || this.#common.has(key)) return
    this.#common.add(key)
    for (const session of sessions) {
      this.#onFailure(`${type} ${session.id}`, { ...event, recorder: session.uri }, view, session)
    }
    if (sessions.length === 0) this.#onFailure(key, event, view, undefined)
  }

  #note(event: RecordingEvent, session: DeliverySession | undefined): void {
    const { callId: _callId, recording: _recording, recorder: _recorder, ...happening } = event
    const log = session === undefined ? undefined : this.#states.get(session.id)
    log?.add({ type: 'event', wallMs: this.#options.clock.wallMs(), happening })
  }

  #onFailure(
    key: string,
    event: RecordingEvent,
    view: RecordingView | undefined,
    session: DeliverySession | undefined,
  ): void {
    this.#failed.get(key)?.timer.cancel()
    const timer = this.#options.clock.after(settleMs, 'capture settles', () => this.#finish(key))
    this.#failed.set(key, { event, sessionId: session?.id, sipCallId: session?.sipCallId, view, timer })
  }

  #finish(key: string): void {
    const failed = this.#failed.get(key)
    if (failed === undefined) return
    this.#failed.delete(key)
    const { event, sessionId, sipCallId, view } = failed
    const messages = this.#messages.get(sipCallId ?? '')
    const raw = [...(this.#states.get(sessionId ?? '')?.entries ?? []), ...(messages?.entries ?? [])]
    if (sessionId !== undefined) this.#forget(sessionId)
    this.#options.onCapture(this.#bundle(event, view, raw, messages?.leftOut ?? 0))
  }

  #bundle(
    event: RecordingEvent,
    view: RecordingView | undefined,
    raw: readonly RawEntry[],
    leftOut: number,
  ): CaptureBundle {
    const { clock, ids, product } = this.#options
    const standIns = new CaptureStandIns(ownUsers)
    const ordered = [...raw].sort((a, b) => a.wallMs - b.wallMs)
    const beganMs = ordered[0]?.wallMs ?? clock.wallMs()
    const { callId, recording, recorder = '', ...failure } = event
    return {
      format: 'siprec-gateway-capture',
      version: 1,
      id: ids.hex(8),
      product,
      beganAt: new Date(beganMs).toISOString(),
      callId,
      recording,
      recorder: standIns.address(recorder),
      failure,
      leftOut,
      entries: ordered.map((entry) => entryOf(entry, beganMs, standIns)),
      view: view === undefined ? undefined : redactView(view, standIns),
    }
  }

  #share({ id, sipCallId }: DeliverySession): void {
    if (sipCallId === undefined || !this.#messages.has(sipCallId)) return
    const sharers = this.#sharers.get(sipCallId) ?? new Set()
    this.#sharers.set(sipCallId, sharers.add(id))
  }

  /** A session that is over and of which no capture is to be made any more; its dialog may have other calls. */
  #forget(sessionId: string): void {
    const session = this.#over.get(sessionId)
    if (session === undefined || [...this.#failed.values()].some((failed) => failed.sessionId === sessionId)) return
    this.#over.delete(sessionId)
    this.#states.delete(sessionId)
    const { sipCallId } = session
    if (sipCallId === undefined) return
    const sharers = this.#sharers.get(sipCallId)
    sharers?.delete(sessionId)
    if (sharers !== undefined && sharers.size > 0) return
    this.#sharers.delete(sipCallId)
    this.#messages.delete(sipCallId)
  }
}

/** Whose resumption failed; of the spool, who would not take what it was to have. */
function sessionsOf({ type }: RecordingEvent, view: RecordingView | undefined): readonly SessionView[] {
  const sessions = view?.sessions ?? []
  return type.startsWith('spool.') ? sessions.slice(-1) : sessions.filter(({ state }) => state === 'gated')
}

function entryOf(entry: RawEntry, beganMs: number, standIns: CaptureStandIns): CaptureEntry {
  const { wallMs, ...rest } = entry
  const atMs = wallMs - beganMs
  if (rest.type !== 'sip') return { ...rest, atMs }
  const { bytes, ...message } = rest
  return { ...message, atMs, text: redactMessage(bytes, standIns) }
}

/** Recorder URIs may carry a user part; the Call Recording ID may say anything. */
function redactView(view: RecordingView, standIns: CaptureStandIns): RecordingView {
  const text = JSON.stringify({ ...view, recordingId: view.recordingId === '' ? '' : '***' })
  return JSON.parse(standIns.inText(text)) as RecordingView
}
