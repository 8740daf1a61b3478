// GET /api/recordings/{id}/vcon: a recording for those who read vCons.

import type { HttpApp } from '../http-app.ts'
import { HttpError, notFound } from '../http-error.ts'
import { operation } from '../operation.ts'
import type { RecordingsView } from '../views.ts'
import { recordingParams } from './recording-contract.ts'
import { vconQuery, vconView } from './vcon-contract.ts'

const getVcon = operation(
  {
    id: 'getRecordingVcon',
    summary: 'A recording as a vCon (draft-ietf-vcon-vcon-core-04)',
    tag: 'recordings',
    scope: 'recordings:play',
    audit: { action: 'recording.export', isStrict: true },
  },
  { params: recordingParams, querystring: vconQuery, response: { 200: vconView } },
)

/** Adds the route. */
export function vconRoutes(app: HttpApp, recordings: RecordingsView): void {
  app.get('/api/recordings/:recordingId/vcon', getVcon, async (request, reply) => {
    const { recordingId } = request.params
    const audioUrl = `${request.protocol}://${request.host}/api/recordings/${recordingId}/audio`
    const vcon = await recordings.vcon(recordingId, { audioUrl, isInline: request.query.audio === 'inline' })
    if (vcon === undefined) throw notFound('recording that is over')
    if (vcon === 'too-large')
      throw new HttpError(413, 'audio-too-large', 'the audio is larger than 32 MiB; ask for audio=url')
    return reply.header('content-disposition', `attachment; filename="${recordingId}.vcon.json"`).send(vcon)
  })
}
