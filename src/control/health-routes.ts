// /healthz, /readyz and /metrics, for whoever keeps the process running.

import { Type } from 'typebox'

import { readiness } from './contract.ts'
import type { HttpApp } from './http-app.ts'
import type { Metrics } from './metrics.ts'
import { file, operation } from './operation.ts'
import type { HealthView } from './views.ts'

const getHealth = operation(
  { id: 'getHealth', summary: 'Whether the process is alive', tag: 'process', scope: 'public' },
  { response: { 200: Type.Object({ status: Type.String() }) } },
)
const getReadiness = operation(
  { id: 'getReadiness', summary: 'Whether the process should be sent calls', tag: 'process', scope: 'public' },
  { response: { 200: readiness, 503: readiness } },
)
const getMetrics = operation(
  { id: 'getMetrics', summary: 'Metrics, for Prometheus', tag: 'process', scope: 'metrics:read' },
  { response: { 200: file('metrics in the text format of Prometheus', 'text/plain') } },
)

/** Adds the routes. */
export function healthRoutes(app: HttpApp, health: HealthView, metrics: Metrics): void {
  app.get('/healthz', getHealth, async () => ({ status: 'ok' }))

  app.get('/readyz', getReadiness, async (_request, reply) => {
    const state = health.readiness()
    return reply.code(state.ready ? 200 : 503).send(state)
  })

  app.get('/metrics', getMetrics, async (_request, reply) => reply.type(metrics.contentType).send(await metrics.text()))
}
