// /api/flows: the flows that are loaded, what is wrong with one, and what it would do.

import { type Static, Type } from 'typebox'
import type { HttpApp } from './http-app.ts'
import { HttpError, notFound } from './http-error.ts'
import { operation } from './operation.ts'

const closed = { additionalProperties: false }

const mistake = Type.Object(
  {
    line: Type.Integer(),
    column: Type.Integer(),
    /** Place in the document; empty for all of it. */
    path: Type.String(),
    expected: Type.String(),
  },
  closed,
)
const fields = Type.Record(Type.String(), Type.Unknown())
const graphView = Type.Object(
  {
    nodes: Type.Array(Type.Object({ id: Type.String(), type: Type.String(), line: Type.Integer(), fields }, closed)),
    edges: Type.Array(
      Type.Object({ from: Type.String(), to: Type.String(), label: Type.Optional(Type.String()) }, closed),
    ),
  },
  closed,
)
const summaryFields = {
  /** Of the file, by which the flow is asked for. */
  name: Type.String(),
  title: Type.String(),
  file: Type.String(),
  /** What is dialled to come here. */
  routes: Type.Array(Type.String()),
  loadedAt: Type.String(),
  nodes: Type.Integer(),
  /** Of the file as it is now; the flow stays as it was loaded while there are any. */
  mistakes: Type.Array(mistake),
  warnings: Type.Array(mistake),
}
const flowSummary = Type.Object(summaryFields, closed)
const flowList = Type.Object({ total: Type.Integer(), items: Type.Array(flowSummary) }, closed)
const flowView = Type.Object({ ...summaryFields, source: Type.String(), graph: graphView }, closed)
const flowParams = Type.Object({ name: Type.String({ minLength: 1, maxLength: 200 }) }, closed)

const source = Type.String({ minLength: 1, maxLength: 262_144 })
const validation = Type.Object(
  {
    isValid: Type.Boolean(),
    mistakes: Type.Array(mistake),
    warnings: Type.Array(mistake),
    graph: Type.Optional(graphView),
  },
  closed,
)
const dryRunBody = Type.Object(
  {
    source,
    input: Type.Optional(fields),
    profile: Type.Optional(fields),
    /** Such as `collect=1234#,dial=busy`. */
    answers: Type.Optional(Type.String({ maxLength: 4_000 })),
  },
  closed,
)
const dryRunView = Type.Object(
  {
    end: Type.String(),
    steps: Type.Array(
      Type.Object(
        {
          node: Type.String(),
          actions: Type.Array(
            Type.Object(
              { asks: Type.String(), with: Type.Optional(Type.Unknown()), gets: Type.Optional(Type.Unknown()) },
              closed,
            ),
          ),
          says: Type.Array(Type.String()),
        },
        closed,
      ),
    ),
    context: fields,
  },
  closed,
)

/** What is asked of a dry run. */
export type DryRunOrder = Static<typeof dryRunBody>

/** The flows of the gateway. */
export interface FlowsView {
  list(): readonly Static<typeof flowSummary>[]
  get(name: string): Static<typeof flowView> | undefined
  validate(source: string): Static<typeof validation>
  /** What the flow would do, or why it cannot be said. */
  dryRun(order: DryRunOrder): Promise<Static<typeof dryRunView> | { readonly problem: string }>
}

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
  { body: Type.Object({ source }, closed), response: { 200: validation } },
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
  app.get('/api/flows', listFlows, async () => {
    const items = [...flows.list()]
    return { total: items.length, items }
  })

  app.get('/api/flows/:name', getFlow, async (request) => {
    const flow = flows.get(request.params.name)
    if (flow === undefined) throw notFound('flow')
    return flow
  })

  app.post('/api/flows/validate', { ...validateFlow, bodyLimit: SOURCE_LIMIT_BYTES }, async (request) =>
    flows.validate(request.body.source),
  )

  app.post('/api/flows/dry-run', { ...dryRunFlow, bodyLimit: SOURCE_LIMIT_BYTES }, async (request) => {
    const outcome = await flows.dryRun(request.body)
    if ('problem' in outcome) throw new HttpError(400, 'dry-run-impossible', outcome.problem)
    return outcome
  })
}
