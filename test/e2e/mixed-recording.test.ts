// A recorder that takes one mixed stream, over real sockets: what it hears of a call, of a pause, and what it is told of who speaks.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { goertzelPower } from '#audio'
import { ForeignRecorder } from '../foreign/foreign-recorder.ts'
import { CALLEE_HZ, CALLER_HZ, openTalk } from '../harness/talk.ts'

const DEADLINE_MS = 20_000
/** Half a second of speech. */
const SAMPLES = 4_000
const PROFILE = { name: 'mixed', media: { streams: 'mixed' } }

function hears(recorder: ForeignRecorder): boolean {
  const heard = recorder.audio(0).subarray(-SAMPLES)
  const shares = [CALLER_HZ, CALLEE_HZ].map((frequencyHz) => goertzelPower(heard, 8000, frequencyHz))
  return heard.length === SAMPLES && shares.every((share) => share > 0.3) && shares[0]! + shares[1]! > 0.9
}

test('FLOW-06, META-29, RTP-13: a recorder of one mixed stream hears both parties, before and after a pause', async (t) => {
  const recorder = await ForeignRecorder.open()
  t.after(() => recorder.close())
  const talk = await openTalk(t, { gateway: { recording: { profiles: [PROFILE] } } })
  assert.equal((await talk.rest('start', recorder.uri())).status, 200)
  await recorder.waitFor(() => hears(recorder), DEADLINE_MS, 'both voices')
  assert.equal((await talk.rest('pause')).status, 200)
  const before = recorder.rtp(0).length
  await talk.assertUndisturbed()
  assert.equal(recorder.rtp(0).length, before)
  assert.equal((await talk.rest('resume')).status, 200)
  await recorder.waitFor(
    () => recorder.rtp(0).length > before + 50 && hears(recorder),
    DEADLINE_MS,
    'both voices again',
  )
  await talk.assertUndisturbed()
  const packets = recorder.rtp(0)
  assert.equal(new Set(packets.map(({ ssrc }) => ssrc)).size, 1)
  assert.ok(
    packets.every(({ sequence }, index) => index === 0 || sequence === ((packets[index - 1]!.sequence + 1) & 0xffff)),
  )
  assert.equal(recorder.rtp(1).length, 0)
  await talk.end()
  assert.deepEqual(recorder.violations, [])
})
