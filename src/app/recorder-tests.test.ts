import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ManualClock, seededIds } from '#kernel'
import type { CheckReport } from '#recorder-check'
import { withApp } from '../../test/harness/http-fixture.ts'
import type { CheckOptions } from './check.ts'
import { parseConfig } from './config.ts'
import { createRecorderTests, type RecorderTestsOptions } from './recorder-tests.ts'

const report: CheckReport = {
  uri: 'sip:srs@127.0.0.1',
  isRecorder: true,
  items: [{ name: 'INVITE', verdict: 'yes', detail: 'accepted with 200' }],
  profile: { name: 'srs', match: ['127.0.0.1'] },
  notes: [],
}

/** Tests whose checks end when the test says so. */
function benchOf(host = '127.0.0.1') {
  const parsed = parseConfig(
    `gateway: { destinations: { record: [127.0.0.1] }, media: { host: ${host}, advertisedHost: 127.0.0.1 } }`,
    'test.yaml',
  )
  if (!parsed.ok || parsed.value.gateway === undefined) throw new Error(JSON.stringify(parsed))
  const asked: CheckOptions[] = []
  const ends: { readonly resolve: (report: CheckReport) => void; readonly reject: (fault: Error) => void }[] = []
  const check: NonNullable<RecorderTestsOptions['check']> = (options) => {
    asked.push(options)
    return new Promise((resolve, reject) => ends.push({ resolve, reject }))
  }
  const clock = new ManualClock()
  const tests = createRecorderTests({ config: parsed.value.gateway, clock, ids: seededIds(8), check })
  return { asked, ends, clock, tests }
}

const post = (uri: string) => ({ method: 'POST', url: '/api/recorders/test', payload: { uri } }) as const

test('a test that is done soon answers with its report', () => {
  const { asked, ends, clock, tests } = benchOf()
  return withApp(
    async (app) => {
      const answer = app.inject(post('sip:srs@127.0.0.1')).then((one) => one)
      while (ends.length === 0) await new Promise(setImmediate)
      ends[0]?.resolve(report)
      const { statusCode, json } = await answer
      assert.equal(statusCode, 200)
      assert.deepEqual([json().state, json().report.items], ['done', report.items])
      assert.deepEqual([asked[0]?.host, asked[0]?.talkMs], ['127.0.0.1', 8_000])
      assert.deepEqual(clock.pendingNames(), [])
    },
    { recorderTests: tests, clock },
  )
})

test('a test that takes long is 202, and shown as it goes on', () => {
  const { ends, clock, tests } = benchOf()
  return withApp(
    async (app) => {
      const answer = app.inject(post('sip:srs@127.0.0.1')).then((one) => one)
      while (clock.pendingNames().length === 0) await new Promise(setImmediate)
      clock.advance(5_000)
      const { statusCode, headers } = await answer
      assert.equal(statusCode, 202)
      const url = String(headers['location'])
      assert.equal((await app.inject(url)).json().state, 'running')
      ends[0]?.reject(new Error('no port is free'))
      while ((await app.inject(url)).json().state === 'running') await new Promise(setImmediate)
      const { state, failure } = (await app.inject(url)).json()
      assert.deepEqual([state, failure], ['failed', 'no port is free'])
      assert.equal((await app.inject('/api/recorders/tests/abc')).statusCode, 404)
    },
    { recorderTests: tests, clock },
  )
})

test('only listed recorders are called, only some at a time, and only from an address of our own', () => {
  const { asked, tests } = benchOf()
  assert.equal(tests.begin('srs', 1), 'invalid')
  assert.equal(tests.begin('tel:+491', 1), 'invalid')
  assert.equal(tests.begin('sip:srs@192.0.2.1', 1), 'forbidden')
  assert.equal(tests.begin('sip:srs@127.0.0.1;maddr=192.0.2.1', 1), 'forbidden')
  assert.deepEqual(asked, [])
  assert.equal(typeof tests.begin('sip:srs@127.0.0.1', 1), 'object')
  assert.equal(typeof tests.begin('sip:srs@127.0.0.1', 1), 'object')
  assert.equal(tests.begin('sip:srs@127.0.0.1', 1), 'busy')
})
