// Rows SEC-17 and SEC-18 from the recording client's side: a recorder that asks who is there.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defaultProfile } from '#recording-client'
import { withBench } from '../harness/recording-bench.ts'

const credentials = { username: 'src', password: 'open sesame', allowMd5: false }
const authenticate = {
  realm: 'srs.example',
  passwordOf: (name: string) => (name === 'src' ? 'open sesame' : undefined),
  allowMd5: true,
}

test('SEC-18: a recorder that challenges gets the same INVITE with credentials, and the recording starts', () =>
  withBench(
    async (bench) => {
      const recorder = bench.recorder(11, { authenticate })
      const start = bench.start(recorder.uri)
      await bench.pass()
      assert.equal(start.status, 200)
      const [first, , second] = bench.sent(recorder.ip)
      assert.deepEqual([first?.label, second?.label], ['INVITE', 'INVITE'])
      assert.deepEqual(second?.message.body, first?.message.body)
      assert.equal(recorder.sessions.length, 1)
      assert.equal(JSON.stringify([bench.log.lines, bench.events]).includes(credentials.password), false)
    },
    { profileOf: () => ({ ...defaultProfile, credentials }) },
  ))

test('SEC-18: without credentials the challenge is a refusal as any other', () =>
  withBench(async (bench) => {
    const recorder = bench.recorder(11, { authenticate })
    const start = bench.start(recorder.uri)
    await bench.pass()
    assert.notEqual(start.status, 200)
    assert.deepEqual(
      bench.sent(recorder.ip).map(({ label }) => label),
      ['INVITE', 'ACK'],
    )
  }))
