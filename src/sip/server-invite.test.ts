import assert from 'node:assert/strict'
import test from 'node:test'
import { ManualClock } from '#kernel'
import type { InviteDialog, ServerInvite } from '#sip'
import { attachCore, type CoreNode, sdp } from '../../test/harness/core-pair.ts'
import type { Destination, Received, RequestParts, ScriptedPeer } from '../../test/harness/scripted-peer.ts'
import { SipNetwork } from '../../test/harness/sip-network.ts'

const CORE: Destination = { host: '10.0.0.2' }

interface Scene {
  readonly clock: ManualClock
  readonly core: CoreNode
  readonly peer: ScriptedPeer
  readonly invites: ServerInvite[]
  readonly events: string[]
}

function scene(): Scene {
  const clock = new ManualClock()
  const network = new SipNetwork(clock, 1)
  const invites: ServerInvite[] = []
  const events: string[] = []
  const onInvite = (invite: ServerInvite): void => {
    invites.push(invite)
    invite.onCancel = (cancel) => void events.push(`cancel ${cancel?.method}`)
  }
  const core = attachCore(network, clock, CORE.host, { onInvite }, { contactParams: '+sip.srs' })
  return { clock, core, peer: network.scriptedPeer('10.0.0.9'), invites, events }
}

async function call(all: Scene, parts: RequestParts = {}, to = CORE): Promise<ServerInvite> {
  all.peer.request('INVITE', to, parts)
  await all.clock.advanceAsync(10)
  return all.invites.at(-1)!
}

function accept(all: Scene, invite: ServerInvite): InviteDialog {
  return invite.accept(
    {
      onAck: (ack) => void all.events.push(`ack ${Buffer.from(ack.body).toString()}`),
      onEnd: (end) => void all.events.push(`end ${end.cause}`),
    },
    { body: sdp('answer') },
  )
}

async function within(all: Scene, method: string, of: Received, parts: RequestParts = {}): Promise<string> {
  const text = all.peer.request(method, CORE, { to: of.message.headers.get('to') ?? '', ...parts })
  await all.clock.advanceAsync(10)
  return text
}

async function quietAtLast({ core, clock }: Scene): Promise<void> {
  await clock.advanceAsync(140_000)
  assert.deepEqual(core.core.census(), { dialogs: 0, transactions: 0, timers: 0 })
}

test('an INVITE gets 100 at once; 1xx and 2xx carry the To-tag, Record-Route and our Contact', async () => {
  const all = scene()
  const invite = await call(all, { headers: ['Record-Route: <sip:p1;lr>, <sip:p2;lr>', 'Timestamp: 54'] })
  const trying = all.peer.take(100)
  assert.equal(trying.message.headers.get('to'), '<sip:service@10.0.0.2>')
  assert.equal(trying.message.headers.get('timestamp'), '54')
  invite.progress(183, { body: sdp('early') })
  accept(all, invite)
  await all.clock.advanceAsync(10)
  for (const status of [183, 200]) {
    const { headers } = all.peer.take(status).message
    assert.equal(headers.get('to'), `<sip:service@10.0.0.2>;tag=${invite.localTag}`)
    assert.deepEqual(headers.list('record-route'), ['<sip:p1;lr>', '<sip:p2;lr>'])
    assert.equal(headers.get('contact'), '<sip:gw@10.0.0.2:5060>;+sip.srs')
  }
})

for (const transport of ['udp', 'tcp'] as const) {
  test(`SIP-08: over ${transport} the 2xx is repeated from T1 to T2 until its ACK`, async () => {
    const all = scene()
    accept(all, await call(all, {}, { ...CORE, transport }))
    await all.clock.advanceAsync(20_000)
    const times = all.peer.inbox.filter(({ message }) => message.kind === 'response' && message.status === 200)
    const first = times[0]!.atMs
    assert.deepEqual(
      times.map(({ atMs }) => atMs - first),
      [0, 500, 1500, 3500, 7500, 11_500, 15_500, 19_500],
    )
    await within(all, 'ACK', times[0]!, { body: 'late answer' })
    all.peer.inbox.length = 0
    await all.clock.advanceAsync(60_000)
    assert.deepEqual(all.peer.labels(), [])
    assert.deepEqual(all.events, ['ack late answer'])
  })
}

test('SIP-08: without ACK for 64*T1 the dialog ends with BYE', async () => {
  const all = scene()
  const dialog = accept(all, await call(all))
  await all.clock.advanceAsync(31_900)
  assert.equal(dialog.ended, false)
  await all.clock.advanceAsync(200)
  assert.equal(dialog.ended, true)
  assert.deepEqual(all.events, ['end no-ack'])
  all.peer.respond(all.peer.take('BYE'), 200)
  await quietAtLast(all)
})

test('SIP-08: our BYE waits for the ACK of our 2xx', async () => {
  const all = scene()
  const dialog = accept(all, await call(all))
  const outcome = dialog.bye()
  assert.equal(dialog.ended, true)
  await all.clock.advanceAsync(5000)
  assert.equal(all.peer.count('BYE'), 0)
  await within(all, 'ACK', all.peer.take(200))
  all.peer.respond(all.peer.take('BYE'), 200)
  await all.clock.advanceAsync(10)
  assert.equal((await outcome).status, 200)
  assert.deepEqual(all.events, ['end local-bye'])
  await quietAtLast(all)
})

test('SIP-13: CANCEL gets 200, the INVITE 487, both with the same To-tag; accepting comes too late then', async () => {
  const all = scene()
  const invite = await call(all, { branch: 'z9hG4bKx' })
  invite.progress(180)
  await within(all, 'CANCEL', all.peer.take(100), { branch: 'z9hG4bKx' })
  const [ok, terminated] = [all.peer.take(200), all.peer.take(487)]
  assert.equal(ok.message.headers.get('cseq'), '1 CANCEL')
  assert.equal(ok.message.headers.get('to'), terminated.message.headers.get('to'))
  const dialog = accept(all, invite)
  assert.equal(dialog.ended, true)
  await within(all, 'ACK', terminated, { branch: 'z9hG4bKx' })
  assert.deepEqual(all.events, ['cancel CANCEL', 'end gone'])
  assert.equal(all.peer.count(200), 0)
  await quietAtLast(all)
})

test('SIP-13: CANCEL after the final answer gets 200 and changes nothing, CANCEL of nothing 481', async () => {
  const all = scene()
  accept(all, await call(all, { branch: 'z9hG4bKx' }))
  await all.clock.advanceAsync(10)
  const ok = all.peer.take(200)
  await within(all, 'ACK', ok)
  await within(all, 'CANCEL', ok, { branch: 'z9hG4bKx', to: '<sip:service@10.0.0.2>' })
  await within(all, 'CANCEL', ok, { branch: 'z9hG4bKother', to: '<sip:service@10.0.0.2>' })
  assert.deepEqual(all.peer.labels(), ['100', '200', '481'])
  assert.deepEqual(all.events, ['ack '])
})

test('SIP-12: a rejection is repeated until its ACK, and the INVITE sent again gets it again', async () => {
  const all = scene()
  const text = all.peer.request('INVITE', CORE, { branch: 'z9hG4bKx' })
  await all.clock.advanceAsync(10)
  all.invites[0]!.reject(302, { headers: [['Contact', '<sip:elsewhere>']] })
  all.invites[0]!.reject(500)
  await all.clock.advanceAsync(600)
  assert.equal(all.peer.count(302), 2)
  all.peer.send(text, CORE)
  await all.clock.advanceAsync(10)
  assert.equal(all.peer.count(302), 3)
  const moved = all.peer.take(302)
  assert.equal(moved.message.headers.get('contact'), '<sip:elsewhere>')
  await within(all, 'ACK', moved, { branch: 'z9hG4bKx' })
  all.peer.inbox.length = 0
  await quietAtLast(all)
  assert.deepEqual(all.peer.labels(), [])
})

test('a provisional response is repeated each minute, and an INVITE ends when its Expires runs out', async () => {
  const all = scene()
  const invite = await call(all, { headers: ['Expires: 150'] })
  invite.progress(180)
  await all.clock.advanceAsync(149_000)
  assert.equal(all.peer.count(180), 3)
  assert.deepEqual(all.events, [])
  await all.clock.advanceAsync(1000)
  assert.equal(all.peer.count(487), 1)
  assert.deepEqual(all.events, ['cancel undefined'])
})

test('SIP-17: within the early dialog UPDATE and INVITE are put off, INFO is refused, BYE ends the call', async () => {
  const all = scene()
  const invite = await call(all)
  invite.progress(180)
  await all.clock.advanceAsync(10)
  const ringing = all.peer.take(180)
  await within(all, 'UPDATE', ringing, { cseq: 2, body: 'offer' })
  const busy = all.peer.take(500)
  const retryAfterS = Number(busy.message.headers.get('retry-after'))
  assert.ok(retryAfterS >= 0 && retryAfterS <= 10)
  await within(all, 'INVITE', ringing, { cseq: 3 })
  await within(all, 'INFO', ringing, { cseq: 4 })
  await within(all, 'PRACK', ringing, { cseq: 5 })
  await within(all, 'BYE', ringing, { cseq: 6 })
  assert.deepEqual(all.peer.labels(), ['100', '500', '400', '405', '200', '487'])
  assert.deepEqual(all.events, ['cancel BYE'])
})

test('SRS-02: over tcp and for sips the Contact says so', async () => {
  const all = scene()
  accept(all, await call(all, {}, { ...CORE, transport: 'tcp' }))
  accept(all, await call(all, { uri: 'sips:service@10.0.0.2', callId: 'secure' }))
  await all.clock.advanceAsync(10)
  const contacts = [all.peer.take(200), all.peer.take(200)].map(({ message }) => message.headers.get('contact'))
  assert.deepEqual(contacts, ['<sip:gw@10.0.0.2:5060;transport=tcp>;+sip.srs', '<sips:gw@10.0.0.2:5060>;+sip.srs'])
})

test('SRC-67: after 491 the one who does not own the Call-ID waits 0 to 2 s in steps of 10 ms', async () => {
  const all = scene()
  const dialog = accept(all, await call(all))
  await all.clock.advanceAsync(10)
  await within(all, 'ACK', all.peer.take(200))
  const waits = all.peer.answerGlare(4)
  let status = 0
  void dialog.reinvite({ body: sdp('o') }).then((outcome) => {
    status = outcome.status
  })
  await all.clock.advanceAsync(20_000)
  assert.equal(status, 200)
  assert.equal(waits.length, 4)
  for (const waitMs of waits) assert.ok(waitMs >= 0 && waitMs <= 2000 && waitMs % 10 === 0, `waited ${waitMs}`)
})
