// Calls a second party and bridges it to the caller.

import { Type } from 'typebox'

import { nodeType } from '../node-type.ts'
import { contextPathField, millisecondsField, store, textField } from './fields.ts'

/** `dial {target, timeoutMs, until, into}`; goes on at the answer or after the callee left, `into` gets `{result, sipStatus}`. */
export const dial = nodeType(
  'dial',
  {
    target: textField({ minLength: 1 }),
    timeoutMs: millisecondsField({ minimum: 1, default: 30_000 }),
    until: Type.Union([Type.Literal('end'), Type.Literal('answer')], { default: 'end' }),
    into: Type.Optional(contextPathField()),
  },
  ({ target, timeoutMs, until, into }, loader) => {
    const targetOf = loader.text('target', target)
    return async (run) => {
      const outcome = await run.call.dial({ target: await targetOf(run), timeoutMs, until })
      run.log.info('flow dial done', { node: loader.label, ...outcome })
      if (into !== undefined) store(run, loader.label, into, outcome)
      return 'next'
    }
  },
)
