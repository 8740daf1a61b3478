// Configuration of recording awareness: how the parties of a call learn that it is recorded.

import { Type } from 'typebox'
import { integer, section, text } from './config-leaf.ts'

const toneRule = Type.Object(
  {
    match: text({
      expects: 'the beginning of a number such as +49, or a domain such as .example.com',
      description: 'Parties it is for: the beginning of their number, such as +49, or a domain such as .example.com.',
    }),
    exempt: Type.Optional(text({ description: 'Why these parties hear no tone.' })),
    announcement: Type.Optional(text({ description: 'Prompt that these parties hear instead of a tone.' })),
    frequencyHz: Type.Optional(Type.Integer({ minimum: 200, maximum: 3400, description: 'Frequency of the tone.' })),
    onMs: Type.Optional(Type.Integer({ minimum: 20, maximum: 5000, description: 'Length of one tone.' })),
    everyMs: Type.Optional(
      Type.Integer({ minimum: 1000, maximum: 600_000, description: 'From the beginning of one tone to the next.' }),
    ),
    levelDbm0: Type.Optional(Type.Integer({ minimum: -50, maximum: -6, description: 'Level of the tone in dBm0.' })),
  },
  { additionalProperties: false },
)

/** How the parties of a call learn that it is recorded. */
export const awareness = section('How the parties of a call learn that it is recorded (RFC 7866 section 6.1.2).', {
  tone: section('The tone for a party whose phone does not show the state of recording by itself.', {
    frequencyHz: integer('Frequency of the tone.', 1400, 200, 3400),
    onMs: integer('Length of one tone, in milliseconds.', 200, 20, 5000),
    everyMs: integer('From the beginning of one tone to the next, in milliseconds.', 15_000, 1000, 600_000),
    levelDbm0: integer('Level of the tone in dBm0.', -24, -50, -6),
  }),
  rules: Type.Array(toneRule, {
    maxItems: 1000,
    default: [],
    description: 'Other tones, an announcement or nothing for some parties; the first rule that matches counts.',
  }),
  announcement: Type.Optional(
    text({
      description:
        'Prompt that a party who talks to another hears once in each recording, instead of a tone; the tone sounds where it cannot be played.',
    }),
  ),
  exempt: Type.Optional(
    text({ description: 'Why no party need hear a tone, as when a contract tells them; each exemption is logged.' }),
  ),
  preferences: Type.Enum(['honour', 'ignore'], {
    default: 'honour',
    description: 'What becomes of a party that asks not to be recorded, or to pause, by a=recordpref.',
  }),
  notice: Type.Optional(
    text({
      description: 'Prompt that the caller hears before anything is recorded, unless a flow has played one before.',
    }),
  ),
})
