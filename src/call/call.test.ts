import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type StateTrace, stateTrace } from '#kernel'
import { CallBench } from '../../test/harness/call-bench.ts'
import { bodyText, phoneSdp } from '../../test/harness/test-phone.ts'

const PROMPT = { pcmu: new Uint8Array(160), pcma: new Uint8Array(160) }

test('a call to a flow is answered in the first G.711 offered, hears a prompt and is hung up', async () => {
  const bench = new CallBench()
  const phone = bench.alice.call(bench.uri('flow'), {
    body: phoneSdp({ codecs: ['G722', 'PCMA', 'PCMU', 'telephone-event'] }),
  })
  await bench.pass()
  assert.equal(bench.flow.snapshot().state, 'ringing')
  const answered = bench.flow.answer()
  await bench.pass()
  assert.equal(await answered, true)
  assert.match(bodyText(phone.accepted), /m=audio 20000 RTP\/AVP 8 96\r\n/)
  assert.deepEqual(bench.flow.snapshot().encodings, ['PCMA/8000', 'TELEPHONE-EVENT/8000'])
  assert.deepEqual(bench.engine.last.legs.get('caller')?.media, {
    remote: { rtp: { host: '192.0.2.1', port: 4000 }, rtcp: { host: '192.0.2.1', port: 4001 } },
    codecs: [
      { encoding: 'PCMA/8000', receivePayloadType: 8, sendPayloadType: 8 },
      { encoding: 'TELEPHONE-EVENT/8000', receivePayloadType: 96, sendPayloadType: 96 },
    ],
    send: true,
    receive: true,
  })
  const played = bench.flow.play(PROMPT)
  await bench.pass()
  bench.engine.last.endPlay('caller')
  assert.equal(await played, 'finished')
  bench.flow.hangup('done')
  await bench.pass()
  assert.equal(phone.end?.cause, 'remote-bye')
  assert.equal(phone.end?.request?.headers.get('Reason'), 'Q.850;cause=16;text="done"')
  await bench.checkNothingLeft()
})

test('a caller that hangs up ends the prompt and the flow hears of it', async () => {
  const bench = new CallBench()
  const phone = bench.alice.call(bench.uri('flow'), { body: phoneSdp() })
  await bench.pass()
  await bench.flow.answer()
  await bench.pass()
  const events: string[] = []
  bench.flow.onEvent((event) => events.push(event.type))
  bench.flow.onEnded(() => events.push('told'))
  const played = bench.flow.play(PROMPT)
  void phone.dialog?.bye({ headers: [['Reason', 'Q.850;cause=31;text="bored"']] })
  await bench.pass()
  assert.equal(await played, 'hangup')
  assert.deepEqual(events, ['ended', 'told'])
  assert.deepEqual(bench.flow.snapshot().endReason, { protocol: 'Q.850', cause: 31, text: 'bored' })
  assert.equal(await bench.flow.play(PROMPT), 'hangup')
  await bench.checkNothingLeft()
})

test('a callee that rings and answers is bridged to the caller, and its hang-up reaches the caller with its reason', async () => {
  const bench = new CallBench()
  const phone = bench.alice.call(bench.uri('bob'), { body: phoneSdp({ codecs: ['PCMU', 'G722', 'telephone-event'] }) })
  await bench.pass()
  const callee = bench.bob.incoming[0]!
  assert.match(bodyText(callee.incoming?.request), /m=audio 20002 RTP\/AVP 0 9 101\r\n/)
  assert.equal(callee.incoming?.request.headers.get('From')?.split(';')[0], '"Alice" <sip:alice@gw.example>')
  callee.incoming?.progress(180)
  await bench.pass()
  assert.deepEqual(
    phone.progress.map((response) => response.status),
    [180],
  )
  const events: string[] = []
  const call = bench.service.calls()[0]!
  call.onEvent((event) => events.push(event.type))
  callee.accept(phoneSdp({ codecs: ['G722'], port: 5000 }))
  await bench.pass()
  assert.match(bodyText(phone.accepted), /m=audio 20000 RTP\/AVP 9\r\n/)
  assert.deepEqual(events, ['party-joined', 'answered'])
  assert.equal(bench.engine.last.legs.get('caller')?.peer, 'callee-1')
  assert.equal(bench.engine.last.legs.get('callee-1')?.media?.remote?.rtp.port, 5000)
  const [caller, joined] = call.snapshot().parties
  assert.deepEqual([caller?.role, caller?.aors, caller?.displayName], ['caller', ['sip:alice@phones.example'], 'Alice'])
  assert.deepEqual([joined?.role, joined?.aors, joined?.leg], ['callee', ['sip:bob@10.0.0.3'], 'callee-1'])
  assert.equal(joined?.sipCallId, callee.dialog?.callId)
  void callee.dialog?.bye({ headers: [['Reason', 'SIP;cause=200;text="Call completed elsewhere"']] })
  await bench.pass()
  assert.equal(phone.end?.request?.headers.get('Reason'), 'SIP;cause=200;text="Call completed elsewhere"')
  await bench.checkNothingLeft()
})

test('a caller that hangs up a bridged call takes the callee along', async () => {
  const bench = new CallBench()
  const phone = bench.alice.call(bench.uri('bob'), { body: phoneSdp() })
  await bench.pass()
  const callee = bench.bob.incoming[0]!
  callee.accept()
  await bench.pass()
  void phone.dialog?.bye()
  await bench.pass()
  assert.equal(callee.end?.cause, 'remote-bye')
  await bench.checkNothingLeft()
})

test('early media of the callee reaches the caller in a 183, and the 200 repeats the answer', async () => {
  const bench = new CallBench()
  const phone = bench.alice.call(bench.uri('bob'), { body: phoneSdp() })
  await bench.pass()
  const callee = bench.bob.incoming[0]!
  callee.incoming?.progress(183, { body: phoneSdp({ codecs: ['PCMA'], port: 5000 }) })
  await bench.pass()
  assert.equal(phone.progress[0]?.status, 183)
  assert.match(bodyText(phone.progress[0]), /RTP\/AVP 8\r\n/)
  assert.equal(bench.engine.last.legs.get('caller')?.peer, 'callee-1')
  assert.equal(bench.service.calls()[0]?.snapshot().state, 'ringing')
  callee.accept(phoneSdp({ codecs: ['PCMA'], port: 5000 }))
  await bench.pass()
  assert.equal(bodyText(phone.accepted), bodyText(phone.progress[0]))
  void phone.dialog?.bye()
  await bench.checkNothingLeft()
})

test('a CANCEL of the caller cancels the callee with its reason', async () => {
  const bench = new CallBench()
  const phone = bench.alice.call(bench.uri('bob'), { body: phoneSdp() })
  await bench.pass()
  bench.bob.incoming[0]?.incoming?.progress(180)
  await bench.pass()
  phone.invite?.cancel({ headers: [['Reason', 'SIP;cause=200;text="Call completed elsewhere"']] })
  await bench.pass()
  assert.equal(bench.bob.incoming[0]?.isCancelled, true)
  assert.equal(bench.bob.incoming[0]?.cancelReason, 'SIP;cause=200;text="Call completed elsewhere"')
  await bench.checkNothingLeft()
})

test('a CANCEL that comes before anything of the call is ready leaves nothing behind', async () => {
  const bench = new CallBench()
  let bind: () => void = () => {}
  bench.engine.onCommand = (command) =>
    command.name === 'addLeg' ? new Promise((resolve) => (bind = resolve)) : undefined
  const phone = bench.alice.call(bench.uri('bob'), { body: phoneSdp() })
  await bench.pass()
  phone.invite?.cancel()
  await bench.pass()
  bind()
  await bench.pass()
  assert.equal(bench.bob.incoming.length, 0)
  await bench.checkNothingLeft()
})

for (const [said, heard] of [
  [486, 486],
  [600, 600],
  [603, 603],
  [404, 404],
  [480, 480],
  [408, 480],
  [488, 488],
  [403, 502],
  [500, 502],
  [503, 502],
] as const) {
  test(`a callee that fails with ${said} makes the caller hear ${heard}`, async () => {
    const bench = new CallBench()
    const phone = bench.alice.call(bench.uri('bob'), { body: phoneSdp() })
    await bench.pass()
    bench.bob.incoming[0]?.incoming?.reject(said)
    await bench.pass()
    assert.equal(phone.failed?.status, heard)
    await bench.checkNothingLeft()
  })
}

test('a callee that does not answer in time is cancelled, and the caller hears 480', async () => {
  const bench = new CallBench()
  const phone = bench.alice.call(bench.uri('bob'), { body: phoneSdp() })
  await bench.pass()
  bench.bob.incoming[0]?.incoming?.progress(180)
  await bench.pass(29_900)
  assert.equal(phone.failed?.status, undefined)
  await bench.pass(200)
  assert.equal(phone.failed?.status, 480)
  assert.equal(bench.bob.incoming[0]?.isCancelled, true)
  await bench.checkNothingLeft()
})

test('a callee whose host is not there makes the caller hear 502', async () => {
  const bench = new CallBench({ routes: [{ match: 'bob', callee: 'sip:bob@10.0.0.77' }] })
  const phone = bench.alice.call(bench.uri('bob'), { body: phoneSdp() })
  await bench.pass(40_000)
  assert.equal(phone.failed?.status, 502)
  await bench.checkNothingLeft()
})

test('a callee that answers without a usable description is hung up, and the caller hears 488', async () => {
  const bench = new CallBench()
  const phone = bench.alice.call(bench.uri('bob'), { body: phoneSdp({ codecs: ['PCMU'] }) })
  await bench.pass()
  const callee = bench.bob.incoming[0]!
  callee.accept(phoneSdp({ codecs: ['PCMA'] }))
  await bench.pass()
  assert.equal(callee.end?.cause, 'remote-bye')
  assert.equal(phone.failed?.status, 488)
  await bench.checkNothingLeft()
})

test('a caller that never sends the ACK is hung up, and so is the callee', async () => {
  const bench = new CallBench()
  const peer = bench.network.scriptedPeer('10.0.0.9')
  peer.request('INVITE', { host: '10.0.0.1' }, { uri: bench.uri('bob'), body: bodyText({ body: phoneSdp().content }) })
  await bench.pass()
  const callee = bench.bob.incoming[0]!
  callee.accept()
  await bench.pass(33_000)
  assert.equal(callee.end?.cause, 'remote-bye')
  assert.equal(peer.count('BYE') > 0, true)
  await bench.checkNothingLeft()
})

test('a party that sends no media for too long is taken for gone', async () => {
  const bench = new CallBench({ silenceMs: 10_000 })
  const phone = bench.alice.call(bench.uri('bob'), { body: phoneSdp() })
  await bench.pass()
  const callee = bench.bob.incoming[0]!
  callee.accept()
  await bench.pass()
  bench.engine.last.emit({ type: 'silent', leg: 'caller', forMs: 9_000 })
  await bench.pass()
  assert.equal(phone.end?.cause, undefined)
  bench.engine.last.emit({ type: 'silent', leg: 'caller', forMs: 10_000 })
  await bench.pass()
  assert.equal(phone.end?.request?.headers.get('Reason'), 'Q.850;cause=102;text="No media"')
  assert.equal(callee.end?.cause, 'remote-bye')
  await bench.checkNothingLeft()
})

test('a party that holds the other and plays it no music is not gone, and is looked after again when it talks', async () => {
  const bench = new CallBench({ silenceMs: 10_000 })
  const phone = bench.alice.call(bench.uri('bob'), { body: phoneSdp() })
  await bench.pass()
  bench.bob.incoming[0]!.accept()
  await bench.pass()
  void phone.dialog?.reinvite({ body: phoneSdp({ direction: 'sendonly' }) })
  await bench.pass()
  bench.engine.last.emit({ type: 'silent', leg: 'caller', forMs: 10_000 })
  await bench.pass()
  assert.equal(phone.end?.cause, undefined)
  void phone.dialog?.reinvite({ body: phoneSdp() })
  await bench.pass()
  bench.engine.last.emit({ type: 'silent', leg: 'caller', forMs: 10_000 })
  await bench.pass()
  assert.equal(phone.end?.cause, 'remote-bye')
  await bench.checkNothingLeft()
})

test('a caller that says nothing while it hears the ringing is not gone', async () => {
  const bench = new CallBench({ silenceMs: 10_000 })
  const phone = bench.alice.call(bench.uri('bob'), { body: phoneSdp() })
  await bench.pass()
  const callee = bench.bob.incoming[0]!
  callee.incoming!.progress(183, { body: phoneSdp() })
  await bench.pass()
  bench.engine.last.emit({ type: 'silent', leg: 'caller', forMs: 10_000 })
  await bench.pass()
  callee.accept()
  await bench.pass()
  assert.ok(phone.dialog !== undefined)
  void phone.dialog.bye()
  await bench.pass()
  await bench.checkNothingLeft()
})

test('a callee that is gone from the network ends the call when it is next spoken to', async () => {
  const bench = new CallBench()
  const phone = bench.alice.call(bench.uri('bob'), { body: phoneSdp() })
  await bench.pass()
  bench.bob.incoming[0]?.accept()
  await bench.pass()
  bench.network.detach('10.0.0.3')
  void phone.dialog?.reinvite({ body: phoneSdp({ direction: 'sendonly' }) })
  await bench.pass(40_000)
  assert.equal(phone.end?.cause, 'remote-bye')
  bench.bob.core.close()
  await bench.checkNothingLeft()
})

test('each move of a call and of its legs is published on the state trace', async () => {
  const moves: string[] = []
  const listener = (message: unknown): void => {
    const { machine, from, to } = message as StateTrace
    moves.push(`${machine} ${from} > ${to}`)
  }
  stateTrace.subscribe(listener)
  try {
    const bench = new CallBench()
    const phone = bench.alice.call(bench.uri('bob'), { body: phoneSdp() })
    await bench.pass()
    bench.bob.incoming[0]?.incoming?.progress(180)
    await bench.pass()
    bench.bob.incoming[0]?.accept()
    await bench.pass()
    void phone.dialog?.bye()
    await bench.checkNothingLeft()
  } finally {
    stateTrace.unsubscribe(listener)
  }
  assert.deepEqual(
    moves.filter((move) => move.startsWith('call')),
    ['call ringing > answered', 'call answered > ended'],
  )
  assert.deepEqual(
    moves.filter((move) => move.startsWith('leg')),
    [
      'leg setup > early',
      'leg setup > early',
      'leg early > confirmed',
      'leg early > confirmed',
      'leg confirmed > ended',
      'leg confirmed > ended',
    ],
  )
})

test('legs that cannot be bridged end the call on both sides', async () => {
  const bench = new CallBench()
  bench.engine.onCommand = (command) => {
    if (command.name === 'bridge') throw new TypeError('a bug')
  }
  const phone = bench.alice.call(bench.uri('bob'), { body: phoneSdp() })
  await bench.pass()
  bench.bob.incoming[0]?.accept()
  await bench.pass()
  assert.equal(phone.failed?.status, 500)
  await bench.checkNothingLeft()
})

test('calls over a network that loses, doubles and reorders datagrams come and go, and nothing is left of them', async () => {
  for (let seed = 1; seed <= 10; seed++) {
    const bench = new CallBench({ seed })
    bench.network.faults = { lossRate: 0.2, duplicateRate: 0.1, reorderRate: 0.2, reorderMs: 700 }
    const phone = bench.alice.call(bench.uri('bob'), { body: phoneSdp() })
    await bench.pass(10_000)
    bench.bob.incoming[0]?.accept()
    await bench.pass(20_000)
    assert.ok(phone.dialog, `seed ${seed}: the call is up`)
    void phone.dialog.reinvite({ body: phoneSdp({ direction: 'sendonly' }) })
    await bench.pass(40_000)
    assert.equal(bench.service.calls()[0]?.snapshot().parties[0]?.hold, 'sendonly')
    void bench.bob.incoming[0]?.dialog?.bye()
    await bench.checkNothingLeft()
    assert.equal(phone.end?.cause, 'remote-bye')
  }
})
