import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Call, CallSnapshot } from '#call'
import type { HeaderList, InviteDialog, RequestOutcome } from '#sip'
import { CallBench } from '../../test/harness/call-bench.ts'
import { bodyText, type PhoneCall, phoneSdp } from '../../test/harness/test-phone.ts'

const CAROL = 'sip:carol@10.0.0.4'
const ROUTES = [
  { match: 'bob', callee: 'sip:bob@10.0.0.3' },
  { match: 'carol', callee: CAROL },
  { match: 're:flow.*', flow: 'main' },
]

interface Talking {
  readonly bench: CallBench
  readonly alice: PhoneCall
  readonly bob: PhoneCall
  readonly call: Call
  readonly events: string[]
}

/** Alice talks to Bob. */
async function talking(): Promise<Talking> {
  const bench = new CallBench({ routes: ROUTES })
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

interface Consulting extends Talking {
  /** Bob's side of his call to Carol. */
  readonly asking: PhoneCall
  readonly carol: PhoneCall
  readonly consultation: Call
}

/** Bob has put Alice on hold and talks to Carol. */
async function consulting(): Promise<Consulting> {
  const talk = await talking()
  const { bench } = talk
  void talk.bob.dialog?.reinvite({ body: phoneSdp({ direction: 'sendonly' }) })
  await bench.pass()
  const asking = bench.bob.call(bench.uri('carol'), { body: phoneSdp(), from: '<sip:bob@10.0.0.3>' })
  await bench.pass()
  const carol = bench.carol.incoming[0]!
  carol.accept()
  await bench.pass()
  return { ...talk, asking, carol, consultation: bench.service.calls()[1]! }
}

/** How a phone names its dialog to the one it is to be replaced at. */
function replaces(dialog: InviteDialog | undefined): string {
  return `${dialog?.callId};to-tag=${dialog?.remoteTag};from-tag=${dialog?.localTag}`
}

function referTo(uri: string, replaced: string): HeaderList {
  return [['Refer-To', `<${uri}?Replaces=${encodeURIComponent(replaced)}>`]]
}

async function refer(bench: CallBench, from: PhoneCall, headers: HeaderList): Promise<RequestOutcome | undefined> {
  const asked = from.dialog?.request('REFER', { headers })
  await bench.pass()
  return await asked
}

function isUp(call: PhoneCall): boolean {
  return call.end === undefined
}

function notified(call: PhoneCall): string | undefined {
  return call.requests
    .filter(({ request }) => request.method === 'NOTIFY')
    .map(({ request }) => bodyText(request).trim())
    .at(-1)
}

function seats(snapshot: CallSnapshot): (string | undefined)[] {
  return snapshot.parties.filter((party) => party.leftAtMs === undefined).map((party) => party.aors[0])
}

test('SIP-23: in an attended transfer of calls through us the consulted party moves by re-INVITE, and both sessions are of one group (FLOW-05, META-15)', async () => {
  const { bench, alice, bob, asking, carol, call, consultation, events } = await consulting()
  const snapshot = consultation.snapshot()
  events.length = 0
  assert.equal((await refer(bench, bob, referTo(bench.uri('carol'), replaces(asking.dialog))))?.status, 202)
  await bench.pass()
  assert.equal(notified(bob), 'SIP/2.0 200 OK')
  assert.deepEqual([bob.end?.cause, asking.end?.cause], ['remote-bye', 'remote-bye'])
  assert.ok(isUp(alice) && isUp(carol))
  assert.deepEqual(
    bench.service.calls().map((each) => each.callId),
    [call.callId],
  )
  const [talk, gone] = bench.engine.opened
  assert.equal(gone?.released, true)
  const moved = talk?.legs.get('callee-2')
  assert.equal(moved?.peer, 'caller')
  assert.equal(moved?.media?.send && moved.media.receive, true)
  assert.match(carol.offers().at(-1) ?? '', new RegExp(`m=audio ${moved?.local.rtpPort} `), 'told our new port')
  assert.match(alice.offers().at(-1) ?? '', /a=sendrecv/, 'the hold is lifted')
  assert.deepEqual(events, ['party-left', 'party-joined'])
  assert.deepEqual(seats(call.snapshot()), ['sip:alice@phones.example', CAROL])
  assert.notDeepEqual(snapshot.groupId, call.snapshot().groupId)
  assert.deepEqual(consultation.snapshot().groupId, call.snapshot().groupId)
  assert.equal(consultation.snapshot().state, 'ended')
  void carol.dialog?.bye()
  await bench.pass()
  assert.equal(alice.end?.cause, 'remote-bye')
  await bench.checkNothingLeft()
})

test('SIP-23: a consulted party that does not move leaves both calls as they were', async () => {
  const { bench, alice, bob, asking, carol, events } = await consulting()
  carol.answer = () => phoneSdp({ codecs: ['G729'] })
  await refer(bench, bob, referTo(bench.uri('carol'), replaces(asking.dialog)))
  assert.equal(notified(bob), 'SIP/2.0 488 Not Acceptable Here')
  assert.equal(bench.service.calls().length, 2)
  assert.deepEqual(
    bench.engine.opened.map((opened) => [...opened.legs.keys()]),
    [
      ['caller', 'callee-1'],
      ['caller', 'callee-1'],
    ],
  )
  assert.equal(bench.engine.opened[1]?.legs.get('callee-1')?.peer, 'caller')
  assert.equal(events.includes('party-left'), false)
  void alice.dialog?.bye()
  void carol.dialog?.bye()
  await bench.checkNothingLeft()
})

test('SIP-23: a call that ends while the consulted party moves leaves the consultation as it was', async () => {
  const { bench, alice, bob, asking, carol, events } = await consulting()
  const handlers = carol.handlers()
  const held: (() => void)[] = []
  carol.dialog!.handlers = {
    ...handlers,
    onRequest: (incoming) => held.push(() => handlers.onRequest?.(incoming)),
  }
  const asked = bob.dialog?.request('REFER', { headers: referTo(bench.uri('carol'), replaces(asking.dialog)) })
  await bench.pass()
  assert.equal(held.length, 1, 'the re-INVITE')
  void alice.dialog?.bye()
  await bench.pass()
  carol.dialog!.handlers = handlers
  for (const answer of held) answer()
  await bench.pass()
  await asked
  assert.ok(isUp(carol) && isUp(asking))
  assert.equal(events.includes('party-joined'), false)
  const leg = bench.engine.opened[1]?.legs.get('callee-1')
  assert.match(carol.offers().at(-1) ?? '', new RegExp(`m=audio ${leg?.local.rtpPort} `), 'told the old port again')
  assert.equal(leg?.media?.send && leg.media.receive, true)
  void carol.dialog?.bye()
  await bench.checkNothingLeft()
})

test('SIP-23: a referrer can only have its own call replaced', async () => {
  const { bench, alice, bob, carol } = await consulting()
  const stranger = bench.alice.call(bench.uri('carol'), { body: phoneSdp() })
  await bench.pass()
  bench.carol.incoming[1]?.accept()
  await bench.pass()
  await refer(bench, bob, referTo(bench.uri('carol'), replaces(stranger.dialog)))
  assert.equal(notified(bob), 'SIP/2.0 403 Forbidden')
  assert.equal(bench.service.calls().length, 3)
  for (const each of [alice, carol, stranger]) void each.dialog?.bye()
  await bench.checkNothingLeft()
})

test('SIP-23: a target consulted past us is called with the Replaces that the REFER names', async () => {
  const { bench, alice, bob } = await talking()
  const outcome = await refer(bench, bob, referTo(CAROL, 'there@b;to-tag=1;from-tag=2;early-only'))
  assert.equal(outcome?.status, 202)
  // Carol's core knows no such dialog and says so; the INVITE asked for it.
  assert.equal(notified(bob), 'SIP/2.0 481 Call/Transaction Does Not Exist')
  assert.ok(isUp(alice))
  void alice.dialog?.bye()
  await bench.checkNothingLeft()
})

test('SIP-23: an INVITE with Replaces takes the seat of the party that referred its sender, and the call goes on', async () => {
  const { bench, alice, bob, call, events } = await talking()
  const carol = bench.carol.call(bench.uri('anyone'), {
    body: phoneSdp({ codecs: ['G722', 'PCMA'] }),
    from: `<${CAROL}>`,
    headers: [
      ['Replaces', replaces(bob.dialog)],
      ['Require', 'replaces'],
      ['Referred-By', '<sip:bob@10.0.0.3>'],
    ],
  })
  await bench.pass()
  assert.match(bodyText(carol.accepted), /RTP\/AVP 8\r\n/, 'in what the other party carries')
  assert.equal(bob.end?.cause, 'remote-bye')
  assert.ok(isUp(alice))
  assert.deepEqual(events, ['party-left', 'party-joined', 'codec-changed'])
  assert.deepEqual(seats(call.snapshot()), ['sip:alice@phones.example', CAROL])
  assert.equal(bench.engine.last.legs.get('caller')?.peer, 'callee-2')
  void alice.dialog?.bye()
  await bench.pass()
  assert.equal(carol.end?.cause, 'remote-bye')
  await bench.checkNothingLeft()
})

test('SIP-23: the phone of the replaced party may replace it itself, offering nothing at first', async () => {
  const { bench, alice, bob, call } = await talking()
  const again = bench.alice.call(bench.uri('anyone'), {
    headers: [['Replaces', replaces(alice.dialog)]],
    ackBody: phoneSdp({ codecs: ['PCMU'] }),
  })
  await bench.pass()
  assert.equal(alice.end?.cause, 'remote-bye')
  assert.equal(bench.engine.last.legs.get('callee-1')?.peer, 'callee-2')
  assert.deepEqual(
    call.snapshot().parties.map((party) => party.role),
    ['caller', 'callee', 'caller'],
  )
  void again.dialog?.bye()
  await bench.pass()
  assert.equal(bob.end?.cause, 'remote-bye')
  await bench.checkNothingLeft()
})

test('SIP-23: a callee that rings cannot be replaced: 481, and it rings on', async () => {
  const bench = new CallBench({ routes: ROUTES })
  const alice = bench.alice.call(bench.uri('bob'), { body: phoneSdp() })
  await bench.pass()
  const ringing = bench.bob.incoming[0]!
  ringing.incoming?.progress(180)
  await bench.pass()
  const { headers } = ringing.incoming!.request
  const named = `${headers.get('Call-ID')};to-tag=${headers.tag('From')};from-tag=${ringing.incoming?.localTag}`
  const pickup = bench.carol.call(bench.uri('bob'), {
    body: phoneSdp(),
    headers: [
      ['Replaces', named],
      ['Referred-By', '<sip:bob@10.0.0.3>'],
    ],
  })
  await bench.pass()
  assert.equal(pickup.failed?.status, 481)
  ringing.accept()
  await bench.pass()
  assert.ok(isUp(alice) && isUp(ringing) && alice.accepted !== undefined)
  void alice.dialog?.bye()
  await bench.checkNothingLeft()
})

test('SIP-23: a forged Replaces is refused 403, one that matches nothing 481, one without a common codec 488', async () => {
  const { bench, alice, bob, events } = await talking()
  const attempt = async (headers: HeaderList, codec: 'PCMA' | 'G722'): Promise<number | undefined> => {
    const call = bench.carol.call(bench.uri('bob'), {
      body: phoneSdp({ codecs: [codec] }),
      from: `<${CAROL}>`,
      headers,
    })
    await bench.pass()
    return call.failed?.status
  }
  const named: HeaderList = [['Replaces', replaces(bob.dialog)]]
  assert.equal(await attempt(named, 'PCMA'), 403)
  assert.equal(await attempt([...named, ['Referred-By', '<sip:mallory@10.0.0.9>']], 'PCMA'), 403)
  assert.equal(await attempt([['Replaces', 'nothing@here;to-tag=1;from-tag=2']], 'PCMA'), 481)
  assert.equal(await attempt([...named, ['Referred-By', '<sip:bob@10.0.0.3>']], 'G722'), 488)
  assert.ok(isUp(alice) && isUp(bob))
  assert.deepEqual(events, [])
  assert.deepEqual([...bench.engine.last.legs.keys()], ['caller', 'callee-1'])
  void alice.dialog?.bye()
  await bench.checkNothingLeft()
})
