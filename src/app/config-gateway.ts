// Configuration of the gateway role.

import { Type } from 'typebox'
import { awareness } from './config-awareness.ts'
import { digestKeys, integer, role, section, text } from './config-leaf.ts'
import { destinations, manyTls, mediaAddress, sip, sources, srtpKeys } from './config-network.ts'
import { accounts, trunks } from './config-quotas.ts'
import { recording } from './config-recording.ts'
import { speech } from './config-speech.ts'

const route = Type.Object(
  {
    match: text({
      description: 'User part that is dialled, or re: and a regular expression that all of it must match.',
      expects: 'a user part, or re: and a regular expression',
    }),
    flow: Type.Optional(
      text({ description: 'File of the flow that takes the call, relative to the working directory.' }),
    ),
    input: Type.Optional(
      Type.Record(Type.String(), Type.String({ maxLength: 1024 }), {
        description: 'Texts for the flow, which finds them as input.NAME.',
      }),
    ),
    callee: Type.Optional(
      text({
        description: 'SIP URI that the call is connected to; {user} stands for the user part dialled.',
        expects: 'a sip: or sips: URI',
        pattern: '^sips?:',
      }),
    ),
    ringTimeoutMs: Type.Optional(
      Type.Integer({
        minimum: 1000,
        maximum: 600_000,
        description: 'How long the callee may ring, in milliseconds; 60000 when left out.',
      }),
    ),
  },
  { additionalProperties: false },
)

/** The gateway role. */
export const gateway = role('The gateway: calls, call flows and the recording client; off when left out.', {
  sip: sip(5060, manyTls),
  media: section('RTP of calls and of their copies.', {
    ...mediaAddress(20_000, 29_999),
    srtp: section('SRTP of calls, with keys in SDP (RFC 4568); that of recordings stands in the recorder profiles.', {
      ...srtpKeys('Suites that callers may use and callees are offered, best first; an empty list is plain RTP only.'),
      callees: Type.Enum(['plain', 'as-caller', 'always'], {
        default: 'as-caller',
        description:
          'Who is called with SRTP: nobody; those whose caller uses it, if keys may be sent to them; everybody, and who may not get keys is not called.',
        expects: 'plain, as-caller or always',
      }),
    }),
    workers: integer('Number of threads that carry RTP.', 1, 1, 64),
    silentAfterMs: integer(
      'A party that sends no media for so long though it should, the call being answered and the party holding nobody, is taken for gone, in milliseconds.',
      60_000,
      1000,
      3_600_000,
    ),
  }),
  sources: sources(
    'Who may send SIP; empty means anybody, which is accepted only while every listener has a loopback or private address.',
  ),
  routes: Type.Array(route, {
    maxItems: 10_000,
    default: [],
    description: 'Where calls go: the first rule that matches; each has either flow or callee.',
  }),
  destinations: section('Where calls and recordings may go; nowhere unless listed.', {
    dial: destinations('Hosts that calls may be connected to.'),
    record: destinations('Hosts that recordings may be sent to.'),
    http: destinations('Hosts that flows may send HTTP requests to.'),
  }),
  trustedIdentities: destinations(
    'Hosts whose P-Asserted-Identity is believed, and to whom it is passed on (RFC 3325); nobody unless listed.',
  ),
  credentials: Type.Array(
    Type.Object(
      { hosts: destinations('Hosts whose challenges are answered, as in destinations.'), ...digestKeys },
      { additionalProperties: false },
    ),
    {
      maxItems: 100,
      default: [],
      description:
        'Digest credentials for callees and trunks that challenge the INVITE of a call; the first entry with the host of the called URI counts.',
    },
  ),
  transfer: section('Transfers that parties ask for by REFER.', {
    mode: Type.Enum(['execute', 'pass', 'refuse'], {
      default: 'execute',
      description:
        'execute: the gateway calls the target in the place of the party that asks; pass: the other party is asked to call it; refuse: 603.',
    }),
    session: Type.Enum(['same', 'new'], {
      default: 'same',
      description: 'Metadata tells of the same session after a transfer, or of a new one in the same group.',
    }),
  }),
  info: section('Recording control by SIP INFO.', {
    trustedPeers: sources('Addresses that may control recordings by INFO.'),
    recorderGroups: Type.Record(Type.String(), text({ expects: 'a list as in callRecordingServer' }), {
      default: {},
      description:
        'Lists of recorders by name, written as in callRecordingServer: what recording-ip-group of an X-AC-Action may name.',
    }),
  }),
  limits: section('Limits that keep the machine usable.', {
    activeCalls: integer('Calls at a time; more are answered 503. Recordings do not count.', 100, 1, 100_000),
    accounts,
    trunks,
  }),
  awareness,
  recording,
  speech,
})
