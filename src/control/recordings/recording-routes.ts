// /api/recordings: the recorder's catalogue, audio with range requests, metadata.

import type { FastifyReply } from 'fastify'
import { type Audited, LOOKED_AT_MS } from '../audit/audit-trail.ts'
import { resolveRange } from '../byte-range.ts'
import type { HttpApp } from '../http-app.ts'
import { HttpError, notFound } from '../http-error.ts'
import { file, operation } from '../operation.ts'
import type { AudioFile, RecordingsView } from '../views.ts'
import {
  audioQuery,
  facetsView,
  peaksQuery,
  peaksView,
  recordingPage,
  recordingParams,
  recordingView,
} from './recording-contract.ts'
import { cursorOf, cursorText, filterOf, filterQuery, searchQuery } from './recording-search.ts'

/** Counting goes no further: nobody pages by number beyond it. */
const MOST_COUNTED = 10_000

const listRecordings = operation(
  {
    id: 'listRecordings',
    summary: 'Recordings that match, newest first',
    description: 'Every condition given must hold; texts are compared without regard to case.',
    tag: 'recordings',
    scope: 'recordings:read',
  },
  { querystring: searchQuery, response: { 200: recordingPage } },
)
const countRecordings = operation(
  {
    id: 'getRecordingFacets',
    summary: 'What the recordings that match have in common: values with counts',
    description:
      'Exact for a period of time, and for all; under other conditions the newest 3,000 that match are counted.',
    tag: 'recordings',
    scope: 'recordings:read',
  },
  { querystring: filterQuery, response: { 200: facetsView } },
)
const getRecording = operation(
  { id: 'getRecording', summary: 'What is known of one recording', tag: 'recordings', scope: 'recordings:read' },
  { params: recordingParams, response: { 200: recordingView } },
)
const AUDIO_TYPES = ['audio/wav', 'audio/flac', 'audio/ogg']
/** One range that begins behind the first byte. */
const GOES_ON = /^\s*bytes\s*=\s*0*[1-9]\d*\s*-\s*\d*\s*$/

/** Playing from the beginning is an entry each time; the ranges by which a player goes on are not. */
const playback: Audited = {
  action: 'recording.play',
  isStrict: true,
  onceInMs: LOOKED_AT_MS,
  isAnew: ({ headers: { range } }) => range === undefined || !GOES_ON.test(range),
}
const getAudio = operation(
  {
    id: 'getRecordingAudio',
    summary: 'Audio of a recording, one channel per stream of audio, with ranges',
    description: 'All of it, one channel, or a part; in the formats that the recording has.',
    tag: 'recordings',
    scope: 'recordings:play',
    audit: playback,
  },
  {
    params: recordingParams,
    querystring: audioQuery,
    response: { 200: file('the audio', ...AUDIO_TYPES), 206: file('the range that was asked for', ...AUDIO_TYPES) },
  },
)
const getPeaks = operation(
  {
    id: 'getRecordingPeaks',
    summary: 'Wave form of a recording',
    tag: 'recordings',
    scope: 'recordings:play',
    audit: { action: 'recording.wave-form', onceInMs: LOOKED_AT_MS },
  },
  { params: recordingParams, querystring: peaksQuery, response: { 200: peaksView } },
)
const getText = operation(
  {
    id: 'getRecordingText',
    summary: 'What was typed in a recording: a line each, with its time and who wrote it',
    description: 'Of streams of real-time text (T.140), as far as their files are on this disk.',
    tag: 'recordings',
    scope: 'recordings:play',
    audit: { action: 'recording.read', isStrict: true, onceInMs: LOOKED_AT_MS },
  },
  { params: recordingParams, response: { 200: file('the lines', 'text/plain') } },
)

/** Adds the routes. */
export function recordingRoutes(app: HttpApp, recordings: RecordingsView): void {
  app.get('/api/recordings', listRecordings, async (request) => {
    const { offset, limit, after } = request.query
    const filter = filterOf(request.query)
    const place = after === undefined ? { offset } : { after: cursorOf(after) }
    const [{ items, next }, counted] = await Promise.all([
      recordings.search({ ...filter, ...place, limit }),
      after === undefined ? recordings.count(filter, MOST_COUNTED + 1) : undefined,
    ])
    return {
      ...(counted !== undefined && { total: Math.min(counted, MOST_COUNTED), isTotalExact: counted <= MOST_COUNTED }),
      offset,
      limit,
      ...(next !== undefined && { next: cursorText(next) }),
      items: [...items],
    }
  })

  app.get('/api/recordings/facets', countRecordings, async ({ query }) => {
    const { kinds, fields, ...sums } = await recordings.facets(filterOf(query))
    const told = Object.entries(kinds).map(([kind, values]) => [kind, [...values]])
    return {
      ...sums,
      kinds: Object.fromEntries(told),
      fields: fields.map((one) => ({ ...one, values: [...one.values] })),
    }
  })

  app.get('/api/recordings/:recordingId', getRecording, async (request) => {
    const recording = await recordings.get(request.params.recordingId)
    if (recording === undefined) throw notFound('recording')
    return recording
  })

  app.get('/api/recordings/:recordingId/audio', getAudio, async (request, reply) => {
    const { recordingId } = request.params
    const { fromMs = 0, toMs = Number.POSITIVE_INFINITY } = request.query
    if (Object.keys(request.query).length > 0) request.audited = { ...request.query }
    if (toMs <= fromMs) throw new HttpError(400, 'invalid-request', 'toMs lies before fromMs')
    const audio = await recordings.audio(recordingId, request.query)
    if (audio === undefined) throw notFound('audio')
    reply.type(audio.mediaType).header('content-disposition', `inline; filename="${recordingId}.${audio.extension}"`)
    return sendAudio(reply, audio, request.headers.range, request.headers['if-range'])
  })

  app.get('/api/recordings/:recordingId/text', getText, async (request, reply) => {
    const text = await recordings.text(request.params.recordingId)
    if (text === undefined) throw notFound('text')
    return reply.type('text/plain; charset=utf-8').send(text)
  })

  app.get('/api/recordings/:recordingId/peaks', getPeaks, async (request) => {
    const peaks = await recordings.peaks(request.params.recordingId, request.query)
    if (peaks === undefined) throw notFound('audio')
    return { ...peaks, values: peaks.values.map((values) => [...values]) }
  })
}

function sendAudio(reply: FastifyReply, audio: AudioFile, range?: string, ifRange?: string | string[]): FastifyReply {
  const { sizeBytes } = audio
  const etag = `"${audio.etag}"`
  const isCurrent = ifRange === undefined || ifRange === etag
  const part = resolveRange(isCurrent ? range : undefined, sizeBytes)
  reply.header('accept-ranges', 'bytes').header('etag', etag)
  if (part.kind === 'unsatisfiable') {
    reply.header('content-range', `bytes */${sizeBytes}`)
    throw new HttpError(416, 'range-not-satisfiable', 'the range lies behind the end of the audio', { sizeBytes })
  }
  const { start, end } = part.kind === 'part' ? part : { start: 0, end: sizeBytes - 1 }
  if (part.kind === 'part') reply.code(206).header('content-range', `bytes ${start}-${end}/${sizeBytes}`)
  reply.header('content-length', end - start + 1)
  return reply.send(end < start ? '' : audio.open(start, end))
}
