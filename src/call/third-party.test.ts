import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Call, CallSnapshot } from '#call'
import { CallBench } from '../../test/harness/call-bench.ts'
import { noPorts } from '../../test/harness/fake-engine.ts'
import { bodyText, type PhoneCall, phoneSdp } from '../../test/harness/test-phone.ts'

const CAROL = 'sip:carol@10.0.0.4'

interface Talking {
  readonly bench: CallBench
  readonly alice: PhoneCall
  readonly bob: PhoneCall
  readonly call: Call
  readonly events: string[]
}

async function talking(): Promise<Talking> {
  const bench = new CallBench()
  const alice = bench.alice.call(bench.uri('bob'), { body: phoneSdp() })
  await bench.pass()
  const bob = bench.bob.incoming[0]!
  bob.accept()
  await bench.pass()
  const call = bench.service.calls()[0]!
  const events: string[] = []
  call.onEvent((event) => events.push(event.type))
  return { bench, alice, bob, call, events }
}

/** Carol has joined Alice and Bob. */
async function three(): Promise<Talking & { readonly carol: PhoneCall }> {
  const talk = await talking()
  const joined = talk.call.join({ target: CAROL, timeoutMs: 20_000 })
  await talk.bench.pass()
  const carol = talk.bench.carol.incoming[0]!
  carol.accept()
  await talk.bench.pass()
  assert.deepEqual(await joined, { result: 'answered', leg: 'callee-2' })
  return { ...talk, carol }
}

function isUp(call: PhoneCall): boolean {
  return call.end === undefined
}

function conferences(bench: CallBench): (readonly string[])[] {
  return bench.engine.last.commands.flatMap((command) => (command.name === 'conference' ? [command.legs] : []))
}

function present(snapshot: CallSnapshot): (string | undefined)[] {
  return snapshot.parties.filter((party) => party.leftAtMs === undefined).map((party) => party.aors[0])
}

test('FLOW-06, FLOW-07: a third party joins, all hear all, and when it leaves two talk as before', async () => {
  const { bench, alice, bob, carol, call, events } = await three()
  assert.deepEqual(conferences(bench), [['caller', 'callee-1', 'callee-2']])
  assert.deepEqual(events, ['party-joined'])
  assert.deepEqual(present(call.snapshot()), ['sip:alice@phones.example', 'sip:bob@10.0.0.3', CAROL])
  assert.match(bodyText(carol.incoming?.request), /RTP\/AVP 0 8 101/)
  void carol.dialog?.bye()
  await bench.pass()
  assert.deepEqual(events, ['party-joined', 'party-left'])
  assert.equal(bench.engine.last.legs.get('caller')?.peer, 'callee-1')
  assert.ok(isUp(alice) && isUp(bob))
  void bob.dialog?.bye()
  await bench.pass()
  assert.equal(alice.end?.cause, 'remote-bye')
  await bench.checkNothingLeft()
})

test('FLOW-06: the callee may leave to the third party, and the call ends with its caller', async () => {
  const { bench, alice, bob, carol, call } = await three()
  void bob.dialog?.bye()
  await bench.pass()
  assert.equal(bench.engine.last.legs.get('caller')?.peer, 'callee-2')
  assert.deepEqual(present(call.snapshot()), ['sip:alice@phones.example', CAROL])
  assert.ok(isUp(carol))
  void alice.dialog?.bye()
  await bench.pass()
  assert.equal(carol.end?.cause, 'remote-bye')
  await bench.checkNothingLeft()
})

test('FLOW-06: the caller leaving ends the call of all', async () => {
  const { bench, alice, bob, carol } = await three()
  void alice.dialog?.bye()
  await bench.pass()
  assert.deepEqual([bob.end?.cause, carol.end?.cause], ['remote-bye', 'remote-bye'])
  await bench.checkNothingLeft()
})

test('FLOW-06: who holds in a conference is told of by itself; the others go on', async () => {
  const { bench, alice, bob, carol, call, events } = await three()
  const offersBefore = alice.offers().length + carol.offers().length
  void bob.dialog?.reinvite({ body: phoneSdp({ direction: 'sendonly' }) })
  await bench.pass()
  assert.deepEqual(events, ['party-joined', 'hold-changed'])
  assert.deepEqual(
    call.snapshot().parties.map((party) => party.hold),
    ['none', 'sendonly', 'none'],
  )
  assert.equal(alice.offers().length + carol.offers().length, offersBefore)
  void carol.dialog?.bye()
  await bench.pass()
  assert.match(alice.offers().at(-1) ?? '', /a=sendonly/, 'alone with who holds, it is on hold')
  void alice.dialog?.bye()
  await bench.checkNothingLeft()
})

test('FLOW-06: a party is let go by name; the caller is not', async () => {
  const { bench, bob, carol, call } = await three()
  assert.equal(call.dismiss('caller'), false)
  assert.equal(call.dismiss('nobody'), false)
  assert.equal(call.dismiss('callee-2'), true)
  await bench.pass()
  assert.equal(carol.end?.cause, 'remote-bye')
  assert.ok(isUp(bob))
  assert.equal(call.dismiss('callee-1'), true)
  await bench.pass()
  assert.equal(call.ended, true)
  await bench.checkNothingLeft()
})

test('FLOW-06: a party of a conference is transferred like any', async () => {
  const { bench, bob, carol, call } = await three()
  void bob.dialog?.request('REFER', { headers: [['Refer-To', '<sip:dora@10.0.0.4>']] })
  await bench.pass()
  bench.carol.incoming[1]?.accept()
  await bench.pass()
  assert.equal(bob.end?.cause, 'remote-bye')
  assert.deepEqual(conferences(bench).at(-1), ['caller', 'callee-3', 'callee-2'])
  assert.deepEqual(present(call.snapshot()), ['sip:alice@phones.example', CAROL, 'sip:dora@10.0.0.4'])
  assert.ok(isUp(carol))
  call.hangup()
  await bench.checkNothingLeft()
})

test('a join that fails leaves the talk as it was', async () => {
  const { bench, alice, bob, call, events } = await talking()
  const join = (target = CAROL): ReturnType<Call['join']> => call.join({ target, timeoutMs: 5_000 })
  assert.deepEqual(await join('sip:x@evil.example'), { result: 'forbidden', sipStatus: 403 })
  const refused = join()
  await bench.pass()
  bench.carol.incoming[0]?.incoming?.reject(486)
  await bench.pass()
  assert.deepEqual(await refused, { result: 'busy', sipStatus: 486 })
  bench.engine.onCommand = (command) => {
    if (command.name === 'conference') throw noPorts()
  }
  const unmixed = join()
  await bench.pass()
  bench.carol.incoming[1]?.accept()
  await bench.pass()
  assert.deepEqual(await unmixed, { result: 'failed', sipStatus: 488 })
  assert.equal(bench.carol.incoming[1]?.end?.cause, 'remote-bye')
  assert.equal(bench.engine.last.legs.get('caller')?.peer, 'callee-1')
  bench.engine.onCommand = (command) => {
    if (command.name === 'addLeg') throw noPorts()
  }
  assert.deepEqual(await join(), { result: 'failed', sipStatus: 503 })
  bench.engine.onCommand = undefined
  const ringing = join()
  await bench.pass()
  bench.carol.incoming[2]?.incoming?.progress(180)
  await bench.pass()
  assert.ok(isUp(alice) && isUp(bob))
  assert.deepEqual(events, [])
  void bob.dialog?.bye()
  await bench.pass()
  assert.equal((await ringing).result, 'no-answer')
  assert.equal(bench.carol.incoming[2]?.isCancelled, true)
  assert.deepEqual(await join(), { result: 'failed', sipStatus: 480 })
  await bench.checkNothingLeft()
})

test('a caller alone with a flow cannot be joined, only dialled for', async () => {
  const bench = new CallBench()
  bench.alice.call(bench.uri('flow'), { body: phoneSdp() })
  await bench.pass()
  void bench.flow.answer()
  await bench.pass()
  assert.deepEqual(await bench.flow.join({ target: CAROL, timeoutMs: 1000 }), { result: 'failed', sipStatus: 480 })
  bench.flow.hangup()
  await bench.checkNothingLeft()
})

test('a dial until the end goes on with the third party when its callee leaves', async () => {
  const bench = new CallBench()
  const alice = bench.alice.call(bench.uri('flow'), { body: phoneSdp() })
  await bench.pass()
  void bench.flow.answer()
  const dialled = bench.flow.dial({ target: 'sip:bob@10.0.0.3', timeoutMs: 20_000, until: 'end' })
  await bench.pass()
  const bob = bench.bob.incoming[0]!
  bob.accept()
  await bench.pass()
  void bench.flow.join({ target: CAROL, timeoutMs: 20_000 })
  await bench.pass()
  bench.carol.incoming[0]?.accept()
  await bench.pass()
  const settled: unknown[] = []
  void dialled.then((result) => settled.push(result))
  void bob.dialog?.bye()
  await bench.pass()
  assert.deepEqual(settled, [])
  void bench.carol.incoming[0]?.dialog?.bye()
  await bench.pass()
  assert.deepEqual(settled, [{ result: 'answered' }])
  assert.ok(isUp(alice))
  bench.flow.hangup()
  await bench.checkNothingLeft()
})

test('parties that are joined at the same time are no more than a call may have', async () => {
  const { bench, alice, call } = await talking()
  const joined = Array.from({ length: 12 }, () => call.join({ target: CAROL, timeoutMs: 20_000 }))
  await bench.pass()
  assert.equal(bench.carol.incoming.length, 6)
  for (const one of bench.carol.incoming) one.accept()
  await bench.pass()
  const results = (await Promise.all(joined)).map(({ result }) => result)
  assert.deepEqual(results, [...Array(6).fill('answered'), ...Array(6).fill('failed')])
  assert.equal(present(call.snapshot()).length, 8)
  void alice.dialog?.bye()
  await bench.pass()
  await bench.checkNothingLeft()
})
