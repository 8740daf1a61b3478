// Every event that there is: when it comes and what it carries. The reference page is made from this table.

import { type Static, type TSchema, Type } from 'typebox'
import { ledgerRow, receipt } from '../call-recording-contract.ts'

type Fields = Readonly<Record<string, TSchema>>

interface EventKind<F extends Fields> {
  /** When it comes. */
  readonly about: string
  readonly data: Type.TObject<F>
}

function event<F extends Fields>(about: string, fields: F): EventKind<F> {
  return { about, data: Type.Object(fields, { additionalProperties: false }) }
}

function says(description: string) {
  return { description }
}

const party = {
  leg: Type.String(says('by which the party is let go')),
  role: Type.String(says('`caller`, `callee` or `automaton`')),
  aors: Type.Array(Type.String(), says('URIs of the party')),
}
const status = Type.Integer(says('SIP status; 408 stands for silence'))
const reason = Type.String(says('what happened'))
const move = {
  from: Type.String(says('URI of the recorder before')),
  to: Type.String(says('URI of the recorder now')),
}
const alarm = {
  alarm: Type.String(says('its code; docs/recorder-alarms.md lists them')),
  severity: Type.String(says('`error`: audio is missing or spoilt; `warning`: it may be')),
  channel: Type.Optional(Type.Integer()),
  label: Type.Optional(Type.String()),
  cause: Type.String(says('the likely cause')),
  fix: Type.String(says('what helps')),
}
const participants = Type.Array(
  Type.Object(
    { aor: Type.Optional(Type.String()), name: Type.Optional(Type.String()) },
    { additionalProperties: false },
  ),
  says('as the metadata names them'),
)
const delivery = Type.Object(
  { id: Type.String(), sipCallId: Type.Optional(Type.String()) },
  { additionalProperties: false, ...says('the recording session of the delivery') },
)

/** The events by type. */
export const eventVocabulary = {
  'call.started': event('A call came in.', {
    direction: Type.String(says('`inbound` or `outbound`')),
    from: Type.Optional(Type.String(says('URI of the caller'))),
    to: Type.String(says('URI that was dialled')),
  }),
  'call.answered': event('The caller was answered.', {}),
  'call.party-joined': event('A party joined.', party),
  'call.party-left': event('A party left.', party),
  'call.hold-changed': event('A party held or resumed.', {
    ...party,
    hold: Type.String(says('`none`, `sendonly` or `inactive`')),
  }),
  'call.flow-node': event('A call came to another node of its flow; told five times a second at most.', {
    flow: Type.String(says('name that the flow gives itself')),
    node: Type.String(says('place in the flow, such as `nodes[2].then[0]`')),
    type: Type.String(says('of the node')),
  }),
  'call.flow-ended': event('The flow of a call is over.', {
    flow: Type.String(says('name that the flow gives itself')),
    end: Type.String(says('`completed`, `call-ended` or `failed`')),
  }),
  'call.ended': event('A call is over.', {
    durationMs: Type.Number(says('since it came in')),
    reason: Type.Optional(Type.String(says('what the peer said (RFC 3326)'))),
  }),
  'recording.command': event('A recording command has been answered.', {
    by: Type.String(says('`flow`, `info`, `rest`, or `recorder` where a recorder asks for the call')),
    activity: Type.String(
      says('`start`, `stop`, `pause`, `resume`, `mask` or `unmask`; `unknown`: an action that there is not'),
    ),
    from: Type.Optional(Type.String(says('address of its sender, of one by INFO'))),
    status: Type.Integer(says('200, or that of the refusal')),
    text: Type.String(says('why')),
  }),
  'recording.started': event('The first recorder accepted.', {}),
  'recording.paused': event('Every copy is cut, with the proof.', {
    receipts: Type.Array(receipt),
    pausedUntil: Type.Optional(Type.String(says('when it ends by itself'))),
    next: Type.Optional(Type.String(says('what comes then: `resume` or `stop`'))),
  }),
  'recording.resumed': event('A recorder accepted the resumption.', {}),
  'recording.pause-expired': event('A pause ended by its deadline.', { next: Type.String(says('`resume` or `stop`')) }),
  'recording.resume-failed': event(
    'No recorder accepted the resumption at the deadline of a pause, or after a notice; it is tried again.',
    {
      text: Type.String(says('why')),
    },
  ),
  'recording.policy-met': event('The recorders are what the policy wants again.', {}),
  'recording.policy-unmet': event('The recorders are fewer than the policy wants.', {}),
  'recording.masked': event('Keys are left out of what recorders get, from now on.', {}),
  'recording.unmasked': event('Keys are recorded again.', {}),
  'recording.stopped': event('It was stopped, or its call ended.', {}),
  'recording.failed': event('No recorder took it.', {}),
  'recording.lost': event('Its last recorder was lost.', {}),
  'recording.closed': event('Nothing of it is left; what every recorder had of it.', { ledger: Type.Array(ledgerRow) }),
  'recorder.accepted': event('The recorder accepted.', {}),
  'recorder.paused': event('The recorder was told of a pause.', {}),
  'recorder.resumed': event('The recorder accepted a resumption.', {}),
  'recorder.closed': event('The recording session ended in good order.', {}),
  'recorder.failed': event('The recorder did not take the recording.', { status }),
  'recorder.signal-failed': event('The recorder refused a change; media is as wanted all the same.', { status }),
  'recorder.lost': event('A recording session broke off.', { reason }),
  'recorder.paused-by-recorder': event('The recorder asked for no media.', {}),
  'recorder.resumed-by-recorder': event('The recorder asked for media again.', {}),
  'recorder.mixed': event('The recorder takes no separate streams, and gets one with all voices instead.', {}),
  'recorder.streams-refused': event('The recorder refused streams.', { labels: Type.Array(Type.String()) }),
  'recorder.streams-missing': event('Alarm: there is no copy of these streams for the recorder; it is tried again.', {
    labels: Type.Array(Type.String(), says('of all that are missing now')),
    reason,
  }),
  'recorder.streams-restored': event('There are copies of all streams again, or what had none is over.', {}),
  'recorder.streams-inactive': event('The recorder wants no audio of these streams for now, while it takes others.', {
    labels: Type.Array(Type.String()),
  }),
  'recorder.streams-active': event('The recorder takes audio of all its streams again, or of none.', {}),
  'recorder.streams-taken': event('The recorder takes all streams again, or one of all voices in their place.', {}),
  'recorder.failed-over': event('Another recorder accepted instead.', {
    ...move,
    afterMs: Type.Number(says('since the start')),
  }),
  'recorder.re-homed': event('A recorder took the place of a lost one.', {
    ...move,
    gapMs: Type.Number(says('without a recorder')),
  }),
  'recorder.no-audio-confirmed': event('Alarm: nothing says that audio arrives.', {
    cause: Type.String(says('likely cause')),
  }),
  'recorder.audio-confirmed': event('The recorder says that audio arrives.', {}),
  'recorder.unsteady': event('The recorder takes sessions and leaves at once, again and again.', {}),
  'recorder.steady': event('A session with it has lasted again.', {}),
  'recorder.up': event('A recorder answers again.', {}),
  'recorder.down': event('A recorder does not answer.', {}),
  'flow.reloaded': event('The file of a flow changed: new calls take it.', { file: Type.String() }),
  'flow.rejected': event('The file of a flow changed and is invalid: the old flow stays.', {
    file: Type.String(),
    mistakes: Type.Array(Type.String(), says('each with line and column')),
  }),
  'spool.began': event('No recorder can be had: the recording is spooled.', {}),
  'spool.kept': event('A spooled recording waits for a recorder.', {}),
  'spool.refused': event('The spool did not take it.', { reason }),
  'spool.stopped': event('The spool takes no more of it.', { reason }),
  'spool.delivered': event('A recorder has the spooled recording.', { packets: Type.Integer(), session: delivery }),
  'spool.undelivered': event('No recorder took the spooled recording; it is kept.', {
    reason,
    session: Type.Optional(delivery),
  }),
  'spool.expired': event('A spooled recording was removed for its age.', {}),
  'session.started': event('Our recorder took a recording session.', { participants }),
  'session.restarted': event('Our recorder died, and goes on with the recording.', { participants }),
  'session.first-packet': event('The first packet of a stream came.', { channel: Type.Integer() }),
  'session.paused': event('The client paused every stream.', {}),
  'session.resumed': event('The client resumed.', {}),
  'session.paused-here': event('Our recorder keeps nothing of it, as it was told.', {
    until: Type.Optional(Type.String(says('when it ends by itself'))),
  }),
  'session.resumed-here': event('Our recorder keeps it again.', { by: Type.String(says('`command` or `deadline`')) }),
  'session.metadata': event('Metadata came.', { participants }),
  'session.alarm': event('Something is wrong with a recording under way.', alarm),
  'session.alarm-cleared': event('It has healed, or the stream is on hold, paused or gone.', alarm),
  'session.ended': event('The recording is published, or ended without audio.', {
    state: Type.String(says('`published` or `no-audio`')),
    cause: Type.Optional(Type.String(says('why there is no audio'))),
    durationMs: Type.Number(),
  }),
  'events.missed': event('Of a stream: events before this one are no longer kept. Ask for the state anew.', {
    after: Type.Integer(says('id of the last event that the client had')),
  }),
} as const satisfies Readonly<Record<string, EventKind<Fields>>>

/** The type of an event. */
export type EventType = keyof typeof eventVocabulary

/** What an event is about; fields that do not apply are absent. */
export interface EventSubject {
  readonly callId?: string
  /** A recording of a call, as the recording client names it. */
  readonly recording?: string
  /** A recording in our recorder's store. */
  readonly recordingId?: string
  /** URI of a recorder. */
  readonly recorder?: string
}

/** An event before it has its number. */
export type EventNews = EventSubject &
  { [T in EventType]: { readonly type: T; readonly data: Static<(typeof eventVocabulary)[T]['data']> } }[EventType]

/** An event as it is told. */
export const apiEvent = Type.Object(
  {
    id: Type.Integer(says('rises with every event, over restarts too')),
    time: Type.String(says('ISO 8601, UTC')),
    type: Type.String(),
    callId: Type.Optional(Type.String()),
    recording: Type.Optional(Type.String(says('a recording of a call'))),
    recordingId: Type.Optional(Type.String(says("a recording in our recorder's store"))),
    recorder: Type.Optional(Type.String(says('URI of a recorder'))),
    data: Type.Record(Type.String(), Type.Unknown(), says('by type')),
  },
  { additionalProperties: false },
)

/** See `apiEvent`. */
export type ApiEvent = Static<typeof apiEvent>
