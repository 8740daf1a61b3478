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

test('field 5: a pause is the same gap in every copy, mixed or not: no packet, and a clock that goes on', async (t) => {
  const mixed = await ForeignRecorder.open({}, { host: '127.0.0.7', port: 0 })
  const apart = await ForeignRecorder.open()
  for (const recorder of [mixed, apart]) t.after(() => recorder.close())
  const profiles = [{ ...PROFILE, match: ['127.0.0.7'] }]
  const talk = await openTalk(t, { gateway: { recording: { profiles } } })
  assert.equal((await talk.rest('start', `${mixed.uri()},${apart.uri()}`)).status, 200)
  const copies = [
    [mixed, 0],
    [apart, 0],
    [apart, 1],
  ] as const
  const more = async (count: number): Promise<void> => {
    const wanted = copies.map(([recorder, at]) => recorder.rtp(at).length + count)
    const isThere = (): boolean => copies.every(([recorder, at], index) => recorder.rtp(at).length >= wanted[index]!)
    for (const recorder of [mixed, apart]) await recorder.waitFor(isThere, DEADLINE_MS, 'packets of every copy')
  }
  await more(25)
  assert.equal((await talk.rest('pause')).status, 200)
  const before = copies.map(([recorder, at]) => recorder.rtp(at).length)
  await talk.assertUndisturbed()
  assert.deepEqual(
    copies.map(([recorder, at]) => recorder.rtp(at).length),
    before,
  )
  assert.equal((await talk.rest('resume')).status, 200)
  await more(25)
  for (const [index, [recorder, at]] of copies.entries()) {
    const [last, first] = [recorder.rtp(at)[before[index]! - 1]!, recorder.rtp(at)[before[index]!]!]
    assert.equal((first.sequence - last.sequence) & 0xffff, 1, 'no packet is missing')
    const clockMs = ((first.timestamp - last.timestamp) >>> 0) / 8
    assert.ok(Math.abs(clockMs - (first.atMs - last.atMs)) < 250, `${clockMs} ms on the clock of copy ${index}`)
    assert.equal(first.ssrc, last.ssrc)
  }
  await talk.end()
  assert.deepEqual([...mixed.violations, ...apart.violations], [])
})
