// A recording as a vCon, the part of draft-ietf-vcon-vcon-core-04 that we write.

import { type Static, Type } from 'typebox'

const closed = { additionalProperties: false }
const text = Type.Optional(Type.String())
const index = Type.Integer({ minimum: 0 })
const time = Type.String({ pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z$' })
const base64url = '^[A-Za-z0-9_-]*$'

const party = Type.Object(
  { tel: text, sip: text, mailto: text, name: text, validation: text, uuid: text, type: text },
  closed,
)

const partyEvent = Type.Object({ party: index, time, event: Type.Enum(['join', 'drop', 'hold', 'unhold']) }, closed)

const dialogFields = {
  start: time,
  duration: Type.Number({ minimum: 0, description: 'seconds' }),
  party_history: Type.Optional(Type.Array(partyEvent)),
}

const recordingFields = {
  type: Type.Literal('recording'),
  ...dialogFields,
  /** One entry per channel; null where nobody is known to speak. */
  parties: Type.Array(Type.Union([index, Type.Array(index), Type.Null()])),
  originator: Type.Optional(index),
  mediatype: Type.String(),
  filename: Type.String(),
}

const referenced = Type.Object(
  { ...recordingFields, url: Type.String(), content_hash: Type.String({ pattern: '^sha512-[A-Za-z0-9_-]{86}$' }) },
  closed,
)

const inline = Type.Object(
  { ...recordingFields, body: Type.String({ pattern: base64url }), encoding: Type.Literal('base64url') },
  closed,
)

const incomplete = Type.Object(
  {
    type: Type.Literal('incomplete'),
    ...dialogFields,
    parties: Type.Array(index),
    originator: Type.Optional(index),
    disposition: Type.Enum(['failed']),
  },
  closed,
)

const attachmentFields = {
  purpose: Type.String(),
  start: time,
  party: index,
  dialog: index,
  mediatype: Type.String(),
  filename: Type.String(),
}

const attachment = Type.Union([
  Type.Object(
    { ...attachmentFields, body: Type.String({ pattern: base64url }), encoding: Type.Literal('base64url') },
    closed,
  ),
  Type.Object(
    { ...attachmentFields, body: Type.Record(Type.String(), Type.Unknown()), encoding: Type.Literal('json') },
    closed,
  ),
])

/** The whole vCon, unsigned. */
export const vconView = Type.Object(
  {
    /** The draft deprecates it; those who read vCons today look for it. */
    vcon: Type.Literal('0.4.0'),
    uuid: Type.String({ pattern: '^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$' }),
    created_at: time,
    parties: Type.Array(party),
    dialog: Type.Array(Type.Union([referenced, inline, incomplete])),
    attachments: Type.Array(attachment),
    analysis: Type.Array(Type.Never(), { maxItems: 0 }),
  },
  closed,
)

/** How audio goes into a vCon. */
export const vconQuery = Type.Object(
  {
    audio: Type.Enum(['url', 'inline'], {
      default: 'url',
      description: '`url`: a reference with its hash; `inline`: the audio itself, up to 32 MiB',
    }),
  },
  closed,
)

/** See `vconView`. */
export type VconView = Static<typeof vconView>
