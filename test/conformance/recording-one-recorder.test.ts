// Commands on one recorder of a recording: the others go on, and a pause of one is as good a promise as a pause of all.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parsePolicy } from '../../src/recording-client/success-policy.ts'
import { FakeSpool } from '../harness/fake-spool.ts'
import { InfoBench } from '../harness/info-bench.ts'
import { Command, type RecordingBench, withBench } from '../harness/recording-bench.ts'
import { mediaLines } from '../harness/recording-message.ts'
import type { TestRecorder } from '../harness/test-recorder.ts'

const paused = ['port inactive 1', 'port inactive 2']
const flowing = ['port sendonly 1', 'port sendonly 2']

interface Pair {
  readonly b: RecordingBench
  readonly one: TestRecorder
  readonly two: TestRecorder
  command(activity: 'pause' | 'resume' | 'stop', recorder: TestRecorder): Command
}

/** A recording at two recorders, with two streams to each. */
function pair(name: string, run: (pair: Pair) => Promise<void>, over?: Parameters<typeof withBench>[1]): void {
  test(name, () =>
    withBench(async (b) => {
      const [one, two] = [b.recorder(11), b.recorder(12)]
      b.start(`${one.uri},${two.uri}`)
      await b.pass()
      const command: Pair['command'] = (activity, { uri }) =>
        new Command(b.client.commandOne(b.call, activity, uri, 'rest'))
      await run({ b, one, two, command })
    }, over),
  )
}

pair(
  'field 24: one recorder is paused with its receipts, and the other hears all',
  async ({ b, one, two, command }) => {
    assert.equal(await b.audio(), 40)
    const pause = command('pause', one)
    assert.equal([...b.call.media.forks.values()].filter((fork) => fork.open).length, 2, 'the cut comes first')
    await b.pass()
    assert.equal(pause.status, 200)
    assert.deepEqual(
      pause.outcome?.receipts?.map(({ recorder }) => recorder),
      [one.uri, one.uri],
    )
    assert.equal(await b.audio(), 20)
    assert.deepEqual([one.session().reoffers.map(mediaLines), two.session().reoffers.length], [[paused], 0])
    assert.equal(b.state, 'recording')
    assert.deepEqual(
      b.view?.ledger.map(({ gaps }) => gaps.map(({ reason }) => reason)),
      [['pause'], []],
    )
  },
)

pair('it is resumed alone, once it has accepted', async ({ b, one, command }) => {
  command('pause', one)
  await b.pass()
  const resume = command('resume', one)
  assert.equal(await b.audio(), 20)
  await b.pass()
  assert.equal(resume.status, 200)
  assert.deepEqual(one.session().reoffers.map(mediaLines), [paused, flowing])
  assert.equal(await b.audio(), 40)
  assert.equal(b.view?.ledger[0]?.gaps[0]?.toMs !== undefined, true)
})

pair('a pause and a resumption of all leave it paused', async ({ b, one, command }) => {
  command('pause', one)
  await b.pass()
  b.pause()
  await b.pass()
  assert.equal(command('resume', one).status, 'pending')
  await b.pass()
  assert.equal(await b.audio(), 0, 'one of a paused recording is not resumed')
  const resume = b.resume()
  await b.pass()
  assert.equal(resume.status, 200)
  assert.equal(await b.audio(), 20)
})

pair('a recorder that does not answer its resumption stays paused', async ({ b, one, command }) => {
  command('pause', one)
  await b.pass()
  one.reofferRules.push('leave')
  const resume = command('resume', one)
  await b.pass(5_100)
  assert.equal(resume.status, 503)
  assert.equal(await b.audio(), 20)
})

pair(
  'who was paused on its own is sent nothing of before when it comes back, as others are',
  async ({ b, one, two, command }) => {
    command('pause', one)
    await b.pass(10_000)
    command('resume', one)
    await b.pass()
    one.bye()
    two.bye()
    await b.pass(5_000)
    assert.equal(b.eventTypes.filter((type) => type === 'recorder.re-homed').length, 2)
    await b.client.refresh(b.call.callId)
    const replayed = b.view?.ledger.map(({ recorder, packetsReplayed }) => [recorder, packetsReplayed > 0])
    assert.deepEqual(replayed, [
      [one.uri, false],
      [two.uri, true],
    ])
  },
  { replayMs: 60_000 },
)

const pausedSpool = new FakeSpool()
pair(
  'SRC-63: what nobody records while one recorder is paused on its own and the other is lost is spooled, not for the paused one',
  async ({ b, one, two, command }) => {
    command('pause', one)
    await b.pass()
    two.onInvite = 503
    two.bye()
    await b.pass()
    assert.deepEqual([b.state, b.view?.policy, b.eventTypes.at(-1)], ['recording', 'unmet', 'spool.began'])
    assert.equal(await b.audio(), 20)
    const targets = (): unknown[] => [...pausedSpool.kept.values()].map(({ facts }) => JSON.parse(facts).targets)
    assert.deepEqual(targets(), [[[two.uri]]])
    const resume = command('resume', one)
    await b.pass()
    assert.deepEqual([resume.status, b.view?.policy], [200, 'met'])
    assert.ok(b.eventTypes.includes('spool.kept'))
    assert.equal(await b.audio(), 20, 'the recorder has it again, and the spool no longer')
    assert.deepEqual(targets(), [[[two.uri]]])
  },
  { spool: pausedSpool },
)

pair(
  'what nobody records since every recorder is paused on its own is not spooled',
  async ({ b, one, two, command }) => {
    command('pause', one)
    command('pause', two)
    await b.pass(10_000)
    assert.deepEqual([b.state, b.view?.policy, await b.audio()], ['recording', 'met', 0])
    assert.equal(b.eventTypes.includes('spool.began'), false)
  },
  { spool: new FakeSpool() },
)

pair(
  'one is stopped, and its part is over while the other goes on; the policy does not miss it',
  async ({ b, one, two, command }) => {
    const stop = command('stop', one)
    await b.pass()
    assert.deepEqual([stop.status, stop.outcome?.receipts?.length], [200, 2])
    assert.equal(await b.audio(), 20)
    assert.ok(b.sentLabels('10.0.0.11').includes('BYE'))
    await b.pass(10_000)
    assert.deepEqual([b.state, b.view?.policy, b.call.snapshot().state], ['recording', 'met', 'answered'])
    assert.equal(two.session().requests.length, 0)
    assert.equal(command('resume', one).status, 'pending')
    await b.pass()
  },
  { policy: policyOf('all else end') },
)

pair('the last one that is stopped stops the recording', async ({ b, one, two, command }) => {
  command('stop', one)
  await b.pass()
  const stop = command('stop', two)
  await b.pass()
  assert.equal(stop.status, 200)
  assert.deepEqual([b.state, b.eventTypes.includes('recording.stopped')], ['none', true])
})

pair('a recorder that does not record the call is 400', async ({ b, command }) => {
  const stranger = b.recorder(13)
  for (const activity of ['pause', 'resume', 'stop'] as const) {
    const outcome = command(activity, stranger)
    await b.pass()
    assert.deepEqual([outcome.status, outcome.outcome?.text], [400, 'the recorder does not record this call now'])
  }
})

function policyOf(text: string) {
  const policy = parsePolicy(text)
  if (!policy.ok) throw new Error(policy.error)
  return policy.value
}

test('one recorder is paused and resumed by INFO that names it, and a start that names one is refused', () =>
  withBench(async (b) => {
    const info = new InfoBench(b)
    const [one, two] = [b.recorder(11), b.recorder(12)]
    assert.equal((await info.start(`${one.uri},${two.uri}`)).status, 200)
    const by = { 'X-Recorder': one.uri }
    for (const [reason, audio] of [
      ['pauseCallRecording', 20],
      ['resumeCallRecording', 40],
      ['stopCallRecording', 20],
    ] as const) {
      assert.equal((await info.done(reason, by)).status, 200, reason)
      assert.equal(await b.audio(), audio, reason)
    }
    const start = await info.done('startCallRecording', { 'X-Srs-Url': two.uri, ...by })
    assert.deepEqual([start.status, start.reason], [400, 'start is of every recorder: leave recorder out'])
  }))
