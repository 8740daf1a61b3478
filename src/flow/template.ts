// Text with `{{ expression }}` places, parsed once when the flow is loaded.

import { type CompiledExpression, compileExpression, MAX_TEXT_LENGTH, renderValue, type Scope } from './expression.ts'

/** An expression that failed, at load or at run time. */
export interface ExpressionFailure {
  /** Source of the expression, shortened. */
  readonly expression: string
  readonly reason: string
}

/** Told about each expression that failed; the text goes on with nothing in its place. */
type OnExpressionFailure = (failure: ExpressionFailure) => void

interface Place {
  readonly source: string
  readonly compiled?: CompiledExpression
  readonly reason?: string
}

const MAX_PLACES = 50

/** A text field of a flow node. */
export class Template {
  readonly #parts: readonly (string | Place)[]

  private constructor(parts: readonly (string | Place)[]) {
    this.#parts = parts
  }

  /** Parses a text; never fails: an expression that cannot be parsed fails each time it is rendered. */
  static of(text: string): Template {
    return new Template(scan(text))
  }

  /** A bare expression, as conditions are written; braces around it are accepted. */
  static ofExpression(text: string): Template {
    const trimmed = text.trim()
    return trimmed.startsWith('{{') ? Template.of(trimmed) : new Template([compilePlace(trimmed)])
  }

  /** Expressions that can never work, known without running. */
  failures(): ExpressionFailure[] {
    return this.#parts.flatMap((part) =>
      typeof part !== 'string' && part.reason !== undefined ? [{ expression: part.source, reason: part.reason }] : [],
    )
  }

  /** The text with each expression's value in its place, at most 65,536 characters, else empty. */
  render(scope: Scope, onFailure: OnExpressionFailure): string {
    let text = ''
    for (const part of this.#parts) {
      text += typeof part === 'string' ? part : renderPlace(part, scope, onFailure)
      if (text.length > MAX_TEXT_LENGTH) {
        onFailure({ expression: typeof part === 'string' ? '' : part.source, reason: 'the text is too long' })
        return ''
      }
    }
    return text
  }

  /** The value itself where the whole text is one expression, else the text. */
  value(scope: Scope, onFailure: OnExpressionFailure): unknown {
    const only = this.#parts.length === 1 ? this.#parts[0] : undefined
    if (only === undefined || typeof only === 'string') return this.render(scope, onFailure)
    return evaluatePlace(only, scope, onFailure)
  }
}

function evaluatePlace(place: Place, scope: Scope, onFailure: OnExpressionFailure): unknown {
  const result = place.compiled?.evaluate(scope)
  if (result?.ok) return result.value
  onFailure({ expression: place.source, reason: result?.error.reason ?? place.reason ?? '' })
  return undefined
}

function renderPlace(place: Place, scope: Scope, onFailure: OnExpressionFailure): string {
  const text = renderValue(evaluatePlace(place, scope, onFailure))
  if (text.ok) return text.value
  onFailure({ expression: place.source, reason: text.error.reason })
  return ''
}

function compilePlace(source: string): Place {
  const compiled = compileExpression(source)
  if (!compiled.ok) return broken(source, compiled.error.reason)
  const rest = source.slice(compiled.value.end).trim()
  return rest === '' ? { source, compiled: compiled.value } : broken(source, 'unexpected text behind the expression')
}

function broken(source: string, reason: string): Place {
  return { source: source.slice(0, 200), reason }
}

function scan(text: string): (string | Place)[] {
  const parts: (string | Place)[] = []
  let at = 0
  for (;;) {
    const open = text.indexOf('{{', at)
    if (open < 0) break
    if (open > at) parts.push(text.slice(at, open))
    if (parts.length >= 2 * MAX_PLACES) return [...parts, broken(text.slice(open), 'too many expressions in one text')]
    const { place, end } = scanPlace(text, open + 2)
    parts.push(place)
    at = end
  }
  if (at < text.length) parts.push(text.slice(at))
  return parts
}

/** The parser, not a search for `}}`, says where an expression ends: `}}` may stand inside a string literal. */
function scanPlace(text: string, start: number): { place: Place; end: number } {
  const compiled = compileExpression(text, start)
  if (compiled.ok) {
    const close = skipSpace(text, compiled.value.end)
    if (text.startsWith('}}', close)) {
      return { place: { source: text.slice(start, close).trim(), compiled: compiled.value }, end: close + 2 }
    }
  }
  const close = text.indexOf('}}', start)
  if (close < 0) return { place: broken(text.slice(start), 'no closing }}'), end: text.length }
  const reason = compiled.ok ? 'unexpected text behind the expression' : compiled.error.reason
  return { place: broken(text.slice(start, close).trim(), reason), end: close + 2 }
}

function skipSpace(text: string, start: number): number {
  let at = start
  while (text[at] === ' ' || text[at] === '\t' || text[at] === '\n' || text[at] === '\r') at++
  return at
}
