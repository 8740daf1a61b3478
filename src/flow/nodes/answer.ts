// Answers the call; a call that is answered already goes on.

import { nodeType } from '../node-type.ts'

/** `answer` */
export const answer = nodeType('answer', {}, (_parameters, { label }) => async (run) => {
  if (!(await run.call.answer())) run.log.warn('flow could not answer the call', { node: label })
  return 'next'
})
