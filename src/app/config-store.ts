// Keys of the recorder's store that say what becomes of recordings.

import { Type } from 'typebox'
import { integer, role, section, text } from './config-leaf.ts'

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

/** `recorder.store.upload`. */
export const upload = role('Copies in object storage that speaks S3; recordings stay on this machine when left out.', {
  endpoint: text({
    pattern: '^https?://[^/]+/[^/]+',
    expects: 'an address with a bucket, such as https://s3.example.com/recordings',
    description: 'Address of the bucket, e.g. https://s3.example.com/recordings.',
  }),
  region: text({ default: 'auto', description: 'Region, as the server wants it in signatures.' }),
  accessKeyVariable: text({
    default: 'AWS_ACCESS_KEY_ID',
    description: 'Environment variable with the id of the access key.',
  }),
  secretKeyVariable: text({
    default: 'AWS_SECRET_ACCESS_KEY',
    description: 'Environment variable with the secret of the access key.',
  }),
  prefix: Type.String({
    default: '',
    maxLength: 256,
    description: 'Stands before the folder of a recording in the keys of its objects, e.g. `recorder-1/`.',
  }),
  partMebibytes: integer('Files above this go in parts of this size, in MiB.', 8, 5, 512),
  parallel: integer('Recordings that are uploaded at a time.', 2, 1, 16),
  megabitsPerSecond: Type.Optional(
    Type.Number({
      minimum: 0.1,
      maximum: 100_000,
      description: 'Bandwidth of all uploads together, in Mbit/s; no limit when left out.',
    }),
  ),
  keepLocalDays: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: 36_500,
      description:
        'Days that the audio is kept here once its copy is proved; then it is played from there. Kept as long as the recording when left out.',
    }),
  ),
})

/** `recorder.store.evidence`. */
export const evidence = role(
  'Proof that recordings are as they were published: hashed, chained and signed; none when left out. See docs/evidence.md.',
  {
    keyFile: text({
      description:
        'File with the private key, Ed25519 in PEM; made at first use, its public half beside it with .pub behind the name. Not in the folder of the recordings.',
    }),
  },
)

/** `recorder.store.encryption`. */
export const encryption = role(
  'Recordings encrypted on disk with AES-256-GCM, from the first byte on; as they are when left out. See docs/encryption.md.',
  {
    keyFile: text({
      description:
        'File with the keys, a line each: a name and 64 hexadecimal digits, the newest last; the first is made at first use. Not in the folder of the recordings, and not the key of the spool. Who loses it loses the recordings.',
    }),
  },
)
