// The rules of pause and resumption: proof, signalling, retries; what is lost, and the end of the call.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type RecordingBench, withBench } from '../harness/recording-bench.ts'
import { mediaLines } from '../harness/recording-message.ts'

const flowing = ['port sendonly 1', 'port sendonly 2']
const paused = ['port inactive 1', 'port inactive 2']

function bench(
  name: string,
  run: (bench: RecordingBench) => Promise<void>,
  over?: Parameters<typeof withBench>[1],
): void {
  test(name, () => withBench(run, over))
}

bench(
  'peer defect 6: a pause whose re-INVITE is refused is 200 and true, says so, and is signalled again',
  async (b) => {
    const recorder = await b.recording()
    recorder.reofferRules.push(488)
    const pause = b.pause()
    await b.pass()
    assert.deepEqual([pause.status, b.state], [200, 'paused'])
    assert.equal(pause.outcome?.results[recorder.uri], 'paused, signalled: false (488)')
    assert.equal(await b.audio(), 0)
    assert.equal(recorder.session().requests.length, 1)
    await b.pass(2_000)
    assert.equal(recorder.session().requests.length, 2)
    assert.equal(b.client.recordingsOf(b.call.callId)[0]?.sessions[0]?.result, 'paused')
  },
)

bench('a pause does not wait longer than 1.5 s for a recorder that does not answer', async (b) => {
  const recorder = await b.recording()
  recorder.reofferRules.push('leave')
  const pause = b.pause()
  await b.pass(1_400)
  assert.equal(pause.status, 'pending')
  assert.equal(b.eventTypes.at(-1), 'recording.paused', 'the event comes with the proof')
  await b.pass(200)
  assert.equal(pause.status, 200)
})

bench('a pause that is resumed while a recorder has not answered it does not wait for that answer', async (b) => {
  const recorder = await b.recording()
  recorder.reofferRules.push('leave')
  const pause = b.pause()
  await b.pass(500)
  b.resume()
  await b.pass(0)
  assert.deepEqual([pause.status, pause.outcome?.receipts?.length], [200, 2])
})

bench('a pause answered in time leaves no deadline behind for the next one', async (b) => {
  const recorder = await b.paused()
  await b.pass(1_000)
  b.resume()
  await b.pass(300)
  recorder.reofferRules.push('leave')
  const pause = b.pause()
  await b.pass(500)
  assert.equal(pause.status, 'pending')
  await b.pass(1_100)
  assert.equal(pause.status, 200)
})

bench('a resumption that succeeded leaves no deadline behind for the next one', async (b) => {
  const recorder = await b.paused()
  b.resume()
  await b.pass(3_000)
  b.pause()
  await b.pass(1_500)
  recorder.reofferRules.push('leave')
  const resume = b.resume()
  await b.pass(1_000)
  assert.deepEqual([resume.status, b.state], ['pending', 'resuming'])
})

bench(
  'SRC-34: a fork that cannot prove its cut is removed, its m-line gets port 0, and the pause is not 200',
  async (b) => {
    const recorder = await b.recording()
    const [first = ''] = b.call.media.forks.keys()
    b.doubtCuts(first)
    const pause = b.pause()
    await b.pass()
    assert.equal(pause.status, 503)
    assert.equal(b.eventTypes.includes('recording.paused'), false)
    assert.equal(b.call.media.forks.has(first), false)
    assert.equal(b.call.media.forks.size, 1)
    const last = recorder.session().reoffers.at(-1)
    assert.deepEqual(last && mediaLines(last), ['0 - 1', 'port inactive 2'])
    const resume = b.resume()
    await b.pass()
    assert.equal(resume.status, 200)
    assert.equal(await b.audio(3), 3, 'one stream goes on')
  },
)

for (const how of ['refuses', 'never answers'] as const) {
  bench(`field 26: when the engine ${how} the cut, the session ends and the pause is 503`, async (b) => {
    const recorder = await b.recording()
    b.engine.onCommand = (command) => {
      if (command.name !== 'shutGates') return undefined
      return how === 'refuses' ? Promise.reject(new Error('worker is gone')) : new Promise(() => {})
    }
    const pause = b.pause()
    await b.pass(2_000)
    b.engine.onCommand = undefined
    assert.equal(pause.status, 503)
    assert.equal(b.call.media.forks.size, 0)
    assert.equal(recorder.session().end?.cause, 'remote-bye')
    assert.deepEqual(b.eventTypes.slice(-3), ['recorder.lost', 'recording.lost', 'recording.closed'])
    assert.equal(b.state, 'none')
  })
}

bench('a resumption that nobody accepts: 503, still paused, no audio', async (b) => {
  const recorder = await b.paused()
  recorder.reofferRules.push(488)
  const resume = b.resume()
  await b.pass()
  assert.deepEqual([resume.status, b.state], [503, 'paused'])
  assert.equal(await b.audio(), 0)
  const again = b.resume()
  await b.pass()
  assert.deepEqual([again.status, b.state], [200, 'recording'])
})

bench('a resumption that nobody answers: 503 at the deadline, and a late 200 opens nothing', async (b) => {
  const recorder = await b.paused()
  recorder.reofferRules.push('leave')
  const resume = b.resume()
  await b.pass(5_100)
  assert.deepEqual([resume.status, b.state], [503, 'paused'])
  const incoming = recorder.session().requests.at(-1)
  incoming?.respond(200, { body: recorder.answerBody(recorder.session().reoffers.at(-1)?.sdp ?? '') })
  await b.pass()
  assert.equal(await b.audio(), 0)
  const last = recorder.session().reoffers.at(-1)
  assert.deepEqual(last && mediaLines(last), paused, 'the recorder is told that it stays paused')
})

bench('a resumption succeeds with one recorder; the other stays gated and is asked again', async (b) => {
  const [willing, unwilling] = [b.recorder(11), b.recorder(12)]
  b.start(`${willing.uri},${unwilling.uri}`)
  await b.pass()
  b.pause()
  await b.pass()
  unwilling.reofferRules.push(488)
  const resume = b.resume()
  await b.pass()
  assert.equal(resume.status, 200)
  assert.equal([...b.call.media.forks.values()].filter((fork) => fork.open).length, 2)
  await b.pass(2_000)
  assert.equal([...b.call.media.forks.values()].filter((fork) => fork.open).length, 4)
  const last = unwilling.session().reoffers.at(-1)
  assert.deepEqual(last && mediaLines(last), flowing)
})

bench(
  'the end of the call answers a held start with 487',
  async (b) => {
    const start = b.start('sip:10.0.0.11', { origin: 'flow' })
    b.call.end()
    await b.pass()
    assert.equal(start.status, 487)
  },
  { state: 'ringing' },
)

bench('the end of the call answers a pending start with 487 and cancels its INVITE', async (b) => {
  const recorder = b.recorder()
  recorder.onInvite = 'leave'
  const start = b.start(recorder.uri)
  await b.pass()
  b.call.end()
  await b.pass()
  assert.equal(start.status, 487)
  assert.equal(recorder.session().isCancelled, true)
})

for (const activity of ['pause', 'resume'] as const) {
  bench(`the end of the call answers a pending ${activity} with 487`, async (b) => {
    const recorder = await (activity === 'pause' ? b.recording() : b.paused())
    recorder.reofferRules.push('leave')
    const command = b[activity]()
    await b.pass()
    b.call.end()
    await b.pass()
    assert.equal(command.status, 487)
  })
}

bench('a start on a call that has ended: 400', async (b) => {
  b.call.end()
  const start = b.start('sip:10.0.0.11')
  await b.pass()
  assert.equal(start.status, 400)
})

bench('a loss of all recorders ends the recording and frees the slot', async (b) => {
  const recorder = await b.recording()
  recorder.decline()
  await b.pass()
  assert.deepEqual(b.eventTypes.slice(-3), ['recorder.lost', 'recording.lost', 'recording.closed'])
  assert.deepEqual([b.state, b.call.media.forks.size], ['none', 0])
  const start = b.start(recorder.uri)
  await b.pass()
  assert.equal(start.status, 200)
})

bench('counters of forks that are gone are kept', async (b) => {
  await b.recording()
  await b.audio(10)
  b.pause()
  await b.audio(4)
  b.stop()
  await b.pass()
  assert.deepEqual(b.client.totals(), { packetsForked: 20, packetsHeld: 8 })
})

bench(
  'a commanded pause whose resumption failed is a commanded one still: a party that pauses and resumes does not end it',
  async (b) => {
    const recorder = await b.paused()
    recorder.reofferRules.push(488)
    const failed = b.resume()
    await b.pass()
    assert.deepEqual([failed.status, b.state], [503, 'paused'])
    b.pause('party')
    await b.pass()
    const byParty = b.resume('party')
    await b.pass()
    assert.deepEqual([byParty.status, b.state, await b.audio()], [400, 'paused', 0])
    const byCommand = b.resume()
    await b.pass()
    assert.deepEqual([byCommand.status, b.state, await b.audio(5)], [200, 'recording', 10])
  },
)

bench(
  "a party's pause whose resumption failed is the party's still: the end of a notice does not end it",
  async (b) => {
    const recorder = await b.recording()
    b.pause('party')
    await b.pass()
    recorder.reofferRules.push(488)
    const failed = b.resume('party')
    await b.pass()
    assert.deepEqual([failed.status, b.state], [503, 'paused'])
    b.pause('notice')
    await b.pass()
    const byNotice = b.resume('notice')
    await b.pass()
    assert.deepEqual([byNotice.status, b.state, await b.audio()], [400, 'paused', 0])
    const byParty = b.resume('party')
    await b.pass()
    assert.deepEqual([byParty.status, b.state, await b.audio(5)], [200, 'recording', 10])
  },
)

bench('a resumption after a notice that fails is told and tried again until a recorder takes it', async (b) => {
  const recorder = await b.recording()
  b.pause('notice')
  await b.pass()
  recorder.reofferRules.push(488, 488)
  const failed = b.resume('notice')
  await b.pass()
  assert.deepEqual([failed.status, b.state, b.eventTypes.at(-1)], [503, 'paused', 'recording.resume-failed'])
  assert.equal(await b.audio(), 0)
  await b.pass(2_000)
  assert.deepEqual([b.state, b.eventTypes.filter((type) => type === 'recording.resume-failed').length], ['paused', 2])
  await b.pass(4_000)
  assert.deepEqual([b.state, await b.audio(5)], ['recording', 10])
})

bench(
  'a resumption after a notice that fails leaves the next to whoever commands one, and no pause behind',
  async (b) => {
    const recorder = await b.recording()
    b.pause('notice')
    await b.pass()
    recorder.reofferRules.push(488)
    b.resume('notice')
    await b.pass()
    const byParty = b.resume('party')
    await b.pass()
    assert.deepEqual([byParty.status, await b.audio()], [400, 0], 'it is not for a party')
    const byCommand = b.resume()
    await b.pass()
    assert.deepEqual([byCommand.status, b.state, await b.audio(5)], [200, 'recording', 10])
  },
)

for (const what of ['pause', 'stop'] as const) {
  bench(`a ${what} that is commanded ends the attempts to resume after a notice`, async (b) => {
    const recorder = await b.recording()
    b.pause('notice')
    await b.pass()
    recorder.reofferRules.push(488)
    b.resume('notice')
    await b.pass()
    if (what === 'pause') b.pause()
    else b.stop()
    await b.pass(60_000)
    assert.deepEqual([b.state, await b.audio()], [what === 'pause' ? 'paused' : 'none', 0])
  })
}
