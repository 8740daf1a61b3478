// /api/communication-sessions: what several recording sessions have of one call, as one logical recording.

import type { HttpApp } from '../http-app.ts'
import { found } from '../http-error.ts'
import { operation } from '../operation.ts'
import type { RecordingsView } from '../views.ts'
import { groupParams, logicalRecordingView, sessionGroupView, sessionParams } from './logical-recording-contract.ts'

const about = { tag: 'recordings', scope: 'recordings:read' } as const

const getSession = operation(
  {
    id: 'getCommunicationSession',
    summary:
      'All recordings of one communication session, as takes of one logical recording, with the gaps between them',
    description:
      'By the session_id of the metadata (RFC 7865 section 6.3), percent-encoded. Parallel copies overlap. Nothing is merged on disk.',
    ...about,
  },
  { params: sessionParams, response: { 200: logicalRecordingView } },
)
const getGroup = operation(
  {
    id: 'getCommunicationSessionGroup',
    summary: 'The communication sessions of a group, each as one logical recording',
    description: 'By the group_id of the metadata (RFC 7865 section 6.2), percent-encoded.',
    ...about,
  },
  { params: groupParams, response: { 200: sessionGroupView } },
)

/** Adds the routes. */
export function logicalRecordingRoutes(app: HttpApp, recordings: RecordingsView): void {
  app.get('/api/communication-sessions/:sessionId', getSession, async ({ params }) =>
    found(await recordings.session(params.sessionId), 'session'),
  )
  app.get('/api/communication-session-groups/:groupId', getGroup, async ({ params }) =>
    found(await recordings.group(params.groupId), 'group'),
  )
}
