// Configuration of the recording client.

import { Type } from 'typebox'
import { policyForm } from '#recording-client'
import { integer, role, section, text } from './config-leaf.ts'
import { sources } from './config-network.ts'
import { profiles } from './config-profiles.ts'

const recorder = text({ expects: 'a sip: or sips: URI', pattern: '^sips?:' })

const recorderApi = Type.Object(
  {
    url: text({
      pattern: '^https?://[^/?#@]+/?$',
      expects: 'an http or https URL without a path',
      description: 'Where the API of the recorder is; http: only on this machine, or without a token.',
    }),
    secretVariable: Type.Optional(
      text({ description: 'Name of the environment variable that holds a token with the scope recordings:read.' }),
    ),
    secretFile: Type.Optional(text({ description: 'File with such a token in its first line.' })),
  },
  { additionalProperties: false },
)

/** The recording client. */
export const recording = section('The recording client.', {
  recorders: Type.Array(recorder, {
    maxItems: 16,
    default: [],
    description: 'SIP URIs of the recorders that flows find as input.recorders.',
  }),
  failover: Type.Array(Type.Array(recorder, { minItems: 2, maxItems: 16 }), {
    maxItems: 100,
    default: [],
    description:
      'Lists of SIP URIs of recorders that stand in for each other: one that fails is followed by those after it, then by those before it.',
  }),
  health: section('OPTIONS to the recorders of recorders and failover; those that do not answer are tried last.', {
    intervalMs: integer(
      'From one request to a recorder to the next, in milliseconds; 0 sends none.',
      30_000,
      0,
      3_600_000,
    ),
    timeoutMs: integer('Silence that counts as a failure, in milliseconds.', 2000, 100, 30_000),
  }),
  answerDeadlineMs: integer('A start that no recorder accepts by then fails, in milliseconds.', 5000, 100, 20_000),
  lateAnswerMs: integer('Recorders may accept until this long after the start, in milliseconds.', 32_000, 1000, 64_000),
  firstResponseMs: integer(
    'Silence of a recorder after which its next address is tried, in milliseconds.',
    1500,
    100,
    20_000,
  ),
  recorderApis: Type.Array(recorderApi, {
    maxItems: 16,
    default: [],
    description:
      'HTTP APIs of recorders of this kind in other programs: what they find wrong with the sessions of this gateway is shown with its calls.',
  }),
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
  preStart: section(
    'What is said before a recording starts, kept in memory for it: personal data of calls that may never be recorded.',
    {
      seconds: integer(
        'How much of it the recording begins with; never from before a pause, a stop or an announcement; 0 keeps nothing.',
        0,
        0,
        10,
      ),
      withoutNotice: Type.Boolean({
        default: false,
        description: 'Calls are listened to that have heard no announcement.',
      }),
    },
  ),
  spool: role('Where recordings wait, encrypted, for which no recorder can be had; when left out they end.', {
    folder: text({ description: 'Folder of the spool, relative to the working directory; nobody else may use it.' }),
    keyFile: text({
      description:
        'File with the key, 64 hexadecimal digits; made at first use. Keep it on another disk than the folder.',
    }),
    maxBytes: integer('The spool takes nothing more when it holds so many bytes.', 10_737_418_240, 1_000_000, 2 ** 50),
    minFreeBytes: integer(
      'The spool takes nothing more when its disk has fewer bytes free.',
      1_073_741_824,
      0,
      2 ** 50,
    ),
    maxAgeHours: integer('Recordings that no recorder has taken for so long are removed, in hours.', 168, 1, 8760),
    deliverySpeed: integer(
      'Recordings are delivered so many times faster than they were made; 1 for recorders that play what they get.',
      8,
      1,
      16,
    ),
  }),
  invitations: Type.Array(
    Type.Object(
      {
        sources: sources('Addresses and networks that these recorders send from.'),
        unrecorded: Type.Enum(['refuse', 'start'], {
          default: 'refuse',
          description: 'When nobody records the call: refuse the recorder, or start a recording with it.',
        }),
        recorded: Type.Enum(['join', 'refuse'], {
          default: 'join',
          description: 'When the call is recorded: give it to this recorder too, or refuse it.',
        }),
      },
      { additionalProperties: false },
    ),
    {
      maxItems: 100,
      default: [],
      description:
        'Recorders that may ask for a call by an INVITE to record-ID at the gateway, ID being that of the call or the Call-ID of a leg; the first whose sources fit holds, all others are refused. They must be in destinations.record too.',
    },
  ),
  profiles,
  captures: section('Evidence of recording sessions that failed: SIP, states and counters, without people and audio.', {
    keep: integer('Number of captures kept in memory for the API; 0 makes none.', 100, 0, 10_000),
    folder: Type.Optional(
      text({ description: 'Folder that captures are written to as well, relative to the working directory.' }),
    ),
  }),
})
