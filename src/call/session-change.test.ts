import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Call } from '#call'
import { CallBench } from '../../test/harness/call-bench.ts'
import { bodyText, type PhoneCall, type PhoneMedia, phoneSdp } from '../../test/harness/test-phone.ts'

interface Bridged {
  readonly bench: CallBench
  readonly alice: PhoneCall
  readonly bob: PhoneCall
  readonly call: Call
  readonly events: string[]
}

async function bridged(media: PhoneMedia = {}, answer: PhoneMedia = media): Promise<Bridged> {
  const bench = new CallBench()
  const alice = bench.alice.call(bench.uri('bob'), { body: phoneSdp(media) })
  await bench.pass()
  const bob = bench.bob.incoming[0]!
  bob.accept(phoneSdp(answer))
  await bench.pass()
  const call = bench.service.calls()[0]!
  const events: string[] = []
  call.onEvent((event) => events.push(event.type))
  return { bench, alice, bob, call, events }
}

/** Sends a re-INVITE or UPDATE and returns the direction (and c= line) of the answer. */
async function change(bench: CallBench, phone: PhoneCall, media: PhoneMedia, method = 'INVITE'): Promise<string> {
  const body = phoneSdp(media)
  const asked = method === 'INVITE' ? phone.dialog?.reinvite({ body }) : phone.dialog?.request(method, { body })
  await bench.pass(200)
  const outcome = await asked
  assert.equal(outcome?.status, 200)
  return directionOf(bodyText(outcome?.response))
}

function directionOf(sdp: string): string {
  return /a=(sendrecv|sendonly|recvonly|inactive)/.exec(sdp)?.[1] ?? 'none'
}

async function end({ bench, alice }: Bridged): Promise<void> {
  void alice.dialog?.bye()
  await bench.checkNothingLeft()
}

const HOLDS: readonly [string, PhoneMedia, string, string, string][] = [
  ['sendonly', { direction: 'sendonly' }, 'recvonly', 'sendonly', 'sendonly'],
  ['inactive', { direction: 'inactive' }, 'inactive', 'inactive', 'inactive'],
  ['c=0.0.0.0', { address: '0.0.0.0' }, 'recvonly', 'sendonly', 'sendonly'],
]

for (const [form, media, answered, passedOn, hold] of HOLDS) {
  for (const holder of ['alice', 'bob'] as const) {
    test(`SIP-19, FLOW-02: a hold of ${holder} by ${form} is answered, passed on, and undone by resume`, async () => {
      const talk = await bridged()
      const { bench, call, events } = talk
      const [near, far] = holder === 'alice' ? [talk.alice, talk.bob] : [talk.bob, talk.alice]
      const index = holder === 'alice' ? 0 : 1
      assert.equal(await change(bench, near, media), answered)
      assert.deepEqual(far.offers().map(directionOf), [passedOn])
      assert.equal(call.snapshot().parties[index]?.hold, hold)
      assert.equal(call.snapshot().parties[1 - index]?.hold, 'none', 'the answer to a hold is no hold')
      assert.deepEqual(events, ['hold-changed'])
      const heldLeg = bench.engine.last.legs.get(index === 0 ? 'caller' : 'callee-1')
      assert.equal(heldLeg?.media?.send, false)
      assert.equal(await change(bench, near, {}), 'sendrecv')
      assert.deepEqual(far.offers().map(directionOf), [passedOn, 'sendrecv'])
      assert.equal(call.snapshot().parties[index]?.hold, 'none')
      assert.equal(heldLeg?.media?.send, true)
      assert.deepEqual(events, ['hold-changed', 'hold-changed'])
      await end(talk)
    })
  }
}

test('SIP-19, FLOW-02: both hold, and each lifts only its own hold', async () => {
  const talk = await bridged()
  const { bench, alice, bob, call } = talk
  const holds = (): string[] => call.snapshot().parties.map((party) => party.hold)
  await change(bench, alice, { direction: 'sendonly' })
  assert.equal(await change(bench, bob, { direction: 'sendonly' }), 'inactive')
  assert.deepEqual(holds(), ['sendonly', 'sendonly'])
  assert.deepEqual(alice.offers().map(directionOf), ['inactive'])
  assert.equal(await change(bench, alice, {}), 'sendonly')
  assert.deepEqual(holds(), ['none', 'sendonly'])
  assert.deepEqual(bob.offers().map(directionOf), ['sendonly', 'recvonly'])
  assert.equal(await change(bench, bob, {}), 'sendrecv')
  assert.deepEqual(holds(), ['none', 'none'])
  assert.deepEqual(alice.offers().map(directionOf), ['inactive', 'sendrecv'])
  await end(talk)
})

test('SIP-19: two holds at the same moment both stand in the end', async () => {
  const talk = await bridged()
  const { bench, alice, bob, call } = talk
  void alice.dialog?.reinvite({ body: phoneSdp({ direction: 'sendonly' }) })
  void bob.dialog?.reinvite({ body: phoneSdp({ direction: 'sendonly' }) })
  await bench.pass(20_000)
  assert.deepEqual(
    call.snapshot().parties.map((party) => party.hold),
    ['sendonly', 'sendonly'],
  )
  await end(talk)
})

test('SIP-17: a hold by UPDATE is answered and passed on', async () => {
  const talk = await bridged()
  assert.equal(await change(talk.bench, talk.alice, { direction: 'sendonly' }, 'UPDATE'), 'recvonly')
  assert.deepEqual(talk.bob.offers().map(directionOf), ['sendonly'])
  await end(talk)
})

test('an UPDATE without a description is answered 200 and changes nothing', async () => {
  const talk = await bridged()
  const asked = talk.alice.dialog?.request('UPDATE')
  await talk.bench.pass()
  assert.equal((await asked)?.status, 200)
  assert.deepEqual([talk.bob.offers(), talk.events], [[], []])
  await end(talk)
})

test('a party that moves to another address is answered, and the engine is told; the other party is not', async () => {
  const talk = await bridged()
  await change(talk.bench, talk.bob, { address: '192.0.2.99', port: 6000 })
  const media = talk.bench.engine.last.legs.get('callee-1')?.media
  assert.deepEqual(media?.remote?.rtp, { host: '192.0.2.99', port: 6000 })
  assert.deepEqual(talk.alice.offers(), [])
  await end(talk)
})

test('a codec that the far leg carries is changed at once', async () => {
  const talk = await bridged({ codecs: ['PCMU', 'PCMA'] })
  await change(talk.bench, talk.alice, { codecs: ['PCMA'] })
  assert.deepEqual(talk.call.snapshot().encodings, ['PCMA/8000'])
  assert.deepEqual(talk.events, ['codec-changed'])
  assert.match(talk.bob.offers()[0] ?? '', /RTP\/AVP 8\r\n/, 'the far leg is told to send nothing else')
  await end(talk)
})

test('a codec that the far leg does not carry yet is agreed with it first', async () => {
  const talk = await bridged({ codecs: ['PCMU'] })
  talk.bob.answer = () => phoneSdp({ codecs: ['PCMA'] })
  await change(talk.bench, talk.alice, { codecs: ['PCMA'] })
  assert.match(talk.bob.offers()[0] ?? '', /RTP\/AVP 8\r\n/)
  assert.deepEqual(talk.bench.engine.last.legs.get('callee-1')?.media?.codecs[0]?.encoding, 'PCMA/8000')
  assert.deepEqual(talk.call.snapshot().encodings, ['PCMA/8000'])
  await end(talk)
})

test('SIP-35: a codec that the far party refuses is answered 488, and the call goes on as before', async () => {
  const talk = await bridged({ codecs: ['PCMU'] })
  talk.bob.answer = () => phoneSdp({ codecs: ['PCMU'] })
  const asked = talk.alice.dialog?.reinvite({ body: phoneSdp({ codecs: ['PCMA'] }) })
  await talk.bench.pass(200)
  assert.equal((await asked)?.status, 488)
  assert.deepEqual(talk.call.snapshot().encodings, ['PCMU/8000'])
  assert.equal(talk.call.ended, false)
  assert.equal(await change(talk.bench, talk.alice, { codecs: ['PCMU'], direction: 'sendonly' }), 'recvonly')
  await end(talk)
})

test('SIP-18: an offerless INVITE is offered what the callee answered, and its ACK answers', async () => {
  const bench = new CallBench()
  const alice = bench.alice.call(bench.uri('bob'), { ackBody: phoneSdp({ codecs: ['PCMA'], port: 4500 }) })
  await bench.pass()
  const bob = bench.bob.incoming[0]!
  assert.match(bodyText(bob.incoming?.request), /RTP\/AVP 0 8 9 111 101\r\n/)
  bob.incoming?.progress(183, { body: phoneSdp({ codecs: ['PCMA', 'PCMU'] }) })
  bob.accept(phoneSdp({ codecs: ['PCMA', 'PCMU'] }))
  await bench.pass(200)
  assert.equal(bodyText(alice.progress[0]), '', 'no offer in an unreliable response')
  assert.match(bodyText(alice.accepted), /RTP\/AVP 8 0\r\n/)
  assert.equal(bench.engine.last.legs.get('caller')?.media?.remote?.rtp.port, 4500)
  assert.match(bob.offers()[0] ?? '', /RTP\/AVP 8\r\n/, 'the callee is told of the narrower choice')
  void alice.dialog?.bye()
  await bench.checkNothingLeft()
})

test('SIP-18: an offerless call to a flow is answered when its ACK brings the answer', async () => {
  const bench = new CallBench()
  const alice = bench.alice.call(bench.uri('flow'), { ackBody: phoneSdp({ codecs: ['PCMU'] }) })
  await bench.pass()
  const answered = bench.flow.answer()
  await bench.pass()
  assert.equal(await answered, true)
  assert.match(bodyText(alice.accepted), /m=audio 20000 RTP\/AVP 0 8 101\r\n/)
  assert.equal(bench.engine.last.legs.get('caller')?.media?.send, true)
  void alice.dialog?.bye()
  await bench.checkNothingLeft()
})

test('SIP-09: an offerless call whose ACK brings no answer is hung up', async () => {
  const bench = new CallBench()
  const alice = bench.alice.call(bench.uri('flow'))
  await bench.pass()
  const answered = bench.flow.answer()
  await bench.pass()
  assert.equal(await answered, false)
  assert.equal(alice.end?.request?.headers.get('Reason'), 'SIP;cause=488;text="No usable answer"')
  await bench.checkNothingLeft()
})

test('SIP-18: a description that cannot be read is refused and the call goes on', async () => {
  const talk = await bridged()
  const body = { contentType: 'application/sdp', content: new TextEncoder().encode('nonsense') }
  const asked = talk.alice.dialog?.reinvite({ body })
  await talk.bench.pass()
  assert.equal((await asked)?.status, 400)
  assert.equal(await change(talk.bench, talk.alice, { direction: 'sendonly' }), 'recvonly')
  await end(talk)
})

test('the version of our description rises by one with each change and stays on a repeat', async () => {
  const talk = await bridged()
  const version = (sdp: string | undefined): number => Number(/o=- \d+ (\d+)/.exec(sdp ?? '')?.[1])
  const first = version(bodyText(talk.alice.accepted))
  const answers: number[] = []
  for (const direction of ['sendrecv', 'sendonly', 'sendrecv'] as const) {
    const asked = talk.alice.dialog?.reinvite({ body: phoneSdp({ direction }) })
    await talk.bench.pass(200)
    answers.push(version(bodyText((await asked)?.response)) - first)
  }
  assert.deepEqual(answers, [0, 1, 2])
  await end(talk)
})

test('SIP-19: a call that begins on hold is passed on as such, in one exchange', async () => {
  const talk = await bridged({ direction: 'sendonly' }, { direction: 'recvonly' })
  assert.equal(directionOf(bodyText(talk.bob.incoming?.request)), 'sendonly')
  assert.equal(directionOf(bodyText(talk.alice.accepted)), 'recvonly')
  assert.deepEqual([talk.alice.offers(), talk.bob.offers()], [[], []])
  assert.deepEqual(
    talk.call.snapshot().parties.map((party) => party.hold),
    ['sendonly', 'none'],
  )
  await end(talk)
})

test('SIP-19: a callee that answers on hold holds the caller', async () => {
  const talk = await bridged({}, { direction: 'sendonly' })
  assert.equal(directionOf(bodyText(talk.alice.accepted)), 'sendonly')
  assert.deepEqual([talk.alice.offers(), talk.bob.offers()], [[], []])
  assert.equal(talk.call.snapshot().parties[1]?.hold, 'sendonly')
  await end(talk)
})

test('an offerless re-INVITE is offered what the far side wants, and its ACK answers', async () => {
  const talk = await bridged({ codecs: ['PCMU'] })
  const { bench, call } = talk
  const peer = bench.network.scriptedPeer('10.0.0.9')
  const sdp = bodyText({ body: phoneSdp({ codecs: ['PCMU'] }).content })
  peer.request('INVITE', { host: '10.0.0.1' }, { uri: bench.uri('bob'), body: sdp })
  await bench.pass()
  bench.bob.incoming[1]?.accept(phoneSdp({ codecs: ['PCMU'] }))
  await bench.pass()
  const to = peer.take(200).message.headers.get('To') ?? ''
  peer.request('ACK', { host: '10.0.0.1' }, { to })
  await bench.pass()
  const version = bench.engine.last.commands.length
  peer.request('INVITE', { host: '10.0.0.1' }, { to, cseq: 2 })
  await bench.pass()
  const offer = bodyText(peer.take(200).message)
  assert.match(offer, /m=audio \d+ RTP\/AVP 0\r\n[\s\S]*a=sendrecv/)
  const moved = bodyText({ body: phoneSdp({ codecs: ['PCMU'], direction: 'sendonly', port: 4700 }).content })
  peer.request('ACK', { host: '10.0.0.1' }, { to, cseq: 2, body: moved })
  await bench.pass()
  assert.ok(bench.engine.last.commands.length > version)
  assert.equal(bench.engine.last.legs.get('caller')?.media?.remote?.rtp.port, 4700)
  assert.equal(bench.service.calls()[1]?.snapshot().parties[0]?.hold, 'sendonly')
  assert.deepEqual(bench.bob.incoming[1]?.offers().map(directionOf), ['sendonly'])
  assert.equal(call.ended, false)
  bench.service.calls()[1]?.hangup()
  await bench.pass()
  await end(talk)
})
