// Runs nodes again, a bounded number of times.

import { Type } from 'typebox'

import { nodeType } from '../node-type.ts'
import { textField } from './fields.ts'

/** `repeat {times, while, nodes}`; `while` is asked before each round, and a condition that fails is false. */
export const repeat = nodeType(
  'repeat',
  {
    times: Type.Integer({ minimum: 1, maximum: 100, description: 'a whole number from 1 to 100' }),
    while: Type.Optional(textField({ minLength: 1 })),
    nodes: Type.Array(Type.Unknown(), { minItems: 1 }),
  },
  (parameters, loader) => {
    const condition = parameters.while === undefined ? undefined : loader.condition('while', parameters.while)
    const body = loader.nodes('nodes', parameters.nodes, 'again')
    return async (run) => {
      for (let round = 0; round < parameters.times; round++) {
        if (condition !== undefined && !(await condition(run))) break
        const end = await body(run)
        if (end !== 'next') return end
      }
      return 'next'
    }
  },
)
