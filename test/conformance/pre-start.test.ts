// What was said before a start: kept only where configured, bounded, never over a pause, a stop or a refusal.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type RecordingBench, withBench } from '../harness/recording-bench.ts'

const early = { preStartMs: 5_000 }

function bench(
  name: string,
  run: (bench: RecordingBench) => Promise<void>,
  over: Parameters<typeof withBench>[1] = early,
): void {
  test(name, () => withBench(run, over))
}

/** From when on the latest forks are sent what was said before them. */
function replayed(b: RecordingBench): (number | undefined)[] {
  const added = b.call.media.commands.flatMap((command) => (command.name === 'addFork' ? [command.options] : []))
  return added.slice(-2).map(({ replayFromMs }) => replayFromMs)
}

bench('a recording begins with the seconds before its start, and no more of them', async (b) => {
  b.client.listen(b.call)
  assert.equal(b.call.media.remembered?.ms, 5_000)
  await b.pass(60_000)
  const startedAtMs = b.clock.wallMs()
  await b.recording()
  assert.deepEqual(replayed(b), [startedAtMs - 5_000, startedAtMs - 5_000])
})

bench('of a call that was listened to for less there is less', async (b) => {
  await b.pass(60_000)
  const fromMs = b.clock.wallMs()
  b.client.listen(b.call)
  await b.pass(2_000)
  await b.recording()
  assert.deepEqual(replayed(b), [fromMs, fromMs])
})

bench(
  'without the switch nothing is kept',
  async (b) => {
    b.client.listen(b.call)
    await b.pass(2_000)
    await b.recording()
    assert.deepEqual(replayed(b), [undefined, undefined])
    assert.equal(b.call.media.commandNames().includes('remember'), false)
  },
  {},
)

bench('a start that is paused at once, for its notice, has nothing of before', async (b) => {
  b.client.listen(b.call)
  await b.pass(10_000)
  const recorder = b.recorder()
  b.start(recorder.uri)
  b.pause('party')
  assert.equal(b.call.media.remembered, undefined, 'it is forgotten before anything else happens')
  await b.pass()
  assert.equal(
    [...b.call.media.forks.values()].reduce((sum, fork) => sum + fork.replayed, 0),
    0,
  )
})

bench('what a party forbids is forgotten at once, and after a stop nothing is kept any more', async (b) => {
  b.client.listen(b.call)
  await b.pass(10_000)
  b.client.deafen(b.call)
  assert.equal(b.call.media.remembered, undefined)
  const fromMs = b.clock.wallMs()
  b.client.listen(b.call)
  await b.pass(1_000)
  await b.recording(11)
  assert.deepEqual(replayed(b), [fromMs, fromMs])
  b.stop()
  await b.pass(1_000)
  assert.equal(b.call.media.remembered, undefined)
  b.client.listen(b.call)
  await b.pass(10_000)
  await b.recording(12)
  assert.deepEqual(replayed(b), [undefined, undefined])
})

bench('it is no replay for a recorder that takes the place of a lost one', async (b) => {
  b.client.listen(b.call)
  await b.pass(10_000)
  const recorder = await b.recording()
  await b.pass(10_000)
  recorder.bye()
  await b.pass()
  assert.deepEqual(replayed(b), [undefined, undefined])
})

bench('a call that ends without being recorded leaves nothing', async (b) => {
  b.client.listen(b.call)
  await b.pass(1_000)
  b.call.end()
  assert.equal(b.client.census().calls, 0)
})
