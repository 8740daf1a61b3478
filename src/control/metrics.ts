// Prometheus metrics. Labels are states, outcomes, methods and routes: never users, addresses or call ids.

import { Counter, Gauge, Histogram, Registry } from 'prom-client'

import { type SipTrace, sipTrace } from '#kernel'
import { diskMetrics } from './disk-metrics.ts'
import type { MetricsSnapshot, MetricsView } from './views.ts'

/** What there is to count where no gateway runs. */
export const NO_CALLS: MetricsSnapshot = {
  activeCalls: 0,
  recordings: {},
  recordingSessions: {},
  recorders: {},
  spooled: {},
  spooledBytes: 0,
  recordingSessionOutcomes: {},
  packetsForked: 0,
  packetsHeld: 0,
}

/** The registry of one process. */
export interface Metrics {
  readonly contentType: string
  /** Exposition text; numbers of the view are read now. */
  text(): Promise<string>
  /** Counts one answered HTTP request; `route` is the pattern, not the path. */
  onHttpRequest(method: string, route: string, status: number, durationMs: number): void
  /** Stops counting SIP messages. */
  close(): void
}

/** Makes the metrics over a view; SIP messages are counted from the trace channel of the kernel. */
export function createMetrics(view: MetricsView): Metrics {
  const registry = new Registry()
  const registers = [registry]
  viewMetrics(view, registers)
  diskMetrics(view, registers)

  const sipMessages = new Counter({
    name: 'siprec_gateway_sip_messages_total',
    help: 'SIP messages by direction and by method or class of status',
    labelNames: ['direction', 'kind'],
    registers,
  })
  const httpSeconds = new Histogram({
    name: 'siprec_gateway_http_request_duration_seconds',
    help: 'HTTP requests answered, by method, route and class of status',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.005, 0.025, 0.1, 0.5, 2, 10],
    registers,
  })
  const onSip = (message: unknown): void => {
    const { direction, bytes } = message as SipTrace
    sipMessages.inc({ direction, kind: sipKind(bytes) })
  }
  sipTrace.subscribe(onSip)

  return {
    contentType: registry.contentType,
    text: () => registry.metrics(),
    onHttpRequest: (method, route, status, durationMs) =>
      httpSeconds.observe({ method, route, status: `${Math.floor(status / 100)}xx` }, durationMs / 1_000),
    close: () => void sipTrace.unsubscribe(onSip),
  }
}

function viewMetrics(view: MetricsView, registers: Registry[]): void {
  new Gauge({
    name: 'siprec_gateway_active_calls',
    help: 'Calls under way; recording sessions are not calls',
    registers,
    collect() {
      this.set(view.snapshot().activeCalls)
    },
  })
  new Gauge({
    name: 'siprec_gateway_recordings',
    help: 'Recordings now, by reported state',
    labelNames: ['state'],
    registers,
    collect() {
      this.reset()
      for (const [state, count] of Object.entries(view.snapshot().recordings)) this.set({ state }, count)
    },
  })
  new Gauge({
    name: 'siprec_gateway_recording_sessions',
    help: 'Recording sessions now, by state',
    labelNames: ['state'],
    registers,
    collect() {
      this.reset()
      for (const [state, count] of Object.entries(view.snapshot().recordingSessions)) this.set({ state }, count)
    },
  })
  new Gauge({
    name: 'siprec_gateway_recorders',
    help: 'Recorders by state: unknown, up or down',
    labelNames: ['state'],
    registers,
    collect() {
      this.reset()
      for (const [state, count] of Object.entries(view.snapshot().recorders)) this.set({ state }, count)
    },
  })
  new Gauge({
    name: 'siprec_gateway_spooled_recordings',
    help: 'Recordings that wait in the spool, by state: waiting, delivering or unreadable',
    labelNames: ['state'],
    registers,
    collect() {
      this.reset()
      for (const [state, count] of Object.entries(view.snapshot().spooled)) this.set({ state }, count)
    },
  })
  new Gauge({
    name: 'siprec_gateway_spooled_bytes',
    help: 'Bytes of the recordings that wait in the spool',
    registers,
    collect() {
      this.set(view.snapshot().spooledBytes)
    },
  })
  new Counter({
    name: 'siprec_gateway_recording_sessions_total',
    help: 'Recording sessions ended, by outcome',
    labelNames: ['outcome'],
    registers,
    collect() {
      this.reset()
      for (const [outcome, count] of Object.entries(view.snapshot().recordingSessionOutcomes))
        this.inc({ outcome }, count)
    },
  })
  new Counter({
    name: 'siprec_gateway_client_deviations_total',
    help: 'Recording sessions at the recorder whose client departed from an RFC, by code',
    labelNames: ['code'],
    registers,
    collect() {
      this.reset()
      for (const [code, count] of Object.entries(view.snapshot().deviations ?? {})) this.inc({ code }, count)
    },
  })
  new Counter({
    name: 'siprec_gateway_recorder_alarms_total',
    help: 'Alarms of recording sessions at the recorder, by code',
    labelNames: ['code'],
    registers,
    collect() {
      this.reset()
      for (const [code, count] of Object.entries(view.snapshot().alarms ?? {})) this.inc({ code }, count)
    },
  })
  new Counter({
    name: 'siprec_gateway_rtp_packets_total',
    help: 'RTP packets forked to recorders, or held back by a shut gate',
    labelNames: ['fate'],
    registers,
    collect() {
      const { packetsForked, packetsHeld } = view.snapshot()
      this.reset()
      this.inc({ fate: 'forked' }, packetsForked)
      this.inc({ fate: 'held' }, packetsHeld)
    },
  })
}

const METHODS = new Set([
  'INVITE',
  'ACK',
  'BYE',
  'CANCEL',
  'OPTIONS',
  'REGISTER',
  'INFO',
  'UPDATE',
  'PRACK',
  'REFER',
  'NOTIFY',
  'SUBSCRIBE',
  'MESSAGE',
  'PUBLISH',
])

/** Method of a request, `2xx` and so on of a response, `other` for anything else; reads the first bytes only. */
function sipKind(bytes: Uint8Array): string {
  const start = String.fromCharCode(...bytes.subarray(0, 10))
  if (start.startsWith('SIP/2.0 ')) return '123456'.includes(start[8] ?? '?') ? `${start[8]}xx` : 'other'
  const method = start.slice(0, Math.max(0, start.indexOf(' ')))
  return METHODS.has(method) ? method : 'other'
}
