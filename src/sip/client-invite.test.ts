import assert from 'node:assert/strict'
import test from 'node:test'
import { ManualClock } from '#kernel'
import type { ClientInvite, ClientInviteHandlers, InviteDialog, InviteOptions, SipTarget } from '#sip'
import { attachCore, type CoreNode, sdp } from '../../test/harness/core-pair.ts'
import type { Received, ScriptedPeer } from '../../test/harness/scripted-peer.ts'
import { SipNetwork } from '../../test/harness/sip-network.ts'

const OFFER = sdp('offer')
const LARGE_OFFER = sdp('x'.repeat(1400))

interface Scene {
  readonly clock: ManualClock
  readonly network: SipNetwork
  readonly core: CoreNode
  readonly peer: ScriptedPeer
  readonly events: string[]
  readonly dialogs: InviteDialog[]
}

function scene(): Scene {
  const clock = new ManualClock()
  const network = new SipNetwork(clock, 1)
  const core = attachCore(network, clock, '10.0.0.1', { onInvite: () => {} })
  return { clock, network, core, peer: network.scriptedPeer('10.0.0.9'), events: [], dialogs: [] }
}

function invite(
  all: Scene,
  options: Partial<InviteOptions> = {},
  more: Partial<ClientInviteHandlers> = {},
): ClientInvite {
  return all.core.core.invite(
    {
      uri: 'sip:bob@10.0.0.9',
      from: 'sip:alice@10.0.0.1',
      body: OFFER,
      onTargetFailed: (target, outcome) => void all.events.push(`${target} ${outcome.status} ${outcome.cause}`),
      ...options,
    },
    {
      onProgress: (response) => void all.events.push(`progress ${response.status}`),
      onAccepted: (dialog, response) => {
        all.events.push(`accepted ${response.status}`)
        all.dialogs.push(dialog)
        dialog.handlers = { onEnd: (end) => void all.events.push(`end ${end.cause}`) }
      },
      onFailed: (outcome) => void all.events.push(`failed ${outcome.status} ${outcome.cause}`),
      ...more,
    },
  )
}

async function quietAtLast({ core, clock, peer }: Scene): Promise<void> {
  peer.onMessage = undefined
  await clock.advanceAsync(140_000)
  assert.deepEqual(core.core.census(), { dialogs: 0, transactions: 0, timers: 0 })
}

function branchOf(received: Received): string {
  return /branch=([^;]+)/.exec(received.message.headers.get('via') ?? '')?.[1] ?? ''
}

test('an INVITE carries what RFC 3261 section 8.1.1 asks for, and the given headers replace ours', async () => {
  const all = scene()
  invite(all, {
    maxForwards: 12,
    contactParams: '+sip.src',
    headers: [
      ['Supported', 'replaces'],
      ['X-A', '1'],
      ['X-A', '2'],
    ],
  })
  await all.clock.advanceAsync(10)
  const { headers, body } = all.peer.take('INVITE').message
  assert.match(headers.get('via') ?? '', /^SIP\/2\.0\/UDP 10\.0\.0\.1:5060;branch=z9hG4bK[0-9a-f]{16};rport$/)
  assert.equal(headers.get('max-forwards'), '12')
  assert.match(headers.get('from') ?? '', /^<sip:alice@10\.0\.0\.1>;tag=[0-9a-f]{16}$/)
  assert.equal(headers.get('to'), '<sip:bob@10.0.0.9>')
  assert.equal(headers.get('contact'), '<sip:gw@10.0.0.1:5060>;+sip.src')
  assert.deepEqual(headers.all('supported'), ['replaces'])
  assert.deepEqual(headers.all('x-a'), ['1', '2'])
  assert.equal(headers.get('content-type'), 'application/sdp')
  assert.equal(Buffer.from(body).toString(), 'offer')
})

test('SIP-04, SIP-09: the ACK has the number and credentials of the INVITE and no Require, and is sent for every 2xx', async () => {
  const all = scene()
  invite(all, {
    headers: [
      ['Require', 'siprec'],
      ['Authorization', 'Digest x'],
    ],
  })
  await all.clock.advanceAsync(10)
  const received = all.peer.take('INVITE')
  const accepted = all.peer.respond(received, 200, { tag: 'b', body: 'answer' })
  await all.clock.advanceAsync(10)
  const ack = all.peer.take('ACK')
  assert.equal(ack.message.headers.get('cseq'), '1 ACK')
  assert.equal(ack.message.headers.get('authorization'), 'Digest x')
  assert.equal(ack.message.headers.has('require'), false)
  assert.notEqual(branchOf(ack), branchOf(received))
  all.peer.sendBack(received, accepted)
  await all.clock.advanceAsync(10)
  assert.equal(all.peer.take('ACK').text, ack.text)
  assert.deepEqual(all.events, ['accepted 200'])
})

test('SIP-09: the offer of a 2xx is answered in the ACK, even when the answer takes time', async () => {
  const all = scene()
  let answer: (body: ReturnType<typeof sdp>) => void = () => {}
  const ready = new Promise<ReturnType<typeof sdp>>((resolve) => {
    answer = resolve
  })
  all.core.core.invite(
    { uri: 'sip:bob@10.0.0.9', from: 'sip:alice@10.0.0.1' },
    {
      onAccepted: (dialog) => {
        dialog.handlers = { onEnd: () => {} }
      },
      onFailed: () => assert.fail('must not fail'),
      ackBody: () => ready,
    },
  )
  await all.clock.advanceAsync(10)
  all.peer.respond(all.peer.take('INVITE'), 200, { tag: 'b', body: 'offer' })
  await all.clock.advanceAsync(10)
  assert.equal(all.peer.count('ACK'), 0)
  answer(sdp('late answer'))
  await all.clock.advanceAsync(10)
  assert.equal(Buffer.from(all.peer.take('ACK').message.body).toString(), 'late answer')
})

test('SIP-11, SRC-16: every forked 2xx is acknowledged, the first dialog is kept and the others get BYE', async () => {
  const all = scene()
  invite(all)
  await all.clock.advanceAsync(10)
  const received = all.peer.take('INVITE')
  all.peer.respond(received, 200, { tag: 'first' })
  all.peer.respond(received, 200, { tag: 'second' })
  await all.clock.advanceAsync(10)
  const late = all.peer.respond(received, 200, { tag: 'third' })
  await all.clock.advanceAsync(10_000)
  all.peer.sendBack(received, late)
  await all.clock.advanceAsync(10)
  const tags = (method: string): string[] => {
    const seen = all.peer.inbox.filter(({ message }) => message.kind === 'request' && message.method === method)
    return seen.map(({ message }) => /tag=(\w+)/.exec(message.headers.get('to') ?? '')?.[1] ?? '')
  }
  assert.deepEqual(tags('ACK'), ['first', 'second', 'third', 'third'])
  assert.deepEqual([...new Set(tags('BYE'))], ['second', 'third'])
  assert.deepEqual(all.events, ['accepted 200'])
  assert.equal(all.dialogs[0]?.ended, false)
})

test('SIP-13: CANCEL is sent at once after a 1xx, with the branch of the INVITE and no Require', async () => {
  const all = scene()
  const pending = invite(all, { headers: [['Require', 'siprec']] })
  await all.clock.advanceAsync(10)
  const received = all.peer.take('INVITE')
  all.peer.respond(received, 180, { tag: 'b' })
  await all.clock.advanceAsync(10)
  pending.cancel({ headers: [['Reason', 'SIP;cause=200']] })
  assert.deepEqual(all.events, ['progress 180', 'failed 487 cancelled'])
  await all.clock.advanceAsync(10)
  const cancel = all.peer.take('CANCEL')
  assert.equal(branchOf(cancel), branchOf(received))
  assert.equal(cancel.message.headers.get('cseq'), '1 CANCEL')
  assert.equal(cancel.message.headers.get('reason'), 'SIP;cause=200')
  assert.equal(cancel.message.headers.has('require'), false)
  all.peer.respond(cancel, 200)
  all.peer.respond(received, 487, { tag: 'b' })
  await all.clock.advanceAsync(10)
  assert.equal(branchOf(all.peer.take('ACK')), branchOf(received))
  await quietAtLast(all)
  assert.equal(all.events.length, 2)
})

test('SIP-13: CANCEL waits for the first 1xx, and is never sent when none comes', async () => {
  const all = scene()
  invite(all).cancel()
  const pending = invite(all)
  await all.clock.advanceAsync(10)
  pending.cancel()
  await all.clock.advanceAsync(1000)
  assert.equal(all.peer.count('CANCEL'), 0)
  all.peer.respond(all.peer.take('INVITE'), 100)
  await all.clock.advanceAsync(10)
  assert.equal(all.peer.count('CANCEL'), 1)
  assert.deepEqual(all.events, ['failed 487 cancelled', 'failed 487 cancelled'])
  await quietAtLast(all)
})

test('SRC-15: a 200 that crosses the CANCEL is acknowledged and ended by BYE', async () => {
  const all = scene()
  const pending = invite(all)
  await all.clock.advanceAsync(10)
  const received = all.peer.take('INVITE')
  all.peer.respond(received, 100)
  await all.clock.advanceAsync(10)
  pending.cancel()
  all.peer.respond(received, 200, { tag: 'b' })
  await all.clock.advanceAsync(10)
  all.peer.respond(all.peer.take('CANCEL'), 200)
  all.peer.take('ACK')
  all.peer.respond(all.peer.take('BYE'), 200)
  await quietAtLast(all)
  assert.deepEqual(all.events, ['failed 487 cancelled'])
})

test('SIP-40: 503, a refused connection and silence lead to the next target, with a new branch and nothing else new', async () => {
  const all = scene()
  const others = ['10.0.1.1', '10.0.1.3'].map((ip) => all.network.scriptedPeer(ip))
  all.network.scriptedPeer('10.0.1.2', ['udp'])
  const target = (host: string, transport: 'udp' | 'tcp' = 'udp'): SipTarget => ({ transport, host, port: 5060 })
  all.network.name('srs.test', [target('10.0.1.1'), target('10.0.1.2', 'tcp'), target('10.0.1.3'), target('10.0.0.9')])
  invite(all, { uri: 'sip:srs.test', firstResponseTimeoutMs: 1500 })
  await all.clock.advanceAsync(10)
  const first = others[0]!.take('INVITE')
  others[0]!.respond(first, 503, { tag: 'x' })
  await all.clock.advanceAsync(1600)
  const silent = others[1]!.take('INVITE')
  const last = all.peer.take('INVITE')
  assert.deepEqual(all.events, [
    'udp:10.0.1.1:5060 503 response',
    'tcp:10.0.1.2:5060 503 transport',
    'udp:10.0.1.3:5060 408 timeout',
  ])
  const strip = (text: string): string => text.replace(/branch=\w+/, '')
  assert.equal(strip(last.text), strip(first.text))
  assert.equal(new Set([first, silent, last].map(branchOf)).size, 3)
  all.peer.respond(last, 200, { tag: 'b' })
  await all.clock.advanceAsync(10)
  assert.equal(all.events.at(-1), 'accepted 200')
  others[1]!.respond(silent, 200, { tag: 'late' })
  await all.clock.advanceAsync(10)
  assert.equal(others[1]!.count('ACK'), 1)
  others[1]!.respond(others[1]!.take('BYE'), 200)
  all.peer.onMessage = (received) => void (received.message.kind === 'request' && all.peer.respond(received, 200))
  void all.dialogs[0]!.bye()
  await all.clock.advanceAsync(10)
  await quietAtLast(all)
})

test('SIP-40: a target given up for its silence is cancelled when it speaks at last', async () => {
  const all = scene()
  invite(all, { firstResponseTimeoutMs: 1500 })
  await all.clock.advanceAsync(1600)
  assert.deepEqual(all.events, ['udp:10.0.0.9:5060 408 timeout', 'failed 408 timeout'])
  all.peer.respond(all.peer.take('INVITE'), 180, { tag: 'b' })
  await all.clock.advanceAsync(10)
  assert.equal(all.peer.count('CANCEL'), 1)
  await quietAtLast(all)
})

test('SIP-40: nothing to send to fails with 503, silence with 408 after timer B', async () => {
  const all = scene()
  invite(all, { uri: 'sip:nowhere.invalid' })
  invite(all, { uri: 'wss://host' })
  invite(all)
  await all.clock.advanceAsync(31_900)
  assert.deepEqual(all.events, ['failed 503 dns', 'failed 503 dns'])
  await all.clock.advanceAsync(200)
  assert.deepEqual(all.events.slice(2), ['udp:10.0.0.9:5060 408 timeout', 'failed 408 timeout'])
  assert.equal(all.peer.count('INVITE'), 7)
  await quietAtLast(all)
})

test('SRC-11: a large INVITE to a udp target goes by TCP, and its Via and Contact say so', async () => {
  const all = scene()
  invite(all, { body: LARGE_OFFER })
  await all.clock.advanceAsync(10)
  const { flow, message } = all.peer.take('INVITE')
  assert.equal(flow.transport, 'tcp')
  assert.match(message.headers.get('via') ?? '', /^SIP\/2\.0\/TCP /)
  assert.equal(message.headers.get('contact'), '<sip:gw@10.0.0.1:5060;transport=tcp>')
})

test('SRC-11: TCP refused means UDP, remembered for ten minutes and counted in the log', async () => {
  const all = scene()
  const peer = all.network.scriptedPeer('10.0.0.8', ['udp'])
  const attempts = (): string[] =>
    all.network.passages
      .filter(({ to, text }) => to.host === '10.0.0.8' && text.startsWith('INVITE'))
      .map((p) => p.transport)
  invite(all, { uri: 'sip:10.0.0.8', body: LARGE_OFFER })
  await all.clock.advanceAsync(10)
  const received = peer.take('INVITE')
  assert.match(received.message.headers.get('via') ?? '', /^SIP\/2\.0\/UDP /)
  peer.respond(received, 486, { tag: 'b' })
  await all.clock.advanceAsync(10)
  assert.deepEqual(all.events, ['failed 486 response'])
  all.network.attach('again', '10.0.0.8', ['udp', 'tcp'])
  invite(all, { uri: 'sip:10.0.0.8', body: LARGE_OFFER })
  await all.clock.advanceAsync(10)
  assert.deepEqual(attempts(), ['udp', 'udp'])
  await all.clock.advanceAsync(600_000)
  invite(all, { uri: 'sip:10.0.0.8', body: LARGE_OFFER })
  await all.clock.advanceAsync(10)
  assert.equal(attempts().at(-1), 'tcp')
  const line = all.core.log.lines.find((entry) => entry.message === 'large request falls back from TCP to UDP')
  assert.deepEqual(line?.fields, { core: '10.0.0.1', host: '10.0.0.8', reason: 'connection refused', fallbacks: 1 })
})

test('SRC-11: TCP that does not connect within a second means UDP', async () => {
  const all = scene()
  all.network.detach('10.0.0.9')
  invite(all, { body: LARGE_OFFER })
  await all.clock.advanceAsync(990)
  const sent = (): string[] => all.network.passages.map((passage) => passage.transport)
  assert.deepEqual(sent(), [])
  await all.clock.advanceAsync(20)
  assert.deepEqual(sent(), ['udp'])
})

test('a stand-alone request ends with its response, its timeout or its failed lookup', async () => {
  const all = scene()
  const options = { uri: 'sip:10.0.0.9', from: 'sip:gw@10.0.0.1' }
  const answered = all.core.core.request('OPTIONS', options)
  await all.clock.advanceAsync(10)
  all.peer.respond(all.peer.take('OPTIONS'), 404, { tag: 'b' })
  const silent = all.core.core.request('OPTIONS', options)
  const lost = all.core.core.request('OPTIONS', { ...options, uri: 'sip:nowhere.invalid' })
  await all.clock.advanceAsync(33_000)
  const summary = async (outcome: ReturnType<typeof all.core.core.request>): Promise<string> => {
    const { status, cause } = await outcome
    return `${status} ${cause}`
  }
  assert.equal(await summary(answered), '404 response')
  assert.equal(await summary(silent), '408 timeout')
  assert.equal(await summary(lost), '503 dns')
  await quietAtLast(all)
})
