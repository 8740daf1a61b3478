// Updating a call as by the REST API of jambonz: `{"record": {"action": "startCallRecording", …}}`, with its codes and texts.

import { type Static, Type } from 'typebox'
import type { RecordingCommand } from '#flow'
import type { Logger } from '#kernel'
import { headersOf } from './asked-headers.ts'
import { carriedOut } from './call-routes.ts'
import { recordingResult } from './contract.ts'
import type { HttpApp } from './http-app.ts'
import { errorAnswer, HttpError, notFound } from './http-error.ts'
import { operation } from './operation.ts'
import { unknownActionText } from './record-actions.ts'
import type { CallsView } from './views.ts'

const record = Type.Object(
  {
    action: Type.Optional(
      Type.String({ description: 'startCallRecording, stopCallRecording, pauseCallRecording or resumeCallRecording' }),
    ),
    type: Type.Optional(Type.String({ description: 'siprec, if anything' })),
    siprecServerURL: Type.Optional(
      Type.Union([Type.String({ maxLength: 4_096 }), Type.Array(Type.String({ maxLength: 1_024 }), { maxItems: 32 })], {
        description: 'SIP URI of a recorder, or several: in a list, or with commas',
      }),
    ),
    recordingID: Type.Optional(Type.String({ maxLength: 256 })),
    headers: Type.Optional(Type.Record(Type.String(), Type.Unknown(), { description: 'for the INVITE to recorders' })),
  },
  { additionalProperties: true },
)
const updateBody = Type.Object({ record: Type.Optional(record) }, { additionalProperties: true })

type UpdateBody = Static<typeof updateBody>

const ACTIVITIES: ReadonlyMap<string, RecordingCommand['activity']> = new Map([
  ['startCallRecording', 'start'],
  ['stopCallRecording', 'stop'],
  ['pauseCallRecording', 'pause'],
  ['resumeCallRecording', 'resume'],
])

/** What else may be updated there; one of them at a time. */
const OTHERS = [
  'call_hook',
  'child_call_hook',
  'call_status',
  'listen_status',
  'transcribe_status',
  'conf_hold_status',
  'conf_mute_status',
  'conferenceParticipantAction',
  'mute_status',
  'sip_request',
  'tag',
  'dtmf',
  'dub',
  'boostAudioSignal',
  'media_path',
  'whisper',
] as const

const sid = (name: string) => ({ [name]: Type.String({ minLength: 1, maxLength: 128 }) })

/** Where a call is updated: under its own name, and at the path of jambonz, where any account is the one that there is. */
const PLACES = [
  { path: '/api/calls/:callId', id: 'updateCall', params: Type.Object(sid('callId')) },
  {
    path: '/v1/Accounts/:accountSid/Calls/:callId',
    id: 'updateJambonzCall',
    params: Type.Object({ ...sid('accountSid'), ...sid('callId') }),
  },
] as const

/** Adds the routes. */
export function jambonzCallRoutes(app: HttpApp, calls: CallsView, log: Logger): void {
  for (const { path, id, params } of PLACES) {
    for (const method of ['PUT', 'POST'] as const) {
      const about = operation(
        {
          id: `${id}By${method === 'PUT' ? 'Put' : 'Post'}`,
          summary: 'Start, stop, pause or resume the recording of a call, as by the REST API of jambonz',
          description:
            'Answers 202 with the outcome when it is done, 400 when the state of the recording does not allow it, 503 when it could not be done.',
          tag: 'calls',
          scope: 'calls:control',
          isRecordingCommand: true,
          activityOf,
          audit: {
            action: 'call.recording',
            detail: ({ record: asked }) => ({ action: (asked as Static<typeof record> | undefined)?.action }),
          },
        },
        { params, body: updateBody, response: { 202: recordingResult } },
      )
      app.route({
        ...about,
        method,
        url: path,
        // Clients of jambonz read `msg`.
        errorHandler: (error, _request, reply) => {
          const { status, body } = errorAnswer(error, log)
          return reply.code(status).send({ msg: body.message, ...body })
        },
        handler: async (request, reply) => {
          const { callId } = request.params as { readonly callId: string }
          const command = commandOf(request.body as UpdateBody)
          const outcome = calls.record(callId, command)
          if (outcome === undefined) throw notFound('call')
          return await reply.code(202).send(carriedOut(await outcome))
        },
      })
    }
  }
}

/** Many other things of a call may be asked to be updated. */
function activityOf(body: unknown): RecordingCommand['activity'] | 'unknown' | undefined {
  if (typeof body !== 'object' || body === null) return 'unknown'
  if (!('record' in body)) return undefined
  return ACTIVITIES.get(Object(body.record).action) ?? 'unknown'
}

function commandOf(body: UpdateBody): RecordingCommand {
  const others = OTHERS.filter((name) => (body as Readonly<Record<string, unknown>>)[name] !== undefined)
  const { record: asked } = body
  const [other] = others
  if (asked === undefined && other === undefined) throw refusal('no valid options supplied to updateCall')
  if (others.length > (asked === undefined ? 1 : 0)) throw refusal('multiple options are not allowed in updateCall')
  if (asked === undefined) throw refusal(`${other} is not supported here: only record is`)
  const { action = '', type = 'siprec', siprecServerURL = '', recordingID = '', headers } = asked
  if (action === '') throw refusal('record requires action property')
  const activity = ACTIVITIES.get(action)
  if (activity === undefined) throw refusal(unknownActionText(action, [...ACTIVITIES.keys()]))
  if (type !== 'siprec') throw refusal(`record type ${type} is not supported here: only siprec is`)
  const server = [siprecServerURL].flat().join(',')
  if (activity === 'start' && server === '') {
    throw refusal('record requires siprecServerURL property when starting recording')
  }
  return {
    activity,
    server,
    recordingId: recordingID,
    ...(headers === undefined ? {} : { headers: headersOf(headers) }),
  }
}

function refusal(text: string): HttpError {
  return new HttpError(400, 'invalid-request', text)
}
