// JSON fields of a flow: expressions inside lists and mappings, as `"{{ expression }}"` and as `{"$cs": {"script", "type"}}`.

import { renderValue } from './expression.ts'
import { type Rendering, Template } from './template.ts'

type Evaluate = (rendering: Rendering) => Promise<unknown>

const MAX_DEPTH = 32

/** The types that `$cs` may ask for. */
const CONVERSIONS: Readonly<Record<string, (value: unknown) => unknown>> = {
  string: (value) => {
    const text = renderValue(value)
    return text.ok ? text.value : undefined
  },
  number: (value) => (Number.isFinite(Number(value)) ? Number(value) : undefined),
  boolean: Boolean,
  object: (value) => (typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined),
  array: (value) => (Array.isArray(value) ? value : undefined),
  any: (value) => value,
}

/** Makes the evaluation of a value; each template in it is shown to `checked`. Missing values drop their keys. */
export function compileValue(value: unknown, checked: (template: Template) => Template, depth = 0): Evaluate {
  if (typeof value === 'string') return textValue(checked(Template.of(value)))
  if (typeof value !== 'object' || value === null || depth > MAX_DEPTH) return async () => value
  if (Array.isArray(value)) {
    const items = value.map((item) => compileValue(item, checked, depth + 1))
    return async (rendering) => {
      const list: unknown[] = []
      for (const item of items) list.push((await item(rendering)) ?? null)
      return list
    }
  }
  const script = scriptOf(value)
  if (script !== undefined) return scriptValue(script, checked)
  const entries = Object.entries(value).map(([key, item]) => [key, compileValue(item, checked, depth + 1)] as const)
  return async (rendering) => {
    const made: [string, unknown][] = []
    for (const [key, item] of entries) {
      const found = await item(rendering)
      if (found !== undefined) made.push([key, found])
    }
    // Unlike assignment, fromEntries makes `__proto__` a key like any other.
    return Object.fromEntries(made)
  }
}

function textValue(template: Template): Evaluate {
  return (rendering) => template.value(rendering)
}

interface Script {
  readonly script: string
  readonly type: string
}

function scriptValue({ script, type }: Script, checked: (template: Template) => Template): Evaluate {
  const template = checked(Template.ofExpression(script))
  return async (rendering) => {
    const value = await template.value(rendering)
    if (value === undefined) return undefined
    const converted = CONVERSIONS[type]?.(value)
    if (converted === undefined) {
      rendering.onFailure({ expression: script.slice(0, 200), reason: `the value is not of the type ${type}` })
    }
    return converted
  }
}

function scriptOf(value: object): Script | undefined {
  const keys = Object.keys(value)
  const inner: unknown = keys.length === 1 && keys[0] === '$cs' ? Object.values(value)[0] : undefined
  if (typeof inner !== 'object' || inner === null) return undefined
  const { script, type = 'any' } = inner as Partial<Record<string, unknown>>
  if (typeof script !== 'string' || typeof type !== 'string' || !Object.hasOwn(CONVERSIONS, type)) return undefined
  return { script, type }
}
