// Keys of the recorder's store that say what becomes of recordings.

import { Type } from 'typebox'
import { integer, section, text } from './config-leaf.ts'

const rule = Type.Object(
  {
    name: text({ description: 'Name of the rule; stands in the reason of a deletion.' }),
    afterDays: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 36_500,
        description: 'Days from the end of a recording until it is deleted; kept for good when left out.',
      }),
    ),
    state: Type.Optional(
      Type.Enum(['published', 'no-audio'], {
        description: 'Recordings with audio (published) or without (no-audio); both when left out.',
      }),
    ),
    tag: Type.Optional(text({ description: 'Recordings with this tag.' })),
    party: Type.Optional(text({ description: "Recordings with this in a participant's name, AOR or number." })),
    custom: Type.Optional(
      Type.Record(Type.String(), Type.String(), {
        description: 'Recordings whose metadata carries these custom values, each whole.',
      }),
    ),
  },
  { additionalProperties: false },
)

/** `recorder.store.retention`. */
export const retention = section('How long recordings are kept; for good unless a rule says otherwise.', {
  everyMinutes: integer('How often due recordings are looked for, in minutes.', 60, 1, 10_080),
  rules: Type.Array(rule, {
    maxItems: 100,
    default: [],
    description:
      'Rules; the first that fits a recording decides. A recording under legal hold is kept, whatever they say.',
  }),
})
