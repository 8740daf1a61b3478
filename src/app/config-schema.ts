// The configuration as one schema: types, defaults, limits, and the sentence that the reference page shows for each key.

import { Type } from 'typebox'
import { keptKinds } from '#recording-server'
import { admissionKeys } from './config-admission.ts'
import { clientKeys } from './config-clients.ts'
import { durabilityKeys, inactiveAlarmMinutes, maxSessions } from './config-durability.ts'
import { gateway } from './config-gateway.ts'
import { http } from './config-http.ts'
import { role, section, text } from './config-leaf.ts'
import { mediaAddress, roleTls, sip, sources, srtpKeys } from './config-network.ts'
import { encryption, evidence, retention, upload } from './config-store.ts'

const recorder = role('The recorder (SRS): takes recording sessions and stores them; off when left out.', {
  sip: sip(5080, roleTls),
  media: section('RTP from recording clients.', {
    ...mediaAddress(10_000, 19_999),
    kinds: Type.Array(Type.Enum([...keptKinds]), {
      minItems: 1,
      maxItems: 3,
      default: [...keptKinds],
      description:
        'What is recorded: audio, video, text. Media lines of other kinds are refused with port 0; video and text are kept as they came, packet by packet.',
      expects: 'audio, video or text',
    }),
    srtp: section(
      'SRTP from recording clients, with keys in SDP (RFC 4568).',
      srtpKeys('Suites that clients may use; an empty list is plain RTP only.'),
    ),
  }),
  sources: sources(
    'Who may send recordings; empty means anybody, which is accepted without entries of admit only while every listener has a loopback or private address.',
  ),
  ...admissionKeys,
  maxSessions,
  inactiveAlarmMinutes,
  ...clientKeys,
  store: section('Recordings on disk.', {
    name: text({
      default: 'recorder',
      description: 'Name of this store in the catalogue; each recorder that shares a database needs its own.',
    }),
    database: Type.Optional(
      text({
        pattern: '^(memory$|postgres(ql)?://)',
        expects: 'postgres://user@host/database or memory',
        description:
          'PostgreSQL database of the catalogue; embedded SQLite in the folder when left out. `memory`: nothing of it is on disk, and each start makes it anew from the folders; see docs/encryption.md. The variable DATABASE_URL goes before it.',
      }),
    ),
    folder: text({
      default: './recordings',
      description: 'Folder of the recordings, relative to the working directory.',
    }),
    archive: Type.Enum(['none', 'flac', 'opus'], {
      default: 'none',
      description:
        'A smaller copy beside recording.wav: flac loses nothing and takes up to eight streams, opus takes two; recordings that do not fit have none.',
      expects: 'none, flac or opus',
    }),
    keepDigits: Type.Boolean({
      default: false,
      description: 'Keep the digits that were dialled, not only when they were dialled.',
    }),
    keepDocuments: Type.Boolean({
      default: true,
      description:
        'Keep each metadata document as it came; without, what they say together is kept, and no document can be had or searched for its words.',
    }),
    retention,
    upload,
    evidence,
    encryption,
    ...durabilityKeys,
  }),
})

/** Schema of the whole file. */
export const configSchema = Type.Object(
  {
    log: section('The log, one JSON object per line on standard output.', {
      level: Type.Enum(['debug', 'info', 'warn', 'error', 'silent'], {
        default: 'info',
        description: 'Least severity that is logged: debug, info, warn, error or silent.',
      }),
    }),
    http,
    dns: section('Name resolution.', {
      servers: Type.Array(text({ expects: 'address or address:port' }), {
        maxItems: 8,
        default: [],
        description: "Name servers as address or address:port; the system's own when empty.",
      }),
    }),
    gateway,
    recorder,
  },
  { additionalProperties: false },
)

/** The configuration with every default filled in. */
export type Config = Readonly<Type.Static<typeof configSchema>>
/** Settings of the SIP signalling of one role. */
export type SipConfig = GatewayConfig['sip'] | RecorderConfig['sip']
/** Certificates and keys, as files. */
export type TlsFiles = Omit<NonNullable<RecorderConfig['sip']['tls']>, 'verifyClient'>
/** Settings of the HTTP API. */
export type HttpConfig = NonNullable<Config['http']>
/** Settings of the gateway role. */
export type GatewayConfig = NonNullable<Config['gateway']>
/** A recorder profile as it is written. */
export type ProfileConfig = GatewayConfig['recording']['profiles'][number]
/** Who may send recordings by what it proves. */
export type AdmissionConfig = Pick<RecorderConfig, 'sources' | 'admit' | 'digest'>
/** Settings of the recorder role. */
export type RecorderConfig = NonNullable<Config['recorder']>
