// Where expressions run that are more than paths and operators. The flow hands text and data over and gets data back.

import type { Result } from '#kernel'
import type { ExpressionError, Scope } from './expression.ts'

/** Evaluates JavaScript expressions away from the thread of the calls; implemented in app. */
export interface Sandbox {
  /** The value as JSON data, at most 65,536 characters of it; an error for whatever else, and when it takes too long. Never rejects. */
  evaluate(source: string, scope: Scope): Promise<Result<unknown, ExpressionError>>
}
