// /api/calls: the calls under way and command over their recording.

import {
  callList,
  callParams,
  callView,
  joinBody,
  joinResult,
  noContent,
  partyParams,
  recordingActivities,
  recordingCommandBody,
  recordingResult,
} from './contract.ts'
import { type HttpApp, listed } from './http-app.ts'
import { found, HttpError, notFound } from './http-error.ts'
import { operation } from './operation.ts'
import type { CallsView, CommandResult } from './views.ts'

const listCalls = operation(
  { id: 'listCalls', summary: 'Calls under way', tag: 'calls', scope: 'calls:read' },
  { response: { 200: callList } },
)
const getCall = operation(
  {
    id: 'getCall',
    summary:
      'One call, with the receipts and the ledger of its recording; also one that is over, as long as its record is kept',
    tag: 'calls',
    scope: 'calls:read',
  },
  { params: callParams, response: { 200: callView } },
)
const joinCall = operation(
  {
    id: 'joinCall',
    summary: 'Call a further party into a call',
    tag: 'calls',
    scope: 'calls:control',
    audit: { action: 'call.join' },
  },
  { params: callParams, body: joinBody, response: { 201: joinResult } },
)
const leaveCall = operation(
  {
    id: 'leaveCall',
    summary: 'Let a party of a call go',
    tag: 'calls',
    scope: 'calls:control',
    audit: { action: 'call.leave' },
  },
  { params: partyParams, response: { 204: noContent } },
)
const commandRecording = operation(
  {
    id: 'commandRecording',
    summary: 'Start, pause, resume or stop the recording of a call',
    description:
      'Answers with the outcome: 200, 400 when the state of the recording does not allow it, 503 when it could not be done.',
    tag: 'calls',
    scope: 'calls:control',
    isRecordingCommand: true,
    activityOf: (body) => recordingActivities.find((known) => known === Object(body).activity) ?? 'unknown',
    audit: {
      action: 'call.recording',
      detail: ({ activity, recorder }) => ({ activity, ...(recorder === undefined ? {} : { recorder }) }),
    },
  },
  { params: callParams, body: recordingCommandBody, response: { 200: recordingResult } },
)

/** What may be done to one recorder alone. */
const ONE_RECORDER = new Set(['pause', 'resume', 'stop'])

/** Adds the routes. */
export function callRoutes(app: HttpApp, calls: CallsView): void {
  app.get('/api/calls', listCalls, async () => listed(calls.list()))

  app.get('/api/calls/:callId', getCall, async (request) => found(await calls.get(request.params.callId), 'call'))

  app.post('/api/calls/:callId/parties', joinCall, async (request, reply) => {
    const outcome = found(calls.join(request.params.callId, request.body), 'call')
    const { result, leg, sipStatus } = await outcome
    if (leg !== undefined) return await reply.code(201).send({ leg })
    if (result === 'forbidden') throw new HttpError(403, 'target-forbidden', 'the target may not be called')
    throw new HttpError(502, 'join-failed', `the party did not join: ${result}`, { result, sipStatus })
  })

  app.delete('/api/calls/:callId/parties/:leg', leaveCall, async (request, reply) => {
    if (!calls.leave(request.params.callId, request.params.leg)) throw notFound('party')
    return await reply.code(204).send(null)
  })

  app.post('/api/calls/:callId/recording', commandRecording, async (request) => {
    const { activity, recorder } = request.body
    if (recorder !== undefined && !ONE_RECORDER.has(activity)) {
      throw new HttpError(400, 'invalid-request', `${activity} is of every recorder: leave recorder out`)
    }
    const { callRecordingServer, callRecordingId, ...more } = request.body
    const outcome = calls.record(request.params.callId, {
      server: callRecordingServer,
      recordingId: callRecordingId,
      ...more,
    })
    if (outcome === undefined) throw notFound('call')
    return carriedOut(await outcome)
  })
}

/** The result of a command that was carried out; throws HttpError 400 or 503 for any other. */
export function carriedOut(result: CommandResult) {
  if (result.status < 300) return { ...result, results: { ...result.results } }
  if (result.status < 500) throw new HttpError(400, 'recording-refused', result.text, result)
  throw new HttpError(503, 'recording-failed', result.text, result)
}
