// The HTTP API in types: each schema is the validation, the serialisation and the type at once. Times are ISO 8601, UTC.

import { type Static, Type } from 'typebox'
import { callRecordingView, receipt } from './call-recording-contract.ts'

const closed = { additionalProperties: false }

/** Body of every answer that is not a success. */
const errorBody = Type.Object(
  {
    /** Stable, documented. */
    code: Type.String(),
    message: Type.String(),
    /** The message, as clients of jambonz read it. */
    msg: Type.Optional(Type.String()),
    /** Of a request that does not fit its schema: each path, and what was expected there. */
    details: Type.Optional(Type.Unknown()),
  },
  { ...closed, description: 'It did not work; `code` is stable.' },
)

/** Response schemas that every route has. */
export const errors = { '4xx': errorBody, '5xx': errorBody }

/** Someone who takes or took part in a call. */
const partyView = Type.Object(
  {
    /** By which a further party is let go. */
    leg: Type.String(),
    role: Type.String(),
    aors: Type.Array(Type.String()),
    displayName: Type.Optional(Type.String()),
    joinedAt: Type.String(),
    leftAt: Type.Optional(Type.String()),
    hold: Type.String(),
  },
  closed,
)

/** The node of a flow at which a call is. */
const flowPlace = Type.Object(
  {
    title: Type.String({ description: 'name that the flow gives itself' }),
    name: Type.Optional(Type.String({ description: 'under /api/flows; absent for the flow of a test call' })),
    node: Type.String({ description: 'place in the flow, such as `nodes[2].then[0]`' }),
    type: Type.String({ description: 'of the node' }),
    since: Type.String(),
  },
  closed,
)

/** A recording command, and what came of it. */
export const recordingCommandReport = Type.Object(
  {
    at: Type.String(),
    activity: Type.String({ description: '`start`, `stop`, `pause`, `resume`, `mask`, `unmask`, or `unknown`' }),
    by: Type.String({ description: '`flow`, `info`, `rest`, or `recorder`' }),
    from: Type.Optional(Type.String({ description: 'address of the sender, of one by INFO' })),
    status: Type.Integer(),
    text: Type.String(),
  },
  closed,
)

/** A call, under way or over. */
export const callView = Type.Object(
  {
    callId: Type.String(),
    direction: Type.String(),
    state: Type.String(),
    startedAt: Type.String(),
    answeredAt: Type.Optional(Type.String()),
    parties: Type.Array(partyView),
    /** As long as a flow runs on it. */
    flow: Type.Optional(flowPlace),
    recording: Type.Optional(callRecordingView),
    /** The latest command that was refused, until one is carried out. */
    refusal: Type.Optional(recordingCommandReport),
  },
  closed,
)

/** The calls under way. */
export const callList = Type.Object({ total: Type.Integer(), items: Type.Array(callView) }, closed)

/** What may be done to the recording of a call. */
export const recordingActivities = ['start', 'stop', 'pause', 'resume', 'mask', 'unmask'] as const

/** Body of a recording command; the fields are the parameters of the Call Recording node. */
export const recordingCommandBody = Type.Object(
  {
    activity: Type.Enum([...recordingActivities]),
    callRecordingServer: Type.String({ maxLength: 4_096, default: '' }),
    callRecordingId: Type.String({ maxLength: 256, default: '' }),
    /** Of a start: success policy as in the configuration. */
    policy: Type.Optional(Type.String({ maxLength: 4_096 })),
    /** Of a start: digits are left out of what recorders get. */
    maskDtmf: Type.Optional(Type.Boolean()),
    /** Of a pause, resume or stop: one recorder only. */
    recorder: Type.Optional(
      Type.String({ maxLength: 1_024, description: 'URI of one recorder to pause, resume or stop; the others go on' }),
    ),
    /** Of a pause: it ends by itself. */
    limit: Type.Optional(
      Type.Object(
        {
          maxSeconds: Type.Integer({ minimum: 1, maximum: 86_400 }),
          next: Type.Enum(['resume', 'stop'], { default: 'resume' }),
        },
        closed,
      ),
    ),
  },
  closed,
)

/** Outcome of a recording command; `results` by recorder URI. */
export const recordingResult = Type.Object(
  {
    status: Type.Integer(),
    text: Type.String(),
    results: Type.Record(Type.String(), Type.String()),
    policy: Type.Optional(Type.String()),
    receipts: Type.Optional(
      Type.Array(receipt, { description: 'proof of a pause, one for each stream to each recorder' }),
    ),
  },
  closed,
)

/** Body of a request to call a further party into a call. */
export const joinBody = Type.Object(
  {
    target: Type.String({ minLength: 1, maxLength: 1_024 }),
    timeoutMs: Type.Integer({ minimum: 1_000, maximum: 600_000, default: 30_000 }),
  },
  closed,
)

/** The party that joined. */
export const joinResult = Type.Object({ leg: Type.String() }, closed)

/** Nothing more to say. */
export const noContent = Type.Null()

/** Parameters of a party's path. */
export const partyParams = Type.Object(
  { callId: Type.String({ minLength: 1, maxLength: 128 }), leg: Type.String({ minLength: 1, maxLength: 64 }) },
  closed,
)

/** A recorder and how it is. */
const recorderView = Type.Object(
  {
    uri: Type.String(),
    profile: Type.String(),
    /** unknown, up or down. */
    state: Type.String(),
    since: Type.Optional(Type.String()),
    /** The recorder asked to be left alone until then. */
    skippedUntil: Type.Optional(Type.String()),
    /** What the latest attempt or probe came to. */
    latest: Type.Optional(Type.Object({ status: Type.Integer(), cause: Type.String(), at: Type.String() }, closed)),
  },
  closed,
)

/** The recorders of the configuration, and those that calls have named. */
export const recorderList = Type.Object({ total: Type.Integer(), items: Type.Array(recorderView) }, closed)

/** A recording that waits for a recorder. */
const spooledRecording = Type.Object(
  {
    id: Type.String(),
    /** waiting, delivering or unreadable. */
    state: Type.String(),
    callId: Type.Optional(Type.String()),
    recording: Type.Optional(Type.String()),
    since: Type.String({ description: 'When what it holds began; when it was written last if it cannot be read.' }),
    bytes: Type.Integer(),
    attempts: Type.Integer({ description: 'At recorders, since the start of the process.' }),
    lastError: Type.Optional(Type.String()),
    nextTryAt: Type.Optional(Type.String()),
  },
  closed,
)

/** What waits in the spool, oldest first. */
export const spooledList = Type.Object({ total: Type.Integer(), items: Type.Array(spooledRecording) }, closed)
export type SpooledRecording = Static<typeof spooledRecording>

/** Evidence of recording sessions that failed, newest first. */
export const captureList = Type.Object(
  {
    total: Type.Integer(),
    items: Type.Array(
      Type.Object(
        {
          id: Type.String(),
          beganAt: Type.String(),
          callId: Type.String(),
          recording: Type.String(),
          recorder: Type.String(),
          failure: Type.String(),
        },
        closed,
      ),
    ),
  },
  closed,
)

/** One capture as it is written to disk. */
export const captureBundle = Type.Record(Type.String(), Type.Unknown())

/** Path parameter of one capture. */
export const captureParams = Type.Object({ captureId: Type.String({ pattern: '^[0-9a-f]{1,64}$' }) }, closed)

/** Path parameter of one call. */
export const callParams = Type.Object({ callId: Type.String({ minLength: 1, maxLength: 128 }) }, closed)

/** Whether the process is able to take calls. */
export const readiness = Type.Object(
  { ready: Type.Boolean(), checks: Type.Record(Type.String(), Type.Boolean()) },
  closed,
)

/** See `errorBody`. */
export type ErrorBody = Static<typeof errorBody>
/** See `callView`. */
export type CallView = Static<typeof callView>
/** See `recorderList`. */
export type RecorderView = Static<typeof recorderView>
/** See `readiness`. */
export type Readiness = Static<typeof readiness>
