// /api/recorders: the recorders and how they are.

import { recorderList } from './contract.ts'
import type { HttpApp } from './http-app.ts'
import { operation } from './operation.ts'
import type { RecordersView } from './views.ts'

const listRecorders = operation(
  { id: 'listRecorders', summary: 'Recorders and how they are', tag: 'recorders', scope: 'recorders:read' },
  { response: { 200: recorderList } },
)

/** Adds the route. */
export function recorderRoutes(app: HttpApp, recorders: RecordersView): void {
  app.get('/api/recorders', listRecorders, async () => {
    const items = [...recorders.list()]
    return { total: items.length, items }
  })
}
