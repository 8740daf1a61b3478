import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { ManualClock, type SipTrace, sipTrace } from '#kernel'
import type { IncomingRequest, SipCoreHandlers, SipCoreOptions } from '#sip'
import { attachCore, type CoreNode } from '../../test/harness/core-pair.ts'
import type { RequestParts, ScriptedPeer } from '../../test/harness/scripted-peer.ts'
import { SipNetwork } from '../../test/harness/sip-network.ts'

const CORE = { host: '10.0.0.2' }

interface Scene {
  readonly clock: ManualClock
  readonly network: SipNetwork
  readonly core: CoreNode
  readonly peer: ScriptedPeer
}

function scene(handlers: Partial<SipCoreHandlers> = {}, options: Partial<SipCoreOptions> = {}): Scene {
  const clock = new ManualClock()
  const network = new SipNetwork(clock, 1)
  const core = attachCore(network, clock, CORE.host, { onInvite: () => {}, ...handlers }, options)
  return { clock, network, core, peer: network.scriptedPeer('10.0.0.9') }
}

async function ask({ peer, clock }: Scene, method: string, parts: RequestParts = {}): Promise<void> {
  peer.request(method, CORE, parts)
  await clock.advanceAsync(10)
}

test('SIP-03: an unknown method gets 405 with Allow', async () => {
  const all = scene()
  await ask(all, 'FOO')
  const { headers } = all.peer.take(405).message
  assert.match(headers.get('allow') ?? '', /^INVITE, ACK, BYE/)
  assert.match(headers.get('to') ?? '', /;tag=/)
})

test('SIP-04: an unsupported Require gets 420 with only those options, and Require in CANCEL is ignored', async () => {
  const all = scene()
  await ask(all, 'INVITE', { headers: ['Require: siprec, foo', 'Require: bar'] })
  assert.equal(all.peer.take(420).message.headers.get('unsupported'), 'foo, bar')
  await ask(all, 'CANCEL', { headers: ['Require: foo'], callId: 'none' })
  assert.equal(all.peer.count(481), 1)
})

test('SRS-03: an option that is understood is taken, within a dialog and without, but not said to be supported', async () => {
  const all = scene({}, { supported: [], understood: ['siprec'] })
  await ask(all, 'OPTIONS', { headers: ['Require: siprec'] })
  assert.equal(all.peer.take(200).message.headers.get('supported')?.includes('siprec') ?? false, false)
  await ask(all, 'UPDATE', { headers: ['Require: siprec'], callId: 'gone', to: '<sip:a@b>;tag=gone' })
  assert.equal(all.peer.count(481), 1)
})

test('SIP-05: an unknown body type gets 415 with Accept, an encoded one 415 with Accept-Encoding', async () => {
  const all = scene()
  await ask(all, 'INVITE', { contentType: 'text/strange', body: 'x' })
  assert.equal(all.peer.take(415).message.headers.get('accept'), 'application/sdp')
  await ask(all, 'INVITE', { body: 'x', headers: ['Content-Encoding: gzip'], callId: 'b' })
  assert.equal(all.peer.take(415).message.headers.get('accept-encoding'), 'identity')
  await ask(all, 'INVITE', {
    contentType: 'text/strange',
    body: 'x',
    headers: ['Content-Disposition: render;handling=optional'],
    callId: 'c',
  })
  assert.equal(all.peer.count(415), 0)
})

test('SIP-07: requests with a To-tag and no dialog get 481, ACK silence', async () => {
  const all = scene()
  for (const method of ['BYE', 'INFO', 'UPDATE', 'INVITE', 'OPTIONS']) {
    await ask(all, method, { to: '<sip:service@10.0.0.2>;tag=stranger', callId: method })
  }
  assert.deepEqual(all.peer.labels(), ['481', '481', '481', '481', '481'])
  all.peer.inbox.length = 0
  await ask(all, 'ACK', { to: '<sip:service@10.0.0.2>;tag=stranger' })
  assert.equal(all.peer.inbox.length, 0)
})

test('SIP-14: the same request by two paths gets 482 the second time', async () => {
  const invites: unknown[] = []
  const all = scene({ onInvite: (invite) => void invites.push(invite) })
  await ask(all, 'INVITE', { branch: 'z9hG4bK-first' })
  await ask(all, 'INVITE', { branch: 'z9hG4bK-second' })
  assert.deepEqual(all.peer.labels(), ['100', '482'])
  assert.equal(invites.length, 1)
})

test('SIP-15: with rport the answer goes to the source port, without it to the sent-by port', async () => {
  const all = scene()
  await ask(all, 'OPTIONS', { via: 'SIP/2.0/UDP 192.168.7.7:9999;branch=z9hG4bKa;rport' })
  const { message, flow } = all.peer.take(200)
  assert.equal(message.headers.get('via'), 'SIP/2.0/UDP 192.168.7.7:9999;branch=z9hG4bKa;rport=5060;received=10.0.0.9')
  assert.equal(flow.local.port, 5060)
  await ask(all, 'OPTIONS', { via: 'SIP/2.0/UDP 10.0.0.9:7000;branch=z9hG4bKb', callId: 'b' })
  const second = all.peer.take(200)
  assert.equal(second.flow.local.port, 7000)
  assert.equal(second.message.headers.get('via'), 'SIP/2.0/UDP 10.0.0.9:7000;branch=z9hG4bKb')
})

test('SIP-15: the answer to a closed connection goes to the sent-by port over a new one', async () => {
  let waiting: IncomingRequest | undefined
  const all = scene({
    onRequest: (incoming) => {
      waiting = incoming
    },
  })
  all.peer.request('MESSAGE', { ...CORE, transport: 'tcp' })
  await all.clock.advanceAsync(10)
  all.network.cut('10.0.0.9')
  assert.equal(waiting?.respond(202), true)
  assert.equal(waiting?.respond(200), false)
  await all.clock.advanceAsync(10)
  assert.equal(all.peer.take(202).flow.transport, 'tcp')
})

test('SIP-24: INFO outside of a dialog gets 481', async () => {
  const all = scene({ onRequest: () => assert.fail('must not reach the user') })
  await ask(all, 'INFO', { headers: ['Info-Package: foo'] })
  assert.deepEqual(all.peer.labels(), ['481'])
})

test('SIP-26: OPTIONS with Max-Forwards 0 is answered with Allow, Accept and Supported', async () => {
  const all = scene()
  const text = all.peer.requestText('OPTIONS', CORE).replace('Max-Forwards: 70', 'Max-Forwards: 0')
  all.peer.send(text, CORE)
  await all.clock.advanceAsync(10)
  const { headers } = all.peer.take(200).message
  assert.match(headers.get('allow') ?? '', /OPTIONS/)
  assert.equal(headers.get('accept'), 'application/sdp')
  assert.equal(headers.get('supported'), 'timer, siprec')
})

test('an unknown scheme in the Request-URI gets 416', async () => {
  const all = scene()
  await ask(all, 'OPTIONS', { uri: 'nobodyKnowsThisScheme:totallyopaquecontent' })
  assert.deepEqual(all.peer.labels(), ['416'])
})

test('malformed requests get what the parser says, malformed ACKs and responses nothing', async () => {
  const all = scene()
  const good = all.peer.requestText('INVITE', CORE)
  all.peer.send(good.replace('INVITE sip:service@10.0.0.2 SIP/2.0', 'INVITE sip:service@10.0.0.2 SIP/7.0'), CORE)
  all.peer.send(good.replace('CSeq: 1 INVITE', 'CSeq: 1 BYE'), CORE)
  all.peer.send(all.peer.requestText('ACK', CORE).replace('CSeq: 1 ACK', 'CSeq: 1 BYE'), CORE)
  all.peer.send('SIP/2.0 200 OK\r\n\r\n', CORE)
  all.peer.send('\r\n\r\n', CORE)
  all.peer.send('garbage', CORE)
  await all.clock.advanceAsync(10)
  assert.deepEqual(all.peer.labels(), ['505', '400'])
  assert.deepEqual(all.core.core.census(), { dialogs: 0, transactions: 0, timers: 0 })
})

test('a request of a source that is not admitted gets 403 before anything is kept', async () => {
  const all = scene({}, { admit: (flow) => flow.remote.host !== '10.0.0.9' })
  await ask(all, 'INVITE')
  assert.deepEqual(all.peer.labels(), ['403'])
  assert.equal(all.core.core.census().transactions, 0)
})

test('above the limit of transactions new requests get 503 with Retry-After', async () => {
  const all = scene({}, { maxTransactions: 2 })
  for (const callId of ['a', 'b', 'c']) await ask(all, 'INVITE', { callId })
  assert.deepEqual(all.peer.labels(), ['100', '100', '503'])
  assert.equal(all.peer.take(503).message.headers.get('retry-after'), '5')
})

test('RFC 2543 requests without magic cookie are matched, answered and acknowledged', async () => {
  const all = scene({ onInvite: (invite) => invite.reject(486) })
  const old = { via: 'SIP/2.0/UDP 10.0.0.9:5060', from: '<sip:old@10.0.0.9>' }
  await ask(all, 'INVITE', old)
  const busy = all.peer.take(486)
  await ask(all, 'INVITE', old)
  assert.equal(all.peer.take(486).text, busy.text)
  await ask(all, 'ACK', { ...old, to: busy.message.headers.get('to') ?? '' })
  all.peer.inbox.length = 0
  await all.clock.advanceAsync(4000)
  assert.deepEqual(all.peer.labels(), [])
  await all.clock.advanceAsync(40_000)
  assert.equal(all.core.core.census().transactions, 0)
})

test('RFC 4320: a request nobody answers gets 100 at 3.5 s and 500 before timer F, never 408', async () => {
  let waiting: IncomingRequest | undefined
  const all = scene({
    onRequest: (incoming) => {
      waiting = incoming
    },
  })
  const text = all.peer.request('MESSAGE', CORE)
  await all.clock.advanceAsync(3000)
  all.peer.send(text, CORE)
  await all.clock.advanceAsync(490)
  assert.deepEqual(all.peer.labels(), [])
  await all.clock.advanceAsync(20)
  assert.deepEqual(all.peer.labels(), ['100'])
  await all.clock.advanceAsync(28_000)
  assert.deepEqual(all.peer.labels(), ['100', '500'])
  assert.equal(waiting?.respond(200), false)
  await ask(all, 'MESSAGE', { callId: 'second' })
  assert.equal(waiting?.respond(408), true)
  await all.clock.advanceAsync(10)
  assert.deepEqual(all.peer.labels(), ['100', '500', '500'])
})

test('a response with two Vias, or to no transaction of ours, is dropped', async () => {
  const all = scene()
  all.peer.send(
    [
      'SIP/2.0 200 OK',
      'Via: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bKnone',
      'From: <sip:a@b>;tag=1',
      'To: <sip:a@b>;tag=2',
      'Call-ID: x',
      'CSeq: 1 OPTIONS',
      'Content-Length: 0',
      '',
      '',
    ].join('\r\n'),
    CORE,
  )
  await all.clock.advanceAsync(10)
  assert.deepEqual(all.peer.labels(), [])
  assert.deepEqual(all.core.log.messages(), ['response without transaction'])
})

test('a fault in a handler gets 500 and ends nothing else', async () => {
  const all = scene({
    onRequest: () => {
      throw new Error('broken handler')
    },
  })
  await ask(all, 'MESSAGE')
  await ask(all, 'OPTIONS', { callId: 'b' })
  assert.deepEqual(all.peer.labels(), ['500', '200'])
})

test('every message in and out is published on the trace', async () => {
  const seen: string[] = []
  const listener = (message: unknown): void => {
    const trace = message as SipTrace
    seen.push(`${trace.direction} ${trace.transport} ${trace.local} ${trace.remote}`)
  }
  sipTrace.subscribe(listener)
  await ask(scene(), 'OPTIONS')
  sipTrace.unsubscribe(listener)
  assert.deepEqual(seen, ['in udp 10.0.0.2:5060 10.0.0.9:5060', 'out udp 10.0.0.2:5060 10.0.0.9:5060'])
})

test('close stops all timers and sends nothing any more', async () => {
  const all = scene({ onRequest: () => {} })
  await ask(all, 'MESSAGE')
  assert.ok(all.core.core.census().timers > 0)
  all.core.core.close()
  await ask(all, 'OPTIONS', { callId: 'b' })
  await all.clock.advanceAsync(40_000)
  assert.deepEqual(all.core.core.census(), { dialogs: 0, transactions: 0, timers: 0 })
  assert.deepEqual(all.peer.labels(), [])
  assert.deepEqual(all.clock.pendingNames(), [])
})

test('whatever bytes come, nothing throws, no fault is logged and nothing stays behind', async () => {
  const all = scene({ onInvite: (invite) => invite.reject(486), onRequest: (incoming) => incoming.respond(202) })
  const texts = ['INVITE', 'ACK', 'BYE', 'CANCEL', 'OPTIONS', 'INFO', 'MESSAGE', 'FOO'].map((method) =>
    all.peer.requestText(method, CORE, { body: 'v=0', headers: ['Require: siprec', 'Route: <sip:a;lr>'] }),
  )
  const flow = {
    transport: 'udp',
    local: { host: CORE.host, port: 5060 },
    remote: { host: '10.0.3.3', port: 9 },
  } as const
  const edit = fc.record({ at: fc.nat(900), drop: fc.nat(40), put: fc.string({ maxLength: 12 }) })
  fc.assert(
    fc.property(fc.constantFrom(...texts), fc.array(edit, { maxLength: 4 }), (text, edits) => {
      let mutated = text
      for (const { at, drop, put } of edits) mutated = mutated.slice(0, at) + put + mutated.slice(at + drop)
      all.core.core.receive(new Uint8Array(Buffer.from(mutated)), flow)
    }),
    { numRuns: 3000, seed: 7 },
  )
  const faults = all.core.log.messages().filter((message) => message.startsWith('fault'))
  assert.deepEqual(faults, [])
  await all.clock.advanceAsync(70_000)
  assert.deepEqual(all.core.core.census(), { dialogs: 0, transactions: 0, timers: 0 })
})
