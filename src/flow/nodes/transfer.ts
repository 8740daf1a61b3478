// Sends the caller elsewhere: its phone is asked to call somebody else.

import { Type } from 'typebox'

import { nodeType } from '../node-type.ts'
import { contextPathField, millisecondsField, store, textField } from './fields.ts'

/** `transfer {target, timeoutMs, into}`; hangs up when the target has answered, else goes on; `into` gets `{result, sipStatus}`. */
export const transfer = nodeType(
  'transfer',
  {
    target: textField({ minLength: 1 }),
    timeoutMs: millisecondsField({ minimum: 1, default: 60_000 }),
    into: Type.Optional(contextPathField()),
  },
  ({ target, timeoutMs, into }, loader) => {
    const targetOf = loader.text('target', target)
    return async (run) => {
      const outcome = await run.call.refer({ target: await targetOf(run), timeoutMs })
      run.log.info('flow transfer done', { node: loader.label, ...outcome })
      if (into !== undefined) store(run, loader.label, into, outcome)
      if (outcome.result !== 'transferred') return 'next'
      await run.call.hangup()
      return 'hung-up'
    }
  },
)
