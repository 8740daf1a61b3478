// /api/test-calls: a call between a caller and a callee of ours, through the gateway and recorded like any other.

import { noContent } from './contract.ts'
import type { HttpApp } from './http-app.ts'
import { found, HttpError, notFound } from './http-error.ts'
import { operation } from './operation.ts'
import { type TestCallsView, testCallBody, testCallParams, testCallView } from './test-call-contract.ts'

const refusals: Readonly<
  Record<'busy' | 'no-recorder' | 'no-listener', readonly [status: number, code: string, message: string]>
> = {
  busy: [429, 'test-call-busy', 'another test call is under way; wait for its end, or end it'],
  'no-recorder': [409, 'no-recorder', 'name a recorder, or set gateway.recording.recorders'],
  'no-listener': [503, 'no-listener', 'the gateway has no UDP or TCP listener to be called at'],
}

const about = { tag: 'calls', scope: 'calls:control' } as const
const place = operation(
  {
    ...about,
    id: 'placeTestCall',
    summary: 'Place a test call',
    description:
      'A synthetic caller calls a synthetic callee over SIP and RTP through the gateway, by a flow that records it. It shows among the calls, with its events, and takes commands like any other.',
    audit: {
      action: 'test-call.place',
      detail: ({ recorder }) => ({ ...(recorder === undefined ? {} : { recorder }) }),
    },
  },
  { body: testCallBody, response: { 201: testCallView } },
)
const get = operation(
  { ...about, id: 'getTestCall', summary: 'How far a test call is' },
  { params: testCallParams, response: { 200: testCallView } },
)
const end = operation(
  { ...about, id: 'endTestCall', summary: 'Hang up a test call', audit: { action: 'test-call.end' } },
  { params: testCallParams, response: { 204: noContent } },
)

/** Adds the routes. */
export function testCallRoutes(app: HttpApp, testCalls: TestCallsView): void {
  app.post('/api/test-calls', place, async (request, reply) => {
    const begun = await testCalls.begin(request.body)
    if (typeof begun === 'string') {
      throw new HttpError(...refusals[begun])
    }
    const testCall = found(await testCalls.get(begun.testCallId), 'test call')
    reply.header('location', `/api/test-calls/${begun.testCallId}`)
    return await reply.code(201).send(testCall)
  })

  app.get('/api/test-calls/:testCallId', get, async (request) =>
    found(await testCalls.get(request.params.testCallId), 'test call'),
  )

  app.delete('/api/test-calls/:testCallId', end, async (request, reply) => {
    if (!testCalls.end(request.params.testCallId)) throw notFound('test call')
    return await reply.code(204).send(null)
  })
}
