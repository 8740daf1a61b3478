// Puts a value into the context.

import { Type } from 'typebox'

import { nodeType } from '../node-type.ts'
import { contextPathField, store } from './fields.ts'

/** `set {path, value}`; a text that is one expression keeps the type of its value, inside lists and mappings too. */
export const set = nodeType(
  'set',
  {
    path: contextPathField(),
    value: Type.Unknown({ description: 'a text, a number, true, false, null, a list or a mapping' }),
  },
  ({ path, value }, loader) => {
    const evaluate = loader.value('value', value)
    return async (run) => {
      store(run, loader.label, path, await evaluate(run))
      return 'next'
    }
  },
)
