// Failover at the start and re-homing mid-call over real sockets: what the second recorder hears, and how long it took.

import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { goertzelPower } from '#audio'
import { ForeignRecorder } from '../foreign/foreign-recorder.ts'
import type { RecorderScript } from '../foreign/recorder-session.ts'
import { CALLEE_HZ, CALLER_HZ, openTalk, type Talk } from '../harness/talk.ts'

const DEADLINE_MS = 20_000
const TIMES = { answerDeadlineMs: 3_000, lateAnswerMs: 5_000, firstResponseMs: 500 }
/** A second of speech. */
const SAMPLES = 8_000
/** What a failover or a re-homing over loopback may take beyond the waiting that it is made of, on a busy machine. */
const SLACK_MS = 2_500

async function openRecorder(t: TestContext, script: RecorderScript = {}): Promise<ForeignRecorder> {
  const recorder = await ForeignRecorder.open(script)
  t.after(() => recorder.close())
  return recorder
}

/** Waits until both voices are heard at the recorder, each on its own stream. */
async function assertHears(recorder: ForeignRecorder, session = 0): Promise<void> {
  const streams = [
    [0, CALLER_HZ, CALLEE_HZ],
    [1, CALLEE_HZ, CALLER_HZ],
  ] as const
  const isHeard = (): boolean => streams.every(([at]) => recorder.audio(at, session).length >= SAMPLES)
  await recorder.waitFor(isHeard, DEADLINE_MS, 'a second of audio on both streams')
  for (const [at, wanted, other] of streams) {
    const heard = recorder.audio(at, session).subarray(-SAMPLES / 2)
    assert.ok(goertzelPower(heard, 8000, wanted) > 0.9, `stream ${at} has ${wanted} Hz`)
    assert.ok(goertzelPower(heard, 8000, other) < 0.01, `stream ${at} has not ${other} Hz`)
  }
}

/** The fields of the first event of a type. */
function eventOf(talk: Talk, type: string): Readonly<Record<string, unknown>> {
  const line = talk.opened.log.lines.find(({ fields }) => fields['event'] === type)
  assert.ok(line, `${type} was told`)
  return line.fields
}

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
