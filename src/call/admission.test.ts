import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SipBody } from '#sip'
import { CallBench } from '../../test/harness/call-bench.ts'
import { noPorts } from '../../test/harness/fake-engine.ts'
import { bodyText, phoneSdp } from '../../test/harness/test-phone.ts'

test('a user that no rule knows is answered 404', async () => {
  const bench = new CallBench()
  const phone = bench.alice.call(bench.uri('nobody'), { body: phoneSdp() })
  await bench.pass()
  assert.equal(phone.failed?.status, 404)
  assert.equal(bench.engine.opened.length, 0)
  await bench.checkNothingLeft()
})

test('a destination that is not on the list is answered 403 and logged', async () => {
  const bench = new CallBench()
  const phone = bench.alice.call(bench.uri('stranger'), { body: phoneSdp() })
  await bench.pass()
  assert.equal(phone.failed?.status, 403)
  assert.ok(bench.log.messages().includes('destination refused by policy'))
  await bench.checkNothingLeft()
})

test('SIP-26: Max-Forwards is copied less 1, and 0 is answered 483', async () => {
  const bench = new CallBench()
  bench.alice.call(bench.uri('bob'), { body: phoneSdp(), maxForwards: 7, headers: [['Max-Breadth', '9']] })
  await bench.pass()
  const onward = bench.bob.incoming[0]?.incoming
  assert.equal(onward?.request.headers.get('Max-Forwards'), '6')
  assert.equal(onward?.request.headers.get('Max-Breadth'), '9')
  onward?.reject(486)
  const phone = bench.alice.call(bench.uri('bob'), { body: phoneSdp(), maxForwards: 0 })
  await bench.pass()
  assert.equal(phone.failed?.status, 483)
  assert.equal(bench.bob.incoming.length, 1)
  await bench.checkNothingLeft()
})

test('SIP-26: the last hop does not dial on', async () => {
  const bench = new CallBench()
  const phone = bench.alice.call(bench.uri('bob'), { body: phoneSdp(), maxForwards: 1 })
  await bench.pass()
  assert.equal(phone.failed?.status, 483)
  assert.equal(bench.bob.incoming.length, 0)
  await bench.checkNothingLeft()
})

test('SIP-26: a call that already passed us is a loop and answered 482', async () => {
  const bench = new CallBench()
  const peer = bench.network.scriptedPeer('10.0.0.9')
  peer.request(
    'INVITE',
    { host: '10.0.0.1' },
    {
      uri: bench.uri('bob'),
      headers: ['Via: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bKours'],
      body: bodyText({ body: phoneSdp().content }),
    },
  )
  await bench.pass()
  assert.equal(peer.count(482) > 0, true)
  await bench.checkNothingLeft()
})

test('SIP-26: a route back to ourselves ends after few turns, whatever hops the caller allows', async () => {
  const bench = new CallBench({ routes: [{ match: 'loop', callee: 'sip:loop@10.0.0.1' }] })
  const phone = bench.alice.call(bench.uri('loop'), { body: phoneSdp(), maxForwards: 70 })
  await bench.pass(1000)
  assert.equal(phone.failed?.status, 483)
  assert.equal(bench.engine.opened.length, 12)
  await bench.checkNothingLeft()
})

test('a call of ours to another route of ours goes through', async () => {
  const routes = [
    { match: 'front', callee: 'sip:back@10.0.0.1' },
    { match: 'back', callee: 'sip:bob@10.0.0.3' },
  ]
  const bench = new CallBench({ routes })
  bench.alice.call(bench.uri('front'), { body: phoneSdp() })
  await bench.pass(1000)
  assert.equal(bench.bob.incoming.length, 1)
})

test('a call over the limit is answered 503 with Retry-After and the reason, and the place is free again afterwards', async () => {
  const bench = new CallBench({ activeCalls: 1 })
  const first = bench.alice.call(bench.uri('bob'), { body: phoneSdp() })
  await bench.pass()
  const second = bench.alice.call(bench.uri('bob'), { body: phoneSdp() })
  await bench.pass()
  assert.equal(second.failed?.status, 503)
  assert.equal(second.failed?.reason, 'Maximum Calls In Progress')
  assert.equal(second.failed?.response?.headers.get('Retry-After'), '5')
  assert.equal(second.failed?.response?.headers.get('X-Reason'), 'Maximum Calls In Progress')
  first.invite?.cancel()
  await bench.pass()
  bench.alice.call(bench.uri('bob'), { body: phoneSdp() })
  await bench.pass()
  assert.equal(bench.service.calls().length, 1)
  bench.bob.incoming[1]?.incoming?.reject(486)
  await bench.checkNothingLeft()
})

test('an engine without free ports makes the caller hear 503', async () => {
  for (const failing of ['caller', 'callee-1']) {
    const bench = new CallBench()
    bench.engine.onCommand = (command) => {
      if (command.name === 'addLeg' && command.leg === failing) throw noPorts()
    }
    const phone = bench.alice.call(bench.uri('bob'), { body: phoneSdp() })
    await bench.pass()
    assert.equal(phone.failed?.status, 503)
    assert.equal(bench.bob.incoming.length, 0)
    bench.engine.onCommand = undefined
    await bench.checkNothingLeft()
  }
})

test('an engine that cannot set a leg ends the call on both sides', async () => {
  const bench = new CallBench()
  bench.engine.onCommand = (command) => {
    if (command.name === 'configureLeg' && command.leg === 'caller') throw noPorts()
  }
  const phone = bench.alice.call(bench.uri('bob'), { body: phoneSdp() })
  await bench.pass()
  bench.bob.incoming[0]?.accept()
  await bench.pass()
  assert.equal(phone.failed?.status, 500)
  assert.equal(bench.bob.incoming[0]?.end?.cause, 'remote-bye')
  await bench.checkNothingLeft()
})

test('an engine that gives up a call ends it on both sides', async () => {
  const bench = new CallBench()
  const phone = bench.alice.call(bench.uri('bob'), { body: phoneSdp() })
  await bench.pass()
  bench.bob.incoming[0]?.accept()
  await bench.pass()
  bench.engine.last.emit({ type: 'failed', reason: 'worker died' })
  await bench.pass()
  assert.equal(phone.end?.request?.headers.get('Reason'), 'Q.850;cause=41;text="Media failure"')
  assert.equal(bench.bob.incoming[0]?.end?.cause, 'remote-bye')
  assert.deepEqual(
    bench.log.lines.filter((line) => line.level === 'error').map((line) => line.message),
    ['media engine gave up a call'],
  )
  bench.log.lines.length = 0
  await bench.checkNothingLeft()
})

test('an offer without a codec of ours is answered 488 with a warning', async () => {
  for (const [body, warning] of [
    [phoneSdp({ codecs: ['G729'] }), '305 gw.example "Incompatible media format"'],
    [phoneSdp({ port: 0 }), '304 gw.example "Media type not available"'],
  ] as const) {
    const bench = new CallBench()
    const phone = bench.alice.call(bench.uri('bob'), { body })
    await bench.pass()
    assert.equal(phone.failed?.status, 488)
    assert.equal(phone.failed?.response?.headers.get('Warning'), warning)
    await bench.checkNothingLeft()
  }
})

test('a flow cannot play in G.722, so an offer of nothing else is answered 488', async () => {
  const bench = new CallBench()
  const phone = bench.alice.call(bench.uri('flow'), { body: phoneSdp({ codecs: ['G722', 'telephone-event'] }) })
  await bench.pass()
  assert.equal(phone.failed?.status, 488)
  assert.equal(bench.flows.length, 0)
  await bench.checkNothingLeft()
})

test('media that is neither audio nor video is answered with port 0 and not offered to the callee', async () => {
  const bench = new CallBench()
  const phone = bench.alice.call(bench.uri('bob'), {
    body: phoneSdp({ more: ['m=text 4002 RTP/AVP 96', 'a=rtpmap:96 t140/1000'] }),
  })
  await bench.pass()
  assert.doesNotMatch(bodyText(bench.bob.incoming[0]?.incoming?.request), /m=text/)
  bench.bob.incoming[0]?.accept()
  await bench.pass()
  assert.match(bodyText(phone.accepted), /m=audio 20000 [\s\S]*m=text 0 RTP\/AVP 96\r\n/)
  void phone.dialog?.bye()
  await bench.checkNothingLeft()
})

test('a draining service refuses new calls and is drained when the last one is over', async () => {
  const bench = new CallBench()
  const phone = bench.alice.call(bench.uri('flow'), { body: phoneSdp() })
  await bench.pass()
  let isDrained = false
  void bench.service.drain().then(() => {
    isDrained = true
  })
  const late = bench.alice.call(bench.uri('flow'), { body: phoneSdp() })
  await bench.pass()
  assert.equal(late.failed?.status, 503)
  assert.equal(isDrained, false)
  phone.invite?.cancel()
  await bench.pass()
  assert.equal(isDrained, true)
  await bench.checkNothingLeft()
})

test('a flow that cannot be started makes the caller hear 500', async () => {
  const bench = new CallBench({
    flow: () => {
      throw new Error('no such flow')
    },
  })
  const phone = bench.alice.call(bench.uri('flow'), { body: phoneSdp() })
  await bench.pass()
  assert.equal(phone.failed?.status, 500)
  bench.log.lines.length = 0
  await bench.checkNothingLeft()
})

test('the offer in a multipart body is found, and a callee may answer in one', async () => {
  const bench = new CallBench()
  const wrap = (sdp: string): SipBody => ({
    contentType: 'multipart/mixed;boundary=x',
    content: new TextEncoder().encode(
      `--x\r\nContent-Type: application/isup;version=itu\r\n\r\nISUP\r\n--x\r\nContent-Type: application/sdp\r\n\r\n${sdp}\r\n--x--\r\n`,
    ),
  })
  const phone = bench.alice.call(bench.uri('bob'), { body: wrap(bodyText({ body: phoneSdp().content })) })
  await bench.pass()
  bench.bob.incoming[0]?.accept(wrap(bodyText({ body: phoneSdp({ codecs: ['PCMA'] }).content })))
  await bench.pass()
  assert.match(bodyText(phone.accepted), /m=audio 20000 RTP\/AVP 8\r\n/)
  void phone.dialog?.bye()
  await bench.checkNothingLeft()
})

for (const [name, tag, option, status] of [
  ['both marks of a recorder', ';+sip.srs', 'siprec', 403],
  ['both marks of a recording client', ';+sip.src', 'siprec', 403],
  ['the option tag alone', '', 'siprec', 403],
  ['the feature tag alone', ';+sip.srs', undefined, 200],
  ['neither', '', undefined, 200],
] as const) {
  test(`SRC-05, SRC-06, SRC-17, SRC-44: an INVITE with ${name} is ${status === 200 ? 'a call' : 'refused 403, and no call'}`, async () => {
    const bench = new CallBench({ core: { understood: ['siprec'] } })
    const phone = bench.alice.call(bench.uri('bob'), {
      body: phoneSdp(),
      headers: [
        ['Contact', `<sip:alice@10.0.0.2>${tag}`],
        ...(option === undefined ? [] : [['Require', option] as const]),
      ],
    })
    await bench.pass()
    assert.equal(phone.failed?.status, status === 403 ? 403 : undefined)
    assert.equal(bench.bob.incoming.length, status === 403 ? 0 : 1)
    for (const call of bench.service.calls()) call.hangup()
    await bench.pass(1_000)
    await bench.checkNothingLeft()
  })
}
