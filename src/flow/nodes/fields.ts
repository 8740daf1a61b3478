// Schema pieces that several nodes share.

import { type TNumber, type TString, Type } from 'typebox'

import { CONTEXT_PATH_PATTERN, setAtPath } from '../context-path.ts'
import type { FlowRun } from '../node-type.ts'

const MAX_SOURCE_LENGTH = 8_000

/** Text that may hold expressions. */
export function textField(options: { minLength?: number; default?: string } = {}): TString {
  return Type.String({ maxLength: MAX_SOURCE_LENGTH, ...options })
}

/** Whole milliseconds, at most one day. */
export function millisecondsField(options: { minimum?: number; default?: number } = {}): TNumber {
  return Type.Number({
    minimum: 0,
    maximum: 86_400_000,
    multipleOf: 1,
    ...options,
    description: `a whole number of milliseconds, from ${options.minimum ?? 0} to 86400000`,
  })
}

/** A place in the context that a node writes to. */
export function contextPathField(): TString {
  return Type.String({ pattern: CONTEXT_PATH_PATTERN, description: 'a path such as context.answer' })
}

/** Writes to the context, with a warning where that is refused. */
export function store(run: FlowRun, node: string, path: string, value: unknown): void {
  if (!setAtPath(run.scope.context, path, value)) run.log.warn('flow cannot set the context', { node, path })
}
