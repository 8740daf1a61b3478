import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CallBench } from '../../test/harness/call-bench.ts'
import { bodyText, phoneSdp } from '../../test/harness/test-phone.ts'

test('SIP-21: each leg has its own timer; a refresh by re-INVITE repeats the description and does not reach the other leg', async () => {
  const bench = new CallBench()
  const phone = bench.alice.call(bench.uri('bob'), {
    body: phoneSdp(),
    headers: [
      ['Session-Expires', '200;refresher=uas'],
      ['Supported', 'timer'],
      ['Allow', 'INVITE, ACK, BYE, CANCEL'],
    ],
  })
  await bench.pass()
  const callee = bench.bob.incoming[0]!
  assert.equal(callee.incoming?.request.headers.has('session-expires'), false)
  callee.accept()
  await bench.pass()
  const agreed = bodyText(phone.accepted)
  await bench.clock.advanceAsync(101_000)
  assert.deepEqual(phone.offers(), [agreed])
  assert.equal(callee.requests.length, 0)
  await bench.clock.advanceAsync(101_000)
  const methods = phone.requests.map(({ request }) => request.method)
  assert.deepEqual(methods, ['INVITE', 'UPDATE'], 'started anew; the answer to the first said that UPDATE is taken')
  assert.equal(phone.end, undefined)
  void phone.dialog?.bye()
  await bench.pass()
  await bench.checkNothingLeft()
})

test('SIP-21: a caller who no longer refreshes is taken for gone, and the callee gets BYE', async () => {
  const bench = new CallBench()
  bench.alice.call(bench.uri('bob'), {
    body: phoneSdp(),
    headers: [
      ['Session-Expires', '90;refresher=uac'],
      ['Supported', 'timer'],
    ],
  })
  await bench.pass()
  bench.bob.incoming[0]!.accept()
  await bench.pass()
  bench.network.detach('10.0.0.2')
  await bench.clock.advanceAsync(62_000)
  assert.equal(bench.bob.incoming[0]?.end?.cause, 'remote-bye')
})
