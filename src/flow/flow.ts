// A flow as it is written in YAML, and as it is run.

import { type Static, Type } from 'typebox'

import type { Step } from './node-type.ts'
import type { OutlineNode } from './outline.ts'

/** The document of a flow file; its nodes are checked one by one against the registry. */
export const flowDocument = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: 64 }),
    description: Type.Optional(Type.String({ maxLength: 1_000 })),
    atEnd: Type.Union([Type.Literal('hangup'), Type.Literal('stay')], { default: 'hangup' }),
    nodes: Type.Array(Type.Unknown(), { minItems: 1 }),
  },
  { additionalProperties: false },
)

/** Parsed document of a flow file. */
export type FlowDocument = Static<typeof flowDocument>

/** What is wrong in a flow file, and where; lines and columns count from 1. */
export interface FlowError {
  readonly file: string
  readonly line: number
  readonly column: number
  /** Place in the document, such as `nodes[2].then[0].file`; empty for the document itself. */
  readonly path: string
  readonly expected: string
}

/** A flow ready to run; one flow serves any number of calls at the same time. */
export interface Flow {
  readonly name: string
  /** What happens to the call when the nodes are done. */
  readonly atEnd: 'hangup' | 'stay'
  readonly run: Step
  readonly outline: readonly OutlineNode[]
  /** Whether an expression is sure to be for the sandbox. */
  readonly needsSandbox: boolean
  /** Expressions that can never work; they render empty. */
  readonly warnings: readonly FlowError[]
}

/** One line for people: `file:line:column: path: expected …`. */
export function flowErrorText(error: FlowError): string {
  const path = error.path === '' ? '' : `${error.path}: `
  return `${error.file}:${error.line}:${error.column}: ${path}${error.expected}`
}
