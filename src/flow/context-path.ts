// Paths into the context of a flow run, such as `context.order.id`, and the only way a flow writes there.

import { MAX_TEXT_LENGTH } from './expression.ts'

/** What a path may look like; linear, at most eight names below `context`. */
export const CONTEXT_PATH_PATTERN = '^context(\\.[A-Za-z_][A-Za-z0-9_]{0,63}){1,8}$'

const RESERVED = new Set(['__proto__', 'constructor', 'prototype'])

/** Puts a copy of `value` at `path`, making objects on the way; false where the path is reserved or the value too large. */
export function setAtPath(context: Record<string, unknown>, path: string, value: unknown): boolean {
  const names = path.split('.').slice(1)
  const last = names.pop()
  if (last === undefined || [...names, last].some((name) => RESERVED.has(name))) return false
  const copied = copyOf(value)
  if (!copied.fits) return false
  let target = context
  for (const name of names) {
    const next = Object.hasOwn(target, name) ? target[name] : undefined
    target = isRecord(next) ? next : newRecord(target, name)
  }
  target[last] = copied.value
  return true
}

function newRecord(target: Record<string, unknown>, name: string): Record<string, unknown> {
  const created: Record<string, unknown> = {}
  target[name] = created
  return created
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Copies, so that a context can neither contain itself nor share parts with the input. */
function copyOf(value: unknown): { fits: boolean; value?: unknown } {
  if (value === undefined) return { fits: true }
  try {
    const text = JSON.stringify(value)
    return text.length > MAX_TEXT_LENGTH ? { fits: false } : { fits: true, value: JSON.parse(text) }
  } catch {
    return { fits: false }
  }
}
