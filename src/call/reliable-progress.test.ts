import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CallBench, RELIABLE } from '../../test/harness/call-bench.ts'
import { bodyText, phoneSdp } from '../../test/harness/test-phone.ts'

const ABILITIES = ['none', 'supported', 'required'] as const

/** Early media from callee to caller, then the answer; each phone with its own abilities. */
async function withEarlyMedia(alice: (typeof ABILITIES)[number], bob: (typeof ABILITIES)[number]) {
  const bench = new CallBench({
    ...(alice === 'none' ? {} : { alice: RELIABLE }),
    ...(bob === 'none' ? {} : { bob: RELIABLE }),
  })
  const required = [['Require', '100rel'] as const]
  const phone = bench.alice.call(bench.uri('bob'), {
    body: phoneSdp(),
    ...(alice === 'required' ? { headers: required } : {}),
  })
  await bench.pass()
  const callee = bench.bob.incoming[0]!
  callee.incoming!.progress(183, { body: phoneSdp(), reliable: bob !== 'none' })
  await bench.pass()
  return { bench, phone, callee }
}

for (const alice of ABILITIES) {
  for (const bob of ['none', 'supported'] as const) {
    test(`SIP-16: caller ${alice}, callee ${bob}: each leg is as reliable as it can be, whatever the other is`, async () => {
      const { bench, phone, callee } = await withEarlyMedia(alice, bob)
      const early = phone.progress.at(-1)
      assert.equal(early?.status, 183)
      assert.match(bodyText(early), /m=audio/)
      assert.equal(early?.headers.get('require'), alice === 'none' ? undefined : '100rel')
      assert.equal(callee.incoming?.early.isAgreed, bob !== 'none')
      callee.accept()
      await bench.pass()
      assert.equal(phone.accepted?.status, 200)
      assert.equal(bodyText(phone.accepted) === '', alice !== 'none', 'an answer is given reliably once')
      assert.equal(bench.engine.last.legs.get('caller')?.peer, 'callee-1')
      void phone.dialog?.bye()
      await bench.pass()
      await bench.checkNothingLeft()
    })
  }
}

test('SIP-17: an UPDATE before the answer changes the media of its leg, from either side', async () => {
  const { bench, phone, callee } = await withEarlyMedia('supported', 'supported')
  const fromCaller = phone.early!.update({ body: phoneSdp({ address: '192.0.2.77', port: 4700 }) })
  await bench.pass()
  const outcome = await fromCaller
  assert.equal(outcome.status, 200)
  assert.match(bodyText(outcome.response), /m=audio/)
  assert.deepEqual(bench.engine.last.legs.get('caller')?.media?.remote?.rtp, { host: '192.0.2.77', port: 4700 })
  const fromCallee = callee.incoming!.early.update({ body: phoneSdp({ address: '192.0.2.88', port: 4800 }) })
  await bench.pass()
  assert.equal((await fromCallee).status, 200)
  assert.deepEqual(bench.engine.last.legs.get('callee-1')?.media?.remote?.rtp, { host: '192.0.2.88', port: 4800 })
  callee.accept()
  await bench.pass()
  assert.equal(phone.accepted?.status, 200)
  assert.deepEqual(bench.engine.last.legs.get('caller')?.media?.remote?.rtp, { host: '192.0.2.77', port: 4700 })
  void phone.dialog?.bye()
  await bench.pass()
  await bench.checkNothingLeft()
})

test('SIP-21: a configured timer is asked for on the leg of the callee, and answered on that of the caller', async () => {
  const bench = new CallBench({ sessionTimer: { expiresSeconds: 900 } })
  bench.alice.call(bench.uri('bob'), { body: phoneSdp() })
  await bench.pass()
  assert.equal(bench.bob.incoming[0]?.incoming?.request.headers.get('session-expires'), '900')
})
