// Chooses between two lists of nodes.

import { Type } from 'typebox'

import { nodeType } from '../node-type.ts'
import { textField } from './fields.ts'

/** `if {condition, then, else}`; a condition that fails is false. */
export const ifNode = nodeType(
  'if',
  {
    condition: textField({ minLength: 1 }),
    // biome-ignore lint/suspicious/noThenProperty: the field's name in a flow file; its value is never callable
    then: Type.Array(Type.Unknown()),
    else: Type.Array(Type.Unknown(), { default: [] }),
  },
  (parameters, loader) => {
    const condition = loader.condition('condition', parameters.condition)
    const yes = loader.nodes('then', parameters.then)
    const no = loader.nodes('else', parameters.else)
    return async (run) => ((await condition(run)) ? await yes(run) : await no(run))
  },
)
