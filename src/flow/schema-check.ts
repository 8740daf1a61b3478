// Schema errors in words: where, and what was expected there.

import { type TSchema, Type } from 'typebox'
import { Errors } from 'typebox/value'

/** One violation; `isKey` tells that the key itself, not its value, is wrong. */
interface Violation {
  readonly path: readonly string[]
  readonly expected: string
  readonly isKey: boolean
}

/** Violations of `schema` by `value`, one per place, in document order of the schema. */
export function violations(schema: TSchema, value: unknown): Violation[] {
  const found = new Map<string, Violation>()
  const add = (path: string[], expected: string, isKey: boolean): void => {
    const key = path.join('/')
    if (!found.has(key)) found.set(key, { path, expected, isKey })
  }
  for (const error of Errors(schema, value)) {
    const path = error.instancePath.split('/').slice(1)
    if (error.keyword === 'required') {
      for (const name of error.params.requiredProperties)
        add([...path, name], `required: ${expectation(schemaAt(schema, [...path, name]))}`, false)
    } else if (error.keyword === 'additionalProperties') {
      const known = Object.keys(propertiesOf(schemaAt(schema, path))).join(', ')
      for (const name of error.params.additionalProperties)
        add([...path, name], `unknown key; known are ${known}`, true)
    } else if (error.keyword !== 'boolean') {
      add(path, `expected ${expectation(schemaAt(schema, path))}`, false)
    }
  }
  return [...found.values()]
}

type Described = TSchema & {
  readonly type?: string
  readonly const?: unknown
  readonly description?: string
  readonly anyOf?: readonly TSchema[]
  readonly properties?: Readonly<Record<string, TSchema>>
  readonly minimum?: number
  readonly maximum?: number
  readonly minLength?: number
  readonly maxLength?: number
}

function propertiesOf(schema: Described): Readonly<Record<string, TSchema>> {
  return schema.properties ?? {}
}

function schemaAt(schema: TSchema, path: readonly string[]): Described {
  let at: Described = schema
  for (const name of path) at = propertiesOf(at)[name] ?? Type.Unknown()
  return at
}

/** What belongs into a place, in a few words. */
export function expectation(schema: Described): string {
  if (schema.description !== undefined) return schema.description
  if (schema.const !== undefined) return String(schema.const)
  if (schema.anyOf !== undefined) return `one of ${schema.anyOf.map(expectation).join(', ')}`
  switch (schema.type) {
    case 'string':
      return stringExpectation(schema)
    case 'integer':
    case 'number':
      return `a number from ${schema.minimum} to ${schema.maximum}`
    case 'boolean':
      return 'true or false'
    case 'array':
      return 'a list of nodes'
    default:
      return 'a mapping'
  }
}

function stringExpectation(schema: Described): string {
  const least = schema.minLength === undefined ? 'a text' : 'a text that is not empty'
  return `${least}, at most ${schema.maxLength} characters (in YAML, quote a text that starts with {{)`
}
