// Where the program can be reached, in types.

import { type Static, Type } from 'typebox'

const closed = { additionalProperties: false }

const place = Type.Object(
  {
    listeners: Type.Array(
      Type.Object({ transport: Type.Enum(['udp', 'tcp', 'tls']), host: Type.String(), port: Type.Integer() }, closed),
    ),
    /** As others are told of it. */
    advertisedHost: Type.String(),
    /** First and last RTP port. */
    mediaPorts: Type.Array(Type.Integer(), { minItems: 2, maxItems: 2 }),
  },
  closed,
)

/** Addresses and ports of the roles that run. */
export const setUpView = Type.Object(
  {
    gateway: Type.Optional(place),
    recorder: Type.Optional(place),
    /** Of gateway.recording.recorders. */
    recorders: Type.Array(Type.String()),
  },
  closed,
)

/** See `setUpView`. */
export type SetUpView = Static<typeof setUpView>
