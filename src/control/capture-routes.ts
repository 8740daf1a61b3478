// /api/captures: the evidence of recording sessions that failed, for support and for replay.

import { captureBundle, captureList, captureParams } from './contract.ts'
import type { HttpApp } from './http-app.ts'
import { notFound } from './http-error.ts'
import { operation } from './operation.ts'
import type { CapturesView } from './views.ts'

const listCaptures = operation(
  { id: 'listCaptures', summary: 'Captures, newest first', tag: 'captures', scope: 'captures:read' },
  { response: { 200: captureList } },
)
const getCapture = operation(
  { id: 'getCapture', summary: 'One capture: messages, states and counters', tag: 'captures', scope: 'captures:read' },
  { params: captureParams, response: { 200: captureBundle } },
)

/** Adds the routes. */
export function captureRoutes(app: HttpApp, captures: CapturesView): void {
  app.get('/api/captures', listCaptures, async () => {
    const items = [...captures.list()]
    return { total: items.length, items }
  })

  app.get('/api/captures/:captureId', getCapture, async (request) => {
    const bundle = captures.get(request.params.captureId)
    if (bundle === undefined) throw notFound('capture')
    return bundle as unknown as Record<string, unknown>
  })
}
