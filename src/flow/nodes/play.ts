// Plays a WAV file to the caller.

import { nodeType } from '../node-type.ts'
import { textField } from './fields.ts'

/** `play {file}`; a file that cannot be played warns, and the flow goes on. */
export const play = nodeType('play', { file: textField({ minLength: 1 }) }, (parameters, loader) => {
  const file = loader.text('file', parameters.file)
  return async (run) => {
    const path = await file(run)
    const end = await run.call.play(path)
    if (end === 'failed') run.log.warn('flow could not play the file', { node: loader.label, file: path })
    return 'next'
  }
})
