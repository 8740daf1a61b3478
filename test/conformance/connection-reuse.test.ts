// Requests within a dialog over the connection that the peer opened (RFC 5923), and what a broken way to it means (RFC 5057).

import assert from 'node:assert/strict'
import test from 'node:test'
import { ManualClock } from '#kernel'
import type { InviteDialog } from '#sip'
import { attachCore, sdp } from '../harness/core-pair.ts'
import { SipNetwork } from '../harness/sip-network.ts'

async function scene(transport: 'tcp' | 'tls', contact: string) {
  const clock = new ManualClock()
  const network = new SipNetwork(clock, 1)
  const dialogs: InviteDialog[] = []
  const events: string[] = []
  const handlers = { onEnd: ({ cause }: { cause: string }) => void events.push(`end ${cause}`) }
  const onInvite = (invite: Parameters<Parameters<typeof attachCore>[3]['onInvite']>[0]): void =>
    void dialogs.push(invite.accept(handlers, { body: sdp('answer') }))
  const transports = ['udp', 'tcp', 'tls'] as const
  attachCore(network, clock, '10.0.0.2', { onInvite }, { transports: [...transports] })
  const peer = network.scriptedPeer('10.0.0.9', transports)
  const to = { host: '10.0.0.2', port: transport === 'tls' ? 5061 : 5060, transport }
  peer.request('INVITE', to, { contact })
  await clock.advanceAsync(10)
  const accepted = peer.take(200)
  peer.request('ACK', to, { to: accepted.message.headers.get('to') ?? '' })
  await clock.advanceAsync(10)
  return { clock, network, peer, dialog: dialogs[0]!, accepted, events }
}

for (const transport of ['tcp', 'tls'] as const) {
  test(`SIP-28: requests to a peer that connected by ${transport} go over its connection, even if its Contact leads nowhere`, async () => {
    const all = await scene(transport, `<sip:src@10.9.9.9:5070;transport=${transport}>`)
    for (const method of ['UPDATE', 'INFO']) {
      void all.dialog.request(method)
      await all.clock.advanceAsync(10)
      const received = all.peer.take(method)
      assert.equal(received.flow.connectionId, all.accepted.flow.connectionId)
      all.peer.respond(received, 200)
      await all.clock.advanceAsync(10)
    }
  })
}

test('SIP-28: once the connection is closed, a new one is opened to the Contact', async () => {
  const all = await scene('tcp', '<sip:src@10.0.0.9;transport=tcp>')
  all.network.cut('10.0.0.9')
  void all.dialog.request('INFO')
  await all.clock.advanceAsync(10)
  assert.notEqual(all.peer.take('INFO').flow.connectionId, all.accepted.flow.connectionId)
})

test('SIP-10: one request that cannot be sent leaves the dialog alone, a second one ends it', async () => {
  const all = await scene('tcp', '<sip:src@10.0.0.9:9;transport=tcp>')
  all.network.cut('10.0.0.9')
  const first = all.dialog.request('INFO')
  await all.clock.advanceAsync(10)
  assert.equal((await first).cause, 'transport')
  assert.deepEqual([all.dialog.ended, ...all.events], [false])
  void all.dialog.request('INFO')
  await all.clock.advanceAsync(10)
  assert.deepEqual([all.dialog.ended, ...all.events], [true, 'end transport'])
})
