// Speaks a text to the caller.

import { Type } from 'typebox'

import { nodeType } from '../node-type.ts'
import { contextPathField, store, textField } from './fields.ts'

/** A voice or a language, as the speech service names it. */
export const voiceField = () =>
  Type.String({
    pattern: '^[A-Za-z0-9+_.-]{0,40}$',
    default: '',
    description: 'a name of letters, digits, +, _, . and -, at most 40 characters',
  })

/** `say {text, language, voice, into}`; `into` gets `{result}`. A text that cannot be spoken warns, and the flow goes on. */
export const say = nodeType(
  'say',
  {
    text: textField({ minLength: 1 }),
    language: voiceField(),
    voice: voiceField(),
    into: Type.Optional(contextPathField()),
  },
  ({ text, language, voice, into }, loader) => {
    const textOf = loader.text('text', text)
    return async (run) => {
      const result = await run.call.say({ text: await textOf(run), language, voice })
      // The text may name people: it is not for the log.
      if (result === 'failed') run.log.warn('flow could not speak', { node: loader.label })
      if (into !== undefined) store(run, loader.label, into, { result })
      return 'next'
    }
  },
)
