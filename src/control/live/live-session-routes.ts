// /api/recorder/sessions: the recording sessions that the recorder receives now, how each stream is, and its sound.

import { type Static, Type } from 'typebox'
import type { Clock } from '#kernel'

import { standingAlarm } from '../call-recording-contract.ts'
import { type HttpApp, listed } from '../http-app.ts'
import { found } from '../http-error.ts'
import { operation } from '../operation.ts'
import { recordingParams } from '../recordings/recording-contract.ts'
import { keepPulse } from '../socket-pulse.ts'
import { type Hearer, listenQuery, sendSound, upgradeRequired } from './listen-socket.ts'

const closed = { additionalProperties: false }

/** Loudness in dB below full scale. */
export const levelView = Type.Object(
  { rmsDbfs: Type.Number({ description: 'over 200 ms; -100: digital silence' }), peakDbfs: Type.Number() },
  closed,
)
const streamView = Type.Object(
  {
    channel: Type.Integer(),
    kind: Type.String({ description: '`audio`, `video` or `text`' }),
    label: Type.Optional(Type.String()),
    speakers: Type.Array(Type.String(), { description: 'as far as they are known' }),
    state: Type.String({ description: '`due`: packets should come; `quiet`: on hold, inactive or paused; `removed`' }),
    port: Type.Integer({ description: 'where the client sends RTP' }),
    encodings: Type.Array(Type.String()),
    packets: Type.Integer(),
    packetsPerSecond: Type.Integer({ description: 'over two seconds' }),
    lost: Type.Integer(),
    /** Not RTP, not authentic, or of a payload type that was not negotiated. */
    refused: Type.Integer(),
    wrongSource: Type.Integer(),
    lastPacketAgoMs: Type.Optional(Type.Integer()),
    level: Type.Optional(levelView),
  },
  closed,
)
const herePauseView = Type.Object(
  {
    since: Type.String(),
    until: Type.Optional(Type.String({ description: 'when it ends by itself' })),
    /** The client was asked to send nothing. */
    isSignalled: Type.Boolean(),
  },
  { ...closed, description: 'the recorder itself keeps nothing' },
)
const sessionView = Type.Object(
  {
    recordingId: Type.String(),
    startedAt: Type.String(),
    isPaused: Type.Boolean({ description: 'every stream, by the client' }),
    pausedHere: Type.Optional(herePauseView),
    callId: Type.String({ description: 'SIP Call-ID of the recording session' }),
    source: Type.String({ description: 'address of the client' }),
    participants: Type.Array(
      Type.Object({ aor: Type.Optional(Type.String()), name: Type.Optional(Type.String()) }, closed),
    ),
    streams: Type.Array(streamView),
    alarms: Type.Array(standingAlarm, { description: 'those that stand now' }),
  },
  closed,
)
const sessionList = Type.Object({ total: Type.Integer(), items: Type.Array(sessionView) }, closed)
const pauseBody = Type.Object(
  {
    maxSeconds: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 86_400, description: 'it ends by itself; until it is resumed unless given' }),
    ),
    signal: Type.Boolean({ default: true, description: 'false: the client is not asked to send nothing' }),
  },
  closed,
)
const pauseOutcome = Type.Object(
  {
    pausedHere: Type.Optional(herePauseView),
    clientStatus: Type.Optional(
      Type.Integer({ description: 'SIP status of the client to our offer; absent: not asked, or silent for 2 s' }),
    ),
  },
  closed,
)

const streamParams = Type.Object(
  { ...recordingParams.properties, channel: Type.Integer({ minimum: 0, maximum: 63 }) },
  closed,
)
const dropOutcome = Type.Object(
  {
    isRemoved: Type.Boolean({ description: 'false: the client goes on to send it' }),
    clientStatus: Type.Optional(
      Type.Integer({ description: 'SIP status of the client to our offer; absent: it was removed before' }),
    ),
  },
  closed,
)

/** A recording session under way. */
export type LiveSessionView = Static<typeof sessionView>

/** What came of a pause, or of its end; nothing is kept, or all is again, whatever the client says. */
export type PauseOutcome = Static<typeof pauseOutcome>

/** What came of the removal of a stream. */
export type DropOutcome = Static<typeof dropOutcome>

/** The recording sessions under way. */
export interface LiveSessionsView {
  list(): Promise<readonly LiveSessionView[]>
  get(recordingId: string): Promise<LiveSessionView | undefined>
  /** Undefined for an unknown session. */
  pause(
    recordingId: string,
    order: { readonly maxSeconds?: number; readonly signal: boolean },
  ): Promise<PauseOutcome | undefined>
  /** Undefined for an unknown session. */
  resume(recordingId: string): Promise<PauseOutcome | undefined>
  /** Undefined for an unknown session, and for a stream that it does not have. */
  dropStream(recordingId: string, channel: number): Promise<DropOutcome | undefined>
  /** Undefined for an unknown session; the returned function ends it. */
  listen(recordingId: string, hearer: Hearer): (() => void) | undefined
}

const listSessions = operation(
  {
    id: 'listRecordingSessions',
    summary: 'Recording sessions that the recorder receives now',
    description: 'With packets, loudness and alarms of each stream; may be asked several times a second.',
    tag: 'recordings',
    scope: 'recordings:read',
  },
  { response: { 200: sessionList } },
)
const getSession = operation(
  {
    id: 'getRecordingSession',
    summary: 'One recording session under way',
    tag: 'recordings',
    scope: 'recordings:read',
  },
  { params: recordingParams, response: { 200: sessionView } },
)
const pauseSession = operation(
  {
    id: 'pauseRecordingSession',
    summary: 'Keep nothing of a recording session from now on',
    description:
      'Answered when nothing is kept any more. A SIPREC client is asked by a re-INVITE to send nothing (RFC 7866 section 7.2); what it sends all the same is discarded and counted.',
    tag: 'recordings',
    scope: 'calls:control',
    isRecordingCommand: true,
    audit: { action: 'recording.pause-here', detail: ({ maxSeconds, signal }) => ({ maxSeconds, signal }) },
  },
  { params: recordingParams, body: pauseBody, response: { 200: pauseOutcome } },
)
const resumeSession = operation(
  {
    id: 'resumeRecordingSession',
    summary: 'Keep a recording session again',
    tag: 'recordings',
    scope: 'calls:control',
    isRecordingCommand: true,
    audit: { action: 'recording.resume-here' },
  },
  { params: recordingParams, response: { 200: pauseOutcome } },
)
const dropStream = operation(
  {
    id: 'dropRecordingStream',
    summary: 'Remove one stream from a recording session',
    description:
      'By an offer of ours that has its m-line with port 0 (RFC 7866 section 7.2); the other streams are recorded on. Answered when the client has answered.',
    tag: 'recordings',
    scope: 'calls:control',
    isRecordingCommand: true,
    audit: { action: 'recording.drop-stream' },
  },
  { params: streamParams, response: { 200: dropOutcome } },
)
const listenSession = operation(
  {
    id: 'listenToRecordingSession',
    summary: 'Hear a recording session while it lasts, by WebSocket',
    description:
      'Texts are JSON: `streams` first, then `paused`, `resumed`, `dropped` (frames that a slow listener missed) and `ended`. Binary messages are sound: channel (1 byte), 3 bytes zero, sample rate in Hz (4 bytes), then 16-bit samples, all little-endian.',
    tag: 'recordings',
    scope: 'calls:listen',
    audit: { action: 'recording.listen', isStrict: true },
  },
  { params: recordingParams, querystring: listenQuery },
)

/** Adds the routes. */
export function liveSessionRoutes(app: HttpApp, sessions: LiveSessionsView, clock: Clock): void {
  app.get('/api/recorder/sessions', listSessions, async () => listed(await sessions.list()))

  app.get('/api/recorder/sessions/:recordingId', getSession, async (request) =>
    found(await sessions.get(request.params.recordingId), 'recording session'),
  )

  app.post('/api/recorder/sessions/:recordingId/pause', pauseSession, async ({ params, body }) =>
    found(await sessions.pause(params.recordingId, body), 'recording session'),
  )

  app.post('/api/recorder/sessions/:recordingId/resume', resumeSession, async ({ params }) =>
    found(await sessions.resume(params.recordingId), 'recording session'),
  )

  app.post('/api/recorder/sessions/:recordingId/streams/:channel/drop', dropStream, async ({ params }) =>
    found(await sessions.dropStream(params.recordingId, params.channel), 'stream'),
  )

  app.route({
    method: 'GET',
    url: '/api/recorder/sessions/:recordingId/listen',
    ...listenSession,
    handler: upgradeRequired,
    wsHandler: (socket, request) => {
      const { params, query } = request
      keepPulse(socket, clock)
      sendSound(socket, (hearer) => sessions.listen(params.recordingId, hearer), query.channel)
    },
  })
}
