// What a recorder does when time has passed, at the socket of a client that words each message itself; the clock leaps.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tone } from '../foreign/g711-tones.ts'
import { CallStory } from '../foreign/metadata-documents.ts'
import { headerOf, type SipText, tokensOf } from '../foreign/sip-text.ts'
import type { WireClient } from '../foreign/wire-client.ts'
import { LeapingClock } from '../harness/leaping-clock.ts'
import { directionsOf, openWireScene } from '../harness/wire-scene.ts'

const PROBE_MS = 60_000
const TRANSACTION_MS = 32_000
/** Between two requests for a snapshot. */
const SNAPSHOT_MS = 10_000
/** The longest wait for the next report at a minimum of 5 s (RFC 3550 section 6.3.1). */
const REPORT_MS = 6200
const TIMED = [['Supported', 'timer']] as const

const snapshots = (client: WireClient): SipText[] =>
  client.asked('UPDATE').filter(({ body }) => body.includes('requestsnapshot'))

test('SRS-26: a client that has died without BYE is asked whether it lives, is told BYE when it does not answer, and its recording is kept', async (t) => {
  const clock = new LeapingClock()
  const scene = await openWireScene(t, { clock })
  const [dead, quiet] = [await scene.client({ transport: 'udp' }), await scene.client({ transport: 'udp' })]
  for (const client of [dead, quiet]) {
    assert.equal((await client.request('INVITE', { sdp: client.sdp() })).status, 200)
    await client.streams[0]!.send(tone(400, 300))
    assert.equal((await client.request('UPDATE')).status, 200)
  }
  dead.reply = () => undefined
  // Twice: packets came before the first look.
  for (let look = 0; look < 2; look++) {
    clock.leap(PROBE_MS)
    await scene.api.ask('get', '/api/recorder/sessions')
  }
  for (const client of [dead, quiet]) await client.waitFor(() => client.asked('OPTIONS').length > 0, 'a question')
  // Its answer to the question has been read when this one is answered.
  assert.equal((await quiet.request('UPDATE')).status, 200)
  clock.leap(TRANSACTION_MS)
  await dead.waitFor(() => dead.asked('BYE').length > 0, 'BYE')
  const { manifest } = await scene.kept()
  assert.deepEqual([manifest.state, manifest.facts.sip.callId], ['published', dead.dialog.callId])
  assert.equal((await quiet.request('UPDATE')).status, 200)
  assert.deepEqual(quiet.asked('BYE'), [])
})

test('SRS-26: a recorder with a session timer asks every client for it, and has those that know timers refresh', async (t) => {
  const listen = [{ transport: 'tcp', port: 0 }]
  const scene = await openWireScene(t, { recorderKeys: { sip: { listen, sessionTimerSeconds: 1800 } } })
  for (const [headers, expires, required] of [
    [TIMED, /^1800 *; *refresher=uac$/, ['timer']],
    [[], /^1800 *; *refresher=uas$/, []],
  ] as const) {
    const client = await scene.client()
    const answer = await client.request('INVITE', { sdp: client.sdp(), headers })
    assert.match(headerOf(answer, 'Session-Expires') ?? '', expires)
    assert.deepEqual(tokensOf(answer, 'Require'), required)
  }
})

test('SRS-43: a snapshot is asked for every 10 s and three times at most, and never again of a client that refused by 405, 415, 488 or 501', async (t) => {
  const clock = new LeapingClock()
  const scene = await openWireScene(t, { clock })
  const story = new CallStory(['1', '2'])
  const open = async (status?: number): Promise<WireClient> => {
    const client = await scene.client()
    if (status !== undefined) client.reply = () => ({ status, reason: 'No' })
    const metadata = story.document('hold')
    assert.equal((await client.request('INVITE', { sdp: client.sdp(), metadata })).status, 200)
    return client
  }
  const willing = await open()
  const refusing = await Promise.all([405, 415, 488, 501].map(open))
  const clients = [...refusing, willing]
  const told = async (): Promise<number[]> => {
    for (const client of clients)
      assert.equal((await client.request('UPDATE', { metadata: story.document('hold') })).status, 200)
    // What the recorder had to say to that has come before these answers.
    for (const client of clients) assert.equal((await client.request('UPDATE')).status, 200)
    return clients.map((client) => snapshots(client).length)
  }
  for (const client of clients) await client.waitFor(() => snapshots(client).length === 1, 'a request for a snapshot')
  clock.leap(SNAPSHOT_MS - 2000)
  assert.deepEqual(await told(), [1, 1, 1, 1, 1])
  for (const count of [2, 3, 3]) {
    clock.leap(SNAPSHOT_MS)
    assert.deepEqual(await told(), [1, 1, 1, 1, count])
  }
})

test('SRS-19: a stream that is held by c=0.0.0.0 gets no RTCP and no RTP, its neighbour does, and it gets them again when resumed', async (t) => {
  const scene = await openWireScene(t)
  const client = await scene.client()
  const [open, held] = [client.streams[0]!, client.streams[1]!]
  assert.equal((await client.request('INVITE', { sdp: client.sdp() })).status, 200)
  await Promise.all([open.send(tone(400, 300)), held.send(tone(1000, 300))])
  await client.waitFor(() => held.receiverReports > 0, 'a report on the second stream')
  client.version++
  const [first = '', second = ''] = client.sdp().split(/(?<=label:1\r\n)/)
  const hold = first + second.replace('\r\n', '\r\nc=IN IP4 0.0.0.0\r\n')
  const answer = await client.request('INVITE', { sdp: hold })
  assert.deepEqual([answer.status, directionsOf(answer)[0]], [200, 'recvonly'])
  assert.notEqual(directionsOf(answer)[1], 'removed')
  // A report may have been under way.
  const heldMs = Date.now() + 1000
  await client.waitFor(() => (open.rtcp.at(-1)?.atMs ?? 0) > heldMs + REPORT_MS, 'reports on the first stream')
  assert.deepEqual(
    held.rtcp.filter(({ atMs }) => atMs > heldMs),
    [],
  )
  client.version++
  const resumed = await client.request('INVITE', { sdp: client.sdp() })
  assert.deepEqual(directionsOf(resumed), ['recvonly', 'recvonly'])
  await held.send(tone(1000, 300))
  await client.waitFor(() => held.rtcp.some(({ atMs }) => atMs > heldMs), 'a report on the resumed stream')
  const { manifest } = await scene.end(client)
  assert.ok(manifest.streams[1]?.gaps.some(({ cause }) => cause === 'hold' || cause === 'paused-by-client'))
  assert.deepEqual(
    [open, held].map(({ strayDatagrams }) => strayDatagrams),
    [0, 0],
  )
})
