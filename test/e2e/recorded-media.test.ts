// Media through a whole gateway, judged by ear at the recorder: replay, mask and mix in one run; a conversation of three; Opus as G.711.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { correlate, goertzelPower, tone } from '#audio'
import type { ForeignRecorder } from '../foreign/foreign-recorder.ts'
import { HEARING_DEADLINE_MS as DEADLINE_MS, HEARING_TIMES, openRecorder } from '../harness/hearing-recorder.ts'
import { hasKeys, toneWithKeys } from '../harness/key-tones.ts'
import type { Section } from '../harness/open-program.ts'
import { OpusVoice } from '../harness/opus-packets.ts'
import type { SoftCall } from '../harness/softphone.ts'
import { CALLEE_HZ, CALLER_HZ, openPhone, openTalk, openTestGateway, placeTalk } from '../harness/talk.ts'
import { until } from '../harness/until.ts'

const THIRD_HZ = 1500
const SAMPLES_PER_MS = 8
const SECOND = 8_000

/** Shares of the energy that each frequency has. */
function shares(samples: Int16Array, frequenciesHz: readonly number[]): number[] {
  return frequenciesHz.map((frequencyHz) => goertzelPower(samples, 8000, frequencyHz))
}

/** In how much of the time a tone is clearly heard: in parts of 100 ms, since a late packet shifts what comes after it. */
function presence(samples: Int16Array, frequencyHz: number): number {
  const part = 100 * SAMPLES_PER_MS
  const count = Math.floor(samples.length / part)
  const heard = Array.from({ length: count }, (_unused, index) =>
    goertzelPower(samples.subarray(index * part, (index + 1) * part), 8000, frequencyHz),
  )
  return heard.filter((share) => share > 0.15).length / count
}

/** How much of a stream there is, by its own clock. */
function spanMs(recorder: ForeignRecorder, index = 0): number {
  const packets = recorder.rtp(index)
  const [first, last] = [packets[0], packets.at(-1)]
  return first === undefined || last === undefined ? 0 : ((last.timestamp - first.timestamp) >>> 0) / SAMPLES_PER_MS
}

function assertUnbroken(recorder: ForeignRecorder): void {
  const packets = recorder.rtp(0)
  assert.equal(new Set(packets.map(({ ssrc }) => ssrc)).size, 1)
  for (const [index, { sequence, timestamp }] of packets.slice(1).entries()) {
    const before = packets[index]!
    assert.equal((sequence - before.sequence) & 0xffff, 1, `sequence at ${index}`)
    assert.equal((timestamp - before.timestamp) >>> 0, 160, `time at ${index}`)
  }
}

test('SRC-63, RTP-13, RTP-22: a mixed recorder that takes over is sent what was said meanwhile, with who spoke and without keys', async (t) => {
  const [first, standby] = [await openRecorder(t), await openRecorder(t, { answer: { lateMs: 1_000 } })]
  const profile = { name: 'mixed', media: { streams: 'mixed', maskDtmf: true } }
  const recording: Section = { ...HEARING_TIMES, profiles: [profile], replaySeconds: 20 }
  const [alice, bob] = [await openPhone(t, 'alice', 'udp'), await openPhone(t, 'bob', 'udp')]
  const opened = await openTestGateway(t, {
    gateway: { recording, routes: [{ match: 'bob', callee: bob.uri }] },
  })
  const talk = await placeTalk(opened, alice, bob, toneWithKeys(CALLER_HZ, 60))
  assert.equal((await talk.rest('start', `${first.uri()}|${standby.uri()}`)).status, 200)
  await first.waitFor(() => first.audio(0).length > 2 * SECOND, DEADLINE_MS, 'two seconds at the first')
  const lostAtMs = Date.now()
  assert.equal((await first.bye()).status, 200)
  await standby.waitFor(() => standby.rtp(0).length > 0, DEADLINE_MS, 'the standby is sent audio')
  const silentMs = Date.now() - lostAtMs
  assert.ok(silentMs >= 1_000, `${silentMs} ms without a recorder`)
  await standby.waitFor(
    () => spanMs(standby) > Date.now() - lostAtMs - 200 && spanMs(standby) > silentMs + 1_000,
    DEADLINE_MS,
    'all that was said since the loss',
  )
  assertUnbroken(standby)
  const heard = standby.audio(0)
  const missed = heard.subarray(0, silentMs * SAMPLES_PER_MS)
  for (const frequencyHz of [CALLER_HZ, CALLEE_HZ]) {
    const share = presence(missed, frequencyHz)
    assert.ok(share > 0.5, `${frequencyHz} Hz is in ${share} of what was replayed`)
  }
  assert.equal(hasKeys(toneWithKeys(CALLER_HZ, 2)), true)
  assert.equal(hasKeys(heard), false, 'no key sounds at the standby')
  assert.equal(hasKeys(first.audio(0)), false, 'nor at the first')
  const ssrcs = [talk.caller, talk.callee].map(({ audio }) => audio.ssrc)
  const both = standby.rtp(0).filter(({ csrcs = [] }) => csrcs.length === 2)
  assert.ok(both.length > standby.rtp(0).length / 2, `${both.length} of ${standby.rtp(0).length} name both`)
  assert.ok(
    both.every(({ csrcs = [] }) => csrcs.includes(ssrcs[0]!)),
    'the caller is a contributor',
  )
  const row = (await talk.view()).recording?.ledger.find(({ recorder }) => recorder === standby.uri())
  assert.ok((row?.packetsReplayed ?? 0) > silentMs / 20 - 10 && (row?.packetsMasked ?? 0) > 5, JSON.stringify(row))
  assert.equal(hasKeys(talk.callee.heard()), true, 'the call itself hears the keys')
  await talk.end()
  assert.deepEqual([...first.violations, ...standby.violations], [])
})

test('FLOW-07, META-29: of a conversation of three every voice is found at its place: apart with its own label, or in a mix with its contributor', async (t) => {
  const [apart, mixed] = [await openRecorder(t), await openRecorder(t, {}, { host: '127.0.0.7', port: 0 })]
  const carol = await openPhone(t, 'carol', 'udp')
  const profiles = [{ name: 'mixed', match: ['127.0.0.7'], media: { streams: 'mixed' } }, { name: 'apart' }]
  const talk = await openTalk(t, { gateway: { recording: { ...HEARING_TIMES, profiles } } })
  const incoming = new Promise<SoftCall>((resolve) => {
    carol.onIncoming = resolve
  })
  assert.equal((await talk.rest('start', `${apart.uri()},${mixed.uri()}`)).status, 200)
  const joined = talk.join(carol.uri)
  const third = await incoming
  third.say(tone(THIRD_HZ, 60_000))
  third.accept()
  await joined
  const voices = [CALLER_HZ, CALLEE_HZ, THIRD_HZ]
  await mixed.waitFor(
    () => shares(mixed.audio(0).subarray(-SECOND / 2), voices).every((share) => share > 0.2),
    DEADLINE_MS,
    'three voices in the mix',
  )
  await apart.waitFor(() => apart.audio(2).length > SECOND, DEADLINE_MS, 'a third stream')
  for (const [index, own] of voices.entries()) {
    const last = apart.audio(index).subarray(-SECOND / 2)
    for (const frequencyHz of voices) {
      const share = goertzelPower(last, 8000, frequencyHz)
      assert.ok(frequencyHz === own ? share > 0.9 : share < 0.02, `stream ${index} has ${share} of ${frequencyHz} Hz`)
    }
  }
  const offer = `${apart.invites().at(-1)?.body ?? ''}`
  const labels = [...offer.matchAll(/a=label:(\S+)/g)].map(([, label]) => label)
  assert.deepEqual(labels, ['1', '2', '3'])
  const document = apart.documents().at(-1) ?? ''
  for (const label of labels) assert.match(document, new RegExp(`<label>${label}</label>`))
  assert.match(document, /sip:carol@/)
  const contributors = [talk.caller, talk.callee, third].map(({ audio }) => audio.ssrc)
  const named = mixed.rtp(0).at(-1)?.csrcs ?? []
  assert.equal(named.length, 3, `${named.length} contributors`)
  assert.ok(contributors.filter((ssrc) => named.includes(ssrc)).length >= 2, 'they are named by their own SSRCs')
  await third.hangup()
  await until('the third has left', async () => (await talk.view()).parties.some(({ leftAt }) => leftAt !== undefined))
  await mixed.waitFor(
    () => goertzelPower(mixed.audio(0).subarray(-SECOND / 2), 8000, THIRD_HZ) < 0.02,
    DEADLINE_MS,
    'the third voice is gone',
  )
  await talk.end()
  assert.deepEqual([...apart.violations, ...mixed.violations], [])
})

for (const withoutNotice of [true, false]) {
  const what = withoutNotice ? 'begins with what was said before' : 'has nothing of before, since no notice was heard'
  test(`with preStart a recording ${what}`, async (t) => {
    const recorder = await openRecorder(t)
    const preStart = { seconds: 3, withoutNotice }
    const talk = await openTalk(t, { gateway: { recording: { ...HEARING_TIMES, preStart } } })
    const from = talk.caller.heard().length
    await until('four seconds are said', () => talk.caller.heard().length > from + 4 * SECOND, DEADLINE_MS)
    const startedAtMs = Date.now()
    assert.equal((await talk.rest('start', recorder.uri())).status, 200)
    await recorder.waitFor(() => recorder.audio(0).length > 2 * SECOND, DEADLINE_MS, 'two seconds')
    const tookMs = Date.now() - startedAtMs
    await recorder.waitFor(() => Date.now() - startedAtMs > tookMs + 1_500, DEADLINE_MS, 'it is live')
    const beforeMs = spanMs(recorder) - (recorder.rtp(0).at(-1)!.atMs - startedAtMs)
    assert.ok(withoutNotice ? beforeMs > 2_500 && beforeMs < 3_300 : beforeMs < 50, `${beforeMs} ms are from before`)
    assert.ok(goertzelPower(recorder.audio(0).subarray(0, SECOND), 8000, CALLER_HZ) > 0.9)
    await talk.end()
    assert.deepEqual(recorder.violations, [])
  })
}

test('RTP-17: a call in Opus is recorded as G.711 by a recorder that takes nothing else, and sounds as it was said', async (t) => {
  const [recorder, wide] = [await openRecorder(t, { codecs: ['PCMU'] }), await openRecorder(t, { codecs: ['opus'] })]
  const talk = await openTalk(t, {
    codec: 'OPUS',
    opus: () => new OpusVoice(),
    gateway: { recording: HEARING_TIMES },
  })
  assert.equal((await talk.rest('start', `${recorder.uri()},${wide.uri()}`)).status, 200)
  for (const [index, own, other] of [
    [0, CALLER_HZ, CALLEE_HZ],
    [1, CALLEE_HZ, CALLER_HZ],
  ] as const) {
    await recorder.waitFor(() => recorder.audio(index).length > 2 * SECOND, DEADLINE_MS, `stream ${index}`)
    const heard = recorder.audio(index).subarray(SECOND, 2 * SECOND)
    assert.ok(goertzelPower(heard, 8000, own) > 0.95, `stream ${index} has ${own} Hz`)
    assert.ok(goertzelPower(heard, 8000, other) < 0.01, `stream ${index} has not ${other} Hz`)
    const found = correlate(tone(own, 1000), heard, 40)
    assert.ok(found.coefficient > 0.97, `stream ${index}: ${found.coefficient}`)
    assert.ok(recorder.rtp(index).every(({ payloadType, payload }) => payloadType === 0 && payload.length === 160))
  }
  const opusPackets = wide.rtp(0)
  assert.ok(opusPackets.length > 50)
  const steps = opusPackets
    .slice(1, 50)
    .map(({ timestamp }, index) => (timestamp - opusPackets[index]!.timestamp) >>> 0)
  assert.ok(
    steps.every((step) => step === 960),
    'the other recorder has Opus as it was',
  )
  await talk.assertUndisturbed()
  await talk.end()
  assert.deepEqual([...recorder.violations, ...wide.violations], [])
})
