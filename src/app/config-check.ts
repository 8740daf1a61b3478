// A configuration against the schema: what is wrong, at which key, and what was expected there.

import type { TSchema } from 'typebox'
import { Errors } from 'typebox/value'

/** One violation; `isKey` tells that the key itself, not its value, is wrong. */
export interface Violation {
  readonly path: readonly string[]
  readonly expected: string
  readonly isKey: boolean
}

/** The parts of a schema that error messages and the reference page are made of. */
export interface SchemaNode {
  readonly type?: string
  readonly properties?: Readonly<Record<string, SchemaNode>>
  readonly items?: SchemaNode
  readonly required?: readonly string[] | undefined
  readonly enum?: readonly unknown[]
  readonly minimum?: number
  readonly maximum?: number
  readonly minItems?: number
  readonly expects?: string
  readonly default?: unknown
  readonly description?: string
}

/** Violations of the schema, one for each place. */
export function violations(schema: TSchema, value: unknown): Violation[] {
  const found = new Map<string, Violation>()
  const add = (path: readonly string[], expected: string, isKey = false): void => {
    const key = path.join('/')
    if (!found.has(key)) found.set(key, { path, expected, isKey })
  }
  for (const error of Errors(schema, value)) {
    const path = error.instancePath.split('/').slice(1)
    if (error.keyword === 'required') {
      for (const name of error.params.requiredProperties) {
        add([...path, name], `missing: expected ${expectation(nodeAt(schema, [...path, name]))}`)
      }
    } else if (error.keyword === 'boolean') {
      const known = Object.keys(nodeAt(schema, path.slice(0, -1)).properties ?? {}).join(', ')
      add(path, `unknown key: expected one of ${known}`, true)
    } else if (error.keyword !== 'additionalProperties') {
      const node = nodeAt(schema, path)
      const isUnquoted = error.keyword === 'type' && node.type === 'string' && typeof valueAt(value, path) === 'number'
      add(path, `expected ${expectation(node)}${isUnquoted ? ' (put it in quotes)' : ''}`)
    }
  }
  return [...found.values()]
}

/** What belongs into a place, in a few words. */
export function expectation(node: SchemaNode): string {
  if (node.expects !== undefined) return node.expects
  if (node.enum !== undefined) return `one of ${node.enum.join(', ')}`
  switch (node.type) {
    case 'integer':
      return `an integer from ${node.minimum} to ${node.maximum}`
    case 'boolean':
      return 'true or false'
    case 'string':
      return 'a text'
    case 'array':
      if (node.minItems === undefined) return 'a list'
      return `a list with at least ${node.minItems === 1 ? 'one entry' : `${node.minItems} entries`}`
    default:
      return 'a mapping of keys to values'
  }
}

function nodeAt(schema: TSchema, path: readonly string[]): SchemaNode {
  let node: SchemaNode = schema
  for (const name of path) node = node.properties?.[name] ?? node.items ?? { type: 'string' }
  return node
}

function valueAt(value: unknown, path: readonly string[]): unknown {
  let at = value
  for (const name of path) at = (at as Record<string, unknown> | null | undefined)?.[name]
  return at
}
