// Row SIP-21 on recording sessions: a recorder that lives keeps the session, one that is silent loses it.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defaultProfile } from '#recording-client'
import { withBench } from '../harness/recording-bench.ts'

const profileOf = () => ({ ...defaultProfile, sessionExpiresSeconds: 120 })

test('SIP-21: a recording session asks for the timer of its profile and is refreshed by UPDATE', () =>
  withBench(
    async (bench) => {
      const recorder = await bench.recording()
      assert.equal(bench.sent(recorder.ip)[0]?.message.headers.get('session-expires'), '120')
      await bench.pass(61_000)
      const refresh = bench.sent(recorder.ip).at(-1)
      assert.equal(refresh?.label, 'UPDATE')
      assert.equal(refresh?.message.body.length, 0)
      await bench.pass(60_000)
      assert.equal(bench.state, 'recording')
    },
    { profileOf },
  ))

test('SIP-21: a recorder that takes no UPDATE is refreshed by a re-INVITE with the same version of the description', () =>
  withBench(
    async (bench) => {
      const recorder = bench.recorder(11, { allow: ['INVITE', 'ACK', 'BYE', 'CANCEL', 'OPTIONS'] })
      bench.start(recorder.uri)
      await bench.pass()
      await bench.pass(61_000)
      const [first, again] = bench.sent(recorder.ip).filter(({ label }) => label === 'INVITE')
      const origin = (sdp: string | undefined): string | undefined => /^o=.*$/m.exec(sdp ?? '')?.[0]
      assert.ok(again)
      assert.equal(origin(again.sdp), origin(first?.sdp))
      assert.equal(bench.state, 'recording')
    },
    { profileOf },
  ))
