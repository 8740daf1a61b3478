// Chooses one of several lists of nodes by a value.

import { type Static, Type } from 'typebox'

import { nodeType } from '../node-type.ts'
import { textField } from './fields.ts'

const flowCase = Type.Object(
  {
    when: Type.Union([textField(), Type.Number(), Type.Boolean()], { description: 'a text, a number, true or false' }),
    nodes: Type.Array(Type.Unknown()),
  },
  { additionalProperties: false },
)

/** `switch {value, cases: [{when, nodes}], default}`; the first case whose text is that of the value. */
export const switchNode = nodeType(
  'switch',
  {
    value: textField({ minLength: 1 }),
    cases: Type.Array(flowCase, { minItems: 1, maxItems: 100, description: 'a list of {when, nodes}' }),
    default: Type.Array(Type.Unknown(), { default: [] }),
  },
  (parameters, loader) => {
    const value = loader.text('value', parameters.value)
    const cases = parameters.cases.map(({ when, nodes }: Static<typeof flowCase>, index) => ({
      when: loader.text(['cases', index, 'when'], String(when)),
      run: loader.nodes(['cases', index, 'nodes'], nodes, String(when)),
    }))
    const otherwise = loader.nodes('default', parameters.default)
    return async (run) => {
      const found = await value(run)
      for (const one of cases) if ((await one.when(run)) === found) return await one.run(run)
      return await otherwise(run)
    }
  },
)
