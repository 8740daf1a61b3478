// Failover at the start and re-homing mid-call over real sockets: what the second recorder hears, and how long it took.

import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { ForeignRecorder } from '../foreign/foreign-recorder.ts'
import {
  assertHears,
  HEARING_DEADLINE_MS as DEADLINE_MS,
  eventOf,
  openRecorder,
  HEARING_SLACK_MS as SLACK_MS,
  HEARING_TIMES as TIMES,
} from '../harness/hearing-recorder.ts'
import { openTalk } from '../harness/talk.ts'
import { until } from '../harness/until.ts'

/** What stands first in the list, and what it costs until the next is asked. */
const firsts: Readonly<Record<string, (t: TestContext) => Promise<{ readonly uri: string; readonly costMs: number }>>> =
  {
    'refuses with 503': async (t) => ({ uri: (await openRecorder(t, { answer: 503 })).uri(), costMs: 0 }),
    'refuses with 603': async (t) => ({ uri: (await openRecorder(t, { answer: 603 })).uri(), costMs: 0 }),
    'says nothing': async (t) => ({ uri: (await openRecorder(t, { answer: 'silent' })).uri('tcp'), costMs: 500 }),
    'has its port closed': async () => {
      const recorder = await ForeignRecorder.open()
      const uri = recorder.uri('tcp')
      recorder.close()
      return { uri, costMs: 0 }
    },
    'rings and rings': async (t) => ({
      uri: (await openRecorder(t, { answer: { lateMs: 60_000 } })).uri(),
      costMs: TIMES.answerDeadlineMs / 2,
    }),
    'answers with fewer m-lines': async (t) => ({
      uri: (await openRecorder(t, { fewerMediaLines: true })).uri(),
      costMs: 0,
    }),
  }

for (const [what, openFirst] of Object.entries(firsts)) {
  test(`SRC-60, field 12, field 13: a recorder that ${what} is followed by the next, which has the audio`, async (t) => {
    const [first, second] = [await openFirst(t), await openRecorder(t)]
    const talk = await openTalk(t, { gateway: { recording: TIMES } })
    assert.equal((await talk.rest('start', `${first.uri}|${second.uri()}`)).status, 200)
    await assertHears(second)
    const { from, to, afterMs } = eventOf(talk, 'recorder.failed-over')
    assert.deepEqual([from, to], [first.uri, second.uri()])
    assert.ok(Number(afterMs) >= first.costMs && Number(afterMs) < first.costMs + SLACK_MS, `after ${afterMs} ms`)
    await talk.assertUndisturbed()
    await talk.end()
    assert.deepEqual(second.violations, [])
  })
}

test('SRC-63: a recorder that hangs up mid-call is replaced by the next, which has the audio, at once', async (t) => {
  const [first, standby] = [await openRecorder(t), await openRecorder(t)]
  const talk = await openTalk(t, { gateway: { recording: TIMES } })
  assert.equal((await talk.rest('start', `${first.uri()}|${standby.uri()}`)).status, 200)
  await assertHears(first)
  assert.equal((await first.bye()).status, 200)
  await assertHears(standby)
  const { from, to, gapMs } = eventOf(talk, 'recorder.re-homed')
  assert.deepEqual([from, to], [first.uri(), standby.uri()])
  assert.ok(Number(gapMs) < SLACK_MS, `gap of ${gapMs} ms`)
  const ledger = (await talk.view()).recording?.ledger ?? []
  assert.deepEqual(
    ledger.map(({ recorder, takenOverBy }) => [recorder, takenOverBy]),
    [
      [first.uri(), standby.uri()],
      [standby.uri(), undefined],
    ],
  )
  assert.ok(ledger.every(({ packetsSent }) => packetsSent >= 100))
  const sessionIdOf = (recorder: ForeignRecorder): string | undefined =>
    /<session session_id="([^"]+)"/.exec(recorder.documents()[0] ?? '')?.[1]
  assert.ok(sessionIdOf(first) !== undefined)
  assert.equal(sessionIdOf(standby), sessionIdOf(first))
  await talk.assertUndisturbed()
  await talk.end()
  assert.deepEqual([...first.violations, ...standby.violations], [])
})

test('SRC-63, field 22: a recorder whose host refuses the audio mid-call is told of, and replaced', async (t) => {
  const [first, standby] = [await ForeignRecorder.open(), await openRecorder(t)]
  t.after(() => first.close())
  const talk = await openTalk(t, { gateway: { recording: TIMES } })
  assert.equal((await talk.rest('start', `${first.uri()}|${standby.uri()}`)).status, 200)
  await assertHears(first)
  first.close()
  await assertHears(standby)
  assert.match(
    `${eventOf(talk, 'recorder.no-audio-confirmed')['cause']}`,
    /allow RTP from 127\.0\.0\.1:\d+ to 127\.0\.0\.1:\d+$/,
  )
  assert.match(`${eventOf(talk, 'recorder.lost')['reason']}`, /RTP is refused/)
  await talk.assertUndisturbed()
  await talk.end()
  assert.deepEqual(standby.violations, [])
})

test('SRC-63, field 22: a recorder that stops to send RTCP is lost after 15 s, and the next is sent all since it was heard last', async (t) => {
  const [first, standby] = [await openRecorder(t), await openRecorder(t)]
  const profiles = [{ name: 'watched', lostAfterSilenceMs: 10_000 }]
  const talk = await openTalk(t, { gateway: { recording: { ...TIMES, profiles, replaySeconds: 30 } } })
  assert.equal((await talk.rest('start', `${first.uri()}|${standby.uri()}`)).status, 200)
  await assertHears(first)
  first.stopReceiverReports()
  const stoppedAtMs = Date.now()
  for (const index of [0, 1]) first.sendReceiverReport(index)
  await standby.waitFor(() => standby.invites().length > 0, 2 * DEADLINE_MS, 'the standby is invited')
  const lostAtMs = Date.now()
  assert.match(`${eventOf(talk, 'recorder.lost')['reason']}`, /^no sign of life for \d+ s$/)
  await assertHears(standby)
  const ledger = (await talk.view()).recording?.ledger ?? []
  const [gap, ...others] = ledger.find(({ recorder }) => recorder === first.uri())?.gaps ?? []
  assert.deepEqual([gap?.reason.slice(0, 5), others], ['lost:', []])
  const silentAtMs = Date.parse(gap?.from ?? '')
  assert.ok(silentAtMs >= stoppedAtMs - 1_000, 'not before it was heard last')
  assert.ok(silentAtMs <= lostAtMs - 14_000, 'but long before it was taken for lost')
  const isMarked = (): boolean => /<[^>]*replayed[^>]* from="/.test(standby.documents().at(-1) ?? '')
  await standby.waitFor(isMarked, DEADLINE_MS, 'it is told what had been said before')
  const [, from = ''] = /<[^>]*replayed[^>]* from="([^"]+)"/.exec(standby.documents().at(-1) ?? '') ?? []
  assert.ok(Math.abs(Date.parse(from) - silentAtMs) < 1_000, `replayed from ${from}, silent since ${gap?.from}`)
  await talk.assertUndisturbed()
  await talk.end()
  assert.deepEqual([...first.violations, ...standby.violations], [])
})

test('SRC-63, field 22: a recorder over UDP that loses power is lost within half a minute with nothing configured, and the next is sent all since', async (t) => {
  const [first, standby] = [await openRecorder(t), await openRecorder(t)]
  first.script = { contactUri: first.uri('udp') }
  const talk = await openTalk(t, { gateway: { recording: { ...TIMES, replaySeconds: 30 } } })
  assert.equal((await talk.rest('start', `${first.uri('udp')}|${standby.uri()}`)).status, 200)
  await assertHears(first)
  first.stopReceiverReports()
  for (const index of [0, 1]) first.sendReceiverReport(index)
  first.script.isDead = true
  await standby.waitFor(() => standby.invites().length > 0, 4 * DEADLINE_MS, 'the standby is invited')
  assert.equal(eventOf(talk, 'recorder.lost')['reason'], 'no RTCP, and no answer to OPTIONS for 12 s')
  await assertHears(standby)
  const isMarked = (): boolean => /<[^>]*replayed[^>]* from="/.test(standby.documents().at(-1) ?? '')
  await standby.waitFor(isMarked, DEADLINE_MS, 'it is told what had been said before')
  const [gap] = (await talk.view()).recording?.ledger.find(({ recorder }) => recorder === first.uri('udp'))?.gaps ?? []
  const [, from = ''] = /<[^>]*replayed[^>]* from="([^"]+)"/.exec(standby.documents().at(-1) ?? '') ?? []
  const lateMs = Date.parse(from) - Date.parse(gap?.from ?? '')
  // The memory is of 30 s, and nearly so long it takes.
  assert.ok(lateMs > -1_000 && lateMs < SLACK_MS, `from ${from}, silent since ${gap?.from}`)
  await talk.assertUndisturbed()
  await talk.end()
  assert.deepEqual(standby.violations, [])
})

test('SRC-63: a recorder whose connections are cut and refused is lost at the second request in vain, and the next has the audio', async (t) => {
  const [first, standby] = [await openRecorder(t), await openRecorder(t)]
  first.script = { contactUri: first.uri('tcp') }
  const talk = await openTalk(t, { gateway: { recording: TIMES } })
  assert.equal((await talk.rest('start', `${first.uri('tcp')}|${standby.uri()}`)).status, 200)
  await assertHears(first)
  first.closeTcp()
  await talk.assertUndisturbed()
  assert.equal(standby.invites().length, 0, 'a cut connection alone is no loss: another may be had')
  assert.equal(await talk.caller.hold(true), true)
  await standby.waitFor(() => standby.invites().length > 0, DEADLINE_MS, 'the standby is invited')
  assert.match(`${eventOf(talk, 'recorder.lost')['reason']}`, /^transport/)
  assert.equal(await talk.caller.hold(false), true)
  await assertHears(standby)
  assert.equal(eventOf(talk, 'recorder.re-homed')['to'], standby.uri())
  await talk.assertUndisturbed()
  await talk.end()
  assert.deepEqual(standby.violations, [])
})

test('a recording that is paused when its recorder is lost stays silent at the next one until it is resumed', async (t) => {
  const [first, standby] = [await openRecorder(t), await openRecorder(t)]
  const talk = await openTalk(t, { gateway: { recording: TIMES } })
  assert.equal((await talk.rest('start', `${first.uri()}|${standby.uri()}`)).status, 200)
  await assertHears(first)
  assert.equal((await talk.rest('pause')).status, 200)
  await first.bye()
  await standby.waitFor(() => standby.requests('ACK').length > 0, DEADLINE_MS, 'the standby accepted')
  await talk.assertUndisturbed()
  assert.equal(standby.rtp(0).length + standby.rtp(1).length, 0)
  assert.equal((await talk.rest('resume')).status, 200)
  await assertHears(standby)
  await talk.end()
  assert.deepEqual([...first.violations, ...standby.violations], [])
})

test('SRC-63: a recorder that takes every session and hangs up at once is told of as none, and is sent audio all the same when it stays', async (t) => {
  const recorder = await openRecorder(t, { byeAfterMs: 200 })
  const talk = await openTalk(t, { gateway: { recording: TIMES } })
  // On a busy machine its BYE may come before its streams are connected: then it has not taken the recording, and is asked again all the same.
  const { status } = await talk.rest('start', recorder.uri())
  assert.ok(status === 200 || status === 503, `${status}`)
  const told = (): string[] => talk.opened.log.lines.map(({ fields }) => `${fields['event']}`)
  await until('it is told of', () => told().includes('recorder.unsteady'), DEADLINE_MS)
  assert.ok(recorder.sessions.length >= 3, `${recorder.sessions.length} sessions`)
  await talk.assertUndisturbed()
  recorder.script = {}
  const isStaying = (): boolean =>
    recorder.sessions.at(-1)?.isEnded === false && recorder.sessions.at(-1)?.isConfirmed === true
  await recorder.waitFor(isStaying, DEADLINE_MS, 'a session that stays')
  await assertHears(recorder, recorder.sessions.length - 1)
  const view = (await talk.view()).recording
  assert.deepEqual([view?.policy, view?.sessions[0]?.result], ['unmet', 'unsteady'])
  await until('it is one again', () => told().includes('recorder.steady'), DEADLINE_MS)
  assert.equal((await talk.view()).recording?.policy, 'met')
  await talk.assertUndisturbed()
  await talk.end()
  assert.deepEqual(recorder.violations, [])
})
