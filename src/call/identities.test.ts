import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Call, withoutPrivateIdentities } from '#call'
import type { HeaderList, SipRequest } from '#sip'
import { CallBench } from '../../test/harness/call-bench.ts'
import { phoneSdp } from '../../test/harness/test-phone.ts'

const ALICE = '10.0.0.2'
const BOB = '10.0.0.3'
const ASSERTED: HeaderList = [
  ['P-Asserted-Identity', '"Alice" <sip:+4930123@carrier.example;user=phone;verstat=TN-Validation-Passed>'],
]

interface Placed {
  readonly call: Call
  /** What Bob got. */
  readonly invite: SipRequest
}

async function place(
  trusted: readonly string[],
  headers: HeaderList,
  options: { from?: string; answer?: HeaderList; more?: string[] } = {},
): Promise<Placed> {
  const bench = new CallBench({
    trustedIdentities: trusted,
    routes: [{ match: 're:.*', callee: 'sip:{user}@10.0.0.3' }],
  })
  const from = options.from === undefined ? {} : { from: options.from }
  const body = phoneSdp({ more: options.more ?? [] })
  const alice = bench.alice.call(bench.uri('+49301'), { body, headers, ...from })
  await bench.pass()
  const bob = bench.bob.incoming[0]!
  bob.accept(phoneSdp(), options.answer)
  await bench.pass()
  const call = bench.service.calls()[0]!
  void alice.dialog?.bye()
  await bench.checkNothingLeft()
  return { call, invite: bob.incoming!.request }
}

function aors({ call }: Placed): (readonly string[])[] {
  return call.snapshot().parties.map((party) => party.aors)
}

for (const [name, trusted, isBelieved, isTold] of [
  ['nobody', [], false, false],
  ['the caller only', [ALICE], true, false],
  ['the callee only', [BOB], false, false],
  ['both', [ALICE, BOB], true, true],
] as const) {
  test(`SIP-32: with ${name} trusted an asserted caller is ${isBelieved ? '' : 'not '}believed and ${isTold ? '' : 'not '}told on`, async () => {
    const placed = await place(trusted, [...ASSERTED, ['Privacy', 'id']])
    assert.deepEqual(aors(placed)[0], [isBelieved ? 'sip:+4930123@carrier.example' : 'sip:alice@phones.example'])
    assert.equal(placed.invite.headers.has('P-Asserted-Identity'), isTold)
    assert.equal(placed.invite.headers.get('Privacy'), isTold ? 'id' : undefined)
  })
}

test('SIP-32: a callee that asserts who answered is believed only when trusted', async () => {
  const answer: HeaderList = [['P-Asserted-Identity', '<sip:desk@office.example>']]
  assert.deepEqual(aors(await place([BOB], [], { answer }))[1], ['sip:desk@office.example'])
  assert.deepEqual(aors(await place([], [], { answer }))[1], ['sip:+49301@10.0.0.3'])
})

test('SIP-32: who asks for user privacy is anonymous to those who are not trusted', async () => {
  const { invite } = await place([], [['Privacy', 'user; id']])
  assert.match(invite.headers.get('From') ?? '', /^"Anonymous" <sip:anonymous@anonymous\.invalid>;tag=/)
  const told = await place([ALICE, BOB], [['Privacy', 'user']])
  assert.match(told.invite.headers.get('From') ?? '', /^"?Alice"? <sip:alice@gw\.example>/)
})

test('SEC-24: a caller who asks for privacy has no name in what untrusted recorders are told', async () => {
  const { call } = await place([ALICE], [...ASSERTED, ['Privacy', 'id'], ['Diversion', '<sip:alice@phones.example>']])
  const known = call.snapshot()
  assert.equal(known.parties[0]?.isPrivate, true)
  const told = withoutPrivateIdentities(known)
  assert.deepEqual(told.parties[0]?.aors, ['sip:anonymous@anonymous.invalid'])
  assert.equal(told.parties[0]?.displayName, undefined)
  assert.deepEqual(told.parties[0]?.participantId, known.parties[0]?.participantId)
  assert.deepEqual([told.parties[1], told.facts], [known.parties[1], undefined])
  const open = await place([ALICE], ASSERTED)
  assert.equal(withoutPrivateIdentities(open.call.snapshot()).parties[0]?.displayName, 'Alice')
})

test('SIP-37: History-Info and Diversion go on to the callee and are facts of the call, unless history is private', async () => {
  const history: HeaderList = [
    ['History-Info', '<sip:desk@office.example>;index=1, <sip:bob@office.example>;index=1.1'],
    ['Diversion', '<sip:desk@office.example>;reason=no-answer'],
  ]
  const { call, invite } = await place([], history)
  assert.deepEqual(invite.headers.list('History-Info'), [
    '<sip:desk@office.example>;index=1',
    '<sip:bob@office.example>;index=1.1',
  ])
  assert.equal(invite.headers.get('Diversion'), '<sip:desk@office.example>;reason=no-answer')
  assert.deepEqual(call.snapshot().facts, {
    'History-Info': '<sip:desk@office.example>;index=1, <sip:bob@office.example>;index=1.1',
    Diversion: '<sip:desk@office.example>;reason=no-answer',
  })
  const hidden = await place([], [...history, ['Privacy', 'history']])
  assert.equal(hidden.invite.headers.has('History-Info'), false)
  assert.equal(hidden.call.snapshot().facts, undefined)
})

test('SEC-23, SIP-33: a signature goes on only while what it covers stays the same', async () => {
  const signed: HeaderList = [
    ['Identity', 'eyJhbGciOiJFUzI1NiJ9..x;info=<https://cert.example/c.pem>'],
    ['Date', 'Thu, 01 Jan 2026 00:00:00 GMT'],
  ]
  const from = '<sip:+4930123@carrier.example>'
  const kept = await place([], signed, { from })
  assert.equal(kept.invite.headers.get('Identity'), signed[0]?.[1])
  assert.equal(kept.invite.headers.get('Date'), signed[1]?.[1])
  assert.deepEqual(kept.call.snapshot().facts, { Identity: 'not verified' })
  assert.equal((await place([], signed)).invite.headers.has('Identity'), false, 'From is no number: its host changes')
  assert.equal((await place([], signed.slice(0, 1), { from })).invite.headers.has('Identity'), false, 'no Date')
  const dtls = { from, more: ['a=fingerprint:sha-256 AA:BB'] }
  assert.equal((await place([], signed, dtls)).invite.headers.has('Identity'), false, 'the keys are ours from here on')
})

test('SEC-23: what a trusted peer says of its check of the number is a fact of the call', async () => {
  assert.deepEqual((await place([ALICE], ASSERTED)).call.snapshot().facts, { verstat: 'TN-Validation-Passed' })
  assert.equal((await place([], ASSERTED)).call.snapshot().facts, undefined)
})
