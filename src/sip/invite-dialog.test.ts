import assert from 'node:assert/strict'
import test from 'node:test'
import { ManualClock, settle } from '#kernel'
import type { IncomingRequest, InviteDialog, RequestOutcome } from '#sip'
import { attachCore, type CoreNode, sdp } from '../../test/harness/core-pair.ts'
import type { Received, RequestParts, ScriptedPeer } from '../../test/harness/scripted-peer.ts'
import { SipNetwork } from '../../test/harness/sip-network.ts'

interface Scene {
  readonly clock: ManualClock
  readonly core: CoreNode
  readonly peer: ScriptedPeer
  readonly network: SipNetwork
  readonly dialog: InviteDialog
  readonly incoming: IncomingRequest[]
  readonly events: string[]
  /** The 2xx or INVITE whose From and To the peer's requests carry. */
  readonly first: Received
  /** Request of the peer within the dialog. */
  ask(method: string, cseq: number, parts?: RequestParts): Promise<string>
}

async function scene(headers: string[] = [], contact?: string): Promise<Scene> {
  const clock = new ManualClock()
  const network = new SipNetwork(clock, 1)
  const core = attachCore(network, clock, '10.0.0.1', { onInvite: () => {} })
  const peer = network.scriptedPeer('10.0.0.9')
  const incoming: IncomingRequest[] = []
  const events: string[] = []
  const dialogs: InviteDialog[] = []
  core.core.invite(
    { uri: 'sip:bob@10.0.0.9', from: 'sip:alice@10.0.0.1', body: sdp('offer') },
    {
      onAccepted: (accepted) => {
        dialogs.push(accepted)
        accepted.handlers = {
          onRequest: (request) => void incoming.push(request),
          onEnd: (end) => void events.push(`end ${end.cause} ${end.status ?? ''}`.trim()),
        }
      },
      onFailed: () => assert.fail('must not fail'),
    },
  )
  await clock.advanceAsync(10)
  const first = peer.take('INVITE')
  const ok = peer.respond(first, 200, { tag: 'bob', headers, ...(contact === undefined ? {} : { contact }) })
  await clock.advanceAsync(10)
  const from = /^To: (.*)\r$/m.exec(ok)![1]!
  const ask = async (method: string, cseq: number, parts: RequestParts = {}): Promise<string> => {
    const { headers: our } = first.message
    const ids = { from, to: our.get('from') ?? '', callId: our.get('call-id') ?? '' }
    const text = peer.request(method, { host: '10.0.0.1' }, { ...ids, cseq, ...parts })
    await clock.advanceAsync(10)
    return text
  }
  return { clock, network, core, peer, dialog: dialogs[0]!, incoming, events, first, ask }
}

/** The state of a promise, without waiting for it. */
function watch(promise: Promise<RequestOutcome>): { outcome?: string } {
  const seen: { outcome?: string } = {}
  void promise.then(({ status, cause }) => {
    seen.outcome = `${status} ${cause}`
  })
  return seen
}

test('SIP-06: the route set is that of the 2xx reversed, and goes into ACK and every later request', async () => {
  const all = await scene(
    ['Record-Route: <sip:10.0.0.9;lr;p=2>', 'Record-Route: <sip:10.0.0.9;lr;p=1>'],
    '<sip:bob@10.9.9.9>;x=1',
  )
  const ack = all.peer.take('ACK').message
  assert.equal(ack.kind === 'request' && ack.uri, 'sip:bob@10.9.9.9')
  assert.deepEqual(ack.headers.all('route'), ['<sip:10.0.0.9;lr;p=1>', '<sip:10.0.0.9;lr;p=2>'])
  void all.dialog.request('INFO', { headers: [['X-Reason', 'pause']] })
  await all.clock.advanceAsync(10)
  const info = all.peer.take('INFO').message
  assert.deepEqual(info.headers.all('route'), ['<sip:10.0.0.9;lr;p=1>', '<sip:10.0.0.9;lr;p=2>'])
  assert.equal(info.headers.get('cseq'), '2 INFO')
  assert.equal(info.headers.get('x-reason'), 'pause')
  assert.match(info.headers.get('to') ?? '', /;tag=bob$/)
})

test('SIP-06: a first proxy without lr is a strict router: it is the Request-URI, our target the last Route', async () => {
  const all = await scene(['Record-Route: <sip:10.9.9.8;lr>, <sip:10.0.0.9>'], '<sip:bob@10.9.9.9>')
  const ack = all.peer.take('ACK').message
  assert.equal(ack.kind === 'request' && ack.uri, 'sip:10.0.0.9')
  assert.deepEqual(ack.headers.all('route'), ['<sip:10.9.9.8;lr>', '<sip:bob@10.9.9.9>'])
})

test('SIP-06: re-INVITE and UPDATE refresh the remote target once accepted, not when refused', async () => {
  const all = await scene()
  const target = async (): Promise<string> => {
    void all.dialog.request('INFO')
    await all.clock.advanceAsync(10)
    const { message } = all.peer.take('INFO')
    return message.kind === 'request' ? message.uri : ''
  }
  await all.ask('UPDATE', 10, { contact: '<sip:moved1@10.0.0.9>' })
  all.incoming[0]!.respond(488)
  assert.equal(await target(), 'sip:peer@10.0.0.9:5060')
  await all.ask('UPDATE', 11, { contact: '<sip:moved2@10.0.0.9>' })
  all.incoming[1]!.respond(200)
  assert.equal(await target(), 'sip:moved2@10.0.0.9')
  void all.dialog.reinvite({ body: sdp('o') })
  await all.clock.advanceAsync(10)
  all.peer.respond(all.peer.take('INVITE'), 200, { contact: '<sip:moved3@10.0.0.9>' })
  await all.clock.advanceAsync(10)
  assert.equal(await target(), 'sip:moved3@10.0.0.9')
})

test('SIP-07: a lower CSeq gets 500 and changes nothing, a gap is fine', async () => {
  const all = await scene()
  await all.ask('INFO', 60)
  all.incoming[0]!.respond(200)
  await all.ask('UPDATE', 59, { contact: '<sip:replayed@10.0.0.9>' })
  await all.ask('BYE', 10)
  assert.deepEqual(all.peer.labels(), ['ACK', '200', '500', '500'])
  assert.equal(all.dialog.ended, false)
  assert.equal(all.incoming.length, 1)
})

test('SIP-10: a re-INVITE meets ours with 491, an unanswered one of its own with 500 and Retry-After', async () => {
  const all = await scene()
  await all.ask('INVITE', 10)
  await all.ask('INVITE', 11)
  const busy = all.peer.take(500)
  assert.match(busy.message.headers.get('retry-after') ?? '', /^(\d|10)$/)
  assert.equal(all.incoming.length, 1)
  all.incoming[0]!.respond(488)
  void all.dialog.reinvite({ body: sdp('o') })
  await all.clock.advanceAsync(10)
  await all.ask('INVITE', 12)
  assert.equal(all.peer.count(491), 1)
})

test('SIP-08, SIP-10: the 2xx to a re-INVITE is repeated until its ACK, which reaches the user; without it BYE', async () => {
  const all = await scene()
  await all.ask('INVITE', 10, { body: 'new offer' })
  const bodies: string[] = []
  all.incoming[0]!.onAck = (ack) => void bodies.push(Buffer.from(ack.body).toString())
  all.incoming[0]!.respond(200, { body: sdp('answer') })
  await all.clock.advanceAsync(1000)
  assert.equal(all.peer.count(200), 2)
  assert.equal(all.peer.take(200).message.headers.get('contact'), '<sip:gw@10.0.0.1:5060>')
  await all.ask('ACK', 10, { body: 'x' })
  await all.clock.advanceAsync(10_000)
  assert.equal(all.peer.count(200), 1)
  assert.deepEqual(bodies, ['x'])
  await all.ask('INVITE', 11)
  all.incoming[1]!.respond(200)
  await all.clock.advanceAsync(33_000)
  assert.deepEqual(all.events, ['end no-ack'])
  assert.ok(all.peer.count('BYE') > 0)
})

test('SIP-10: a cancelled re-INVITE gets 487, its user is told, the dialog stays', async () => {
  const all = await scene()
  await all.ask('INVITE', 10, { branch: 'z9hG4bKre' })
  let cancelled = 0
  all.incoming[0]!.onCancel = () => void cancelled++
  await all.ask('CANCEL', 10, { branch: 'z9hG4bKre' })
  assert.deepEqual(all.peer.labels(), ['ACK', '100', '200', '487'])
  assert.equal(cancelled, 1)
  assert.equal(all.incoming[0]!.respond(200), false)
  assert.equal(all.dialog.ended, false)
})

test('SIP-17: UPDATE is answered; while one is unanswered another gets 500 with Retry-After; while ours is, 491', async () => {
  const all = await scene()
  await all.ask('UPDATE', 10, { body: 'o' })
  await all.ask('UPDATE', 11, { body: 'o' })
  assert.match(all.peer.take(500).message.headers.get('retry-after') ?? '', /^(\d|10)$/)
  all.incoming[0]!.respond(200, { body: sdp('a') })
  await all.clock.advanceAsync(10)
  assert.equal(all.peer.take(200).message.headers.get('contact'), '<sip:gw@10.0.0.1:5060>')
  const ours = watch(all.dialog.request('UPDATE', { body: sdp('o') }))
  await all.clock.advanceAsync(10)
  await all.ask('UPDATE', 12, { body: 'o' })
  assert.equal(all.peer.count(491), 1)
  await all.ask('UPDATE', 13)
  all.incoming.at(-1)!.respond(200)
  all.peer.respond(all.peer.take('UPDATE'), 200, { body: 'a' })
  await all.clock.advanceAsync(10)
  assert.equal(ours.outcome, '200 response')
  assert.equal(all.incoming.length, 2)
})

test('SIP-24: INFO of an unknown package gets 469 with Recv-Info, legacy INFO reaches the user', async () => {
  const all = await scene()
  await all.ask('INFO', 10, { headers: ['Info-Package: foo'] })
  assert.equal(all.peer.take(469).message.headers.get('recv-info'), '')
  await all.ask('INFO', 11, { contentType: 'application/dtmf-relay', body: 'Signal=1' })
  assert.equal(Buffer.from(all.incoming[0]!.request.body).toString(), 'Signal=1')
  all.incoming[0]!.respond(415)
  await all.clock.advanceAsync(10)
  assert.equal(all.peer.count(415), 1)
})

test('a BYE gets 200, what is unanswered 487, and what waits ends with dialog-gone', async () => {
  const all = await scene()
  await all.ask('INFO', 10)
  const reinvite = watch(all.dialog.reinvite({ body: sdp('o') }))
  const queued = watch(all.dialog.reinvite({ body: sdp('p') }))
  await all.ask('BYE', 11)
  await settle()
  assert.deepEqual(all.peer.labels(), ['ACK', 'INVITE', '200', '487'])
  assert.equal(reinvite.outcome, '481 dialog-gone')
  assert.equal(queued.outcome, '481 dialog-gone')
  assert.equal(watch(all.dialog.request('INFO')).outcome, undefined)
  assert.deepEqual(all.events, ['end remote-bye'])
  all.peer.respond(all.peer.take('INVITE'), 200)
  await all.clock.advanceAsync(10)
  assert.equal(all.peer.count('ACK'), 2)
  await all.clock.advanceAsync(140_000)
  assert.deepEqual(all.core.core.census(), { dialogs: 0, transactions: 0, timers: 0 })
})

test('SRC-62: a refused re-INVITE leaves all as it was; 481, 408 and silence end the dialog with BYE', async () => {
  const all = await scene()
  const refused = watch(all.dialog.reinvite({ body: sdp('o') }))
  await all.clock.advanceAsync(10)
  all.peer.respond(all.peer.take('INVITE'), 488, { contact: '<sip:moved@10.0.0.9>' })
  await all.clock.advanceAsync(10)
  assert.equal(refused.outcome, '488 response')
  assert.equal(all.dialog.ended, false)
  const gone = watch(all.dialog.reinvite({ body: sdp('o') }))
  await all.clock.advanceAsync(10)
  all.peer.respond(all.peer.take('INVITE'), 481)
  await all.clock.advanceAsync(10)
  assert.equal(gone.outcome, '481 response')
  assert.deepEqual(all.events, ['end gone 481'])
  assert.equal(all.peer.count('BYE'), 1)
})

for (const says100 of [false, true]) {
  test(`SRC-62: a re-INVITE without final response ${says100 ? 'after 100 ' : ''}ends the dialog`, async () => {
    const all = await scene()
    const silent = watch(all.dialog.reinvite({ body: sdp('o') }))
    await all.clock.advanceAsync(10)
    if (says100) all.peer.respond(all.peer.take('INVITE'), 100)
    await all.clock.advanceAsync(32_100)
    assert.equal(silent.outcome, '408 timeout')
    assert.deepEqual(all.events, ['end gone 408'])
    assert.equal(all.peer.count('CANCEL') > 0, says100)
    await all.clock.advanceAsync(140_000)
    assert.deepEqual(all.core.core.census(), { dialogs: 0, transactions: 0, timers: 0 })
  })
}

test('SRC-67: after 491 the owner of the Call-ID waits 2.1 to 4 s in steps of 10 ms and tries again', async () => {
  const all = await scene()
  const waits = all.peer.answerGlare(4)
  const outcome = watch(all.dialog.reinvite({ body: sdp('o') }))
  await all.clock.advanceAsync(20_000)
  assert.equal(outcome.outcome, '200 response')
  assert.equal(waits.length, 4)
  for (const waitMs of waits) assert.ok(waitMs >= 2100 && waitMs <= 4000 && waitMs % 10 === 0, `waited ${waitMs}`)
})

for (const hasMetGlare of [true, false]) {
  test(`SRC-67: the last offer waits for no other, ${hasMetGlare ? 'which has met glare' : 'but for the end of what is under way'}`, async () => {
    const all = await scene()
    const offer = (body: string) => () => ({ body: sdp(body) })
    const [first, second] = [watch(all.dialog.reinvite(offer('first'))), watch(all.dialog.reinvite(offer('second')))]
    await all.clock.advanceAsync(10)
    const glare = all.peer.take('INVITE')
    if (hasMetGlare) all.peer.respond(glare, 491)
    await all.clock.advanceAsync(10)
    const last = watch(all.dialog.lastReinvite(offer('last')))
    if (!hasMetGlare) {
      await all.clock.advanceAsync(10)
      assert.equal(all.peer.count('INVITE'), 0)
      all.peer.respond(glare, 491)
    }
    await all.clock.advanceAsync(10)
    const sent = all.peer.take('INVITE')
    assert.match(sent.text, /last/)
    all.peer.respond(sent, 200)
    await all.clock.advanceAsync(5000)
    assert.equal(last.outcome, '200 response')
    assert.equal(all.peer.count('INVITE'), 0, 'what was given up is not sent')
    void all.dialog.bye()
    await all.clock.advanceAsync(10)
    assert.deepEqual(
      [first.outcome, second.outcome],
      [hasMetGlare ? '481 dialog-gone' : '491 response', '481 dialog-gone'],
    )
  })
}

test('SRC-67: UPDATE that meets 491 is tried again after the same wait', async () => {
  const all = await scene()
  const outcome = watch(all.dialog.request('UPDATE', { body: sdp('o') }))
  await all.clock.advanceAsync(10)
  all.peer.respond(all.peer.take('UPDATE'), 491)
  await all.clock.advanceAsync(2000)
  assert.equal(all.peer.count('UPDATE'), 0)
  await all.clock.advanceAsync(2100)
  all.peer.respond(all.peer.take('UPDATE'), 200, { contact: '<sip:moved@10.0.0.9>' })
  await all.clock.advanceAsync(10)
  assert.equal(outcome.outcome, '200 response')
})

test('SRC-67: 500 with Retry-After is waited for', async () => {
  const all = await scene()
  const outcome = watch(all.dialog.reinvite({ body: sdp('o') }))
  await all.clock.advanceAsync(10)
  all.peer.respond(all.peer.take('INVITE'), 500, { headers: ['Retry-After: 7'] })
  await all.clock.advanceAsync(6900)
  assert.equal(all.peer.count('INVITE'), 0)
  await all.clock.advanceAsync(200)
  all.peer.respond(all.peer.take('INVITE'), 500)
  await all.clock.advanceAsync(10)
  assert.equal(outcome.outcome, '500 response')
  assert.equal(all.dialog.ended, false)
})

test('SRC-68: re-INVITEs run one at a time, in order, while UPDATE and INFO may run meanwhile', async () => {
  const all = await scene()
  const outcomes = ['a', 'b'].map((text) => watch(all.dialog.reinvite({ body: sdp(text) })))
  void all.dialog.request('UPDATE')
  await all.clock.advanceAsync(10)
  assert.deepEqual(all.peer.labels(), ['ACK', 'INVITE', 'UPDATE'])
  const bodyOf = (received: Received): string => Buffer.from(received.message.body).toString()
  const first = all.peer.take('INVITE')
  assert.equal(bodyOf(first), 'a')
  all.peer.respond(first, 200)
  await all.clock.advanceAsync(10)
  const second = all.peer.take('INVITE')
  assert.equal(bodyOf(second), 'b')
  assert.equal(second.message.headers.get('cseq'), '4 INVITE')
  all.peer.respond(second, 200)
  await all.clock.advanceAsync(10)
  assert.deepEqual(outcomes, [{ outcome: '200 response' }, { outcome: '200 response' }])
})

test('SRC-68: our re-INVITE waits until that of the peer is answered and acknowledged', async () => {
  const all = await scene()
  await all.ask('INVITE', 10)
  void all.dialog.reinvite({ body: sdp('ours') })
  await all.clock.advanceAsync(10)
  all.incoming[0]!.respond(200)
  await all.clock.advanceAsync(10)
  assert.equal(all.peer.count('INVITE'), 0)
  await all.ask('ACK', 10)
  assert.equal(all.peer.count('INVITE'), 1)
})

test('SRC-11: within a dialog too a large request goes by TCP, or by UDP when that is refused', async () => {
  const all = await scene([], '<sip:bob@10.0.0.8>')
  const moved = all.network.scriptedPeer('10.0.0.8', ['udp'])
  void all.dialog.request('UPDATE', { body: sdp('x'.repeat(1400)) })
  await all.clock.advanceAsync(10)
  assert.equal(moved.take('UPDATE').flow.transport, 'udp')
  const refused = all.core.log.messages().filter((message) => message.startsWith('large request'))
  assert.equal(refused.length, 1)
})

test('the Allow of the peer is kept as last seen', async () => {
  const all = await scene(['Allow: INVITE, ack', 'Allow: UPDATE'])
  assert.deepEqual([...all.dialog.remoteAllow], ['INVITE', 'ACK', 'UPDATE'])
  await all.ask('INFO', 10, { headers: ['Allow: INFO'] })
  assert.deepEqual([...all.dialog.remoteAllow], ['INFO'])
})

test('an ended dialog answers nothing more to its user, and a crossing BYE gets 481', async () => {
  const all = await scene()
  const outcome = watch(all.dialog.bye())
  assert.deepEqual(all.events, ['end local-bye'])
  await all.ask('BYE', 10)
  all.peer.respond(all.peer.take('BYE'), 481)
  await all.clock.advanceAsync(10)
  assert.equal(outcome.outcome, '481 response')
  assert.equal(all.peer.count(481), 1)
  const again = watch(all.dialog.bye())
  await settle()
  assert.equal(again.outcome, '481 dialog-gone')
  assert.deepEqual(all.events, ['end local-bye'])
})
