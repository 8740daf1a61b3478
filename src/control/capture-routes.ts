// /api/captures: the evidence of recording sessions that failed, for support and for replay.

import { LOOKED_AT_MS } from './audit/audit-trail.ts'
import { captureBundle, captureList, captureParams } from './contract.ts'
import { type HttpApp, listed } from './http-app.ts'
import { found } from './http-error.ts'
import { operation } from './operation.ts'
import type { CapturesView } from './views.ts'

const listCaptures = operation(
  { id: 'listCaptures', summary: 'Captures, newest first', tag: 'captures', scope: 'captures:read' },
  { response: { 200: captureList } },
)
const getCapture = operation(
  {
    id: 'getCapture',
    summary: 'One capture: messages, states and counters',
    tag: 'captures',
    scope: 'captures:read',
    audit: { action: 'capture.read', onceInMs: LOOKED_AT_MS },
  },
  { params: captureParams, response: { 200: captureBundle } },
)

/** Adds the routes. */
export function captureRoutes(app: HttpApp, captures: CapturesView): void {
  app.get('/api/captures', listCaptures, async () => listed(captures.list()))

  app.get('/api/captures/:captureId', getCapture, async (request) => {
    const bundle = found(captures.get(request.params.captureId), 'capture')
    return bundle as unknown as Record<string, unknown>
  })
}
