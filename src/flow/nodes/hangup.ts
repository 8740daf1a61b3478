// Ends the call and the flow.

import { Type } from 'typebox'

import { nodeType } from '../node-type.ts'
import { textField } from './fields.ts'

/** `hangup {reason}` */
export const hangup = nodeType('hangup', { reason: Type.Optional(textField()) }, ({ reason }, loader) => {
  const reasonOf = reason === undefined ? undefined : loader.text('reason', reason)
  return async (run) => {
    await run.call.hangup(await reasonOf?.(run))
    return 'hung-up'
  }
})
