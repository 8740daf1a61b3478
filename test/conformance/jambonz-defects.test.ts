// Defects of the SIPREC client that the product's INFO dialect comes from; each test shows that ours lacks one of them.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type RecordingBench, withBench } from '../harness/recording-bench.ts'
import { mediaLines } from '../harness/recording-message.ts'

function lacks(defect: string, run: (bench: RecordingBench) => Promise<void>): void {
  test(defect, () => withBench(run))
}

lacks(
  'jambonz defect 1, peer defect 1: a command is answered at its outcome, not before anything is done',
  async (bench) => {
    const recorder = bench.recorder()
    recorder.onInvite = 'leave'
    const start = bench.start(recorder.uri)
    await bench.pass(1_000)
    assert.equal(start.status, 'pending')
    recorder.session().invite.reject(486)
    await bench.pass()
    assert.equal(start.status, 503)
  },
)

lacks('jambonz defect 2: a start that timed out cannot become a recording by a late answer', async (bench) => {
  const peer = bench.scripted()
  const start = bench.start(`sip:${peer.ip}`)
  await bench.pass()
  const invite = peer.take('INVITE')
  peer.respond(invite, 100)
  await bench.pass(5_000)
  assert.equal(start.status, 503)
  peer.respond(invite, 200, { tag: 'late' })
  await bench.pass()
  assert.deepEqual(peer.labels(), ['CANCEL', 'ACK', 'BYE'])
  assert.deepEqual([bench.state, bench.call.media.forks.size], ['none', 0])
  peer.respond(peer.take('CANCEL'), 200)
  peer.respond(peer.take('BYE'), 200)
  await bench.pass()
})

lacks('jambonz defect 3, peer defect 3: a timeout does not spoil the commands that follow it', async (bench) => {
  const recorder = bench.recorder()
  recorder.onInvite = 'leave'
  bench.start(recorder.uri)
  await bench.pass(5_100)
  recorder.onInvite = 'take'
  const statuses: unknown[] = []
  for (const command of [
    () => bench.start(recorder.uri),
    () => bench.pause(),
    () => bench.resume(),
    () => bench.stop(),
  ]) {
    const given = command()
    await bench.pass(100)
    statuses.push(given.status)
  }
  await bench.pass(10_000)
  assert.deepEqual(statuses, [200, 200, 200, 200])
})

lacks(
  'jambonz defect 4, peer defect 2: a failed start leaves no client behind that would make the next one a duplicate',
  async (bench) => {
    const recorder = bench.recorder()
    for (let tries = 0; tries < 3; tries++) {
      recorder.onInvite = 503
      const start = bench.start(recorder.uri)
      await bench.pass()
      assert.equal(start.status, 503)
    }
    const stop = bench.stop()
    recorder.onInvite = 'take'
    const start = bench.start(recorder.uri)
    await bench.pass()
    assert.deepEqual([stop.status, start.status], [400, 200])
  },
)

lacks('jambonz defect 5: the outcome of a resumption is that of the recorders', async (bench) => {
  const recorder = await bench.paused()
  recorder.reofferRules.push(500)
  const resume = bench.resume()
  await bench.pass()
  assert.equal(resume.status, 503)
})

lacks('jambonz defect 5: a resumption right after a pause is not lost', async (bench) => {
  const recorder = await bench.recording()
  const [pause, resume] = [bench.pause(), bench.resume()]
  await bench.pass()
  assert.deepEqual([pause.status, resume.status, bench.state], [200, 200, 'recording'])
  assert.deepEqual(recorder.session().reoffers.map(mediaLines), [
    ['port inactive 1', 'port inactive 2'],
    ['port sendonly 1', 'port sendonly 2'],
  ])
  assert.equal(await bench.audio(2), 4)
})

lacks('jambonz defect 6: a pause that the recorder refuses is still a pause, and can be resumed', async (bench) => {
  const recorder = await bench.recording()
  recorder.reofferRules.push(488)
  const pause = bench.pause()
  await bench.pass()
  assert.deepEqual([pause.status, bench.state, await bench.audio()], [200, 'paused', 0])
  const resume = bench.resume()
  await bench.pass()
  assert.deepEqual([resume.status, bench.state], [200, 'recording'])
  assert.equal(await bench.audio(2), 4)
})

for (const status of [491, 488, 500]) {
  lacks(`jambonz defect 7: a ${status} to one re-INVITE does not hold up those that follow`, async (bench) => {
    const recorder = await bench.recording()
    recorder.reofferRules.push(status)
    bench.pause()
    await bench.pass(5_000)
    assert.deepEqual(recorder.session().reoffers.map(mediaLines).at(-1), ['port inactive 1', 'port inactive 2'])
    const resume = bench.resume()
    await bench.pass()
    assert.equal(resume.status, 200)
  })
}

for (const how of ['stop', 'hang-up'] as const) {
  lacks(
    `jambonz defect 8: a ${how} while a second recorder still rings leaves no session behind there`,
    async (bench) => {
      const [quick, slow] = [bench.recorder(11), bench.recorder(12)]
      slow.onInvite = 'leave'
      bench.start(`${quick.uri},${slow.uri}`)
      await bench.pass()
      if (how === 'stop') bench.stop()
      else bench.call.end()
      await bench.pass()
      assert.equal(slow.session().isCancelled, true)
      assert.equal(quick.session().end?.cause, 'remote-bye')
      assert.deepEqual(bench.client.census().sessions, 0)
    },
  )
}

lacks('jambonz defect 9: a BYE of the recorder stops the audio, is told, and frees the slot', async (bench) => {
  const recorder = await bench.recording()
  recorder.decline()
  await bench.pass()
  assert.deepEqual([bench.state, bench.call.media.forks.size], ['none', 0])
  assert.ok(bench.eventTypes.includes('recorder.lost'))
})

lacks(
  'jambonz defect 11: a start that fails in the media engine after the 200 ends its dialog and frees its ports',
  async (bench) => {
    const recorder = bench.recorder()
    bench.engine.onCommand = (command) =>
      command.name === 'connectFork' ? Promise.reject(new Error('no such address')) : undefined
    const start = bench.start(recorder.uri)
    await bench.pass()
    bench.engine.onCommand = undefined
    assert.deepEqual([start.status, start.outcome?.results], [503, { [recorder.uri]: 'failed(500)' }])
    assert.equal(recorder.session().end?.cause, 'remote-bye')
    assert.equal(bench.call.media.forks.size, 0)
  },
)

lacks('jambonz defect 11: a refused INVITE frees the ports of its forks', async (bench) => {
  const recorder = bench.recorder()
  recorder.onInvite = 486
  bench.start(recorder.uri)
  await bench.pass()
  assert.deepEqual(
    bench.call.media.commandNames().filter((name) => name.endsWith('Fork')),
    ['addFork', 'addFork', 'removeFork', 'removeFork'],
  )
})

lacks('jambonz defect 11: a start without free ports fails, and nothing is dialled', async (bench) => {
  const recorder = bench.recorder()
  bench.engine.onCommand = (command) => {
    if (command.name === 'addFork') throw new Error('no RTP port is free')
  }
  const start = bench.start(recorder.uri)
  await bench.pass()
  bench.engine.onCommand = undefined
  assert.deepEqual([start.status, recorder.sessions.length, bench.call.media.forks.size], [503, 0, 0])
})
