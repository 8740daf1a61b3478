// The contract between the flow engine and its nodes.

import { type Static, type TObject, type TProperties, Type } from 'typebox'

import type { Logger } from '#kernel'
import type { CallControl } from './call-control.ts'
import type { Scope } from './expression.ts'
import type { Sandbox } from './sandbox.ts'

/** One run of a flow on one call. */
export interface FlowRun {
  readonly call: CallControl
  readonly scope: Scope
  readonly sandbox: Sandbox
  readonly log: Logger
  /** Told of each node before it runs; throws when a run has had too many. */
  enter(node: string): void
}

/** A field of a node, or a place inside one, such as `['cases', 0, 'nodes']`. */
export type Place = string | readonly (string | number)[]

/** Where the run goes after a node: on, or to its end, because the flow hung up or the call was over. */
type StepEnd = 'next' | 'hung-up' | 'call-ended'

/** A node, or a list of nodes, ready to run; it never rejects for what the call does. */
export type Step = (run: FlowRun) => Promise<StepEnd>

/** What a node gets while it is loaded: its place in the flow, and its fields turned into functions of a run. */
export interface NodeLoader {
  /** Place and type for log lines, such as `nodes[2] play`. */
  readonly label: string
  /** Text with `{{ expressions }}`; a failing expression is empty and warns. */
  text(place: Place, source: string): (run: FlowRun) => Promise<string>
  /** As `text`, but a text that is one expression keeps its type; inside lists and mappings too, where `$cs` says a type. */
  value(place: Place, source: unknown): (run: FlowRun) => Promise<unknown>
  /** A bare expression; a failing one is false and warns. */
  condition(place: Place, source: string): (run: FlowRun) => Promise<boolean>
  /** Nested nodes, run in order; `label` is what a picture of the flow calls them, the field's name unless given. */
  nodes(place: Place, list: readonly unknown[], label?: string): Step
}

/** A kind of node as the registry knows it. */
export interface NodeType {
  readonly type: string
  readonly schema: TObject
  /** Makes the step; `parameters` have passed `schema`, defaults filled in. */
  load(parameters: unknown, loader: NodeLoader): Step
}

/** Declares a kind of node by its fields; unknown fields are refused, `type` is added. */
export function nodeType<Fields extends TProperties>(
  type: string,
  fields: Fields,
  load: (parameters: Static<TObject<Fields>>, loader: NodeLoader) => Step,
): NodeType {
  return {
    type,
    schema: Type.Object({ type: Type.Literal(type), ...fields }, { additionalProperties: false }),
    load: (parameters, loader) => load(parameters as Static<TObject<Fields>>, loader),
  }
}
