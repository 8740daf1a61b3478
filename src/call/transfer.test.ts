import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Call, CallSnapshot } from '#call'
import type { HeaderList, RequestOutcome } from '#sip'
import { type BenchOptions, CallBench } from '../../test/harness/call-bench.ts'
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

async function talking(options: BenchOptions = {}): Promise<Talking> {
  const bench = new CallBench(options)
  const alice = bench.alice.call(bench.uri('bob'), { body: phoneSdp() })
  await bench.pass()
  const bob = bench.bob.incoming[0]!
  bob.accept(phoneSdp({ codecs: ['PCMU', 'telephone-event'] }))
  await bench.pass()
  const call = bench.service.calls()[0]!
  const events: string[] = []
  call.onEvent((event) => events.push(event.type))
  return { bench, alice, bob, call, events }
}

async function refer({ bench }: Talking, from: PhoneCall, headers: HeaderList): Promise<RequestOutcome> {
  const asked = from.dialog!.request('REFER', { headers })
  await bench.pass()
  return await asked
}

function isUp(call: PhoneCall): boolean {
  return call.end === undefined
}

function to(uri: string): HeaderList {
  return [['Refer-To', `<${uri}>`]]
}

/** What a phone heard of its transfer, as state and status. */
function notified(call: PhoneCall): string[] {
  return call.requests
    .filter(({ request }) => request.method === 'NOTIFY')
    .map(({ request }) => {
      const state = request.headers.get('Subscription-State')?.split(';')[0]
      return `${state} ${bodyText(request).trim()}`
    })
}

function seats(snapshot: CallSnapshot): string[] {
  return snapshot.parties
    .filter((party) => party.leftAtMs === undefined)
    .map((party) => `${party.role} ${party.aors[0]} ${party.leg}`)
}

for (const referrer of ['callee', 'caller'] as const) {
  test(`SIP-22: a blind transfer by the ${referrer}: 202, NOTIFYs, the target in its place, one BYE (FLOW-03)`, async () => {
    const talk = await talking()
    const { bench, alice, bob, call, events } = talk
    const [leaver, stayer] = referrer === 'caller' ? [alice, bob] : [bob, alice]
    assert.equal((await refer(talk, leaver, to(CAROL))).status, 202)
    const carol = bench.carol.incoming[0]!
    const invite = carol.incoming!.request
    assert.match(
      invite.headers.get('From') ?? '',
      referrer === 'caller' ? /<sip:bob@gw\.example>/ : /<sip:alice@gw\.example>/,
    )
    const referrerUri = referrer === 'caller' ? '<sip:alice@phones.example>' : '<sip:bob@10.0.0.3>'
    assert.equal(invite.headers.get('Referred-By'), referrerUri)
    carol.incoming?.progress(180)
    await bench.pass()
    assert.deepEqual(events, [], 'nothing changes until the target answers')
    carol.accept()
    await bench.pass()
    assert.deepEqual(notified(leaver), [
      'active SIP/2.0 100 Trying',
      'active SIP/2.0 180 Ringing',
      'terminated SIP/2.0 200 OK',
    ])
    assert.equal(leaver.end?.cause, 'remote-bye')
    assert.equal(stayer.end, undefined)
    assert.deepEqual(events, ['party-left', 'party-joined'])
    const stayed = referrer === 'caller' ? 'callee sip:bob@10.0.0.3 callee-1' : 'caller sip:alice@phones.example caller'
    assert.deepEqual(seats(call.snapshot()), [stayed, `${referrer} ${CAROL} callee-2`])
    const { legs } = bench.engine.last
    assert.equal(legs.get('callee-2')?.peer, referrer === 'caller' ? 'callee-1' : 'caller')
    assert.equal(legs.size, 2)
    void (referrer === 'caller' ? stayer : carol).dialog?.bye()
    await bench.pass()
    assert.equal((referrer === 'caller' ? carol : stayer).end?.cause, 'remote-bye')
    await bench.checkNothingLeft()
  })
}

test('SIP-22: the target is offered what the party that stays carries, on hold or not, and both talk after it', async () => {
  const talk = await talking()
  const { bench, alice, bob } = talk
  void bob.dialog?.reinvite({ body: phoneSdp({ codecs: ['PCMU'], direction: 'sendonly' }) })
  await bench.pass()
  assert.match(alice.offers().at(-1) ?? '', /a=sendonly/)
  await refer(talk, bob, to(CAROL))
  const carol = bench.carol.incoming[0]!
  assert.match(bodyText(carol.incoming?.request), /RTP\/AVP 0/)
  assert.match(bodyText(carol.incoming?.request), /a=sendrecv/)
  carol.accept()
  await bench.pass()
  assert.match(alice.offers().at(-1) ?? '', /a=sendrecv/, "the referrer's hold is lifted")
  void alice.dialog?.bye()
  await bench.checkNothingLeft()
})

test('SIP-22: a transfer that fails is told, and the old talk goes on as it was', async () => {
  const talk = await talking()
  const { bench, alice, bob, events } = talk
  await refer(talk, bob, to(CAROL))
  bench.carol.incoming[0]?.incoming?.reject(486)
  await bench.pass()
  assert.deepEqual(notified(bob), ['active SIP/2.0 100 Trying', 'terminated SIP/2.0 486 Busy Here'])
  assert.ok(isUp(alice) && isUp(bob) && events.length === 0)
  assert.equal(bench.engine.last.legs.get('caller')?.peer, 'callee-1')
  assert.equal(bench.engine.last.legs.size, 2)
  bench.engine.onCommand = (command) => {
    if (command.name === 'addLeg') throw noPorts()
  }
  assert.equal((await refer(talk, bob, to(CAROL))).status, 202)
  assert.equal(notified(bob).at(-1), 'terminated SIP/2.0 503 Service Unavailable')
  bench.engine.onCommand = (command) => {
    if (command.name === 'bridge' && command.b === 'callee-4') throw noPorts()
  }
  await refer(talk, bob, to(CAROL))
  bench.carol.incoming[1]?.accept()
  await bench.pass()
  assert.equal(bench.carol.incoming[1]?.end?.cause, 'remote-bye')
  assert.equal(bench.engine.last.legs.get('caller')?.peer, 'callee-1', 'joined to the referrer again')
  void alice.dialog?.bye()
  await bench.checkNothingLeft()
})

test('SIP-22: a referrer that hangs up at once leaves its seat to the target; the other party waits', async () => {
  const talk = await talking()
  const { bench, alice, bob, call, events } = talk
  await refer(talk, bob, to(CAROL))
  void bob.dialog?.bye()
  await bench.pass()
  assert.ok(isUp(alice))
  assert.deepEqual(events, ['party-left'])
  bench.carol.incoming[0]?.accept()
  await bench.pass()
  assert.deepEqual(events, ['party-left', 'party-joined'])
  assert.deepEqual(seats(call.snapshot()).slice(1), [`callee ${CAROL} callee-2`])
  void bench.carol.incoming[0]?.dialog?.bye()
  await bench.pass()
  assert.equal(isUp(alice), false)
  await bench.checkNothingLeft()
})

test('SIP-22: when the referrer is gone and the target refuses, the call ends and says why', async () => {
  const talk = await talking()
  const { bench, alice, bob } = talk
  await refer(talk, bob, to(CAROL))
  void bob.dialog?.bye()
  await bench.pass()
  bench.carol.incoming[0]?.incoming?.reject(603)
  await bench.pass()
  assert.equal(alice.end?.request?.headers.get('Reason'), 'SIP;cause=603;text="Transfer failed"')
  await bench.checkNothingLeft()
})

test('SIP-22: a party that leaves while its transfer target rings takes the target along', async () => {
  const talk = await talking()
  const { bench, alice, bob } = talk
  await refer(talk, bob, to(CAROL))
  bench.carol.incoming[0]?.incoming?.progress(180)
  await bench.pass()
  void alice.dialog?.bye()
  await bench.pass()
  assert.equal(bench.carol.incoming[0]?.isCancelled, true)
  assert.equal(bob.end?.cause, 'remote-bye')
  await bench.checkNothingLeft()
})

test('SIP-22: a REFER that cannot be followed is refused: no or two targets 400, scheme 416, method 603, destination 403, second 491', async () => {
  const talk = await talking()
  const { bench, alice, bob } = talk
  const status = async (headers: HeaderList): Promise<number> => (await refer(talk, bob, headers)).status
  assert.equal(await status([]), 400)
  assert.equal(await status([...to(CAROL), ...to('sip:dave@10.0.0.5')]), 400)
  assert.equal(await status([['Refer-To', `<${CAROL}>, <sip:dave@10.0.0.5>`]]), 400)
  assert.equal(await status([['Refer-To', '<sip:>']]), 400)
  assert.equal(await status(to('https://example.com/')), 416)
  assert.equal(await status(to(`${CAROL};method=BYE`)), 603)
  assert.equal(await status(to(`${CAROL}?Replaces=nonsense`)), 400)
  assert.equal(await status(to(`${CAROL}?Replaces=%zz`)), 400)
  assert.equal(await status(to('sip:x@evil.example')), 403)
  assert.equal(await status(to(`${CAROL};maddr=192.0.2.66`)), 403)
  assert.equal(await status(to(`${CAROL};method=INVITE`)), 202)
  assert.equal(await status(to(CAROL)), 491)
  assert.equal(bench.carol.incoming.length, 1)
  void alice.dialog?.bye()
  await bench.checkNothingLeft()
})

test('SIP-22: with Refer-Sub: false the transfer is made without a NOTIFY (RFC 4488)', async () => {
  const talk = await talking()
  const { bench, alice, bob } = talk
  const outcome = await refer(talk, bob, [...to(CAROL), ['Refer-Sub', 'false']])
  assert.equal(outcome.response?.headers.get('Refer-Sub'), 'false')
  bench.carol.incoming[0]?.accept()
  await bench.pass()
  assert.deepEqual(notified(bob), [])
  assert.equal(bob.end?.cause, 'remote-bye')
  void alice.dialog?.bye()
  await bench.checkNothingLeft()
})

test('SIP-22: a caller alone with a flow has nobody to be transferred from; policy may refuse every transfer', async () => {
  const bench = new CallBench()
  const alice = bench.alice.call(bench.uri('flow'), { body: phoneSdp() })
  await bench.pass()
  void bench.flow.answer()
  await bench.pass()
  const asked = alice.dialog?.request('REFER', { headers: to(CAROL) })
  await bench.pass()
  assert.equal((await asked)?.status, 603)
  bench.flow.hangup()
  await bench.checkNothingLeft()
  const talk = await talking({ transfer: { mode: 'refuse' } })
  assert.equal((await refer(talk, talk.bob, to(CAROL))).status, 603)
  void talk.alice.dialog?.bye()
  await talk.bench.checkNothingLeft()
})

test('SIP-22: by policy a REFER and its NOTIFYs are carried between the parties, and nothing is called here', async () => {
  const talk = await talking({ transfer: { mode: 'pass' } })
  const { bench, alice, bob } = talk
  assert.equal((await refer(talk, bob, [...to(CAROL), ['Referred-By', '<sip:bob@b.example>']])).status, 200)
  const carried = alice.requests.find(({ request }) => request.method === 'REFER')?.request.headers
  assert.deepEqual([carried?.get('Refer-To'), carried?.get('Referred-By')], [`<${CAROL}>`, '<sip:bob@b.example>'])
  for (const [state, text] of [
    ['active;expires=60', 'SIP/2.0 100 Trying'],
    ['terminated;reason=noresource', 'SIP/2.0 200 OK'],
  ] as const) {
    const body = { contentType: 'message/sipfrag;version=2.0', content: new TextEncoder().encode(text) }
    const sent = alice.dialog?.request('NOTIFY', {
      headers: [
        ['Event', 'refer;id=2'],
        ['Subscription-State', state],
      ],
      body,
    })
    await bench.pass()
    assert.equal((await sent)?.status, 200)
  }
  assert.deepEqual(notified(bob), ['active SIP/2.0 100 Trying', 'terminated SIP/2.0 200 OK'])
  const late = alice.dialog?.request('NOTIFY', { headers: [['Event', 'refer']] })
  await bench.pass()
  assert.equal((await late)?.status, 481)
  assert.equal(bench.carol.incoming.length, 0)
  void bob.dialog?.bye()
  await bench.checkNothingLeft()
})

test('META-28: by policy a transfer makes a new session in the same group (FLOW-04)', async () => {
  const talk = await talking({ transfer: { session: 'new' } })
  const { bench, alice, bob, call, events } = talk
  const before = call.snapshot()
  await bench.pass(1000)
  await refer(talk, bob, to(CAROL))
  bench.carol.incoming[0]?.accept()
  await bench.pass()
  const after = call.snapshot()
  assert.deepEqual(events, ['party-left', 'party-joined', 'session-replaced'])
  assert.notDeepEqual(after.sessionId, before.sessionId)
  assert.deepEqual(after.groupId, before.groupId)
  const [earlier] = after.earlierSessions ?? []
  assert.deepEqual(earlier?.sessionId, before.sessionId)
  assert.deepEqual(
    earlier?.participantIds,
    before.parties.map((party) => party.participantId),
  )
  assert.ok(earlier !== undefined && earlier.endedAtMs >= earlier.startedAtMs + 1000)
  void alice.dialog?.bye()
  await bench.checkNothingLeft()
})

test('a flow whose callee was transferred goes on when the target has left', async () => {
  const bench = new CallBench()
  const alice = bench.alice.call(bench.uri('flow'), { body: phoneSdp() })
  await bench.pass()
  void bench.flow.answer()
  const dialled = bench.flow.dial({ target: 'sip:bob@10.0.0.3', timeoutMs: 20_000, until: 'end' })
  await bench.pass()
  const bob = bench.bob.incoming[0]!
  bob.accept()
  await bench.pass()
  void bob.dialog?.request('REFER', { headers: to(CAROL) })
  await bench.pass()
  bench.carol.incoming[0]?.accept()
  await bench.pass()
  assert.equal(bob.end?.cause, 'remote-bye')
  void bench.carol.incoming[0]?.dialog?.bye()
  await bench.pass()
  assert.deepEqual(await dialled, { result: 'answered' })
  assert.equal(alice.end, undefined)
  bench.flow.hangup()
  await bench.checkNothingLeft()
})
