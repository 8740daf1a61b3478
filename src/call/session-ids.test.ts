// Session-ID between the legs of a call (RFC 7989 section 7): the phones' own UUIDs go through, and metadata names them.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Call } from '#call'
import type { SipRequest, SipResponse } from '#sip'
import { CallBench } from '../../test/harness/call-bench.ts'
import { type PhoneCall, phoneSdp } from '../../test/harness/test-phone.ts'

const CAROL = 'sip:carol@10.0.0.4'
const NIL = '0'.repeat(32)

interface Talking {
  readonly bench: CallBench
  readonly alice: PhoneCall
  readonly bob: PhoneCall
  readonly call: Call
  /** UUIDs as the phones say them. */
  readonly ids: { readonly alice: string; readonly bob: string }
}

function sessionId(message: SipRequest | SipResponse | undefined): string {
  return message?.headers.get('Session-ID') ?? ''
}

function local(message: SipRequest | SipResponse | undefined): string {
  return sessionId(message).slice(0, 32)
}

async function talking(): Promise<Talking> {
  const bench = new CallBench()
  const alice = bench.alice.call(bench.uri('bob'), { body: phoneSdp() })
  await bench.pass()
  const bob = bench.bob.incoming[0]!
  const call = bench.service.calls()[0]!
  bob.accept()
  await bench.pass()
  return { bench, alice, bob, call, ids: { alice: local(call.request), bob: local(alice.accepted) } }
}

/** What a phone is told by the next message of the other side. */
async function toldTo(bench: CallBench, phone: PhoneCall, sender: PhoneCall): Promise<string | undefined> {
  void sender.dialog?.reinvite({ body: phoneSdp({ direction: 'sendonly' }) })
  await bench.pass()
  return phone.dialog?.sessionIds.remote
}

test('SIP-30, META-12: the UUIDs of the phones go through the call, and its metadata names the pair', async () => {
  const { bench, alice, bob, call, ids } = await talking()
  assert.equal(sessionId(bob.incoming?.request), `${ids.alice};remote=${NIL}`)
  assert.equal(bob.dialog?.sessionIds.remote, ids.alice)
  assert.equal(sessionId(alice.accepted), `${ids.bob};remote=${ids.alice}`)
  assert.notEqual(ids.alice, ids.bob)
  assert.deepEqual(call.snapshot().sipSessionIds, [`${ids.alice};remote=${ids.bob}`])
  void alice.dialog?.bye()
  await bench.pass()
  assert.equal(sessionId(bob.end?.request), `${ids.alice};remote=${ids.bob}`)
  assert.deepEqual(call.snapshot().sipSessionIds, [`${ids.alice};remote=${ids.bob}`], 'the last document names it too')
  await bench.checkNothingLeft()
})

test('SIP-30, META-27: a transfer changes the remote half, at the phone that stays and in the metadata', async () => {
  const { bench, alice, bob, call, ids } = await talking()
  void bob.dialog?.request('REFER', { headers: [['Refer-To', `<${CAROL}>`]] })
  await bench.pass()
  const carol = bench.carol.incoming[0]!
  assert.equal(sessionId(carol.incoming?.request), `${ids.alice};remote=${NIL}`, 'the target is called for who stays')
  carol.accept()
  await bench.pass()
  const carolId = await toldTo(bench, alice, carol)
  assert.ok(carolId !== ids.bob && carolId !== ids.alice)
  assert.equal(carol.dialog?.sessionIds.remote, ids.alice)
  assert.deepEqual(call.snapshot().sipSessionIds, [`${ids.alice};remote=${carolId}`])
  void alice.dialog?.bye()
  await bench.checkNothingLeft()
})

test('SIP-30: a transfer into a new session leaves the pair of the old one with it', async () => {
  const bench = new CallBench({ transfer: { session: 'new' } })
  const alice = bench.alice.call(bench.uri('bob'), { body: phoneSdp() })
  await bench.pass()
  const bob = bench.bob.incoming[0]!
  bob.accept()
  await bench.pass()
  const call = bench.service.calls()[0]!
  const before = call.snapshot().sipSessionIds
  void bob.dialog?.request('REFER', { headers: [['Refer-To', `<${CAROL}>`]] })
  await bench.pass()
  bench.carol.incoming[0]!.accept()
  await bench.pass()
  assert.deepEqual(call.snapshot().earlierSessions?.[0]?.sipSessionIds, before)
  assert.notDeepEqual(call.snapshot().sipSessionIds, before)
  void alice.dialog?.bye()
  await bench.checkNothingLeft()
})

test('SIP-30: a conference has one UUID for all of its parties, and a pair for each', async () => {
  const { bench, alice, bob, call, ids } = await talking()
  void call.join({ target: CAROL, timeoutMs: 20_000 })
  await bench.pass()
  const carol = bench.carol.incoming[0]!
  carol.accept()
  await bench.pass()
  const focus = call.callId.replaceAll('-', '')
  assert.equal(local(carol.incoming?.request), focus)
  const pairs = call.snapshot().sipSessionIds ?? []
  assert.deepEqual(pairs.slice(0, 2), [`${ids.alice};remote=${focus}`, `${ids.bob};remote=${focus}`])
  assert.match(pairs[2] ?? '', new RegExp(`^[0-9a-f]{32};remote=${focus}$`))
  void alice.dialog?.bye()
  await bench.pass()
  assert.equal(local(bob.end?.request), focus)
  await bench.checkNothingLeft()
})

test('SIP-30: who talks to a flow talks to the gateway, whose UUID is that of the call', async () => {
  const bench = new CallBench({ flow: (call) => void call.answer() })
  const alice = bench.alice.call(bench.uri('flow'), { body: phoneSdp() })
  await bench.pass()
  const own = bench.flow.callId.replaceAll('-', '')
  assert.equal(local(alice.accepted), own)
  assert.deepEqual(bench.flow.snapshot().sipSessionIds, [`${local(bench.flow.request)};remote=${own}`])
  void alice.dialog?.bye()
  await bench.checkNothingLeft()
})

test('SIP-23, SIP-30: the consulted party of an attended transfer is told of who it talks to from then on', async () => {
  const routes = [
    { match: 'bob', callee: 'sip:bob@10.0.0.3' },
    { match: 'carol', callee: CAROL },
  ]
  const bench = new CallBench({ routes })
  const alice = bench.alice.call(bench.uri('bob'), { body: phoneSdp() })
  await bench.pass()
  const bob = bench.bob.incoming[0]!
  bob.accept()
  await bench.pass()
  const call = bench.service.calls()[0]!
  const asking = bench.bob.call(bench.uri('carol'), { body: phoneSdp(), from: '<sip:bob@10.0.0.3>' })
  await bench.pass()
  const carol = bench.carol.incoming[0]!
  carol.accept()
  await bench.pass()
  const { callId, remoteTag, localTag } = asking.dialog!
  const replaces = encodeURIComponent(`${callId};to-tag=${remoteTag};from-tag=${localTag}`)
  void bob.dialog?.request('REFER', { headers: [['Refer-To', `<${bench.uri('carol')}?Replaces=${replaces}>`]] })
  await bench.pass()
  const aliceId = local(call.request)
  assert.equal(sessionId(carol.requests.at(-1)?.request).slice(0, 32), aliceId, 'by the re-INVITE that moves it')
  assert.equal(call.snapshot().sipSessionIds?.[0], `${aliceId};remote=${local(asking.accepted)}`)
  void alice.dialog?.bye()
  await bench.checkNothingLeft()
})
