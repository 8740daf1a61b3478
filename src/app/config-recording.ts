// Configuration of the recording client.

import { Type } from 'typebox'
import { policyForm } from '#recording-client'
import { integer, section, text } from './config-leaf.ts'
import { profiles } from './config-profiles.ts'

/** The recording client. */
export const recording = section('The recording client.', {
  recorders: Type.Array(text({ expects: 'a sip: or sips: URI', pattern: '^sips?:' }), {
    maxItems: 16,
    default: [],
    description: 'SIP URIs of the recorders that flows find as input.recorders.',
  }),
  answerDeadlineMs: integer('A start that no recorder accepts by then fails, in milliseconds.', 5000, 100, 20_000),
  lateAnswerMs: integer('Recorders may accept until this long after the start, in milliseconds.', 32_000, 1000, 64_000),
  firstResponseMs: integer(
    'Silence of a recorder after which its next address is tried, in milliseconds.',
    1500,
    100,
    20_000,
  ),
  policy: text({
    expects: policyForm,
    default: 'any',
    description: `Which recorders must take a recording, and what is done when they do not: ${policyForm}.`,
  }),
  unmetPrompt: Type.Optional(
    text({ description: 'WAV file that callers hear when a policy says announce, relative to the working directory.' }),
  ),
  replaySeconds: integer(
    'How much of what was said is kept for recorders that come late or take the place of a lost one; 0 keeps nothing.',
    0,
    0,
    30,
  ),
  profiles,
  captures: section('Evidence of recording sessions that failed: SIP, states and counters, without people and audio.', {
    keep: integer('Number of captures kept in memory for the API; 0 makes none.', 100, 0, 10_000),
    folder: Type.Optional(
      text({ description: 'Folder that captures are written to as well, relative to the working directory.' }),
    ),
  }),
})
