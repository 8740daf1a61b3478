// Waits; the end of the call ends the wait.

import { nodeType } from '../node-type.ts'
import { millisecondsField } from './fields.ts'

/** `wait {ms}` */
export const wait = nodeType('wait', { ms: millisecondsField() }, ({ ms }) => async (run) => {
  await run.call.wait(ms)
  return 'next'
})
