// Logs by what they are of: a SIP Call-ID, a call, a recording session. Fed by the trace channels, bounded in number and bytes.

import { type SipTrace, type StateTrace, sipTrace, stateTrace } from '#kernel'
import { type TracedEntry, TraceLog } from './trace-log.ts'

/** Bounds of a store. */
export interface TraceBounds {
  readonly mostLogs: number
  readonly mostBytes: number
}

const headBytes = 4_096
const machines: ReadonlySet<string> = new Set(['call', 'leg', 'dialog', 'recording-session'])

/** The logs. */
export class TraceStore {
  readonly #core: string
  readonly #bounds: TraceBounds
  readonly #logs = new Map<string, TraceLog>()
  #bytes = 0
  readonly #unsubscribe: () => void

  /** Listens at once to the SIP core of that name. */
  constructor(core: string, bounds: TraceBounds) {
    this.#core = core
    this.#bounds = bounds
    const onSip = (trace: unknown): void => this.#onSip(trace as SipTrace)
    const onState = (trace: unknown): void => this.#onState(trace as StateTrace)
    sipTrace.subscribe(onSip)
    stateTrace.subscribe(onState)
    this.#unsubscribe = () => {
      sipTrace.unsubscribe(onSip)
      stateTrace.unsubscribe(onState)
    }
  }

  /** Logs and bytes that are kept. */
  get size(): { readonly logs: number; readonly bytes: number } {
    return { logs: this.#logs.size, bytes: this.#bytes }
  }

  get(key: string): TraceLog | undefined {
    return this.#logs.get(key)
  }

  /** Adds to a log, which is made if need be. */
  add(key: string, entry: TracedEntry): void {
    let log = this.#logs.get(key)
    if (log === undefined) {
      log = new TraceLog()
      this.#logs.set(key, log)
    }
    const before = log.bytes
    log.add(entry)
    this.#bytes += log.bytes - before
    while (this.#logs.size > this.#bounds.mostLogs || this.#bytes > this.#bounds.mostBytes) {
      const [oldest] = this.#logs.keys()
      if (oldest === undefined || oldest === key) break
      this.delete(oldest)
    }
  }

  delete(key: string): void {
    this.#bytes -= this.#logs.get(key)?.bytes ?? 0
    this.#logs.delete(key)
  }

  /** Forgets logs that are not `wanted` and have not grown since `beforeMs`, ms since 1970. */
  sweep(beforeMs: number, wanted: ReadonlySet<string>): void {
    for (const [key, log] of this.#logs) {
      if (log.latestAtMs < beforeMs && !wanted.has(key)) this.delete(key)
    }
  }

  close(): void {
    this.#unsubscribe()
    this.#logs.clear()
    this.#bytes = 0
  }

  /** A dialog is kept from its INVITE on; whatever else comes without one is of no call. */
  #onSip(trace: SipTrace): void {
    if (trace.core !== this.#core) return
    const head = new TextDecoder('latin1').decode(trace.bytes.subarray(0, headBytes))
    const sipCallId = /^(?:call-id|i)[ \t]*:[ \t]*(\S{1,256})/im.exec(head)?.[1]
    if (sipCallId === undefined || !(this.#logs.has(sipCallId) || head.startsWith('INVITE '))) return
    this.add(sipCallId, { type: 'sip', ...trace })
  }

  #onState(trace: StateTrace): void {
    if (!machines.has(trace.machine)) return
    const key = trace.machine === 'leg' ? (trace.id.split('/')[0] ?? trace.id) : trace.id
    // A dialog of another core has no messages here.
    if (trace.machine === 'dialog' && !this.#logs.has(key)) return
    this.add(key, { type: 'state', ...trace })
  }
}
