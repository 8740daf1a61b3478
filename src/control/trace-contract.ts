// Traces of calls in the HTTP API: messages, states, events and media counters, in order. Times are ISO 8601, UTC.

import { type Static, Type } from 'typebox'
import { callView } from './contract.ts'

const closed = { additionalProperties: false }

const tracedMessage = Type.Object(
  {
    type: Type.Literal('sip'),
    at: Type.String(),
    /** SIP Call-ID: one of the dialogs. */
    dialog: Type.String(),
    direction: Type.Enum(['sent', 'received']),
    transport: Type.String(),
    local: Type.String(),
    remote: Type.String(),
    /** Redacted: people have stand-ins, keys and free text are left out. */
    text: Type.String(),
  },
  closed,
)

const tracedState = Type.Object(
  {
    type: Type.Literal('state'),
    at: Type.String(),
    /** call, leg, dialog or recording-session. */
    machine: Type.String(),
    id: Type.String(),
    from: Type.String(),
    to: Type.String(),
  },
  closed,
)

const tracedEvent = Type.Object(
  {
    type: Type.Literal('event'),
    at: Type.String(),
    /** As in the vocabulary of events. */
    event: Type.String(),
    recorder: Type.Optional(Type.String()),
    /** Of a command: by whom, and what became of it. */
    text: Type.Optional(Type.String()),
  },
  closed,
)

const tracedDialog = Type.Object(
  {
    sipCallId: Type.String(),
    kind: Type.Enum(['caller', 'callee', 'recorder', 'other']),
    /** Address of the other side. */
    remote: Type.String(),
    recorder: Type.Optional(Type.String()),
  },
  closed,
)

const speakerCounters = Type.Object(
  {
    leg: Type.String(),
    packets: Type.Integer({ description: 'received from the party so far' }),
    lost: Type.Integer({ description: 'that never came, by their sequence numbers' }),
  },
  closed,
)

/** Counters of what the parties of a call send, at one moment. */
export const mediaSample = Type.Object({ at: Type.String(), speakers: Type.Array(speakerCounters) }, closed)

/** What is known of a traced call without its messages. */
const traceSummary = Type.Object(
  {
    callId: Type.String(),
    startedAt: Type.String(),
    endedAt: Type.Optional(Type.String()),
    from: Type.Optional(Type.String()),
    to: Type.String(),
  },
  closed,
)

/** The traced calls, newest first. */
export const traceList = Type.Object({ total: Type.Integer(), items: Type.Array(traceSummary) }, closed)

/** The trace of one call. */
export const traceView = Type.Object(
  {
    call: callView,
    endedAt: Type.Optional(Type.String()),
    /** Until when an ended call is kept, if there is room. */
    keptUntil: Type.Optional(Type.String()),
    dialogs: Type.Array(tracedDialog),
    entries: Type.Array(Type.Union([tracedMessage, tracedState, tracedEvent])),
    media: Type.Array(mediaSample),
    leftOut: Type.Integer({ description: 'messages and states left out since there were too many' }),
  },
  closed,
)

/** See `traceView`. */
export type TraceView = Static<typeof traceView>
/** See `traceList`. */
export type TraceSummary = Static<typeof traceSummary>
/** See `mediaSample`. */
export type MediaSample = Static<typeof mediaSample>
