// Flows in types.

import { type Static, Type } from 'typebox'

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
/** The flows. */
export const flowList = Type.Object({ total: Type.Integer(), items: Type.Array(flowSummary) }, closed)
/** One flow. */
export const flowView = Type.Object({ ...summaryFields, source: Type.String(), graph: graphView }, closed)
/** Path parameter of a flow. */
export const flowParams = Type.Object({ name: Type.String({ minLength: 1, maxLength: 200 }) }, closed)

/** The text of a flow. */
export const source = Type.String({ minLength: 1, maxLength: 262_144 })
/** What is wrong with a flow. */
export const validation = Type.Object(
  {
    isValid: Type.Boolean(),
    mistakes: Type.Array(mistake),
    warnings: Type.Array(mistake),
    graph: Type.Optional(graphView),
  },
  closed,
)
/** What to run dry. */
export const dryRunBody = Type.Object(
  {
    source,
    input: Type.Optional(fields),
    profile: Type.Optional(fields),
    /** Such as `collect=1234#,dial=busy`. */
    answers: Type.Optional(Type.String({ maxLength: 4_000 })),
  },
  closed,
)
/** What a flow would do. */
export const dryRunView = Type.Object(
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

/** A mistake of a flow, and where it is. */
export type Mistake = Static<typeof mistake>
/** Nodes and the ways between them. */
export type FlowGraph = Static<typeof graphView>
/** A flow in short. */
export type FlowSummary = Static<typeof flowSummary>
/** See `flowView`. */
export type FlowView = Static<typeof flowView>
/** See `validation`. */
export type FlowValidation = Static<typeof validation>
/** See `dryRunView`. */
export type FlowDryRun = Static<typeof dryRunView>
/** What is asked of a dry run. */
export type DryRunOrder = Static<typeof dryRunBody>

/** The flows of the gateway. */
export interface FlowsView {
  list(): readonly FlowSummary[]
  get(name: string): FlowView | undefined
  validate(source: string): FlowValidation
  /** What the flow would do, or why it cannot be said. */
  dryRun(order: DryRunOrder): Promise<FlowDryRun | { readonly problem: string }>
}
