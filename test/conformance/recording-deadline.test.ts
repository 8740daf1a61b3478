// A pause with a deadline: it ends by itself, by resumption or by stop, and tells so (peer idea 10).

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PauseLimit } from '#recording-client'
import { InfoBench } from '../harness/info-bench.ts'
import { type RecordingBench, withBench } from '../harness/recording-bench.ts'

function bench(name: string, run: (bench: RecordingBench) => Promise<void>): void {
  test(name, () => withBench(run))
}

async function pausedFor(b: RecordingBench, limit: PauseLimit): Promise<void> {
  await b.recording()
  const pause = b.pause('info', limit)
  await b.pass()
  assert.equal(pause.status, 200)
}

bench('peer idea 10: a pause of 30 s is resumed by itself, with an event', async (b) => {
  await pausedFor(b, { maxSeconds: 30, next: 'resume' })
  await b.pass(29_000)
  assert.deepEqual([b.state, await b.audio(5)], ['paused', 0])
  await b.pass(1_000)
  assert.deepEqual([b.state, await b.audio(5)], ['recording', 10])
  const told = b.events.filter(({ type }) => type === 'recording.pause-expired' || type === 'recording.resumed')
  assert.deepEqual(
    told.map(({ type }) => type),
    ['recording.pause-expired', 'recording.resumed'],
  )
})

bench('a pause with a deadline says when it ends, and what comes then, until it is over', async (b) => {
  const end = () => b.client.recordingsOf(b.call.callId).at(-1)?.pauseEnd
  const told = () => b.events.flatMap((event) => (event.type === 'recording.paused' ? [event.end] : []))
  await pausedFor(b, { maxSeconds: 30, next: 'stop' })
  const first = { atMs: b.clock.wallMs() + 30_000, next: 'stop' } as const
  assert.ok(Math.abs((end()?.atMs ?? 0) - first.atMs) < 1_000, `${end()?.atMs}, not ${first.atMs}`)
  assert.equal(end()?.next, 'stop')
  b.pause('info', { maxSeconds: 20, next: 'resume' })
  await b.pass()
  assert.equal(end()?.next, 'resume')
  assert.deepEqual(
    told().map((one) => one?.next),
    ['stop', 'resume'],
  )
  b.pause('party')
  await b.pass()
  assert.equal(end(), undefined, 'it will not resume as long as a party holds it')
  b.pause('info')
  await b.pass()
  assert.equal(end(), undefined)
  b.pause('info', { maxSeconds: 20, next: 'resume' })
  b.resume()
  await b.pass()
  assert.deepEqual([b.state, end()], ['recording', undefined])
})

bench('peer idea 10: a pause may end in a stop', async (b) => {
  await pausedFor(b, { maxSeconds: 30, next: 'stop' })
  await b.pass(30_000)
  assert.equal(b.state, 'none')
  assert.ok(b.eventTypes.includes('recording.pause-expired') && b.eventTypes.includes('recording.stopped'))
})

for (const [then, state] of [
  ['', 'recording'],
  ['stop', 'none'],
] as const) {
  bench(
    `a pause by INFO with X-Pause-Seconds ends by itself, X-Pause-Then ${then || 'absent'}: ${state}`,
    async (b) => {
      await b.recording()
      const headers = { 'X-Pause-Seconds': '2', ...(then === '' ? {} : { 'X-Pause-Then': then }) }
      assert.equal((await new InfoBench(b).done('pauseCallRecording', headers)).status, 200)
      await b.pass(1_500)
      assert.equal(b.state, 'paused')
      await b.pass(500)
      assert.equal(b.state, state)
    },
  )
}

bench('a resumption cancels the deadline', async (b) => {
  await pausedFor(b, { maxSeconds: 30, next: 'stop' })
  b.resume()
  await b.pass(60_000)
  assert.equal(b.state, 'recording')
})

bench('the latest word counts: a pause without a deadline lasts', async (b) => {
  await pausedFor(b, { maxSeconds: 30, next: 'resume' })
  b.pause()
  await b.pass(60_000)
  assert.equal(b.state, 'paused')
})

bench('the latest word counts: a longer deadline replaces the shorter', async (b) => {
  await pausedFor(b, { maxSeconds: 10, next: 'resume' })
  b.pause('info', { maxSeconds: 30, next: 'resume' })
  await b.pass(20_000)
  assert.equal(b.state, 'paused')
  await b.pass(10_100)
  assert.equal(b.state, 'recording')
})

/** A pause whose deadline the recorder refused to resume at; how often that was told. */
async function refusedAtDeadline(b: RecordingBench): Promise<() => number> {
  const recorder = await b.recording()
  b.pause('info', { maxSeconds: 10, next: 'resume' })
  await b.pass()
  recorder.reofferRules.push(488)
  await b.pass(10_500)
  assert.deepEqual([b.state, await b.audio(5)], ['paused', 0])
  return () => b.eventTypes.filter((type) => type === 'recording.resume-failed').length
}

bench('a deadline at which nobody resumes leaves the recording paused, says so, and is tried again', async (b) => {
  const failures = await refusedAtDeadline(b)
  assert.equal(failures(), 1)
  const told = b.events.find((event) => event.type === 'recording.resume-failed')
  assert.match((told?.type === 'recording.resume-failed' && told.text) || '', /no recorder accepted the resumption/)
  await b.pass(2_500)
  assert.deepEqual([b.state, await b.audio(5), failures()], ['recording', 10, 1])
  assert.ok(b.eventTypes.includes('recording.resumed'))
})

bench('why nobody resumed at a deadline stands on the recording until a recorder does', async (b) => {
  const seen: (string | undefined)[] = []
  b.client.events.add(({ type }) => {
    if (type === 'recording.resume-failed') seen.push(b.view?.resumeFailure)
  })
  await refusedAtDeadline(b)
  assert.match(b.view?.resumeFailure ?? '', /no recorder accepted the resumption/)
  assert.deepEqual(seen, [b.view?.resumeFailure], 'it stands there when it is told')
  await b.pass(2_500)
  assert.deepEqual([b.state, b.view?.resumeFailure], ['recording', undefined])
})

bench('a recorder that is silent at the deadline of a pause is asked again', async (b) => {
  const recorder = await b.recording()
  b.pause('info', { maxSeconds: 10, next: 'resume' })
  await b.pass()
  recorder.reofferRules.push('leave')
  await b.pass(130_000)
  assert.deepEqual([b.state, await b.audio(5)], ['recording', 10])
})

bench('a recorder that comes back after the deadline of a pause is asked to resume what is due', async (b) => {
  const recorder = await b.recording()
  b.pause('info', { maxSeconds: 10, next: 'resume' })
  await b.pass(9_000)
  recorder.onInvite = 503
  recorder.bye()
  await b.pass(3_000)
  assert.ok(!b.eventTypes.includes('recording.resumed'))
  recorder.onInvite = 'take'
  await b.pass(60_000)
  assert.deepEqual([b.state, await b.audio(5)], ['recording', 10])
})

for (const [what, command, state] of [
  ['pause', (b: RecordingBench) => b.pause(), 'paused'],
  ['stop', (b: RecordingBench) => b.stop(), 'none'],
] as const) {
  bench(`a ${what} that is commanded ends the attempts to resume at a deadline`, async (b) => {
    const failures = await refusedAtDeadline(b)
    command(b)
    await b.pass(120_000)
    assert.deepEqual([b.state, await b.audio(5), failures()], [state, 0, 1])
    assert.equal(b.view?.resumeFailure, undefined, 'nothing is due any more')
  })
}

bench('field 6: a pause covers recorders that answer late', async (b) => {
  const [quick, slow] = [b.recorder(11), b.recorder(12)]
  slow.onInvite = 'leave'
  b.start(`${quick.uri},${slow.uri}`)
  await b.pass()
  b.pause('info', { maxSeconds: 20, next: 'resume' })
  await b.pass(10_000)
  slow.accept()
  await b.pass()
  assert.equal(await b.audio(5), 0)
  await b.pass(11_000)
  assert.equal(await b.audio(5), 20)
})
