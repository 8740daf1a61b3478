// /api/refusals, /api/recorder/invitations and verdicts: the recording clients of the recorder, and what is wrong with them.

import { LOOKED_AT_MS } from './audit/audit-trail.ts'
import { type HttpApp, listed } from './http-app.ts'
import { found, HttpError } from './http-error.ts'
import { operation } from './operation.ts'
import {
  invitationBody,
  invitationView,
  type RecorderClientsView,
  refusalList,
  refusalParams,
  refusedMessage,
  verdictView,
} from './recorder-client-contract.ts'
import { recordingParams } from './recordings/recording-contract.ts'

const listRefusals = operation(
  {
    id: 'listRefusals',
    summary: 'INVITEs that the recorder refused, newest first',
    tag: 'recordings',
    scope: 'recordings:read',
  },
  { response: { 200: refusalList } },
)
const getRefusal = operation(
  {
    id: 'getRefusal',
    summary: 'One refused INVITE as it came',
    tag: 'recordings',
    scope: 'captures:read',
    audit: { action: 'refusal.read', onceInMs: LOOKED_AT_MS },
  },
  { params: refusalParams, response: { 200: refusedMessage } },
)
const inviteClient = operation(
  {
    id: 'inviteClient',
    summary: 'Ask a recording client to be recorded',
    description: 'Sends an INVITE without an offer (RFC 7866 section 7.2); answers when the session is up.',
    tag: 'recordings',
    scope: 'calls:control',
    isRecordingCommand: true,
    audit: { action: 'recorder.invite-client', detail: ({ target }) => ({ target }) },
  },
  { body: invitationBody, response: { 201: invitationView } },
)
const getVerdict = operation(
  {
    id: 'getVerdict',
    summary: 'What the client of a recording is, what it does against the RFCs, and what that costs',
    tag: 'recordings',
    scope: 'recordings:read',
  },
  { params: recordingParams, response: { 200: verdictView } },
)

/** Adds the routes. */
export function recorderClientRoutes(app: HttpApp, clients: RecorderClientsView): void {
  app.get('/api/refusals', listRefusals, async () => listed(clients.refusals()))

  app.get('/api/refusals/:refusalId', getRefusal, async (request) =>
    found(clients.refusal(request.params.refusalId), 'refusal'),
  )

  app.post('/api/recorder/invitations', inviteClient, async (request, reply) => {
    const outcome = await clients.invite(request.body.target)
    if ('recordingId' in outcome) return await reply.code(201).send(outcome)
    if (outcome.status === 403) throw new HttpError(403, 'target-forbidden', 'the target may not be invited', outcome)
    throw new HttpError(502, 'invitation-failed', `the client did not take the invitation: ${outcome.reason}`, outcome)
  })

  app.get('/api/recordings/:recordingId/verdict', getVerdict, async (request) =>
    found(await clients.verdict(request.params.recordingId), 'verdict'),
  )
}
