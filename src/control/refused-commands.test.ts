import assert from 'node:assert/strict'
import { test } from 'node:test'
import { httpFixture, withApp } from '../../test/harness/http-fixture.ts'
import type { HttpApp } from './http-app.ts'
import type { HttpServerOptions } from './http-server.ts'

const JAMBONZ = '/v1/Accounts/any/Calls/call-1'
const KNOWN = 'start, stop, pause, resume, mask, unmask'

type Refusal = readonly [activity: string, status: number, text: RegExp]

/** What is told of one request. */
async function told(
  payload: object | string,
  { url = '/api/calls/call-1/recording', type = 'application/json', over = {} as Partial<HttpServerOptions> } = {},
): Promise<{ status: number; refusals: ReturnType<typeof httpFixture>['refusals'] }> {
  const own = httpFixture()
  const ask = async (app: HttpApp): Promise<number> =>
    (await app.inject({ method: 'POST', url, payload, headers: { 'content-type': type } })).statusCode
  let status = 0
  await withApp(
    async (app) => {
      status = await ask(app)
    },
    { calls: own.options.calls!, ...over },
  )
  return { status, refusals: own.refusals }
}

const pauseWith = (more: object) => ({ activity: 'pause', ...more })

for (const [what, payload, options, [activity, status, text]] of [
  ['an unknown activity', { activity: 'hold' }, {}, ['unknown', 400, new RegExp(`activity .*: ${KNOWN}$`)]],
  ['a body without an activity', {}, {}, ['unknown', 400, /must have required property/]],
  ['a pause with a key that there is not', pauseWith({ forS: 3 }), {}, ['pause', 400, /additional properties: forS$/]],
  ['a pause with a bad limit', pauseWith({ limit: { maxSeconds: 0 } }), {}, ['pause', 400, /limit\/maxSeconds/]],
  ['a mask of one recorder', { activity: 'mask', recorder: 'sip:a' }, {}, ['mask', 400, /leave recorder out/]],
  ['a body that is no JSON', '{"activity":"pause"', {}, ['unknown', 400, /JSON/]],
  ['a body of null', 'null', {}, ['unknown', 400, /must be object/]],
  ['a body of another type', 'activity=pause', { type: 'text/csv' }, ['unknown', 415, /Media Type/]],
  ['a body that is too large', { activity: 'pause', policy: 'x'.repeat(20_000) }, {}, ['unknown', 413, /too large/]],
  [
    'a pause where recordings are not commanded by HTTP',
    pauseWith({}),
    { over: { recordingControl: false } },
    ['pause', 403, /not commanded by this API/],
  ],
  [
    'an unknown action as by the API of jambonz',
    { record: { action: 'pauseRecording' } },
    { url: JAMBONZ },
    ['unknown', 400, /^invalid record action pauseRecording: expected /],
  ],
  [
    'a start as by the API of jambonz without a recorder',
    { record: { action: 'startCallRecording' } },
    { url: JAMBONZ },
    ['start', 400, /requires siprecServerURL/],
  ],
  [
    'a pause beside another update as by the API of jambonz',
    { record: { action: 'pauseCallRecording' }, call_hook: 'x' },
    { url: '/api/calls/call-1' },
    ['pause', 400, /multiple options/],
  ],
] as const satisfies readonly (readonly [string, object | string, Parameters<typeof told>[1], Refusal])[]) {
  test(`${what} is told of as refused, on the call that is named`, async () => {
    const { status: answered, refusals } = await told(payload, options)
    assert.equal(answered, status)
    const [[callId, refusal] = []] = refusals
    assert.deepEqual([refusals.length, callId, refusal?.activity, refusal?.status], [1, 'call-1', activity, status])
    assert.match(refusal?.text ?? '', text)
  })
}

test('nothing of what was sent that is no text of ours gets into what is told, and not much of it', async () => {
  const { refusals } = await told({ activity: 'pause', [`\u0007é${'x'.repeat(500)}`]: 1 })
  const { text = '' } = refusals[0]?.[1] ?? {}
  assert.match(text, /^[\x20-\x7e]{150,200}$/)
})

for (const [what, payload, options] of [
  ['a command that the call itself refuses', pauseWith({}), {}],
  ['an update of something else', { call_hook: 'x' }, { url: JAMBONZ }],
  ['an update of nothing', {}, { url: JAMBONZ }],
  ['a further party that is none', {}, { url: '/api/calls/call-1/parties' }],
] as const) {
  test(`${what} is no command that was refused before the call was asked`, async () => {
    const own = httpFixture()
    own.result = { status: 400, text: 'no', results: {} }
    const calls = { ...own.options.calls!, refused: () => assert.fail('it is told of') }
    const { status } = await told(payload, { ...options, over: { calls } })
    assert.equal(status, 400)
  })
}
