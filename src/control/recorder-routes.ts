// /api/recorders: the recorders and how they are.

import { errors, recorderList } from './contract.ts'
import type { HttpApp } from './http-app.ts'
import type { RecordersView } from './views.ts'

/** Adds the route. */
export function recorderRoutes(app: HttpApp, recorders: RecordersView): void {
  app.get('/api/recorders', { schema: { response: { 200: recorderList, ...errors } } }, async () => {
    const items = [...recorders.list()]
    return { total: items.length, items }
  })
}
