// The traces of calls under way and of those that ended lately: which dialogs belong to which call, and what is shown of them.

import type { Call, CallService } from '#call'
import type { CallView, MediaSample, TraceSummary, TracesView, TraceView } from '#control'
import { type Clock, type Logger, messageOf, type Timer } from '#kernel'
import { CaptureStandIns, type RecordingClient, type RecordingEvent, redactMessage } from '#recording-client'
import type { CommandReport, CommandReports } from '../command-reports.ts'
import type { TracedEntry } from './trace-log.ts'
import { TraceStore } from './trace-store.ts'

/** What the traces are made of. */
export interface CallTracesOptions {
  readonly core: string
  readonly clock: Clock
  readonly log: Logger
  readonly onCall: CallService['onCall']
  readonly client: Pick<RecordingClient, 'events' | 'recordingsOf'>
  /** Recording commands, once they are answered. */
  readonly commands: CommandReports['told']
  readonly viewOf: (call: Call) => CallView
  /** How long an ended call is kept. */
  readonly keepMs: number
  readonly mostCalls: number
}

/** Where a dialog of a call leads. */
type DialogKind = TraceView['dialogs'][number]['kind']

interface Traced {
  readonly call: Call
  view: CallView
  endedAtMs: number | undefined
  /** Keys of the logs that belong to the call; of dialogs with what they are. */
  readonly keys: Map<string, { readonly kind: DialogKind | 'none'; readonly recorder?: string }>
  readonly media: MediaSample[]
}

const ownUsers = ['src', 'gateway']
const logsPerCall = 10
const mostBytes = 64 * 1_048_576
const sampleEveryMs = 5_000
const mostSamples = 720

/** Traces by call. */
export class CallTraces implements TracesView {
  readonly #options: CallTracesOptions
  readonly #store: TraceStore
  readonly #calls = new Map<string, Traced>()
  readonly #ends: readonly (() => void)[]
  #timer: Timer

  constructor(options: CallTracesOptions) {
    this.#options = options
    this.#store = new TraceStore(options.core, { mostLogs: options.mostCalls * logsPerCall, mostBytes })
    this.#ends = [
      options.onCall(({ type, call }) => {
        if (type === 'call-started') this.#begin(call)
        else this.#finish(call)
      }),
      options.client.events.add((event) => this.#onRecording(event)),
      options.commands.add((command) => this.#onCommand(command)),
    ]
    this.#timer = this.#schedule()
  }

  list(): readonly TraceSummary[] {
    return [...this.#calls.values()].reverse().map(({ call, view, endedAtMs }) => {
      const from = view.parties[0]?.aors[0]
      return {
        callId: view.callId,
        startedAt: view.startedAt,
        ...(endedAtMs === undefined ? {} : { endedAt: iso(endedAtMs) }),
        ...(from === undefined ? {} : { from }),
        to: call.dialledUri,
      }
    })
  }

  get(callId: string): TraceView | undefined {
    const traced = this.#calls.get(callId)
    if (traced === undefined) return undefined
    if (traced.endedAtMs === undefined) this.#link(traced)
    const logs = [...traced.keys].flatMap(([key, about]) => {
      const log = this.#store.get(key)
      return log === undefined ? [] : [{ key, about, log }]
    })
    const standIns = new CaptureStandIns(ownUsers)
    const { keepMs } = this.#options
    return {
      call: traced.view,
      ...(traced.endedAtMs === undefined
        ? {}
        : { endedAt: iso(traced.endedAtMs), keptUntil: iso(traced.endedAtMs + keepMs) }),
      dialogs: logs.flatMap(({ key, about: { kind, recorder }, log }) => {
        const first = log.entries.find((entry) => entry.type === 'sip')
        if (kind === 'none' || first === undefined) return []
        return [{ sipCallId: key, kind, remote: first.remote, ...(recorder === undefined ? {} : { recorder }) }]
      }),
      entries: logs
        .flatMap(({ key, log }) => log.entries.map((entry) => ({ key, entry })))
        .sort((a, b) => a.entry.wallMs - b.entry.wallMs)
        .map(({ key, entry }) => shown(key, entry, standIns)),
      media: [...traced.media],
      leftOut: logs.reduce((sum, { log }) => sum + log.leftOut, 0),
    }
  }

  async media(callId: string): Promise<MediaSample | undefined> {
    const traced = this.#calls.get(callId)
    return traced === undefined || traced.endedAtMs !== undefined ? undefined : await this.#sample(traced.call)
  }

  close(): void {
    for (const end of this.#ends) end()
    this.#timer.cancel()
    this.#store.close()
    this.#calls.clear()
  }

  #begin(call: Call): void {
    const { callId, request } = call
    const keys: Traced['keys'] = new Map([[callId, { kind: 'none' }]])
    const sipCallId = request.headers.get('Call-ID')
    if (sipCallId !== undefined) keys.set(sipCallId, { kind: 'caller' })
    const traced: Traced = { call, view: this.#options.viewOf(call), endedAtMs: undefined, keys, media: [] }
    this.#calls.set(callId, traced)
    call.onEvent(() => this.#link(traced))
    while (this.#calls.size > this.#options.mostCalls) {
      const [oldest] = this.#calls.keys()
      if (oldest === undefined) break
      this.#forget(oldest)
    }
  }

  #finish({ callId }: Call): void {
    const traced = this.#calls.get(callId)
    if (traced === undefined) return
    this.#link(traced)
    traced.endedAtMs = this.#options.clock.wallMs()
  }

  #onRecording({ callId, recorder, type }: RecordingEvent): void {
    const traced = this.#calls.get(callId)
    if (traced === undefined) return
    this.#link(traced)
    const { clock } = this.#options
    this.#store.add(callId, {
      type: 'event',
      wallMs: clock.wallMs(),
      event: type,
      ...(recorder === undefined ? {} : { recorder }),
    })
  }

  #onCommand({ callId, activity, by, status, text, atMs }: CommandReport): void {
    const traced = this.#calls.get(callId)
    if (traced === undefined || traced.endedAtMs !== undefined) return
    const words = `${activity} by ${by}: ${status} ${text}`
    this.#store.add(callId, { type: 'event', wallMs: atMs, event: 'recording.command', text: words })
  }

  /** Takes in the dialogs that the call and its recordings have by now, and how it looks. */
  #link(traced: Traced): void {
    const { call, keys } = traced
    const { callId } = call
    for (const { sipCallId, role } of call.snapshot().parties) {
      if (!keys.has(sipCallId)) keys.set(sipCallId, { kind: role === 'caller' ? 'caller' : 'callee' })
    }
    const recordings = this.#options.client.recordingsOf(callId)
    for (const { id, sipCallId, uri } of recordings.flatMap(({ sessions }) => sessions)) {
      keys.set(id, { kind: 'none' })
      if (sipCallId !== undefined) keys.set(sipCallId, { kind: 'recorder', recorder: uri })
    }
    // What is gone when the call has ended stays as it was seen last.
    const view = this.#options.viewOf(call)
    const { recording = traced.view.recording } = view
    traced.view = recording === undefined ? view : { ...view, recording }
  }

  #forget(callId: string): void {
    for (const key of this.#calls.get(callId)?.keys.keys() ?? []) this.#store.delete(key)
    this.#calls.delete(callId)
  }

  #schedule(): Timer {
    return this.#options.clock.after(sampleEveryMs, 'call traces', () => {
      this.#timer = this.#schedule()
      this.#sweep()
      for (const traced of this.#calls.values()) {
        if (traced.endedAtMs === undefined) void this.#keepSample(traced)
      }
    })
  }

  #sweep(): void {
    const { clock, keepMs } = this.#options
    const beforeMs = clock.wallMs() - keepMs
    const wanted = new Set<string>()
    for (const [callId, { endedAtMs, keys }] of this.#calls) {
      if (endedAtMs !== undefined && endedAtMs < beforeMs) this.#forget(callId)
      else for (const key of keys.keys()) wanted.add(key)
    }
    this.#store.sweep(beforeMs, wanted)
  }

  async #keepSample({ call, media }: Traced): Promise<void> {
    const sample = await this.#sample(call)
    if (sample === undefined) return
    media.push(sample)
    if (media.length > mostSamples) media.shift()
  }

  async #sample(call: Call): Promise<MediaSample | undefined> {
    try {
      const { legs } = await call.media.counters()
      const speakers = Object.entries(legs).map(([leg, { received }]) => {
        return { leg, packets: received.packets, lost: Math.max(0, received.lost) }
      })
      return { at: iso(this.#options.clock.wallMs()), speakers }
    } catch (fault) {
      this.#options.log.debug('counters of a traced call could not be had', {
        callId: call.callId,
        fault: messageOf(fault),
      })
      return undefined
    }
  }
}

function shown(key: string, entry: TracedEntry, standIns: CaptureStandIns): TraceView['entries'][number] {
  const at = iso(entry.wallMs)
  switch (entry.type) {
    case 'sip': {
      const { direction, transport, local, remote, bytes } = entry
      const way = direction === 'out' ? ('sent' as const) : ('received' as const)
      const text = redactMessage(bytes, standIns)
      return { type: 'sip', at, dialog: key, direction: way, transport, local, remote, text }
    }
    case 'state': {
      const { machine, id, from, to } = entry
      return { type: 'state', at, machine, id, from, to }
    }
    case 'event': {
      const { event, recorder, text } = entry
      return {
        type: 'event',
        at,
        event,
        ...(recorder === undefined ? {} : { recorder }),
        ...(text === undefined ? {} : { text }),
      }
    }
  }
}

function iso(ms: number): string {
  return new Date(ms).toISOString()
}
