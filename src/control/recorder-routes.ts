// /api/recorders and /api/spool: the recorders, how they are, and what waits for them.

import { recorderList, spooledList } from './contract.ts'
import { type HttpApp, listed } from './http-app.ts'
import { operation } from './operation.ts'
import type { RecordersView, SpoolView } from './views.ts'

const listRecorders = operation(
  { id: 'listRecorders', summary: 'Recorders and how they are', tag: 'recorders', scope: 'recorders:read' },
  { response: { 200: recorderList } },
)

const listSpooled = operation(
  { id: 'listSpooled', summary: 'Recordings that wait for a recorder', tag: 'recorders', scope: 'recorders:read' },
  { response: { 200: spooledList } },
)

/** Adds the route of what waits in the spool. */
export function spoolRoutes(app: HttpApp, spool: SpoolView): void {
  app.get('/api/spool', listSpooled, async () => listed(spool.list()))
}

/** Adds the route. */
export function recorderRoutes(app: HttpApp, recorders: RecordersView): void {
  app.get('/api/recorders', listRecorders, async () => listed(recorders.list()))
}
