// Digest authentication of SIP requests: RFC 3261 section 22, RFC 7616, RFC 8760, as client and as server.

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import test from 'node:test'
import { ManualClock } from '#kernel'
import type { InviteDialog, InviteOptions, ServerInvite, SipCoreOptions } from '#sip'
import { attachCore, type CoreNode, sdp } from '../harness/core-pair.ts'
import type { Received, ScriptedPeer } from '../harness/scripted-peer.ts'
import { SipNetwork } from '../harness/sip-network.ts'

const CREDENTIALS = { username: 'alice', password: 'open sesame', allowMd5: false }
const REALM = 'example.org'

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

async function invite(all: Scene, options: Partial<InviteOptions> = {}): Promise<Received> {
  all.core.core.invite(
    { uri: 'sip:bob@10.0.0.9', from: 'sip:alice@10.0.0.1', body: sdp('offer'), credentials: CREDENTIALS, ...options },
    {
      onAccepted: (dialog, response) => {
        all.events.push(`accepted ${response.status}`)
        all.dialogs.push(dialog)
        dialog.handlers = { onEnd: (end) => void all.events.push(`end ${end.cause}`) }
      },
      onFailed: (outcome) => void all.events.push(`failed ${outcome.status}`),
    },
  )
  await all.clock.advanceAsync(10)
  return all.peer.take('INVITE')
}

/** Refuses with challenges; returns what was sent next by that method, if anything was. */
async function challenge(
  all: Scene,
  to: Received,
  challenges: readonly string[],
  status = 401,
): Promise<Received | undefined> {
  const name = status === 401 ? 'WWW-Authenticate' : 'Proxy-Authenticate'
  all.peer.respond(to, status, { tag: 'b', headers: challenges.map((value) => `${name}: ${value}`) })
  await all.clock.advanceAsync(10)
  const method = to.message.kind === 'request' ? to.message.method : ''
  return all.peer.count(method) > 0 ? all.peer.take(method) : undefined
}

function digest(parts: string, nonce = 'n1'): string {
  return `Digest realm="${REALM}", nonce="${nonce}", qop="auth,auth-int", ${parts}`
}

/** One parameter of the credentials of a request. */
function param(request: Received | undefined, name: string, header = 'authorization'): string | undefined {
  const value = request?.message.headers.get(header) ?? ''
  return new RegExp(`[ ,]${name}="?([^",]*)`).exec(value)?.[1]
}

function fieldsOf(request: Received): (string | undefined)[] {
  return ['call-id', 'cseq', 'from', 'to', 'max-forwards', 'contact'].map((name) => request.message.headers.get(name))
}

test('SIP-36, SEC-18: the challenged INVITE goes out again: same body and Call-ID, next CSeq, new branch, right response', async () => {
  const all = scene()
  const first = await invite(all)
  const again = await challenge(all, first, [digest('algorithm=SHA-256, opaque="o"')])
  assert.ok(again)
  assert.deepEqual(
    fieldsOf(again),
    fieldsOf(first).map((value) => (value === '1 INVITE' ? '2 INVITE' : value)),
  )
  assert.deepEqual(again.message.body, first.message.body)
  const branch = ({ text }: Received): string => /branch=([^;\r]+)/.exec(text)![1]!
  assert.notEqual(branch(again), branch(first))
  assert.equal(branch(all.peer.take('ACK')), branch(first))
  const sha = (text: string): string => createHash('sha256').update(text).digest('hex')
  const a1 = sha(`alice:${REALM}:open sesame`)
  const a2 = sha('INVITE:sip:bob@10.0.0.9')
  assert.equal(param(again, 'response'), sha(`${a1}:n1:00000001:${param(again, 'cnonce')}:auth:${a2}`))
  assert.deepEqual(
    ['username', 'realm', 'uri', 'qop', 'nc', 'algorithm', 'opaque'].map((name) => param(again, name)),
    ['alice', REALM, 'sip:bob@10.0.0.9', 'auth', '00000001', 'SHA-256', 'o'],
  )
  all.peer.respond(again, 200, { tag: 'b' })
  await all.clock.advanceAsync(10)
  const ack = all.peer.take('ACK')
  assert.equal(ack.message.headers.get('cseq'), '2 ACK')
  assert.equal(ack.message.headers.get('authorization'), again.message.headers.get('authorization'))
  assert.deepEqual(all.events, ['accepted 200'])
})

const CHOICES: readonly (readonly [name: string, challenges: readonly string[], allowMd5: boolean, chosen?: string])[] =
  [
    ['the topmost', [digest('algorithm=SHA-512-256'), digest('algorithm=SHA-256')], true, 'SHA-512-256'],
    ['the topmost known', [digest('algorithm=FUTURE-1'), digest('algorithm=SHA-256')], true, 'SHA-256'],
    ['MD5 on top when allowed', [digest('algorithm=MD5'), digest('algorithm=SHA-256')], true, 'MD5'],
    ['no MD5 when not allowed', [digest('algorithm=MD5'), digest('algorithm=SHA-256')], false, 'SHA-256'],
    ['MD5 by default when allowed', [`Digest realm="${REALM}", nonce="n"`], true, 'MD5'],
    ['nothing when only MD5 is there and not allowed', [digest('algorithm=MD5')], false],
    ['a -sess variant', [digest('algorithm=SHA-256-sess')], false, 'SHA-256-sess'],
    ['never Basic', ['Basic realm="x"'], true],
    ['Digest behind Basic in one line', [`Basic realm="x", ${digest('algorithm=SHA-256')}`], true, 'SHA-256'],
  ]

for (const [name, challenges, allowMd5, chosen] of CHOICES) {
  test(`SEC-17: of several challenges the client takes ${name}`, async () => {
    const all = scene()
    const again = await challenge(all, await invite(all, { credentials: { ...CREDENTIALS, allowMd5 } }), challenges)
    assert.equal(param(again, 'algorithm'), chosen)
    if (chosen === undefined) assert.deepEqual(all.events, ['failed 401'])
    else assert.equal(param(again, 'qop'), 'auth')
  })
}

test('SEC-17: auth-int is used where nothing else is offered, and userhash hides the name', async () => {
  const all = scene()
  const only = `Digest realm="${REALM}", nonce="n", qop="auth-int", algorithm=SHA-256, userhash=true`
  const again = await challenge(all, await invite(all), [only])
  assert.equal(param(again, 'qop'), 'auth-int')
  assert.equal(param(again, 'userhash'), 'true')
  assert.equal(param(again, 'username'), createHash('sha256').update(`alice:${REALM}`).digest('hex'))
})

test('SIP-36: wrong credentials are not sent twice, whether or not the nonce is new', async () => {
  for (const nonce of ['n1', 'n2']) {
    const all = scene()
    const again = await challenge(all, await invite(all), [digest('algorithm=SHA-256')])
    assert.ok(again)
    assert.equal(await challenge(all, again, [digest('algorithm=SHA-256', nonce)]), undefined)
    assert.deepEqual(all.events, ['failed 401'])
  }
})

test('SIP-36: a stale nonce is replaced, but not for ever', async () => {
  const all = scene()
  let request: Received | undefined = await invite(all)
  let tries = 0
  while (request !== undefined && tries < 20) {
    tries += 1
    request = await challenge(all, request, [digest('algorithm=SHA-256, stale=true', `n${tries}`)])
    if (request !== undefined) assert.equal(param(request, 'nonce'), `n${tries}`)
  }
  assert.equal(tries, 4)
  assert.deepEqual(all.events, ['failed 401'])
})

test('SIP-36: proxy and server are both answered, each in its own header', async () => {
  const all = scene()
  const second = await challenge(all, await invite(all), [digest('algorithm=SHA-256', 'proxy')], 407)
  assert.ok(second)
  const third = await challenge(all, second, [digest('algorithm=SHA-256', 'server')])
  assert.equal(param(third, 'nonce', 'proxy-authorization'), 'proxy')
  assert.equal(param(third, 'nonce'), 'server')
  assert.equal(third?.message.headers.get('cseq'), '3 INVITE')
})

test('SIP-36: within the dialog the known nonce is used unasked, with the next count; a new challenge is answered', async () => {
  const all = scene()
  const again = await challenge(all, await invite(all), [digest('algorithm=SHA-256')])
  assert.ok(again)
  all.peer.respond(again, 200, { tag: 'b' })
  await all.clock.advanceAsync(10)
  const dialog = all.dialogs[0]!
  for (const method of ['INFO', 'UPDATE', 'INVITE']) {
    const done = method === 'INVITE' ? dialog.reinvite({ body: sdp('o2') }) : dialog.request(method)
    await all.clock.advanceAsync(10)
    const asked = all.peer.take(method)
    assert.equal(param(asked, 'nc'), '00000002')
    const retried = await challenge(all, asked, [digest('algorithm=SHA-256', `n-${method}`)])
    assert.ok(retried, method)
    assert.equal(param(retried, 'nonce'), `n-${method}`)
    const number = (of: Received): number => Number.parseInt(of.message.headers.get('cseq') ?? '', 10)
    assert.equal(number(retried), number(asked) + 1)
    all.peer.respond(retried, 200)
    await all.clock.advanceAsync(10)
    assert.equal((await done).status, 200)
    assert.equal(param(retried, 'nc'), '00000001')
  }
  const bye = dialog.bye()
  await all.clock.advanceAsync(10)
  const retried = await challenge(all, all.peer.take('BYE'), [digest('algorithm=SHA-256', 'last')])
  assert.ok(retried)
  all.peer.respond(retried, 200)
  await all.clock.advanceAsync(10)
  assert.equal((await bye).status, 200)
})

test('SEC-18: a stand-alone OPTIONS answers a challenge too, and without credentials a 401 is the outcome', async () => {
  const all = scene()
  const options = { uri: 'sip:bob@10.0.0.9', from: 'sip:alice@10.0.0.1' }
  const asked = all.core.core.request('OPTIONS', { ...options, credentials: CREDENTIALS })
  await all.clock.advanceAsync(10)
  const again = await challenge(all, all.peer.take('OPTIONS'), [digest('algorithm=SHA-256')])
  assert.ok(again)
  all.peer.respond(again, 200)
  await all.clock.advanceAsync(10)
  assert.equal((await asked).status, 200)
  const plain = all.core.core.request('OPTIONS', options)
  await all.clock.advanceAsync(10)
  await challenge(all, all.peer.take('OPTIONS'), [digest('algorithm=SHA-256')])
  assert.equal((await plain).status, 401)
})

test('SEC-05: a challenged sips: INVITE is asked again over TLS and nowhere else', async () => {
  const clock = new ManualClock()
  const network = new SipNetwork(clock, 1)
  const core = attachCore(network, clock, '10.0.0.1', { onInvite: () => {} }, { transports: ['udp', 'tcp', 'tls'] })
  const peer = network.scriptedPeer('10.0.0.9', ['udp', 'tcp', 'tls'])
  const all: Scene = { clock, network, core, peer, events: [], dialogs: [] }
  const again = await challenge(all, await invite(all, { uri: 'sips:bob@10.0.0.9' }), [digest('algorithm=SHA-256')])
  assert.equal(again?.flow.transport, 'tls')
  assert.ok(network.passages.every(({ transport }) => transport === 'tls'))
})

test('SEC-17: the password is in no message and no log line', async () => {
  const all = scene()
  const again = await challenge(all, await invite(all), [digest('algorithm=SHA-256')])
  assert.ok(again)
  await challenge(all, again, [digest('algorithm=SHA-256')])
  const seen = JSON.stringify([all.network.passages, all.core.log.lines])
  assert.equal(seen.includes(CREDENTIALS.password), false)
})

interface Guarded extends Scene {
  readonly invites: ServerInvite[]
}

/** A core that authenticates, and a core that calls it. */
function guarded(allowMd5 = true, more: Partial<SipCoreOptions['authenticate']> = {}): Guarded {
  const clock = new ManualClock()
  const network = new SipNetwork(clock, 1)
  const invites: ServerInvite[] = []
  const authenticate = {
    realm: REALM,
    passwordOf: (name: string) => (name === 'alice' ? CREDENTIALS.password : undefined),
    allowMd5,
    ...more,
  }
  attachCore(network, clock, '10.0.0.9', { onInvite: (invite) => void invites.push(invite) }, { authenticate })
  const core = attachCore(network, clock, '10.0.0.1', { onInvite: () => {} })
  return { clock, network, core, peer: network.scriptedPeer('10.0.0.8'), events: [], dialogs: [], invites }
}

async function call(all: Guarded, credentials?: typeof CREDENTIALS): Promise<void> {
  const options = { uri: 'sip:bob@10.0.0.9', from: 'sip:alice@10.0.0.1', body: sdp('offer') }
  all.core.core.invite(credentials === undefined ? options : { ...options, credentials }, {
    onAccepted: () => {},
    onFailed: (outcome) => void all.events.push(`failed ${outcome.status}`),
  })
  await all.clock.advanceAsync(50)
}

test('SIP-36: as server, only who proves its name gets through, and CANCEL and dialogs are not asked', async () => {
  const all = guarded()
  await call(all, CREDENTIALS)
  assert.equal(all.invites.length, 1)
  await call(all)
  await call(all, { ...CREDENTIALS, password: 'guess' })
  await call(all, { ...CREDENTIALS, username: 'eve' })
  assert.equal(all.invites.length, 1)
  assert.deepEqual(all.events, ['failed 401', 'failed 401', 'failed 401'])
})

test('SEC-17: as server, SHA-256 comes first, then SHA-512-256, and MD5 last, by switch; qop is always there', async () => {
  for (const allowMd5 of [true, false]) {
    const all = guarded(allowMd5)
    all.peer.request('INVITE', { host: '10.0.0.9' })
    await all.clock.advanceAsync(10)
    const challenges = all.peer.take(401).message.headers.all('www-authenticate')
    const names = challenges.map((value) => /algorithm=([^,]+)/.exec(value)?.[1])
    assert.deepEqual(names, ['SHA-256', 'SHA-512-256', ...(allowMd5 ? ['MD5'] : [])])
    for (const value of challenges) assert.match(value, /^Digest realm="example\.org", nonce="[^"]+", qop="auth"/)
  }
})

type Changed = Partial<Record<'uri' | 'method' | 'hash' | 'algorithm', string>>

/** The credentials of alice, with parts changed. */
function credentialsOf(nonce: string, count: number, more: Changed = {}): string {
  const { uri = 'sip:service@10.0.0.9', method = 'INVITE', hash = 'sha256', algorithm = 'SHA-256' } = more
  const sha = (text: string): string => createHash(hash).update(text).digest('hex')
  const nc = count.toString(16).padStart(8, '0')
  const secret = `${sha(`alice:${REALM}:${CREDENTIALS.password}`)}:${nonce}:${nc}:c:auth:${sha(`${method}:${uri}`)}`
  return `Digest username="alice", realm="${REALM}", nonce="${nonce}", uri="${uri}", response="${sha(secret)}", cnonce="c", algorithm=${algorithm}, qop=auth, nc=${nc}`
}

/** Asks as alice would, with parts of the credentials changed. */
async function ask(all: Guarded, nonce: string, count: number, more: Changed = {}): Promise<Received> {
  const value = credentialsOf(nonce, count, more)
  const callId = `c-${Math.floor(all.clock.nowMs())}-${count}`
  all.peer.inbox.length = 0
  all.peer.request('INVITE', { host: '10.0.0.9' }, { callId, headers: [`Authorization: ${value}`] })
  await all.clock.advanceAsync(10)
  return all.peer.inbox[0]!
}

function statusOf({ message }: Received): number {
  return message.kind === 'response' ? message.status : 0
}

function nonceOf(received: Received): string {
  return /nonce="([^"]+)"/.exec(received.message.headers.get('www-authenticate') ?? '')?.[1] ?? ''
}

async function freshNonce(all: Guarded): Promise<string> {
  all.peer.request('INVITE', { host: '10.0.0.9' })
  await all.clock.advanceAsync(10)
  return nonceOf(all.peer.take(401))
}

test('SIP-36: as server, a nonce is good for each count once, then stale; it expires, and a made-up one is refused', async () => {
  const all = guarded()
  const nonce = await freshNonce(all)
  assert.equal(statusOf(await ask(all, nonce, 1)), 100)
  const replayed = await ask(all, nonce, 1)
  assert.match(replayed.message.headers.get('www-authenticate') ?? '', /stale=true/)
  assert.equal(statusOf(await ask(all, nonce, 2)), 100)
  const forged = await ask(all, `${nonce.slice(0, -1)}x`, 3)
  assert.equal(statusOf(forged), 401)
  assert.doesNotMatch(forged.text, /stale/)
  assert.equal(statusOf(await ask(all, nonce, 4, { uri: 'sip:other@10.0.0.9' })), 401)
  await all.clock.advanceAsync(300_000)
  const expired = await ask(all, nonce, 5)
  assert.match(expired.message.headers.get('www-authenticate') ?? '', /stale=true/)
  assert.equal(statusOf(await ask(all, nonceOf(expired), 1)), 100)
})

test('SEC-27: an address that guesses gets 503 with Retry-After, for the right password too, until its time is over; others are heard', async () => {
  const all = guarded(false, { guesses: { maxFailures: 2, windowMs: 60_000, refuseMs: 30_000 } })
  const nonce = await freshNonce(all)
  const wrong = { uri: 'sip:other@10.0.0.9' }
  for (const count of [1, 2]) assert.equal(statusOf(await ask(all, nonce, count, wrong)), 401)
  const refused = await ask(all, nonce, 3)
  const headers = ['retry-after', 'www-authenticate'].map((name) => refused.message.headers.get(name))
  assert.deepEqual([statusOf(refused), ...headers, all.invites.length], [503, '30', undefined, 0])
  await call(all, CREDENTIALS)
  assert.equal(all.invites.length, 1)
  await all.clock.advanceAsync(30_000)
  assert.equal(statusOf(await ask(all, nonce, 4)), 100)
  for (let count = 5; count < 9; count++) assert.equal(statusOf(await ask(all, nonce, count, wrong)), 401)
})

test('SEC-17: as server, credentials of each algorithm that was offered are taken, and of no other', async () => {
  const all = guarded(false)
  const nonce = await freshNonce(all)
  const sha512 = { hash: 'sha512-256', algorithm: 'SHA-512-256' }
  assert.equal(statusOf(await ask(all, nonce, 1, sha512)), 100)
  assert.equal(statusOf(await ask(all, nonce, 2, { hash: 'md5', algorithm: 'MD5' })), 401)
  assert.equal(statusOf(await ask(all, nonce, 3, { hash: 'sha256', algorithm: 'SHA-512-256' })), 401)
})

test('SEC-27: who sends a request comes before what it requires, what it carries and what it asks for', async () => {
  const all = guarded()
  const odd = { headers: ['Require: unheard-of'], contentType: 'text/odd', body: 'odd' }
  all.peer.request('INVITE', { host: '10.0.0.9' }, { ...odd, callId: 'first' })
  all.peer.request('PUBLISH', { host: '10.0.0.9' }, { callId: 'second' })
  await all.clock.advanceAsync(10)
  assert.deepEqual(all.peer.labels(), ['401', '401'])
  const nonce = nonceOf(all.peer.take(401))
  all.peer.inbox.length = 0
  const headers = [`Authorization: ${credentialsOf(nonce, 1)}`, ...odd.headers]
  all.peer.request('INVITE', { host: '10.0.0.9' }, { ...odd, headers, callId: 'third' })
  await all.clock.advanceAsync(10)
  assert.deepEqual(all.peer.labels(), ['420'])
})

/** Alice's dialog, set up with credentials; sends requests in it from her address or another. */
async function dialogOf(all: Guarded) {
  const nonce = await freshNonce(all)
  const callId = 'dialog'
  all.peer.inbox.length = 0
  const headers = [`Authorization: ${credentialsOf(nonce, 1)}`]
  all.peer.request('INVITE', { host: '10.0.0.9' }, { callId, headers })
  await all.clock.advanceAsync(10)
  all.invites.at(-1)?.accept({ onEnd: ({ cause }) => void all.events.push(`end ${cause}`) }, { body: sdp('answer') })
  await all.clock.advanceAsync(10)
  const to = all.peer.take(200).message.headers.get('to') ?? ''
  let cseq = 1
  const send = async (method: string, from: ScriptedPeer, credentials?: string): Promise<string[]> => {
    cseq += method === 'ACK' ? 0 : 1
    from.inbox.length = 0
    const given = credentials === undefined ? {} : { headers: [`Authorization: ${credentials}`] }
    const name = '<sip:peer@10.0.0.8>;tag=peer-tag'
    from.request(method, { host: '10.0.0.9' }, { callId, to, from: name, cseq, ...given })
    await all.clock.advanceAsync(10)
    return from.labels()
  }
  assert.deepEqual(await send('ACK', all.peer), [])
  return { nonce, send }
}

test('SEC-27: within a dialog its peer is not asked again, another address is, and an ACK never', async () => {
  const all = guarded()
  const other = all.network.scriptedPeer('10.0.0.7')
  const { nonce, send } = await dialogOf(all)
  assert.deepEqual(await send('BYE', other), ['401'])
  assert.deepEqual(await send('OPTIONS', other), ['401'])
  assert.deepEqual(all.events, [])
  assert.deepEqual(await send('OPTIONS', all.peer), ['200'])
  // The client has moved, and proves it: from now on it is there.
  assert.deepEqual(await send('OPTIONS', other, credentialsOf(nonce, 2, { method: 'OPTIONS' })), ['200'])
  assert.deepEqual(await send('OPTIONS', all.peer), ['401'])
  assert.deepEqual(await send('BYE', other), ['200'])
  assert.deepEqual(all.events, ['end remote-bye'])
})

test('SEC-27: within dialogs everybody is asked where that is wished for, and nobody where it is not', async () => {
  const strict = guarded(false, { withinDialogs: 'always' })
  const asked = await dialogOf(strict)
  assert.deepEqual(await asked.send('BYE', strict.peer), ['401'])
  assert.deepEqual(strict.events, [])
  assert.deepEqual(await asked.send('BYE', strict.peer, credentialsOf(asked.nonce, 2, { method: 'BYE' })), ['200'])
  const lax = guarded(false, { withinDialogs: 'never' })
  const { send } = await dialogOf(lax)
  assert.deepEqual(await send('BYE', lax.network.scriptedPeer('10.0.0.7')), ['200'])
})

test('SEC-27: before the answer another address is asked too, a CANCEL never', async () => {
  const all = guarded()
  const nonce = await freshNonce(all)
  all.peer.inbox.length = 0
  const same = { callId: 'cancelled', branch: 'z9hG4bK-same', cseq: 2 }
  all.peer.request('INVITE', { host: '10.0.0.9' }, { ...same, headers: [`Authorization: ${credentialsOf(nonce, 1)}`] })
  await all.clock.advanceAsync(10)
  all.invites[0]!.progress(180)
  await all.clock.advanceAsync(10)
  const to = all.peer.take(180).message.headers.get('to') ?? ''
  const other = all.network.scriptedPeer('10.0.0.7')
  const from = '<sip:peer@10.0.0.8>;tag=peer-tag'
  other.request('BYE', { host: '10.0.0.9' }, { callId: same.callId, to, from, cseq: 3 })
  await all.clock.advanceAsync(10)
  assert.deepEqual(other.labels(), ['401'])
  all.invites[0]!.onCancel = () => all.invites[0]!.reject(487)
  all.peer.request('CANCEL', { host: '10.0.0.9' }, same)
  await all.clock.advanceAsync(10)
  assert.deepEqual(all.peer.labels(), ['100', '200', '487'])
})
