// /api/flows: the flows that are loaded, what is wrong with one, and what it would do.

import { Type } from 'typebox'
import {
  dryRunBody,
  dryRunView,
  type FlowsView,
  flowList,
  flowParams,
  flowView,
  source,
  validation,
} from './flow-contract.ts'
import { type HttpApp, listed } from './http-app.ts'
import { found, HttpError } from './http-error.ts'
import { operation } from './operation.ts'

const SOURCE_LIMIT_BYTES = 1_048_576

const listFlows = operation(
  { id: 'listFlows', summary: 'The flows that routes lead to', tag: 'flows', scope: 'flows:read' },
  { response: { 200: flowList } },
)
const getFlow = operation(
  { id: 'getFlow', summary: 'One flow: its source, and its picture', tag: 'flows', scope: 'flows:read' },
  { params: flowParams, response: { 200: flowView } },
)
const validateFlow = operation(
  {
    id: 'validateFlow',
    summary: 'What is wrong with a flow, each mistake with its line',
    tag: 'flows',
    scope: 'flows:read',
  },
  { body: Type.Object({ source }, { additionalProperties: false }), response: { 200: validation } },
)
const dryRunFlow = operation(
  {
    id: 'dryRunFlow',
    summary: 'What a flow would do, node by node',
    description: 'No call is made and nothing is asked of anybody: what the flow would hear stands in `answers`.',
    tag: 'flows',
    scope: 'flows:read',
  },
  { body: dryRunBody, response: { 200: dryRunView } },
)

/** Adds the routes. */
export function flowRoutes(app: HttpApp, flows: FlowsView): void {
  app.get('/api/flows', listFlows, async () => listed(flows.list()))

  app.get('/api/flows/:name', getFlow, async (request) => found(flows.get(request.params.name), 'flow'))

  app.post('/api/flows/validate', { ...validateFlow, bodyLimit: SOURCE_LIMIT_BYTES }, async (request) =>
    flows.validate(request.body.source),
  )

  app.post('/api/flows/dry-run', { ...dryRunFlow, bodyLimit: SOURCE_LIMIT_BYTES }, async (request) => {
    const outcome = await flows.dryRun(request.body)
    if ('problem' in outcome) throw new HttpError(400, 'dry-run-impossible', outcome.problem)
    return outcome
  })
}
