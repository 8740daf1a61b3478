// Tags, legal holds and deletion of recordings: who did it, and why, goes into the audit log and stays with the recording.

import type { FastifyRequest } from 'fastify'
import type { Refusal } from '#store'
import type { HttpApp } from '../http-app.ts'
import { HttpError, notFound } from '../http-error.ts'
import { operation } from '../operation.ts'
import type { Curated, RecordingsView } from '../views.ts'
import { reasonBody, recordingParams, recordingSummary, tagBody } from './recording-contract.ts'

const reasonOf = ({ reason }: Readonly<Record<string, unknown>>) => ({ reason })
const answer = { 200: recordingSummary }

const tagRecording = operation(
  {
    id: 'tagRecording',
    summary: 'Add and remove tags',
    tag: 'recordings',
    scope: 'recordings:write',
    audit: { action: 'recording.tag', detail: ({ add, remove }) => ({ add, remove }) },
  },
  { params: recordingParams, body: tagBody, response: answer },
)
const holdRecording = operation(
  {
    id: 'holdRecording',
    summary: 'Put a legal hold on a recording: nothing deletes it',
    tag: 'recordings',
    scope: 'recordings:write',
    audit: { action: 'recording.hold', detail: reasonOf },
  },
  { params: recordingParams, body: reasonBody, response: answer },
)
const releaseRecording = operation(
  {
    id: 'releaseRecording',
    summary: 'Lift every legal hold of a recording',
    tag: 'recordings',
    scope: 'recordings:write',
    audit: { action: 'recording.release', detail: reasonOf },
  },
  { params: recordingParams, body: reasonBody, response: answer },
)
const deleteRecording = operation(
  {
    id: 'deleteRecording',
    summary: 'Delete a recording for good',
    description:
      'Files, copies in object storage and parties are removed; ids, times and the reason stay. What is on hold or under way is refused with 409.',
    tag: 'recordings',
    scope: 'recordings:delete',
    audit: { action: 'recording.delete', detail: reasonOf },
  },
  { params: recordingParams, body: reasonBody, response: answer },
)

/** Adds the routes. */
export function curationRoutes(app: HttpApp, recordings: RecordingsView): void {
  app.post('/api/recordings/:recordingId/tags', tagRecording, async ({ params, body }) =>
    outcome(recordings.tag(params.recordingId, body)),
  )
  app.post('/api/recordings/:recordingId/hold', holdRecording, async (request) =>
    outcome(recordings.hold(request.params.recordingId, doing(request, request.body.reason))),
  )
  app.post('/api/recordings/:recordingId/release', releaseRecording, async (request) =>
    outcome(recordings.release(request.params.recordingId, doing(request, request.body.reason))),
  )
  app.delete('/api/recordings/:recordingId', deleteRecording, async (request) =>
    outcome(recordings.delete(request.params.recordingId, doing(request, request.body.reason))),
  )
}

function doing({ principal }: Pick<FastifyRequest, 'principal'>, reason: string) {
  return { actor: principal?.name ?? 'nobody', reason }
}

async function outcome(curated: Curated) {
  const result = await curated
  if (!result.ok) throw refusalError(result.error)
  return result.value
}

function refusalError(refusal: Refusal): HttpError {
  if (refusal === 'unknown') return notFound('recording')
  const [code, message] = refusals[refusal]
  return new HttpError(409, code, message)
}

const refusals: Readonly<Record<Exclude<Refusal, 'unknown'>, readonly [code: string, message: string]>> = {
  deleted: ['recording-deleted', 'the recording is deleted'],
  held: ['recording-held', 'a legal hold keeps the recording from being deleted'],
  receiving: ['recording-under-way', 'the recording is still being received'],
  elsewhere: ['recording-elsewhere', 'the files of the recording are with another recorder'],
}
