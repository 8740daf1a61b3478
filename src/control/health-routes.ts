// /healthz, /readyz and /metrics, for whoever keeps the process running.

import { Type } from 'typebox'

import { readiness } from './contract.ts'
import type { HttpApp } from './http-app.ts'
import type { Metrics } from './metrics.ts'
import type { HealthView } from './views.ts'

/** Adds the routes. */
export function healthRoutes(app: HttpApp, health: HealthView, metrics: Metrics): void {
  app.get('/healthz', { schema: { response: { 200: Type.Object({ status: Type.String() }) } } }, async () => ({
    status: 'ok',
  }))

  app.get('/readyz', { schema: { response: { 200: readiness, 503: readiness } } }, async (_request, reply) => {
    const state = health.readiness()
    return reply.code(state.ready ? 200 : 503).send(state)
  })

  app.get('/metrics', async (_request, reply) => reply.type(metrics.contentType).send(await metrics.text()))
}
