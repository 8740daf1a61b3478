import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Call } from '#call'
import { CallBench } from '../../test/harness/call-bench.ts'
import { type PhoneCall, phoneSdp } from '../../test/harness/test-phone.ts'

const CAROL = 'sip:carol@10.0.0.4'

async function answered(): Promise<{ bench: CallBench; alice: PhoneCall; call: Call }> {
  const bench = new CallBench()
  const alice = bench.alice.call(bench.uri('flow'), { body: phoneSdp() })
  await bench.pass()
  void bench.flow.answer()
  await bench.pass()
  return { bench, alice, call: bench.flow }
}

async function notify(bench: CallBench, from: PhoneCall, status: string, state: string): Promise<number | undefined> {
  const content = new TextEncoder().encode(`SIP/2.0 ${status}\r\n`)
  const sent = from.dialog?.request('NOTIFY', {
    headers: [
      ['Event', 'refer'],
      ['Subscription-State', state],
    ],
    body: { contentType: 'message/sipfrag', content },
  })
  await bench.pass()
  return (await sent)?.status
}

test('a caller that a flow refers away is asked by REFER, and its NOTIFYs tell how it went', async () => {
  for (const [status, result] of [
    ['200 OK', { result: 'transferred', sipStatus: 200 }],
    ['486 Busy Here', { result: 'failed', sipStatus: 486 }],
  ] as const) {
    const { bench, alice, call } = await answered()
    const referred = call.refer({ target: CAROL, timeoutMs: 60_000 })
    await bench.pass()
    const refer = alice.requests.find(({ request }) => request.method === 'REFER')
    assert.equal(refer?.request.headers.get('Refer-To'), `<${CAROL}>`)
    assert.equal(await notify(bench, alice, '100 Trying', 'active;expires=60'), 200)
    assert.equal(await notify(bench, alice, status, 'terminated;reason=noresource'), 200)
    assert.deepEqual(await referred, result)
    assert.equal(await notify(bench, alice, '200 OK', 'terminated'), 481, 'nothing is under way any more')
    call.hangup()
    await bench.checkNothingLeft()
  }
})

test('a refer goes nowhere but where the configuration allows, ends after its time, and with the call', async () => {
  const { bench, alice, call } = await answered()
  assert.deepEqual((await call.refer({ target: 'sip:x@10.9.9.9', timeoutMs: 1_000 })).result, 'forbidden')
  assert.equal(alice.requests.length, 0)
  const late = call.refer({ target: CAROL, timeoutMs: 1_000 })
  assert.deepEqual(await call.refer({ target: CAROL, timeoutMs: 1_000 }), { result: 'failed' }, 'one at a time')
  await bench.pass(1_100)
  assert.deepEqual(await late, { result: 'timeout' })
  const cut = call.refer({ target: CAROL, timeoutMs: 60_000 })
  await bench.pass()
  void alice.dialog?.bye()
  await bench.pass()
  assert.deepEqual(await cut, { result: 'hangup' })
  assert.deepEqual(await call.refer({ target: CAROL, timeoutMs: 1_000 }), { result: 'hangup' })
  await bench.checkNothingLeft()
})
