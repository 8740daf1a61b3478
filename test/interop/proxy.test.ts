// A call and its recording session through Kamailio, which record-routes every dialog and changes from TCP to UDP on its way.

import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { goertzelPower } from '#audio'
import { freePort } from '../harness/free-port.ts'
import { openKamailio } from '../harness/kamailio.ts'
import { keptRecording } from '../harness/kept-recording.ts'
import { CALLEE_HZ, CALLER_HZ, openPhone, openTestGateway, placeTalk } from '../harness/talk.ts'
import { requireTools } from '../harness/tools.ts'
import { until } from '../harness/until.ts'

requireTools('kamailio')

const HOST = '127.0.0.1'

test('SIP-06: calls and recordings go through a proxy that stays in every dialog', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'proxy-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const port = await freePort()
  const [alice, bob] = [await openPhone(t, 'alice', 'tcp'), await openPhone(t, 'bob', 'udp')]
  const opened = await openTestGateway(t, {
    gateway: { routes: [{ match: 'bob', callee: `sip:callee@${HOST}:${port};transport=udp` }] },
    recorder: true,
  })
  const proxy = await openKamailio(folder, port, {
    bob: `sip:${HOST}:${opened.port('gateway', 'udp')};transport=udp`,
    callee: bob.uri,
    srs: opened.recorderUri('udp'),
  })
  t.after(() => proxy.close())
  const talk = await placeTalk(opened, alice, bob, undefined, undefined, `${HOST}:${port}`)
  assert.equal((await talk.rest('start', `sip:srs@${HOST}:${port};transport=tcp`, 'by-proxy')).status, 200)
  const heard = async (ms: number): Promise<void> => {
    const from = talk.caller.heard().length
    await until('the talk goes on', () => talk.caller.heard().length >= from + ms * 8)
  }
  await heard(1200)
  assert.equal((await talk.rest('pause')).status, 200)
  await talk.assertUndisturbed()
  assert.equal((await talk.rest('resume')).status, 200)
  await heard(1200)
  assert.equal((await talk.rest('stop')).status, 200)
  await talk.end()
  const kept = await keptRecording(opened.store)
  for (const [channel, own] of [CALLER_HZ, CALLEE_HZ].entries()) {
    const samples = kept.channels[channel]!.subarray(2000, 4000)
    assert.ok(goertzelPower(samples, 8000, own) > 0.9, `channel ${channel} holds ${own} Hz`)
  }
  const within = proxy.relayedWithin()
  assert.equal(within.filter((method) => method === 'BYE').length, 3, 'the call’s two legs and the recording session')
  assert.ok(within.filter((method) => method === 'INVITE').length >= 2, 'pause and resumption')
  assert.ok(within.filter((method) => method === 'ACK').length >= 5)
})
