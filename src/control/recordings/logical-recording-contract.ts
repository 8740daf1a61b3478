// What several recording sessions have of one communication session, in types: takes of one logical recording.

import { type Static, Type } from 'typebox'
import { participant } from './recording-contract.ts'

const closed = { additionalProperties: false }
const says = (description: string) => ({ description })

const span = { fromMs: Type.Number(), toMs: Type.Number() }

const take = Type.Object(
  {
    number: Type.Integer(says('from 1, by their beginning')),
    recordingId: Type.String(),
    state: Type.String(says('`receiving`, `published` or `no-audio`')),
    cause: Type.Optional(Type.String(says('why there is no audio'))),
    isDeleted: Type.Boolean(),
    isRecovered: Type.Boolean(says('the recorder died meanwhile')),
    hasAudio: Type.Boolean(says('false: nothing can be played')),
    store: Type.Optional(Type.String(says('name of the recorder, where several share a database'))),
    startedAt: Type.String(),
    endedAt: Type.Optional(Type.String(says('absent while it is received'))),
    ...span,
    lane: Type.Integer(says('takes of the same time have different ones, from 0')),
    source: Type.Optional(Type.String(says('address of the client; absent where another recorder keeps it'))),
    ended: Type.Optional(Type.String(says('why the recording session ended'))),
    participants: Type.Array(participant),
  },
  closed,
)

/** All that was recorded of one communication session; `…Ms` counts from the start of the first take. */
export const logicalRecordingView = Type.Object(
  {
    sessionId: Type.String(),
    groupIds: Type.Array(Type.String()),
    startedAt: Type.String(),
    endedAt: Type.Optional(Type.String(says('absent while a take is received'))),
    durationMs: Type.Number(says('from the first take to the end of the last')),
    coveredMs: Type.Number(says('of which there is a recording; with the gaps the duration')),
    isWhole: Type.Boolean(says('false: only the newest 200 takes are here')),
    participants: Type.Array(participant, says('of all takes')),
    takes: Type.Array(take),
    overlaps: Type.Array(
      Type.Object({ ...span, takes: Type.Array(Type.Integer(), says('the numbers of both')) }, closed),
      says('times of which two takes tell: parallel copies'),
    ),
    gaps: Type.Array(
      Type.Object(
        {
          ...span,
          cause: Type.String(
            says(
              '`failover`, `recorder-restart`, `recorder-ended`, `session-lost`, `client-ended`, `no-audio`, `deleted` or `unknown`',
            ),
          ),
          after: Type.Optional(Type.Integer(says('number of the take that ended before it'))),
        },
        closed,
      ),
      says('times of which there is no recording; what is missing within a take is in its ledger'),
    ),
  },
  closed,
)

/** The communication sessions of a group, oldest first. */
export const sessionGroupView = Type.Object(
  {
    groupId: Type.String(),
    isWhole: Type.Boolean(says('false: only those of the newest 200 takes are here')),
    total: Type.Integer(),
    items: Type.Array(logicalRecordingView),
  },
  closed,
)

const id = Type.String({ minLength: 1, maxLength: 256 })

/** Path parameter of a communication session. */
export const sessionParams = Type.Object({ sessionId: id }, closed)

/** Path parameter of a group. */
export const groupParams = Type.Object({ groupId: id }, closed)

/** See `logicalRecordingView`. */
export type LogicalRecordingView = Static<typeof logicalRecordingView>
/** See `sessionGroupView`. */
export type SessionGroupView = Static<typeof sessionGroupView>
