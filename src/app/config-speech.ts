// Configuration of speech: how the texts of flows are spoken.

import { Type } from 'typebox'
import { integer, section, text } from './config-leaf.ts'

/** What speaks the texts of `say` and `consent`. */
export const speech = section('What speaks the texts of flows; espeak-ng of this machine unless a service is named.', {
  url: Type.Optional(
    text({
      pattern: '^https?://',
      expects: 'an http: or https: URL',
      description: 'A service that answers with WAV; {text}, {language} and {voice} in it are filled in.',
    }),
  ),
  body: Type.Optional(
    text({ description: 'Sent by POST, with {text}, {language} and {voice} filled in as in JSON; GET when left out.' }),
  ),
  contentType: text({ default: 'application/json', description: 'Of that body.' }),
  language: Type.String({ maxLength: 40, default: '', description: 'Where a flow names none.' }),
  voice: Type.String({ maxLength: 40, default: '', description: 'Where a flow names none.' }),
  timeoutMs: integer('A text that is not spoken by then is left out, in milliseconds.', 5_000, 100, 60_000),
})
