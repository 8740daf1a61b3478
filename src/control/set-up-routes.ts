// /api/set-up: where others have to be pointed at to reach this program.

import type { HttpApp } from './http-app.ts'
import { operation } from './operation.ts'
import { type SetUpView, setUpView } from './set-up-contract.ts'

const getSetUp = operation(
  { id: 'getSetUp', summary: 'Addresses and ports of this program', tag: 'process', scope: 'recorders:read' },
  { response: { 200: setUpView } },
)

/** Adds the route. */
export function setUpRoutes(app: HttpApp, setUp: SetUpView): void {
  app.get('/api/set-up', getSetUp, async () => setUp)
}
