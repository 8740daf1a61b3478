// Calls a further party into the talk, and lets one go again.

import { Type } from 'typebox'

import { nodeType } from '../node-type.ts'
import { contextPathField, millisecondsField, store, textField } from './fields.ts'

/** `join {target, timeoutMs, into}`; goes on at the answer, `into` gets `{result, sipStatus, leg}`. */
export const join = nodeType(
  'join',
  {
    target: textField({ minLength: 1 }),
    timeoutMs: millisecondsField({ minimum: 1, default: 30_000 }),
    into: Type.Optional(contextPathField()),
  },
  ({ target, timeoutMs, into }, loader) => {
    const targetOf = loader.text('target', target)
    return async (run) => {
      const outcome = await run.call.join({ target: await targetOf(run), timeoutMs })
      run.log.info('flow join done', { node: loader.label, ...outcome })
      if (into !== undefined) store(run, loader.label, into, outcome)
      return 'next'
    }
  },
)

/** `leave {leg}`; `leg` is what `join` gave. */
export const leave = nodeType('leave', { leg: textField({ minLength: 1 }) }, ({ leg }, loader) => {
  const legOf = loader.text('leg', leg)
  return async (run) => {
    const isGone = run.call.leave(await legOf(run))
    run.log.info('flow leave done', { node: loader.label, isGone })
    return 'next'
  }
})
