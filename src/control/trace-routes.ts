// /api/traces and /api/calls/:callId/trace: what was said on the wire for a call, also some time after its end.

import { LOOKED_AT_MS } from './audit/audit-trail.ts'
import { callParams } from './contract.ts'
import { type HttpApp, listed } from './http-app.ts'
import { found } from './http-error.ts'
import { operation } from './operation.ts'
import {
  type MediaSample,
  mediaSample,
  type TraceSummary,
  type TraceView,
  traceList,
  traceView,
} from './trace-contract.ts'

/** The traces of calls. */
export interface TracesView {
  /** Newest first. */
  list(): readonly TraceSummary[]
  get(callId: string): TraceView | undefined
  /** Counters of this moment; undefined when there is no such call, or no media of it. */
  media(callId: string): Promise<MediaSample | undefined>
}

const listTraces = operation(
  { id: 'listTraces', summary: 'Calls whose messages are kept, newest first', tag: 'captures', scope: 'captures:read' },
  { response: { 200: traceList } },
)
const getTrace = operation(
  {
    id: 'getCallTrace',
    summary: 'Messages, states and events of one call and its recordings',
    tag: 'captures',
    scope: 'captures:read',
    audit: { action: 'call.trace', onceInMs: LOOKED_AT_MS },
  },
  { params: callParams, response: { 200: traceView } },
)
const getMedia = operation(
  { id: 'getCallMedia', summary: 'Packets and losses of each speaker', tag: 'calls', scope: 'calls:read' },
  { params: callParams, response: { 200: mediaSample } },
)

/** Adds the routes. */
export function traceRoutes(app: HttpApp, traces: TracesView): void {
  app.get('/api/traces', listTraces, async () => listed(traces.list()))

  app.get('/api/calls/:callId/trace', getTrace, async (request) => found(traces.get(request.params.callId), 'trace'))

  app.get('/api/calls/:callId/media', getMedia, async (request) =>
    found(await traces.media(request.params.callId), 'media'),
  )
}
