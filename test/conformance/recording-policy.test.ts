// Success policy of a recording: when a start succeeds, and what is done when the policy is not met, at the start and mid-call.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type RecordingBench, withBench } from '../harness/recording-bench.ts'
import { mediaLines } from '../harness/recording-message.ts'

function bench(
  name: string,
  run: (bench: RecordingBench) => Promise<void>,
  over?: Parameters<typeof withBench>[1],
): void {
  test(name, () => withBench(run, over))
}

bench('SRC-61, AMB-19, field 3: any: the first acceptance is enough', async (b) => {
  const [one, two] = [b.recorder(11), b.recorder(12)]
  two.onInvite = 'leave'
  const start = b.start(`${one.uri},${two.uri}`, { policy: 'any' })
  await b.pass()
  assert.deepEqual([start.status, start.outcome?.policy], [200, 'met'])
})

bench('SRC-61: all: the start waits for the last acceptance', async (b) => {
  const [one, two] = [b.recorder(11), b.recorder(12)]
  two.onInvite = 'leave'
  const start = b.start(`${one.uri},${two.uri}`, { policy: 'all' })
  await b.pass(1_000)
  assert.equal(start.status, 'pending')
  two.accept()
  await b.pass()
  assert.deepEqual([start.status, start.outcome?.policy], [200, 'met'])
})

bench(
  'SRC-61: all else continue: what there is goes on recording, and the outcome says that it is less than wanted',
  async (b) => {
    const [one, two] = [b.recorder(11), b.recorder(12)]
    two.onInvite = 486
    const start = b.start(`${one.uri},${two.uri}`, { policy: 'all' })
    await b.pass()
    assert.deepEqual([start.status, start.outcome?.policy], [200, 'unmet'])
    assert.equal(start.outcome?.text, 'fewer recorders than the policy wants')
    assert.equal(b.client.recordingsOf(b.call.callId)[0]?.policy, 'unmet')
    assert.ok(b.eventTypes.includes('recording.policy-unmet'))
    assert.deepEqual([b.call.hangups, await b.audio(5)], [[], 10])
  },
)

bench('SRC-61: quorum:2 of three, one refusing: met', async (b) => {
  const recorders = [b.recorder(11), b.recorder(12), b.recorder(13)]
  recorders[0]!.onInvite = 503
  const start = b.start(recorders.map(({ uri }) => uri).join(','), { policy: 'quorum:2' })
  await b.pass()
  assert.deepEqual([start.status, start.outcome?.policy], [200, 'met'])
})

bench(
  'SRC-61: the deadline decides about recorders that have not answered; a late one still makes it good',
  async (b) => {
    const [one, two] = [b.recorder(11), b.recorder(12)]
    two.onInvite = 'leave'
    const start = b.start(`${one.uri},${two.uri}`, { policy: 'all' })
    await b.pass(5_100)
    assert.deepEqual([start.status, start.outcome?.policy], [200, 'unmet'])
    two.accept()
    await b.pass()
    assert.ok(b.eventTypes.includes('recording.policy-met'))
  },
)

bench(
  'SRC-61, AMB-19, peer defect 7: mandatory else end: a mandatory recorder that refuses ends the call, whoever else accepts',
  async (b) => {
    const [archive, other] = [b.recorder(11), b.recorder(12)]
    archive.onInvite = 503
    const start = b.start(`${archive.uri},${other.uri}`, { policy: `mandatory:${archive.uri} else end` })
    await b.pass()
    assert.deepEqual([start.status, start.outcome?.text], [503, 'recording is mandatory and cannot be had'])
    assert.deepEqual(b.call.hangups, ['recording is mandatory and cannot be had'])
    assert.equal(b.call.media.forks.size, 0)
  },
)

bench('SRC-61: mandatory else end: another recorder that refuses ends nothing', async (b) => {
  const [archive, other] = [b.recorder(11), b.recorder(12)]
  other.onInvite = 503
  const start = b.start(`${archive.uri},${other.uri}`, { policy: `mandatory:${archive.uri} else end` })
  await b.pass()
  assert.deepEqual([start.status, b.call.hangups], [200, []])
})

bench('SRC-61: a mandatory recorder may be carried by the one that takes its place', async (b) => {
  const [archive, standby] = [b.recorder(11), b.recorder(12)]
  archive.onInvite = 503
  const start = b.start(`${archive.uri}|${standby.uri}`, { policy: `mandatory:${archive.uri} else end` })
  await b.pass()
  assert.deepEqual([start.status, start.outcome?.policy, b.call.hangups], [200, 'met', []])
})

bench(
  'SRC-61, SRC-63: a mandatory recorder lost mid-call ends the call when nobody takes its place in time',
  async (b) => {
    const [archive, other] = [b.recorder(11), b.recorder(12)]
    b.start(`${archive.uri},${other.uri}`, { policy: `mandatory:${archive.uri} else end` })
    await b.pass()
    archive.onInvite = 503
    archive.bye()
    await b.pass(4_000)
    assert.deepEqual(b.call.hangups, [], 'it may still be had again')
    await b.pass(1_500)
    assert.deepEqual(b.call.hangups, ['recording is mandatory and cannot be had'])
  },
)

bench('SRC-61, SRC-63: a mandatory recorder that is had again in time ends nothing', async (b) => {
  const archive = b.recorder(11)
  b.start(archive.uri, { policy: 'all else end' })
  await b.pass()
  archive.onInvite = 503
  archive.bye()
  await b.pass(500)
  archive.onInvite = 'take'
  await b.pass(10_000)
  assert.deepEqual([b.call.hangups, b.state], [[], 'recording'])
})

bench('SRC-42, SRC-61: a mandatory recorder that declines mid-call ends the call at once', async (b) => {
  const archive = b.recorder(11)
  b.start(archive.uri, { policy: 'all else end' })
  await b.pass()
  archive.decline()
  await b.pass()
  assert.deepEqual(b.call.hangups, ['recording is mandatory and cannot be had'])
})

bench('SRC-61: announce: the caller is told, and the call goes on', async (b) => {
  const recorder = b.recorder(11)
  recorder.onInvite = 503
  const start = b.start(recorder.uri, { policy: 'any else announce' })
  await b.pass()
  assert.deepEqual([start.status, b.announced, b.call.hangups], [503, [b.call.callId], []])
})

bench('SRC-61: retry: the start is 503, but recorders are asked again until one accepts', async (b) => {
  const recorder = b.recorder(11)
  recorder.onInvite = 503
  const start = b.start(recorder.uri, { policy: 'any else retry' })
  await b.pass(5_100)
  assert.deepEqual([start.status, b.state], [503, 'starting'])
  await b.pass(60_000)
  recorder.onInvite = 'take'
  await b.pass(11_000)
  assert.equal(b.state, 'recording')
  assert.deepEqual(b.eventTypes.slice(-3), ['recording.started', 'recorder.failed-over', 'recording.policy-met'])
  assert.equal(await b.audio(5), 10)
})

bench('SRC-61: retry: a stop ends the asking', async (b) => {
  const recorder = b.recorder(11)
  recorder.onInvite = 503
  b.start(recorder.uri, { policy: 'any else retry' })
  await b.pass(5_100)
  const count = recorder.sessions.length
  const stop = b.stop()
  await b.pass(60_000)
  assert.deepEqual([stop.status, recorder.sessions.length], [200, count])
})

bench(
  'SRC-61: refuse: a start before the answer asks recorders at once, and their refusal is a 503 to the caller',
  async (b) => {
    const recorder = b.recorder(11)
    recorder.onInvite = 503
    const start = b.start(recorder.uri, { origin: 'flow', policy: 'all else refuse' })
    await b.pass()
    assert.deepEqual([start.status, b.call.refusals], [503, [503]])
  },
  { state: 'ringing' },
)

bench(
  'SRC-61: refuse: recorders that accept before the answer get media only after it',
  async (b) => {
    const recorder = b.recorder(11)
    b.call.changeEncodings([])
    const start = b.start(recorder.uri, { origin: 'flow', policy: 'all else refuse' })
    await b.pass()
    assert.equal(start.status, 200)
    assert.deepEqual(mediaLines(recorder.session().first), ['port inactive 1', 'port inactive 2'])
    assert.equal(await b.audio(5), 0)
    b.call.answer(['PCMA/8000'])
    await b.pass()
    const last = recorder.session().reoffers.at(-1)
    assert.deepEqual(last && mediaLines(last), ['port sendonly 1', 'port sendonly 2'])
    assert.match(last?.sdp ?? '', /m=audio \d+ RTP\/AVP 8\r\n/)
    assert.equal(await b.audio(5), 10)
  },
  { state: 'ringing' },
)

bench('a policy that cannot be read: 400', async (b) => {
  const start = b.start(b.recorder().uri, { policy: 'most' })
  await b.pass()
  assert.equal(start.status, 400)
})
