// Two calls at a time in one recording session, over real sockets: what the recorder hears of each, and what the end of one changes.

import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { goertzelPower } from '#audio'
import { ForeignRecorder } from '../foreign/foreign-recorder.ts'
import { CALLEE_HZ, CALLER_HZ, openSharedTalks, type Talk } from '../harness/talk.ts'

const DEADLINE_MS = 20_000
/** A quarter of a second. */
const PACKETS = 13

interface Stage {
  readonly recorder: ForeignRecorder
  readonly first: Talk
  readonly second: Talk
}

/** Two talks, recorded in one session. */
async function openStage(t: TestContext): Promise<Stage> {
  const recorder = await ForeignRecorder.open()
  t.after(() => recorder.close())
  const talks = await openSharedTalks(t)
  const first = await talks.first()
  assert.equal((await first.rest('start', recorder.uri('tcp'))).status, 200)
  const second = await talks.second()
  assert.equal((await second.rest('start', recorder.uri('tcp'))).status, 200)
  return { recorder, first, second }
}

/** Waits until a line has more speech, all of it of one frequency. */
async function assertHears(recorder: ForeignRecorder, line: number, wanted: number): Promise<void> {
  const from = recorder.rtp(line).length
  await recorder.waitFor(() => recorder.rtp(line).length >= from + PACKETS, DEADLINE_MS, `audio on line ${line}`)
  const heard = recorder.audio(line).subarray(-800)
  assert.ok(goertzelPower(heard, 8000, wanted) > 0.9, `line ${line} has ${wanted} Hz`)
}

test('SRC-71, FLOW-09: two calls are heard in one session, each on its own lines; the pause and the end of one leave the other', async (t) => {
  const { recorder, first, second } = await openStage(t)
  assert.equal(recorder.sessions.length, 1)
  for (const [line, wanted] of [CALLER_HZ, CALLEE_HZ, CALLER_HZ, CALLEE_HZ].entries()) {
    await assertHears(recorder, line, wanted)
  }
  const joined = recorder.documents().at(-1) ?? ''
  assert.equal(joined.match(/<session session_id=/g)?.length, 2)
  assert.equal(joined.match(/<group group_id=/g)?.length, 1)

  assert.equal((await first.rest('pause')).status, 200)
  const before = [0, 1].map((line) => recorder.rtp(line).length)
  await assertHears(recorder, 2, CALLER_HZ)
  assert.deepEqual(
    [0, 1].map((line) => recorder.rtp(line).length),
    before,
    'nothing of the paused call',
  )
  assert.equal((await first.rest('resume')).status, 200)
  await assertHears(recorder, 1, CALLEE_HZ)

  await first.caller.hangup()
  await first.callee.ended
  await assertHears(recorder, 3, CALLEE_HZ)
  await second.assertUndisturbed()
  assert.equal(await second.state(), 'recording')
  await second.end()
  assert.equal(recorder.sessions.length, 1)
  assert.equal(recorder.requests('BYE').length, 1)
  assert.deepEqual(recorder.violations, [])
})
