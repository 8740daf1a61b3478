// Text with `{{ expression }}` places, parsed once when the flow is loaded.

import { type CompiledExpression, compileExpression, MAX_TEXT_LENGTH, renderValue, type Scope } from './expression.ts'
import type { Sandbox } from './sandbox.ts'

/** An expression that failed, at load or at run time. */
export interface ExpressionFailure {
  /** Source of the expression, shortened. */
  readonly expression: string
  readonly reason: string
}

/** Told about each expression that failed; the text goes on with nothing in its place. */
type OnExpressionFailure = (failure: ExpressionFailure) => void

/** What a text is rendered with. */
export interface Rendering {
  readonly scope: Scope
  readonly sandbox: Sandbox
  readonly onFailure: OnExpressionFailure
}

interface Place {
  readonly source: string
  readonly compiled?: CompiledExpression
  readonly reason?: string
}

const MAX_PLACES = 50
const MAX_SHOWN = 200

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
      typeof part !== 'string' && part.reason !== undefined
        ? [{ expression: shortened(part.source), reason: part.reason }]
        : [],
    )
  }

  /** Whether one of its expressions is for the sandbox. */
  get needsSandbox(): boolean {
    return this.#parts.some(
      (part) => typeof part !== 'string' && part.compiled !== undefined && part.compiled.evaluate === undefined,
    )
  }

  /** The text with each expression's value in its place, at most 65,536 characters, else empty. */
  async render(rendering: Rendering): Promise<string> {
    let text = ''
    for (const part of this.#parts) {
      text += typeof part === 'string' ? part : await renderPlace(part, rendering)
      if (text.length > MAX_TEXT_LENGTH) {
        rendering.onFailure({
          expression: typeof part === 'string' ? '' : shortened(part.source),
          reason: 'the text is too long',
        })
        return ''
      }
    }
    return text
  }

  /** The value itself where the whole text is one expression, else the text. */
  async value(rendering: Rendering): Promise<unknown> {
    const only = this.#parts.length === 1 ? this.#parts[0] : undefined
    if (only === undefined || typeof only === 'string') return await this.render(rendering)
    return await evaluatePlace(only, rendering)
  }
}

async function evaluatePlace(place: Place, { scope, sandbox, onFailure }: Rendering): Promise<unknown> {
  const { source, compiled, reason = '' } = place
  if (compiled === undefined) {
    onFailure({ expression: shortened(source), reason })
    return undefined
  }
  const direct = compiled.evaluate?.(scope) ?? 'beyond'
  const result = direct === 'beyond' ? await sandbox.evaluate(source, scope) : direct
  if (result.ok) return result.value
  onFailure({ expression: shortened(source), reason: result.error.reason })
  return undefined
}

async function renderPlace(place: Place, rendering: Rendering): Promise<string> {
  const text = renderValue(await evaluatePlace(place, rendering))
  if (text.ok) return text.value
  rendering.onFailure({ expression: shortened(place.source), reason: text.error.reason })
  return ''
}

function shortened(source: string): string {
  return source.slice(0, MAX_SHOWN)
}

function compilePlace(source: string): Place {
  const compiled = compileExpression(source)
  if (!compiled.ok) return broken(source, compiled.error.reason)
  const rest = source.slice(compiled.value.end).trim()
  return rest === '' ? { source, compiled: compiled.value } : broken(source, 'unexpected text behind the expression')
}

function broken(source: string, reason: string): Place {
  return { source: shortened(source), reason }
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
