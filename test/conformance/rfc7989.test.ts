// Session-ID of one dialog: whose UUIDs stand in which message, and which of the peer's count (RFC 7989 sections 5 to 8).

import assert from 'node:assert/strict'
import test from 'node:test'
import { ManualClock } from '#kernel'
import type { InviteDialog, ServerInvite } from '#sip'
import { attachCore, sdp } from '../harness/core-pair.ts'
import type { ScriptedPeer } from '../harness/scripted-peer.ts'
import { SipNetwork } from '../harness/sip-network.ts'

const CORE = { host: '10.0.0.2' }
const NIL = '0'.repeat(32)
const [A, B, C] = ['a'.repeat(32), 'b'.repeat(32), 'c'.repeat(32)]

function scene() {
  const clock = new ManualClock()
  const network = new SipNetwork(clock, 1)
  const invites: ServerInvite[] = []
  const { core } = attachCore(network, clock, CORE.host, { onInvite: (invite) => void invites.push(invite) })
  return { clock, core, invites, peer: network.scriptedPeer('10.0.0.9') }
}

/** The Session-ID of a message that came to the peer, which is then forgotten. */
function sessionId(peer: ScriptedPeer, what: string | number): string | undefined {
  const { message } = peer.take(what)
  peer.inbox.length = 0
  return message.headers.get('session-id')
}

interface Answered extends ReturnType<typeof scene> {
  readonly dialog: InviteDialog
  /** Sends a request in the dialog and returns the Session-ID of its answer. */
  ask(method: string, status: number, cseq: number, value?: string): Promise<string | undefined>
}

/** A dialog of the peer's INVITE, in which requests are answered with `statuses`, one after the other. */
async function answered(value: string | undefined, statuses: readonly number[] = []): Promise<Answered> {
  const all = scene()
  const { clock, peer, invites } = all
  const headersOf = (text: string | undefined) => (text === undefined ? [] : [`Session-ID: ${text}`])
  peer.request('INVITE', CORE, { callId: 'x@9', headers: headersOf(value) })
  await clock.advanceAsync(10)
  const rest = [...statuses]
  const handlers = {
    onEnd: () => {},
    onRequest: (incoming: { respond(status: number): boolean }) => void incoming.respond(rest.shift() ?? 200),
  }
  const dialog = invites[0]!.accept(handlers, { body: sdp('answer') })
  await clock.advanceAsync(10)
  const to = peer.take(200).message.headers.get('to') ?? ''
  peer.request('ACK', CORE, { to, callId: 'x@9', headers: headersOf(value) })
  await clock.advanceAsync(10)
  const ask = async (method: string, status: number, cseq: number, text?: string): Promise<string | undefined> => {
    peer.inbox.length = 0
    peer.request(method, CORE, { to, callId: 'x@9', cseq, headers: headersOf(text) })
    await clock.advanceAsync(10)
    return sessionId(peer, status)
  }
  return { ...all, dialog, ask }
}

test('SIP-30: an endpoint has a UUID of version 5 that stays, and names the peer as last heard, the nil UUID before', async () => {
  const { clock, core, peer } = scene()
  let dialog: InviteDialog | undefined
  core.invite(
    { uri: 'sip:p@10.0.0.9', from: '<sip:s@core>', callId: 'secret-host.example', body: sdp('offer') },
    { onAccepted: (made) => (dialog = made), onFailed: () => {} },
  )
  await clock.advanceAsync(10)
  const invite = peer.take('INVITE')
  const first = invite.message.headers.get('session-id') ?? ''
  const [own] = first.split(';')
  assert.match(first, /^[0-9a-f]{12}5[0-9a-f]{3}[89ab][0-9a-f]{15};remote=0{32}$/)
  peer.inbox.length = 0
  peer.respond(invite, 200, { body: 'v=0', headers: [`Session-ID: ${B};remote=${own}`] })
  await clock.advanceAsync(10)
  assert.equal(sessionId(peer, 'ACK'), `${own};remote=${B}`)
  assert.equal(dialog?.sessionIds.remote, B)
  void dialog?.bye()
  await clock.advanceAsync(10)
  assert.equal(sessionId(peer, 'BYE'), `${own};remote=${B}`)
})

test('SIP-30: CANCEL has the Session-ID of its INVITE, whatever was heard since', async () => {
  const { clock, core, peer } = scene()
  const invite = core.invite(
    { uri: 'sip:p@10.0.0.9', from: '<sip:s@core>', body: sdp('offer'), represented: () => A },
    { onAccepted: () => {}, onFailed: () => {} },
  )
  await clock.advanceAsync(10)
  const asked = peer.take('INVITE')
  peer.respond(asked, 180, { headers: [`Session-ID: ${B};remote=${A}`] })
  await clock.advanceAsync(10)
  invite.cancel()
  await clock.advanceAsync(10)
  assert.equal(asked.message.headers.get('session-id'), `${A};remote=${NIL}`)
  assert.equal(sessionId(peer, 'CANCEL'), `${A};remote=${NIL}`)
})

test('SIP-30: a new UUID in a request counts when it is answered 2xx, not when it is refused, which names it all the same', async () => {
  const { ask, dialog } = await answered(`${A};remote=${NIL}`, [403, 200])
  assert.match((await ask('INFO', 403, 2, `${B};remote=${NIL}`)) ?? '', new RegExp(`;remote=${B}$`))
  assert.equal(dialog.sessionIds.remote, A)
  assert.match((await ask('INFO', 200, 3, `${C};remote=${NIL}`)) ?? '', new RegExp(`;remote=${C}$`))
  assert.equal(dialog.sessionIds.remote, C)
})

test('SIP-30: a message without Session-ID, with the nil UUID or a malformed one changes nothing', async () => {
  const { ask, dialog } = await answered(`${A};remote=${NIL}`)
  const values = [
    undefined,
    `${NIL};remote=${B}`,
    `${B}00;remote=${B}`,
    B.toUpperCase(),
    `not-a-uuid;${';x'.repeat(50)}`,
  ]
  for (const [index, value] of values.entries()) {
    assert.match((await ask('INFO', 200, index + 2, value)) ?? '', new RegExp(`;remote=${A}$`))
  }
  assert.equal(dialog.sessionIds.remote, A)
})

test('SIP-30: who speaks for another endpoint names that one, and gives a peer without Session-ID a UUID of version 5', async () => {
  const { ask, dialog } = await answered(undefined)
  assert.equal(dialog.sessionIds.remote, undefined)
  let other: string | undefined
  dialog.sessionIds.represent(() => other)
  const assigned = dialog.sessionIds.remote
  assert.match(assigned ?? '', /^[0-9a-f]{12}5[0-9a-f]{3}[89ab][0-9a-f]{15}$/)
  assert.equal(await ask('INFO', 200, 2), `${NIL};remote=${assigned}`)
  other = C
  assert.equal(await ask('INFO', 200, 3), `${C};remote=${assigned}`)
})
