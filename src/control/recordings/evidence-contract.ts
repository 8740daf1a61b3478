// What vouches for a recording, and what verifying it says, in types.

import { type Static, Type } from 'typebox'

const closed = { additionalProperties: false }
const says = (description: string) => ({ description })

const line = Type.Object(
  {
    day: Type.String(says('folder of the chain, `yyyy/mm/dd`')),
    number: Type.Integer(says('from 1 on, over all days')),
    at: Type.String(),
    text: Type.String(says('the signed line as it stands in `chain.jsonl`')),
  },
  closed,
)

/** What vouches for a recording: evidence.json, its signature, and its line of the chain. */
export const evidenceView = Type.Object(
  {
    recordingId: Type.String(),
    attestedAt: Type.String(),
    keyId: Type.String(says('first half of the SHA-256 of the public key (SPKI, DER)')),
    sha256: Type.String(says('of `evidence.json`; the line of the chain holds it')),
    signature: Type.Optional(Type.String(says('Ed25519, of the bytes of `evidence.json`, in base64'))),
    line: Type.Optional(line),
    files: Type.Array(Type.Object({ name: Type.String(), bytes: Type.Integer(), sha256: Type.String() }, closed)),
  },
  closed,
)

const finding = Type.Object(
  {
    code: Type.String(says('as `verify` of the command line says it, e.g. `file-changed`')),
    where: Type.String(says('file of the store, or line of a chain')),
    detail: Type.String(),
  },
  closed,
)

/** Whether a recording is as it was published. */
export const proofView = Type.Object(
  {
    recordingId: Type.String(),
    outcome: Type.Enum(['proved', 'altered', 'not-chained', 'unknown-key', 'unvouched', 'incomplete'], {
      description:
        '`proved`: all is as it was signed; `altered`: something is not; `not-chained`: as it was signed, but the chain does not have it; `unknown-key`: signed by a key that neither is nor was this recorder’s; `unvouched`: nothing vouches for it; `incomplete`: files are in object storage alone and were not looked at',
    }),
    text: Type.String(says('the outcome in words')),
    advice: Type.String(says('what to do')),
    verifiedAt: Type.String(),
    attestedAt: Type.Optional(Type.String()),
    keyId: Type.Optional(Type.String(says('key that signed'))),
    isFormerKey: Type.Optional(
      Type.Boolean(says('that key was followed by another, which the recorder signs with now')),
    ),
    trustedKeyIds: Type.Array(Type.String(), says('keys whose word counted, the present one first')),
    files: Type.Integer(says('that are vouched for')),
    findings: Type.Array(finding, says('about the recording')),
    line: Type.Optional(Type.Omit(line, ['text'])),
    day: Type.Optional(
      Type.Object(
        {
          name: Type.String(),
          lines: Type.Integer(),
          isIntact: Type.Boolean(says('no line of the day is changed, missing, put in or moved')),
          findings: Type.Array(finding, says('the first 100')),
        },
        closed,
      ),
    ),
    elsewhere: Type.Array(Type.String(), says('files in object storage that were not looked at')),
  },
  closed,
)

/** See `evidenceView`. */
export type EvidenceView = Static<typeof evidenceView>
/** See `proofView`. */
export type ProofView = Static<typeof proofView>
