// Puts a value into the context.

import { Type } from 'typebox'

import { nodeType } from '../node-type.ts'
import { contextPathField, store, textField } from './fields.ts'

/** `set {path, value}`; a text that is one expression keeps the type of its value. */
export const set = nodeType(
  'set',
  {
    path: contextPathField(),
    value: Type.Union([textField(), Type.Number(), Type.Boolean(), Type.Null()], {
      description: 'a text, a number, true, false or null',
    }),
  },
  ({ path, value }, loader) => {
    const evaluate = typeof value === 'string' ? loader.value('value', value) : () => value
    return async (run) => {
      store(run, loader.label, path, evaluate(run))
      return 'next'
    }
  },
)
