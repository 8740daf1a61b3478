// What vouches for a recording, and whether it is as it was published. Asking is in the audit log, as the answer may be in court.

import type { HttpApp } from '../http-app.ts'
import { notFound } from '../http-error.ts'
import { operation } from '../operation.ts'
import type { RecordingsView } from '../views.ts'
import { evidenceView, proofView } from './evidence-contract.ts'
import { recordingParams } from './recording-contract.ts'

const getEvidence = operation(
  {
    id: 'getRecordingEvidence',
    summary: 'What vouches for a recording: hashes of its files, their signature, the line of the chain',
    tag: 'recordings',
    scope: 'recordings:read',
    audit: { action: 'recording.evidence' },
  },
  { params: recordingParams, response: { 200: evidenceView } },
)
const verifyRecording = operation(
  {
    id: 'verifyRecording',
    summary: 'Verify that a recording is as it was published',
    description:
      'Every file is read and hashed; the signature, and the chain of its day, are checked by the key of this recorder. `verify` of the command line does the same offline, by a key that is kept elsewhere.',
    tag: 'recordings',
    scope: 'recordings:read',
    audit: { action: 'recording.verify' },
  },
  { params: recordingParams, response: { 200: proofView } },
)

/** Adds the routes. */
export function evidenceRoutes(app: HttpApp, recordings: RecordingsView): void {
  app.get('/api/recordings/:recordingId/evidence', getEvidence, async ({ params }) => {
    const evidence = await recordings.evidence(params.recordingId)
    if (evidence === undefined) throw notFound('evidence of a recording')
    return evidence
  })
  app.post('/api/recordings/:recordingId/verify', verifyRecording, async ({ params }) => {
    const proof = await recordings.verify(params.recordingId)
    if (proof === undefined) throw notFound('recording that is published here')
    return proof
  })
}
