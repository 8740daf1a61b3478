import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CallSnapshot, DialResult } from '#call'
import { CallBench } from '../../test/harness/call-bench.ts'
import { noPorts } from '../../test/harness/fake-engine.ts'
import { bodyText, type PhoneCall, phoneSdp } from '../../test/harness/test-phone.ts'

const BOB = 'sip:bob@10.0.0.3'

async function inFlow(): Promise<{ bench: CallBench; phone: PhoneCall; events: string[] }> {
  const bench = new CallBench()
  const phone = bench.alice.call(bench.uri('flow'), { body: phoneSdp() })
  await bench.pass()
  const events: string[] = []
  bench.flow.onEvent((event) => events.push(event.type))
  void bench.flow.answer()
  await bench.pass()
  return { bench, phone, events }
}

function seats(snapshot: CallSnapshot): string[] {
  return snapshot.parties.filter((party) => party.leftAtMs === undefined).map((party) => party.role)
}

test('a flow that dials until the end goes on with its caller after the callee has left', async () => {
  const { bench, phone, events } = await inFlow()
  assert.deepEqual(seats(bench.flow.snapshot()), ['caller', 'automaton'])
  assert.deepEqual(bench.flow.snapshot().parties[1]?.aors, ['sip:flow@10.0.0.1'])
  const results: DialResult[] = []
  void bench.flow.dial({ target: BOB, timeoutMs: 20_000, until: 'end' }).then((result) => results.push(result))
  await bench.pass()
  const callee = bench.bob.incoming[0]!
  assert.match(bodyText(callee.incoming?.request), /RTP\/AVP 0 101\r\n/, 'only what the caller carries by now')
  callee.accept()
  await bench.pass()
  assert.deepEqual(seats(bench.flow.snapshot()), ['caller', 'callee'])
  assert.equal(bench.engine.last.legs.get('caller')?.peer, 'callee-1')
  assert.deepEqual(results, [])
  void callee.dialog?.bye()
  await bench.pass()
  assert.deepEqual(results, [{ result: 'answered' }])
  assert.deepEqual(seats(bench.flow.snapshot()), ['caller', 'automaton'])
  assert.deepEqual(events, ['party-joined', 'answered', 'party-left', 'party-joined', 'party-left', 'party-joined'])
  assert.equal(phone.end?.cause, undefined)
  assert.equal(bench.engine.last.legs.has('callee-1'), false)
  const again = bench.flow.dial({ target: BOB, timeoutMs: 20_000, until: 'answer' })
  await bench.pass()
  bench.bob.incoming[1]?.accept()
  await bench.pass()
  assert.deepEqual(await again, { result: 'answered' })
  void bench.bob.incoming[1]?.dialog?.bye()
  await bench.pass()
  assert.equal(phone.end?.cause, 'remote-bye', 'a dial until the answer ends the call with the callee')
  await bench.checkNothingLeft()
})

for (const [status, result] of [
  [486, 'busy'],
  [600, 'busy'],
  [480, 'no-answer'],
  [603, 'rejected'],
  [403, 'rejected'],
  [500, 'failed'],
] as const) {
  test(`a dial refused with ${status} comes to the flow as ${result}, and the caller stays`, async () => {
    const { bench, phone, events } = await inFlow()
    const dialled = bench.flow.dial({ target: BOB, timeoutMs: 20_000, until: 'end' })
    await bench.pass()
    bench.bob.incoming[0]?.incoming?.reject(status)
    await bench.pass()
    assert.deepEqual(await dialled, { result, sipStatus: status })
    assert.deepEqual(events, ['party-joined', 'answered'])
    assert.equal(phone.end?.cause, undefined)
    bench.flow.hangup()
    await bench.checkNothingLeft()
  })
}

test('a dial that nobody answers in time is cancelled', async () => {
  const { bench } = await inFlow()
  const dialled = bench.flow.dial({ target: BOB, timeoutMs: 5_000, until: 'end' })
  await bench.pass()
  bench.bob.incoming[0]?.incoming?.progress(180)
  await bench.pass(5_000)
  assert.deepEqual(await dialled, { result: 'no-answer', sipStatus: 480 })
  assert.equal(bench.bob.incoming[0]?.isCancelled, true)
  bench.flow.hangup()
  await bench.checkNothingLeft()
})

test('a dial that may not be made is refused without a word to anyone', async () => {
  const { bench } = await inFlow()
  const dial = (target: string): Promise<DialResult> => bench.flow.dial({ target, timeoutMs: 1000, until: 'end' })
  assert.deepEqual(await dial('sip:x@evil.example'), { result: 'forbidden', sipStatus: 403 })
  assert.deepEqual(await dial('sip:x@10.0.0.3;maddr=192.0.2.66'), { result: 'forbidden', sipStatus: 403 })
  assert.deepEqual(await dial('tel:+4912345'), { result: 'forbidden', sipStatus: 403 })
  assert.deepEqual(await dial('no uri'), { result: 'failed', sipStatus: 404 })
  bench.engine.onCommand = (command) => {
    if (command.name === 'addLeg') throw noPorts()
  }
  assert.deepEqual(await dial(BOB), { result: 'failed', sipStatus: 503 })
  bench.engine.onCommand = undefined
  const first = dial(BOB)
  assert.deepEqual(await dial(BOB), { result: 'failed', sipStatus: 491 }, 'one dial at a time')
  bench.flow.hangup()
  assert.equal((await first).result, 'failed')
  assert.deepEqual(await dial(BOB), { result: 'failed', sipStatus: 487 })
  await bench.checkNothingLeft()
})

test('a caller that leaves while its flow dials takes the dial along', async () => {
  const { bench, phone } = await inFlow()
  const dialled = bench.flow.dial({ target: BOB, timeoutMs: 20_000, until: 'end' })
  await bench.pass()
  bench.bob.incoming[0]?.incoming?.progress(180)
  await bench.pass()
  void phone.dialog?.bye()
  await bench.pass()
  assert.deepEqual(await dialled, { result: 'failed', sipStatus: 487 })
  assert.equal(bench.bob.incoming[0]?.isCancelled, true)
  await bench.checkNothingLeft()
})

test('a flow that dials before it answers lets the callee answer the caller', async () => {
  const bench = new CallBench()
  const phone = bench.alice.call(bench.uri('flow'), { body: phoneSdp() })
  await bench.pass()
  const dialled = bench.flow.dial({ target: BOB, timeoutMs: 20_000, until: 'end' })
  await bench.pass()
  bench.bob.incoming[0]?.accept(phoneSdp({ codecs: ['PCMA'] }))
  await bench.pass()
  assert.match(bodyText(phone.accepted), /RTP\/AVP 8\r\n/)
  assert.deepEqual(seats(bench.flow.snapshot()), ['caller', 'callee'])
  bench.flow.hangup()
  assert.deepEqual(await dialled, { result: 'answered' })
  await bench.checkNothingLeft()
})

test('a flow that hangs up a caller it did not answer declines the call', async () => {
  const bench = new CallBench()
  const phone = bench.alice.call(bench.uri('flow'), { body: phoneSdp() })
  await bench.pass()
  bench.flow.hangup()
  await bench.pass()
  assert.equal(phone.failed?.status, 603)
  assert.equal(await bench.flow.answer(), false)
  await bench.checkNothingLeft()
})
