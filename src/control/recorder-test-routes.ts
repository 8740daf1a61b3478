// /api/recorders/test: a synthetic recorded call to a recorder, and what it showed.

import type { Clock } from '#kernel'
import type { HttpApp } from './http-app.ts'
import { found, HttpError } from './http-error.ts'
import { operation } from './operation.ts'
import { type RecorderTestsView, recorderTest, recorderTestParams, testBody } from './recorder-test-contract.ts'

/** Whoever asks waits so long for the outcome, then asks again. */
const PATIENCE_MS = 5_000

const refusals: Readonly<
  Record<'invalid' | 'forbidden' | 'busy' | 'no-address', readonly [status: number, code: string, message: string]>
> = {
  invalid: [400, 'invalid-uri', 'not a sip or sips URI'],
  forbidden: [403, 'recorder-forbidden', 'the recorder is not on gateway.destinations.record'],
  busy: [429, 'tests-busy', 'other tests are under way; try again'],
  'no-address': [503, 'no-address', 'gateway.media.host or a listener has to have an address of its own for this'],
}

const testRecorder = operation(
  {
    id: 'testRecorder',
    summary: 'Place a synthetic recorded call at a recorder',
    description: 'Answers 200 with the report, or 202 when it takes longer than 5 s; ask for the test then.',
    tag: 'recorders',
    scope: 'recorders:test',
    audit: { action: 'recorder.test', detail: ({ uri }) => ({ uri }) },
  },
  { body: testBody, response: { 200: recorderTest, 202: recorderTest } },
)
const getRecorderTest = operation(
  { id: 'getRecorderTest', summary: 'What a test of a recorder has shown', tag: 'recorders', scope: 'recorders:test' },
  { params: recorderTestParams, response: { 200: recorderTest } },
)

/** Adds the routes. */
export function recorderTestRoutes(app: HttpApp, tests: RecorderTestsView, clock: Clock): void {
  app.post('/api/recorders/test', testRecorder, async (request, reply) => {
    const { uri, seconds } = request.body
    const begun = tests.begin(uri, seconds)
    if (typeof begun === 'string') {
      throw new HttpError(...refusals[begun])
    }
    await new Promise<void>((resolve) => {
      const timer = clock.after(PATIENCE_MS, 'recorder test', resolve)
      void begun.finished.then(() => {
        timer.cancel()
        resolve()
      })
    })
    const test = found(tests.get(begun.id), 'test')
    reply.header('location', `/api/recorders/tests/${test.id}`)
    return await reply.code(test.state === 'running' ? 202 : 200).send(test)
  })

  app.get('/api/recorders/tests/:testId', getRecorderTest, async (request) =>
    found(tests.get(request.params.testId), 'test'),
  )
}
