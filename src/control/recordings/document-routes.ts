// What is kept of a recording beside its audio: metadata documents and what they said over time, the ledger, the manifest.

import type { HttpApp } from '../http-app.ts'
import { found } from '../http-error.ts'
import { file, operation } from '../operation.ts'
import type { RecordingsView } from '../views.ts'
import { documentParams, historyView, ledgerView, manifestView } from './document-contract.ts'
import { recordingParams } from './recording-contract.ts'

const XML = 'application/rs-metadata+xml'
const about = { tag: 'recordings', scope: 'recordings:read' } as const

const getLedger = operation(
  { id: 'getRecordingLedger', summary: 'Where the time of every stream went, and why audio is missing', ...about },
  { params: recordingParams, response: { 200: ledgerView } },
)
const getManifest = operation(
  { id: 'getRecordingManifest', summary: 'manifest.json of the recording as it is on disk', ...about },
  { params: recordingParams, response: { 200: manifestView } },
)
const getMetadata = operation(
  { id: 'getRecordingMetadata', summary: 'The metadata document that came last', ...about },
  { params: recordingParams, response: { 200: file('the document', XML) } },
)
const getHistory = operation(
  {
    id: 'getRecordingMetadataHistory',
    summary: 'Every metadata document in its order: who took part from then on, and what had changed',
    ...about,
  },
  { params: recordingParams, response: { 200: historyView } },
)
const getDocument = operation(
  { id: 'getRecordingMetadataDocument', summary: 'One metadata document as it came', ...about },
  { params: documentParams, response: { 200: file('the document', XML) } },
)

/** Adds the routes. */
export function documentRoutes(app: HttpApp, recordings: RecordingsView): void {
  app.get('/api/recordings/:recordingId/ledger', getLedger, async ({ params }) =>
    found(await recordings.ledger(params.recordingId), 'ledger'),
  )
  app.get('/api/recordings/:recordingId/manifest', getManifest, async ({ params }) =>
    found(await recordings.manifest(params.recordingId), 'manifest'),
  )
  app.get('/api/recordings/:recordingId/metadata', getMetadata, async ({ params }, reply) =>
    reply.type(XML).send(found(await recordings.metadata(params.recordingId), 'metadata')),
  )
  app.get('/api/recordings/:recordingId/metadata/history', getHistory, async ({ params }) =>
    found(await recordings.metadataHistory(params.recordingId), 'metadata'),
  )
  app.get('/api/recordings/:recordingId/metadata/:number', getDocument, async ({ params }, reply) =>
    reply.type(XML).send(found(await recordings.metadata(params.recordingId, params.number), 'metadata')),
  )
}
