// Which dialog an INVITE with Replaces means, and when it means none: RFC 3891 section 3.

import assert from 'node:assert/strict'
import test from 'node:test'
import { ManualClock } from '#kernel'
import type { InviteDialog, ServerInvite } from '#sip'
import { attachCore, type CoreNode, sdp } from '../harness/core-pair.ts'
import type { ScriptedPeer } from '../harness/scripted-peer.ts'
import { SipNetwork } from '../harness/sip-network.ts'

interface Scene {
  readonly clock: ManualClock
  readonly core: CoreNode
  readonly peer: ScriptedPeer
  readonly invites: ServerInvite[]
  /** Sends INVITE with these Replaces values; the final status, or 100 when the user got it. */
  ask(...replaces: string[]): Promise<number>
}

function scene(supported = ['replaces']): Scene {
  const clock = new ManualClock()
  const network = new SipNetwork(clock, 1)
  const invites: ServerInvite[] = []
  const core = attachCore(
    network,
    clock,
    '10.0.0.2',
    { onInvite: (invite) => void invites.push(invite) },
    { supported },
  )
  const peer = network.scriptedPeer('10.0.0.9')
  let serial = 0
  const ask = async (...replaces: string[]): Promise<number> => {
    serial += 1
    peer.inbox.length = 0
    const headers = replaces.map((value) => `Replaces: ${value}`)
    peer.request('INVITE', { host: '10.0.0.2' }, { callId: `new-${serial}`, headers })
    await clock.advanceAsync(10)
    return Number(peer.labels().at(-1))
  }
  return { clock, core, peer, invites, ask }
}

/** A dialog that the core accepted, and the value that names it. */
async function dialog(all: Scene): Promise<{ dialog: InviteDialog; value: string; invite: ServerInvite }> {
  await all.ask()
  const invite = all.invites.at(-1)!
  const made = invite.accept({ onEnd: () => {} }, { body: sdp('answer') })
  await all.clock.advanceAsync(10)
  const to = all.peer.take(200).message.headers.get('to') ?? ''
  all.peer.request('ACK', { host: '10.0.0.2' }, { to, callId: made.callId })
  await all.clock.advanceAsync(10)
  return { dialog: made, value: `${made.callId};to-tag=${made.localTag};from-tag=${made.remoteTag}`, invite }
}

test('SIP-23: a confirmed dialog is found by Call-ID and both tags, and handed to the user with the INVITE', async () => {
  const all = scene()
  const { dialog: replaced, value } = await dialog(all)
  assert.equal(await all.ask(value), 100)
  assert.deepEqual(all.invites.at(-1)?.replaced, { kind: 'confirmed', dialog: replaced })
  assert.equal(replaced.ended, false)
  assert.equal(await all.ask(), 100)
  assert.equal(all.invites.at(-1)?.replaced, undefined)
})

test('SIP-23: without a match 481, of a dialog that is over 603 for a while, early-only of a confirmed one 486', async () => {
  const all = scene()
  const { dialog: replaced, value } = await dialog(all)
  assert.equal(await all.ask('nobody@10.0.0.9;to-tag=a;from-tag=b'), 481)
  assert.equal(await all.ask(value.replace('from-tag=', 'from-tag=x')), 481)
  assert.equal(await all.ask(`${value};early-only`), 486)
  void replaced.bye()
  await all.clock.advanceAsync(10)
  all.peer.respond(all.peer.take('BYE'), 200)
  assert.equal(await all.ask(value), 603)
  await all.clock.advanceAsync(60_000)
  assert.equal(await all.ask(value), 481)
  assert.equal(all.invites.length, 1)
})

test('SIP-23: an early dialog that the caller started is not replaced', async () => {
  const all = scene()
  await all.ask()
  const { localTag, request } = all.invites[0]!
  assert.equal(await all.ask(`${request.headers.get('call-id')};to-tag=${localTag};from-tag=peer-tag`), 481)
})

test('SIP-23: twice, malformed, or together with Join it gets 400', async () => {
  const all = scene()
  const { value } = await dialog(all)
  assert.equal(await all.ask(value, value), 400)
  for (const bad of [
    'x',
    'x;to-tag=a',
    'x;from-tag=a',
    ';to-tag=a;from-tag=b',
    `${value};to-tag=b`,
    'x;to-tag;from-tag',
  ]) {
    assert.equal(await all.ask(bad), 400, bad)
  }
  assert.equal(await all.ask(`${value}\r\nJoin: x;to-tag=a;from-tag=b`), 400)
})

test('SIP-23: a core that does not support replaces ignores it, unless it is required', async () => {
  const all = scene([])
  assert.equal(await all.ask('x'), 100)
  assert.equal(await all.ask('x\r\nRequire: replaces'), 420)
})
