// Writes a text of the flow's author to the log.

import { nodeType } from '../node-type.ts'
import { textField } from './fields.ts'

/** `log {message}` */
export const log = nodeType('log', { message: textField() }, (parameters, loader) => {
  const text = loader.text('message', parameters.message)
  return async (run) => {
    run.log.info('flow says', { node: loader.label, text: await text(run) })
    return 'next'
  }
})
