import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CallBench } from '../../test/harness/call-bench.ts'
import { phoneSdp } from '../../test/harness/test-phone.ts'

test('SIP-36: credentials of the caller stay on its leg, and a challenge of the callee does not reach the caller', async () => {
  const bench = new CallBench()
  const credentials = 'Digest username="alice", realm="r", nonce="n", uri="u", response="0"'
  const phone = bench.alice.call(bench.uri('bob'), {
    body: phoneSdp(),
    headers: [
      ['Authorization', credentials],
      ['Proxy-Authorization', credentials],
    ],
  })
  await bench.pass()
  const onward = bench.bob.incoming[0]?.incoming
  assert.ok(onward)
  assert.equal(onward.request.headers.has('authorization'), false)
  assert.equal(onward.request.headers.has('proxy-authorization'), false)
  onward.reject(401, { headers: [['WWW-Authenticate', 'Digest realm="callee", nonce="n"']] })
  await bench.pass()
  assert.equal(phone.failed?.response?.headers.has('www-authenticate'), false)
  await bench.checkNothingLeft()
})
