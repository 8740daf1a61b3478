// /api/captures: the evidence of recording sessions that failed, for support and for replay.

import { captureBundle, captureList, captureParams, errors } from './contract.ts'
import type { HttpApp } from './http-app.ts'
import { notFound } from './http-error.ts'
import type { CapturesView } from './views.ts'

/** Adds the routes. */
export function captureRoutes(app: HttpApp, captures: CapturesView): void {
  app.get('/api/captures', { schema: { response: { 200: captureList, ...errors } } }, async () => {
    const items = [...captures.list()]
    return { total: items.length, items }
  })

  app.get(
    '/api/captures/:captureId',
    { schema: { params: captureParams, response: { 200: captureBundle, ...errors } } },
    async (request) => {
      const bundle = captures.get(request.params.captureId)
      if (bundle === undefined) throw notFound('capture')
      return bundle as unknown as Record<string, unknown>
    },
  )
}
