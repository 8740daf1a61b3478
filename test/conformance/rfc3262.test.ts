// Reliable provisional responses from both sides, and UPDATE before the answer: RFC 3262, RFC 3311.

import assert from 'node:assert/strict'
import test from 'node:test'
import { ManualClock } from '#kernel'
import type { ClientInviteHandlers, EarlyDialog, InviteDialog, InviteOptions, ServerInvite } from '#sip'
import { attachCore, type CoreNode, sdp } from '../harness/core-pair.ts'
import type { Received, RequestParts, ScriptedPeer } from '../harness/scripted-peer.ts'
import { SipNetwork } from '../harness/sip-network.ts'

const CORE = '10.0.0.1'
const ALLOW = ['INVITE', 'ACK', 'BYE', 'CANCEL', 'OPTIONS', 'UPDATE', 'PRACK']

interface Scene {
  readonly clock: ManualClock
  readonly core: CoreNode
  readonly peer: ScriptedPeer
  readonly invites: ServerInvite[]
  readonly early: (EarlyDialog | undefined)[]
  readonly dialogs: InviteDialog[]
  readonly events: string[]
}

function scene(supported = ['100rel']): Scene {
  const clock = new ManualClock()
  const network = new SipNetwork(clock, 1)
  const invites: ServerInvite[] = []
  const events: string[] = []
  const onInvite = (invite: ServerInvite): void => {
    invites.push(invite)
    invite.onCancel = () => void events.push('cancel')
  }
  const core = attachCore(network, clock, CORE, { onInvite }, { supported, allow: ALLOW })
  return { clock, core, peer: network.scriptedPeer('10.0.0.9'), invites, early: [], dialogs: [], events }
}

async function quietAtLast({ core, clock, peer }: Scene): Promise<void> {
  peer.onMessage = undefined
  await clock.advanceAsync(140_000)
  assert.deepEqual(core.core.census(), { dialogs: 0, transactions: 0, timers: 0 })
}

function header(received: Received, name: string): string {
  return received.message.headers.get(name) ?? ''
}

// As server.

async function called(all: Scene, headers: string[], body = 'offer'): Promise<ServerInvite> {
  all.peer.request('INVITE', { host: CORE }, { headers, body })
  await all.clock.advanceAsync(10)
  return all.invites.at(-1)!
}

async function within(all: Scene, method: string, cseq: number, parts: RequestParts = {}): Promise<void> {
  const to = `<sip:service@${CORE}>;tag=${all.invites[0]!.localTag}`
  all.peer.request(method, { host: CORE }, { to, cseq, ...parts })
  await all.clock.advanceAsync(10)
}

async function prack(all: Scene, rseq: number | string, cseq: number, parts: RequestParts = {}): Promise<number> {
  const before = all.peer.inbox.length
  await within(all, 'PRACK', cseq, { headers: [`RAck: ${rseq} 1 INVITE`], ...parts })
  const answers = all.peer.inbox.slice(before).filter((received) => / PRACK/.test(header(received, 'cseq')))
  return answers[0]?.message.kind === 'response' ? answers[0].message.status : 0
}

function rseqOf(received: Received): number {
  return Number(header(received, 'rseq'))
}

const MATRIX: readonly (readonly [
  name: string,
  ours: string[],
  theirs: string[],
  asked: boolean,
  reliable: boolean,
])[] = [
  ['the caller knows nothing of it', ['100rel'], [], true, false],
  ['the caller supports it and we ask for it', ['100rel'], ['Supported: 100rel'], true, true],
  ['the caller supports it and we do not ask for it', ['100rel'], ['Supported: 100rel'], false, false],
  ['the caller requires it', ['100rel'], ['Require: 100rel'], false, true],
  ['the caller supports it and we do not', [], ['Supported: 100rel'], true, false],
]

for (const [name, ours, theirs, asked, reliable] of MATRIX) {
  test(`SIP-16: as server, when ${name}, a 180 is ${reliable ? '' : 'not '}reliable`, async () => {
    const all = scene(ours)
    ;(await called(all, theirs)).progress(180, { reliable: asked })
    await all.clock.advanceAsync(10)
    const ringing = all.peer.take(180)
    assert.equal(header(ringing, 'require'), reliable ? '100rel' : '')
    assert.equal(header(ringing, 'rseq') !== '', reliable)
  })
}

test('SIP-16: without support a required 100rel gets 420', async () => {
  const all = scene([])
  all.peer.request('INVITE', { host: CORE }, { headers: ['Require: 100rel'] })
  await all.clock.advanceAsync(10)
  assert.equal(header(all.peer.take(420), 'unsupported'), '100rel')
})

test('SIP-16: a reliable response is repeated at doubling intervals until its PRACK; the next one waits for that', async () => {
  const all = scene()
  const invite = await called(all, ['Supported: 100rel'])
  invite.progress(180, { reliable: true })
  invite.progress(183, { reliable: true, body: sdp('early') })
  await all.clock.advanceAsync(16_000)
  const times = all.peer.inbox.filter(({ message }) => message.kind === 'response' && message.status === 180)
  assert.deepEqual(
    times.map(({ atMs }) => atMs - times[0]!.atMs),
    [0, 500, 1500, 3500, 7500, 15_500],
  )
  assert.equal(all.peer.count(183), 0)
  const first = rseqOf(times[0]!)
  assert.equal(await prack(all, first + 1, 2), 481)
  assert.equal(await prack(all, 'x', 3), 481)
  assert.equal(await prack(all, first, 4), 200)
  assert.equal(await prack(all, first, 5), 481, 'once')
  all.peer.inbox.splice(0, all.peer.inbox.length - 2)
  assert.equal(rseqOf(all.peer.take(183)), first + 1)
  await all.clock.advanceAsync(600)
  assert.equal(all.peer.count(180), 0)
})

test('SIP-16: without a PRACK for 64*T1 the INVITE is refused', async () => {
  const all = scene()
  ;(await called(all, ['Require: 100rel'])).progress(180)
  await all.clock.advanceAsync(31_900)
  assert.deepEqual(all.events, [])
  await all.clock.advanceAsync(200)
  assert.ok(all.peer.count(504) > 0)
  assert.deepEqual(all.events, ['cancel'])
  await within(all, 'ACK', 1)
  await quietAtLast(all)
})

test('SIP-16: the 200 waits for the PRACK of a reliable description, not for that of a bare 180', async () => {
  for (const body of [undefined, sdp('early')]) {
    const all = scene()
    const invite = await called(all, ['Supported: 100rel'])
    invite.progress(180, { reliable: true, ...(body === undefined ? {} : { body }) })
    const dialog = invite.accept({ onEnd: () => {} })
    await all.clock.advanceAsync(10)
    const ringing = all.peer.take(180)
    assert.equal(all.peer.count(200), body === undefined ? 1 : 0)
    assert.equal(await prack(all, rseqOf(ringing), 2), 200)
    assert.ok(
      all.peer.inbox.some((received) => header(received, 'cseq') === '1 INVITE' && /^SIP\/2.0 200/.test(received.text)),
    )
    await within(all, 'ACK', 1)
    await within(all, 'BYE', 3)
    assert.equal(dialog.ended, true)
    await quietAtLast(all)
  }
})

for (const [name, end, status] of [
  ['cancels', (all: Scene) => within(all, 'CANCEL', 1, { to: `<sip:service@${CORE}>`, branch: 'z9hG4bKheld' }), 487],
  ['never acknowledges', (all: Scene) => all.clock.advanceAsync(33_000), 504],
] as const) {
  test(`SIP-16: a caller who ${name} while the 200 waits gets ${status}, and the dialog ends`, async () => {
    const all = scene()
    all.peer.request('INVITE', { host: CORE }, { headers: ['Supported: 100rel'], body: 'o', branch: 'z9hG4bKheld' })
    await all.clock.advanceAsync(10)
    const invite = all.invites[0]!
    invite.progress(183, { reliable: true, body: sdp('early') })
    const dialog = invite.accept({ onEnd: ({ cause }) => void all.events.push(`end ${cause}`) })
    await end(all)
    assert.ok(all.peer.count(status) > 0)
    assert.deepEqual(all.events, ['end gone'])
    assert.equal(dialog.ended, true)
    await within(all, 'ACK', 1, { branch: 'z9hG4bKheld' })
    await quietAtLast(all)
  })
}

test('SIP-16: hanging up while the 200 waits refuses the INVITE: no BYE goes into an early dialog', async () => {
  const all = scene()
  const invite = await called(all, ['Supported: 100rel'])
  invite.progress(183, { reliable: true, body: sdp('early') })
  const dialog = invite.accept({ onEnd: ({ cause }) => void all.events.push(`end ${cause}`) })
  assert.equal((await dialog.bye()).cause, 'dialog-gone')
  await all.clock.advanceAsync(10)
  assert.deepEqual([all.peer.count('BYE'), all.peer.count(487), ...all.events], [0, 1, 'end local-bye'])
})

test('SIP-17: as server, UPDATE before the answer: 500 until the first offer is answered reliably, then for the user; glare 491', async () => {
  const all = scene()
  const invite = await called(all, ['Supported: 100rel', 'Allow: INVITE, UPDATE'])
  const bodies: string[] = []
  invite.early.onUpdate = (incoming) => {
    bodies.push(Buffer.from(incoming.request.body).toString())
    incoming.respond(200, { body: sdp('answer 2') })
  }
  invite.progress(183, { reliable: true, body: sdp('answer') })
  await all.clock.advanceAsync(10)
  assert.equal((await invite.early.update({ body: sdp('too early') })).status, 491)
  await within(all, 'UPDATE', 2, { body: 'offer 2' })
  assert.match(header(all.peer.take(500), 'retry-after'), /^\d+$/)
  await prack(all, rseqOf(all.peer.take(183)), 3)
  await within(all, 'UPDATE', 4, { body: 'offer 2' })
  assert.deepEqual(bodies, ['offer 2'])
  const ours = invite.early.update({ body: sdp('offer 3') })
  await all.clock.advanceAsync(10)
  await within(all, 'UPDATE', 5, { body: 'offer 4' })
  assert.equal(all.peer.count(491), 1)
  all.peer.respond(all.peer.take('UPDATE'), 200, { body: 'answer 3' })
  await all.clock.advanceAsync(10)
  assert.equal((await ours).status, 200)
  const dialog = invite.accept({ onEnd: () => {} })
  await within(all, 'ACK', 1)
  void dialog.request('INFO')
  await all.clock.advanceAsync(10)
  assert.equal(header(all.peer.take('INFO'), 'cseq'), '2 INFO', 'the numbers of the early dialog go on')
})

test('SIP-18: an offer in a reliable 183 is answered in the PRACK, which the user sees', async () => {
  const all = scene()
  const invite = await called(all, ['Supported: 100rel'], '')
  const answers: string[] = []
  invite.onPrack = (incoming) => {
    answers.push(Buffer.from(incoming.request.body).toString())
    incoming.respond(200)
  }
  invite.progress(183, { reliable: true, body: sdp('our offer') })
  await all.clock.advanceAsync(10)
  assert.equal(await prack(all, rseqOf(all.peer.take(183)), 2, { body: 'their answer' }), 200)
  assert.deepEqual(answers, ['their answer'])
  assert.equal(invite.early.isAgreed, true)
})

// As client.

async function calling(
  all: Scene,
  options: Partial<InviteOptions> = { body: sdp('offer') },
  more: Partial<ClientInviteHandlers> = {},
): Promise<Received> {
  all.core.core.invite(
    { uri: 'sip:bob@10.0.0.9', from: `sip:alice@${CORE}`, ...options },
    {
      onProgress: (response, early) => {
        all.events.push(`progress ${response.status}`)
        all.early.push(early)
      },
      onAccepted: (dialog) => {
        all.dialogs.push(dialog)
        dialog.handlers = { onEnd: () => {} }
      },
      onFailed: ({ status }) => void all.events.push(`failed ${status}`),
      ...more,
    },
  )
  await all.clock.advanceAsync(10)
  return all.peer.take('INVITE')
}

async function ring(all: Scene, to: Received, status: number, rseq: number, tag = 'b', body = ''): Promise<void> {
  const headers = ['Require: 100rel', `RSeq: ${rseq}`, 'Allow: INVITE, ACK, PRACK, UPDATE']
  all.peer.respond(to, status, { tag, headers, body })
  await all.clock.advanceAsync(10)
}

/** RAck of each PRACK in the inbox, without repetitions; answers them. */
function racks(all: Scene): string[] {
  const seen = new Map<string, string>()
  while (all.peer.count('PRACK') > 0) {
    const received = all.peer.take('PRACK')
    if (!seen.has(header(received, 'cseq'))) all.peer.respond(received, 200)
    seen.set(header(received, 'cseq'), header(received, 'rack'))
  }
  return [...seen.values()]
}

test('SIP-16: as client, reliable responses are acknowledged in their order and once; what is early waits for the missing one', async () => {
  const all = scene()
  const invite = await calling(all)
  assert.match(header(invite, 'supported'), /100rel/)
  await ring(all, invite, 180, 7)
  await ring(all, invite, 180, 7)
  await ring(all, invite, 183, 9)
  assert.deepEqual(racks(all), ['7 1 INVITE'])
  await ring(all, invite, 182, 8)
  await ring(all, invite, 183, 9)
  assert.deepEqual(racks(all), ['8 1 INVITE', '9 1 INVITE'])
  assert.deepEqual(all.events, ['progress 180', 'progress 182', 'progress 183'])
  all.peer.respond(invite, 200, { tag: 'b' })
  await all.clock.advanceAsync(10)
  assert.equal(header(all.peer.take('ACK'), 'cseq'), '1 ACK')
  void all.dialogs[0]!.bye()
  await all.clock.advanceAsync(10)
  const bye = all.peer.take('BYE')
  assert.equal(header(bye, 'cseq'), '5 BYE', 'after three PRACKs')
  all.peer.respond(bye, 200)
  await quietAtLast(all)
})

test('SIP-16: as client, each early dialog of a forked INVITE has its own numbers', async () => {
  const all = scene()
  const invite = await calling(all)
  await ring(all, invite, 180, 100, 'one')
  await ring(all, invite, 180, 5, 'two')
  await ring(all, invite, 183, 101, 'one')
  const tags = all.peer.inbox.map((received) => /tag=(\w+)/.exec(header(received, 'to'))?.[1])
  assert.deepEqual(tags, ['one', 'two', 'one'])
  const acknowledged = all.peer.inbox.map((received) => header(received, 'rack'))
  assert.deepEqual(acknowledged, ['100 1 INVITE', '5 1 INVITE', '101 1 INVITE'])
})

test('SIP-16: as client without support, an RSeq is none of our business', async () => {
  const all = scene([])
  await ring(all, await calling(all), 180, 1)
  assert.equal(all.peer.count('PRACK'), 0)
  assert.deepEqual(all.events, ['progress 180'])
})

test('SIP-18: as client without an offer, the offer of a reliable 183 is answered in the PRACK, and the 200 asks for nothing', async () => {
  const all = scene()
  let asked = 0
  const invite = await calling(
    all,
    {},
    {
      ackBody: () => {
        asked += 1
        return Promise.resolve(sdp('answer'))
      },
    },
  )
  await ring(all, invite, 183, 1, 'b', 'their offer')
  const prackRequest = all.peer.take('PRACK')
  assert.equal(Buffer.from(prackRequest.message.body).toString(), 'answer')
  all.peer.respond(prackRequest, 200)
  all.peer.respond(invite, 200, { tag: 'b' })
  await all.clock.advanceAsync(10)
  assert.equal(all.peer.take('ACK').message.body.length, 0)
  assert.equal(asked, 1)
})

test('SIP-17: as client, UPDATE goes both ways in the early dialog once the offer is answered reliably', async () => {
  const all = scene()
  const invite = await calling(all)
  await ring(all, invite, 180, 1)
  assert.equal(all.early[0]?.canUpdate, false)
  await ring(all, invite, 183, 2, 'b', 'answer')
  const early = all.early[1]!
  assert.equal(early.canUpdate, true)
  racks(all)
  const updated = early.update({ body: sdp('offer 2') })
  await all.clock.advanceAsync(10)
  all.peer.respond(all.peer.take('UPDATE'), 200, { body: 'answer 2' })
  await all.clock.advanceAsync(10)
  assert.equal((await updated).status, 200)
  const bodies: string[] = []
  early.onUpdate = (incoming) => {
    bodies.push(Buffer.from(incoming.request.body).toString())
    incoming.respond(200, { body: sdp('answer 3') })
  }
  const { headers } = invite.message
  const parts = {
    from: `${headers.get('to')};tag=b`,
    to: headers.get('from') ?? '',
    callId: headers.get('call-id') ?? '',
  }
  all.peer.request('UPDATE', { host: CORE }, { ...parts, cseq: 10, body: 'offer 3' })
  await all.clock.advanceAsync(10)
  assert.deepEqual(bodies, ['offer 3'])
  all.peer.request('BYE', { host: CORE }, { ...parts, cseq: 11 })
  await all.clock.advanceAsync(10)
  assert.equal(all.peer.count(481), 1, 'nothing else is at home in an early dialog')
})

test('SIP-23: an INVITE of ours that is not answered yet can be replaced', async () => {
  const all = scene(['100rel', 'replaces'])
  const invite = await calling(all)
  await ring(all, invite, 180, 1)
  const tag = /tag=(\w+)/.exec(header(invite, 'from'))?.[1]
  const replaces = `Replaces: ${header(invite, 'call-id')};to-tag=${tag};from-tag=b;early-only`
  all.peer.request('INVITE', { host: CORE }, { callId: 'pickup', headers: [replaces] })
  await all.clock.advanceAsync(10)
  assert.equal(all.invites[0]?.replaced?.kind, 'early')
})
