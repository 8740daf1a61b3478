// Session timers of a dialog, from both sides: RFC 4028.

import assert from 'node:assert/strict'
import test from 'node:test'
import { ManualClock } from '#kernel'
import type { InviteDialog, InviteOptions, SipCoreOptions } from '#sip'
import { attachCore, type CoreNode, sdp } from '../harness/core-pair.ts'
import type { Received, RequestParts, ScriptedPeer } from '../harness/scripted-peer.ts'
import { SipNetwork } from '../harness/sip-network.ts'

const CORE = '10.0.0.1'

interface Scene {
  readonly clock: ManualClock
  readonly network: SipNetwork
  readonly core: CoreNode
  readonly peer: ScriptedPeer
  readonly events: string[]
  readonly dialogs: InviteDialog[]
}

function scene(options: Partial<SipCoreOptions> = {}): Scene {
  const clock = new ManualClock()
  const network = new SipNetwork(clock, 1)
  const events: string[] = []
  const dialogs: InviteDialog[] = []
  const handlers = {
    onRequest: (incoming: Parameters<NonNullable<InviteDialog['handlers']['onRequest']>>[0]) => {
      events.push(incoming.request.method)
      incoming.respond(200, incoming.request.body.length > 0 ? { body: sdp('answer') } : {})
    },
    onRefreshDue: () => void events.push('refresh due'),
    onEnd: (end: { cause: string }) => void events.push(`end ${end.cause}`),
  }
  const core = attachCore(
    network,
    clock,
    CORE,
    { onInvite: (invite) => void dialogs.push(invite.accept(handlers, { body: sdp('answer') })) },
    options,
  )
  const peer = network.scriptedPeer('10.0.0.9')
  const made: Scene = { clock, network, core, peer, events, dialogs }
  adopt.set(made, handlers)
  return made
}

const adopt = new WeakMap<Scene, InviteDialog['handlers']>()

function seconds(count: number): number {
  return count * 1000
}

/** UPDATEs that came, without their repetitions. */
function refreshes(all: Scene): number {
  const updates = all.network.passages.filter(({ text }) => text.startsWith('UPDATE '))
  return new Set(updates.map(({ text }) => /CSeq: .*/.exec(text)?.[0])).size
}

function headerOf(received: Received, name: string): string | undefined {
  return received.message.headers.get(name)
}

/** As client: sends the INVITE; returns it. */
async function invite(all: Scene, options: Partial<InviteOptions> = {}): Promise<Received> {
  all.core.core.invite(
    { uri: 'sip:bob@10.0.0.9', from: `sip:alice@${CORE}`, body: sdp('offer'), ...options },
    {
      onAccepted: (dialog) => {
        dialog.handlers = adopt.get(all)!
        all.dialogs.push(dialog)
      },
      onFailed: (outcome) => void all.events.push(`failed ${outcome.status}`),
    },
  )
  await all.clock.advanceAsync(10)
  return all.peer.take('INVITE')
}

/** As client: a dialog accepted with these headers. */
async function calling(all: Scene, headers: string[], options: Partial<InviteOptions> = {}): Promise<void> {
  all.peer.respond(await invite(all, options), 200, { tag: 'b', headers })
  await all.clock.advanceAsync(10)
}

/** As server: the peer's INVITE, and the final response. */
async function called(all: Scene, headers: string[], status = 200): Promise<Received> {
  all.peer.request('INVITE', { host: CORE }, { headers })
  await all.clock.advanceAsync(10)
  const final = all.peer.take(status)
  all.peer.request('ACK', { host: CORE }, { to: headerOf(final, 'to') ?? '' })
  await all.clock.advanceAsync(10)
  return final
}

async function within(all: Scene, method: string, cseq: number, parts: RequestParts = {}): Promise<void> {
  const dialog = all.dialogs[0]!
  all.peer.request(
    method,
    { host: CORE },
    { to: `<sip:service@${CORE}>;tag=${dialog.localTag}`, callId: dialog.callId, cseq, ...parts },
  )
  await all.clock.advanceAsync(10)
}

const UPDATING = 'Allow: INVITE, ACK, BYE, UPDATE'

test('SIP-21: the INVITE asks for the interval, and as refresher we UPDATE without an offer at half of it', async () => {
  const all = scene()
  await calling(all, ['Session-Expires: 1800;refresher=uac', 'Require: timer', UPDATING], {
    sessionTimer: { expiresSeconds: 1800, minSeconds: 120 },
  })
  await all.clock.advanceAsync(seconds(899))
  assert.equal(all.peer.count('UPDATE'), 0)
  await all.clock.advanceAsync(seconds(2))
  const refresh = all.peer.take('UPDATE')
  assert.equal(refresh.message.body.length, 0)
  assert.equal(headerOf(refresh, 'session-expires'), '1800;refresher=uac')
  assert.equal(headerOf(refresh, 'min-se'), '120')
  assert.match(headerOf(refresh, 'supported') ?? '', /timer/)
  all.peer.respond(refresh, 200, { headers: ['Session-Expires: 600;refresher=uac', 'Require: timer'] })
  await all.clock.advanceAsync(seconds(301))
  assert.equal(refreshes(all), 2, 'the interval of the newest 2xx counts')
  assert.deepEqual(all.events, [])
})

test('SIP-21: an INVITE that asks for nothing has no Session-Expires, and a timer set by the 2xx is kept all the same', async () => {
  const all = scene()
  const sent = await invite(all)
  assert.equal(headerOf(sent, 'session-expires'), undefined)
  all.peer.respond(sent, 200, { tag: 'b', headers: ['Session-Expires: 90;refresher=uas'] })
  await all.clock.advanceAsync(seconds(59))
  assert.deepEqual(all.events, [])
  await all.clock.advanceAsync(seconds(2))
  assert.deepEqual(all.events, ['end session-expired'])
  assert.ok(all.peer.count('BYE') > 0)
})

test('SIP-21: the peer refreshes: BYE goes out 32 s before the end unless it does', async () => {
  const all = scene()
  await calling(all, ['Session-Expires: 1800;refresher=uas', UPDATING], { sessionTimer: { expiresSeconds: 1800 } })
  const from = headerOf(all.peer.take('ACK'), 'to') ?? ''
  await all.clock.advanceAsync(seconds(1700))
  const to = `sip:alice@${CORE}`
  const parts = {
    from,
    to: `<${to}>;tag=${all.dialogs[0]!.localTag}`,
    headers: ['Session-Expires: 1800;refresher=uac', 'Supported: timer'],
  }
  await within(all, 'UPDATE', 10, parts)
  const answered = all.peer.take(200)
  assert.equal(headerOf(answered, 'session-expires'), '1800;refresher=uac')
  assert.equal(headerOf(answered, 'require'), 'timer')
  assert.equal(all.peer.count('UPDATE'), 0)
  await all.clock.advanceAsync(seconds(1760))
  assert.deepEqual(all.events, ['UPDATE'])
  await all.clock.advanceAsync(seconds(10))
  assert.deepEqual(all.events, ['UPDATE', 'end session-expired'])
})

test('SIP-21: 422 raises the interval to its Min-SE, and a peer that raises for ever is given up', async () => {
  const all = scene()
  const first = await invite(all, { sessionTimer: { expiresSeconds: 100 } })
  all.peer.respond(first, 422, { tag: 'b', headers: ['Min-SE: 300'] })
  await all.clock.advanceAsync(10)
  const second = all.peer.take('INVITE')
  assert.deepEqual(
    ['cseq', 'session-expires', 'min-se', 'call-id'].map((name) => headerOf(second, name)),
    ['2 INVITE', '300', '300', headerOf(first, 'call-id')],
  )
  let last = second
  for (let minimum = 400; all.events.length === 0; minimum += 100) {
    assert.ok(minimum < 1000)
    all.peer.respond(last, 422, { tag: 'b', headers: [`Min-SE: ${minimum}`] })
    await all.clock.advanceAsync(10)
    if (all.events.length === 0) last = all.peer.take('INVITE')
  }
  assert.deepEqual(all.events, ['failed 422'])
  const other = scene()
  other.peer.respond(await invite(other, { sessionTimer: { expiresSeconds: 100 } }), 422, { tag: 'b' })
  await other.clock.advanceAsync(10)
  assert.deepEqual(other.events, ['failed 422'], 'without a Min-SE there is nothing to try')
})

test('SIP-21: a peer without timers is watched by our own refreshes', async () => {
  const all = scene()
  await calling(all, [UPDATING], { sessionTimer: { expiresSeconds: 200 } })
  await all.clock.advanceAsync(seconds(101))
  all.peer.respond(all.peer.take('UPDATE'), 200)
  all.peer.inbox.length = 0
  await all.clock.advanceAsync(seconds(101))
  all.peer.respond(all.peer.take('UPDATE'), 481)
  await all.clock.advanceAsync(10)
  assert.deepEqual(all.events, ['end gone'])
})

test('SIP-21: where UPDATE is not allowed, or refused with 405, the user is asked to re-INVITE', async () => {
  const all = scene()
  await calling(all, ['Session-Expires: 200;refresher=uac', UPDATING], { sessionTimer: { expiresSeconds: 200 } })
  await all.clock.advanceAsync(seconds(101))
  all.peer.respond(all.peer.take('UPDATE'), 405, { headers: ['Allow: INVITE, ACK, BYE'] })
  await all.clock.advanceAsync(seconds(34))
  assert.equal(all.events[0], 'refresh due')
  void all.dialogs[0]!.reinvite({ body: sdp('offer') })
  await all.clock.advanceAsync(10)
  const reinvite = all.peer.take('INVITE')
  assert.equal(headerOf(reinvite, 'session-expires'), '200;refresher=uac')
  all.peer.respond(reinvite, 200, { headers: ['Session-Expires: 200;refresher=uac'] })
  await all.clock.advanceAsync(seconds(120))
  assert.deepEqual(all.events.slice(-1), ['refresh due'])
  assert.equal(all.dialogs[0]!.ended, false)
})

test('SIP-21: refreshes that are refused are tried again, and the session ends when none is accepted', async () => {
  const all = scene()
  await calling(all, ['Session-Expires: 90;refresher=uac', UPDATING], { sessionTimer: { expiresSeconds: 90 } })
  all.peer.onMessage = (received) => {
    if (received.message.kind === 'request' && received.message.method === 'UPDATE') all.peer.respond(received, 503)
  }
  await all.clock.advanceAsync(seconds(61))
  assert.ok(all.peer.count('UPDATE') >= 2)
  assert.deepEqual(all.events, ['end session-expired'])
})

/** Request headers, what our core wants; what the 2xx says, or the 422. */
const ANSWERS: readonly (readonly [
  name: string,
  headers: string[],
  wish: number | undefined,
  expected: (string | undefined)[],
])[] = [
  ['nothing asked, nothing wanted', [], undefined, [undefined, undefined]],
  [
    'asked: the client refreshes unless it says otherwise',
    ['Supported: timer', 'Session-Expires: 600'],
    undefined,
    ['600;refresher=uac', 'timer'],
  ],
  ['asked to refresh', ['k: timer', 'x: 600;refresher=uas'], undefined, ['600;refresher=uas', 'timer']],
  [
    'asked by a proxy for a client without timers',
    ['Session-Expires: 600'],
    undefined,
    ['600;refresher=uas', undefined],
  ],
  ['asked for more than we want', ['Supported: timer', 'Session-Expires: 3600'], 900, ['900;refresher=uac', 'timer']],
  [
    'never below the Min-SE of the request',
    ['Supported: timer', 'Session-Expires: 3600', 'Min-SE: 1200'],
    900,
    ['1200;refresher=uac', 'timer'],
  ],
  ['wanted by us alone', ['Supported: timer'], 900, ['900;refresher=uac', 'timer']],
  ['wanted by us alone from a client without timers', [], 900, ['900;refresher=uas', undefined]],
  ['not a number', ['Supported: timer', 'Session-Expires: soon'], undefined, [undefined, undefined]],
]

for (const [name, headers, wish, expected] of ANSWERS) {
  test(`SIP-21: as server, ${name}`, async () => {
    const all = scene(wish === undefined ? {} : { sessionTimer: { expiresSeconds: wish } })
    const accepted = await called(all, headers)
    assert.deepEqual([headerOf(accepted, 'session-expires'), headerOf(accepted, 'require')], expected)
  })
}

test('SIP-21: as server, an interval below the least gets 422 with Min-SE, in the dialog too', async () => {
  const all = scene({ sessionTimer: { expiresSeconds: 1800, minSeconds: 200 } })
  const refused = await called(all, ['Supported: timer', 'Session-Expires: 100'], 422)
  assert.equal(headerOf(refused, 'min-se'), '200')
  assert.equal(all.dialogs.length, 0)
  all.peer.request('INVITE', { host: CORE }, { cseq: 2, headers: ['Supported: timer', 'Session-Expires: 200'] })
  await all.clock.advanceAsync(10)
  all.peer.request('ACK', { host: CORE }, { cseq: 2, to: headerOf(all.peer.take(200), 'to') ?? '' })
  await within(all, 'UPDATE', 3, { headers: ['Supported: timer', 'Session-Expires: 100'] })
  assert.equal(headerOf(all.peer.take(422), 'min-se'), '200')
})

test('SIP-21: as server, refresher=uas means that we refresh; a re-INVITE of the peer starts the count anew', async () => {
  const all = scene()
  await called(all, ['Supported: timer', 'Session-Expires: 200;refresher=uas', UPDATING])
  await all.clock.advanceAsync(seconds(90))
  await within(all, 'INVITE', 2, {
    body: 'offer',
    headers: ['Supported: timer', 'Session-Expires: 200;refresher=uas', UPDATING],
  })
  const answered = all.peer.take(200)
  assert.equal(headerOf(answered, 'session-expires'), '200;refresher=uas')
  await within(all, 'ACK', 2)
  await all.clock.advanceAsync(seconds(99))
  assert.equal(all.peer.count('UPDATE'), 0)
  await all.clock.advanceAsync(seconds(2))
  assert.equal(headerOf(all.peer.take('UPDATE'), 'session-expires'), '200;refresher=uac')
})

test('SIP-21: a refresh without Session-Expires turns the timer off, and nothing of it is left after the dialog', async () => {
  const all = scene()
  await called(all, ['Supported: timer', 'Session-Expires: 200'])
  await within(all, 'UPDATE', 2)
  assert.equal(headerOf(all.peer.take(200), 'session-expires'), undefined)
  await all.clock.advanceAsync(seconds(1000))
  assert.equal(all.dialogs[0]!.ended, false)
  await within(all, 'BYE', 3)
  await all.clock.advanceAsync(seconds(140))
  assert.deepEqual(all.core.core.census(), { dialogs: 0, transactions: 0, timers: 0 })
})
