// Recorders that do not take a stream for each voice, over real sockets: what they hear of a call that is offered them mixed instead.

import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { goertzelPower } from '#audio'
import type { ForeignRecorder } from '../foreign/foreign-recorder.ts'
import type { RecorderScript } from '../foreign/recorder-session.ts'
import { eventOf, HEARING_DEADLINE_MS, HEARING_TIMES, openRecorder } from '../harness/hearing-recorder.ts'
import { openFault, uriOf } from '../harness/open-chaos.ts'
import { CALLEE_HZ, CALLER_HZ, openTalk, type Talk } from '../harness/talk.ts'
import { until } from '../harness/until.ts'

/** Half a second of speech. */
const SAMPLES = 4_000
/** A tenth of a second. */
const PART = 800
const PROFILE = { name: 'plain', media: { mixFallback: true } }

interface Heard {
  readonly at: number
  readonly session: number
}

/** Whether both voices are in the last half second. */
function hears(recorder: ForeignRecorder, { at, session }: Heard): boolean {
  const heard = recorder.audio(at, session).subarray(-SAMPLES)
  const shares = [CALLER_HZ, CALLEE_HZ].map((frequencyHz) => goertzelPower(heard, 8000, frequencyHz))
  return heard.length === SAMPLES && shares.every((share) => share > 0.3) && shares[0]! + shares[1]! > 0.9
}

function eventNames({ opened }: Talk): string[] {
  return opened.log.lines.map(({ fields }) => `${fields['event']}`)
}

async function openScene(t: TestContext, script: RecorderScript): Promise<{ recorder: ForeignRecorder; talk: Talk }> {
  const recorder = await openRecorder(t, script)
  return { recorder, talk: await openTalk(t, { gateway: { recording: { ...HEARING_TIMES, profiles: [PROFILE] } } }) }
}

const recorders: Readonly<Record<string, { readonly script: RecorderScript; readonly heard: Heard }>> = {
  'takes the first of two streams': { script: { port0On: 1 }, heard: { at: 0, session: 0 } },
  'takes the second of two streams': { script: { port0On: 0 }, heard: { at: 1, session: 0 } },
  'refuses two streams with 488': { script: { rejectSeparate: 488 }, heard: { at: 0, session: 1 } },
}

for (const [what, { script, heard }] of Object.entries(recorders)) {
  test(`SRC-39, RTP-07, RTP-13: a recorder that ${what} hears both parties in one, through pause and resumption`, async (t) => {
    const { recorder, talk } = await openScene(t, script)
    assert.equal((await talk.rest('start', recorder.uri())).status, 200)
    await recorder.waitFor(() => hears(recorder, heard), HEARING_DEADLINE_MS, 'both voices')
    assert.equal(eventOf(talk, 'recorder.mixed')['recorder'], recorder.uri())
    assert.equal((await talk.rest('pause')).status, 200)
    const packets = (): readonly { ssrc: number; sequence: number }[] => recorder.rtp(heard.at, heard.session)
    const before = packets().length
    await talk.assertUndisturbed()
    assert.equal(packets().length, before)
    assert.equal((await talk.rest('resume')).status, 200)
    const isBack = (): boolean => packets().length > before + 50 && hears(recorder, heard)
    await recorder.waitFor(isBack, HEARING_DEADLINE_MS, 'both voices again')
    assert.equal(new Set(packets().map(({ ssrc }) => ssrc)).size, 1, 'it is one stream from the first packet on')
    const isNext = ({ sequence }: { sequence: number }, at: number): boolean =>
      at === 0 || sequence === ((packets()[at - 1]!.sequence + 1) & 0xffff)
    assert.ok(packets().every(isNext))
    assert.equal(recorder.rtp(1 - heard.at, heard.session).length, 0)
    await talk.assertUndisturbed()
    await talk.end()
    assert.deepEqual(recorder.violations, [])
  })
}

test('SRC-39, SRC-63: a recorder that takes over with one stream is sent both voices of all that was said meanwhile, in one', async (t) => {
  const [first, standby] = [await openRecorder(t), await openRecorder(t, { port0On: 1, answer: { lateMs: 1_000 } })]
  const recording = { ...HEARING_TIMES, profiles: [PROFILE], replaySeconds: 20 }
  const talk = await openTalk(t, { gateway: { recording } })
  assert.equal((await talk.rest('start', `${first.uri()}|${standby.uri()}`)).status, 200)
  await first.waitFor(() => first.audio(1).length > 2 * SAMPLES, HEARING_DEADLINE_MS, 'a second at the first')
  assert.equal(eventNames(talk).includes('recorder.mixed'), false, 'it has a stream for each')
  const lostAtMs = Date.now()
  assert.equal((await first.bye()).status, 200)
  await standby.waitFor(() => standby.rtp(0).length > 0, HEARING_DEADLINE_MS, 'the standby is sent audio')
  const missedMs = Date.now() - lostAtMs
  assert.ok(missedMs >= 1_000, `${missedMs} ms without a recorder`)
  const isCaughtUp = (): boolean => standby.audio(0).length > (missedMs + 1_000) * 8
  await standby.waitFor(isCaughtUp, HEARING_DEADLINE_MS, 'what was said meanwhile, and a second more')
  const missed = standby.audio(0).subarray(0, Math.floor((missedMs * 8) / PART) * PART)
  for (const frequencyHz of [CALLER_HZ, CALLEE_HZ]) {
    const parts = Array.from({ length: missed.length / PART }, (_unused, at) =>
      missed.subarray(at * PART, (at + 1) * PART),
    )
    const heard = parts.filter((part) => goertzelPower(part, 8000, frequencyHz) > 0.15).length
    assert.ok(heard > parts.length / 2, `${frequencyHz} Hz is in ${heard} of ${parts.length} parts`)
  }
  assert.equal(new Set(standby.rtp(0).map(({ ssrc }) => ssrc)).size, 1)
  assert.equal(standby.rtp(1).length, 0)
  const row = (await talk.view()).recording?.ledger.find(({ recorder }) => recorder === standby.uri())
  assert.ok((row?.packetsReplayed ?? 0) > missedMs / 20 - 15, `${row?.packetsReplayed} packets replayed`)
  await talk.assertUndisturbed()
  await talk.end()
  assert.deepEqual([...first.violations, ...standby.violations], [])
})

test('SRC-39: two recorders of one call: one has a stream for each voice, the other the mix', async (t) => {
  const { recorder: plain, talk } = await openScene(t, { port0On: 1 })
  const full = await openRecorder(t)
  assert.equal((await talk.rest('start', `${plain.uri()},${full.uri()}`)).status, 200)
  await plain.waitFor(() => hears(plain, { at: 0, session: 0 }), HEARING_DEADLINE_MS, 'both voices')
  const isHeard = (): boolean => [0, 1].every((at) => full.audio(at).length >= SAMPLES)
  await full.waitFor(isHeard, HEARING_DEADLINE_MS, 'both streams')
  assert.ok(goertzelPower(full.audio(0).subarray(-SAMPLES), 8000, CALLER_HZ) > 0.9)
  assert.ok(goertzelPower(full.audio(1).subarray(-SAMPLES), 8000, CALLEE_HZ) > 0.9)
  await talk.end()
  assert.deepEqual([...plain.violations, ...full.violations], [])
})

test('SRC-39: a chaos recorder with fewer m-lines than offered gets the mix, and the call does not notice', async (t) => {
  const chaos = await openFault(t, 'fewer-lines')
  const talk = await openTalk(t, { gateway: { recording: { ...HEARING_TIMES, profiles: [PROFILE] } } })
  assert.equal((await talk.rest('start', uriOf(chaos))).status, 200)
  await until('the mix is taken', () => eventNames(talk).includes('recorder.mixed'))
  await until('packets come', () => (chaos.recorder.sessions[0]?.streams[0]?.active ?? 0) > 50)
  await talk.assertUndisturbed()
  await talk.end()
})
