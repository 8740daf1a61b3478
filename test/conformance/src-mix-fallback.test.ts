// Row SRC-39: a recorder that does not take separate streams is offered one with all voices instead, if its profile says so.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { profiled } from '../harness/profiles.ts'
import { offered } from '../harness/recorder-offers.ts'
import { type RecordingBench, withBench } from '../harness/recording-bench.ts'
import { documentProblems, mediaLines } from '../harness/recording-message.ts'
import { type AnswerRule, type TestRecorder, takeAll } from '../harness/test-recorder.ts'

type Over = Parameters<typeof withBench>[1]

const fallback = { media: { mixFallback: true } }

function row(name: string, run: (bench: RecordingBench) => Promise<void>, over: Over = profiled(fallback)): void {
  test(name, () => withBench(run, over))
}

/** Takes as many streams as it is offered, but of the first of them only. */
const firstOnly: AnswerRule = (index, direction) => (index === 0 ? takeAll(index, direction) : { port: 0, direction })
const secondOnly: AnswerRule = (index, direction) => (index === 1 ? takeAll(index, direction) : { port: 0, direction })
const oneLine: AnswerRule = (index, direction) => (index === 0 ? takeAll(index, direction) : undefined)

/** Labels of the streams that flow. */
function open(bench: RecordingBench): string[] {
  return [...bench.call.media.forks.values()]
    .filter((fork) => fork.open && fork.remote !== undefined)
    .map(({ id }) => id.split('/').at(-1) ?? '')
}

/** Where the mix is copied from; empty without one. */
function mixed(bench: RecordingBench): string[] {
  const mixes = [...bench.call.media.forks.values()].flatMap(({ tap }) => ('mix' in tap ? tap.mix : []))
  return mixes.map(({ leg, point }) => `${leg} ${point}`)
}

async function begun(bench: RecordingBench, rule: AnswerRule, over = {}): Promise<TestRecorder> {
  const recorder = bench.recorder()
  bench.call.join()
  recorder.answer = rule
  const start = bench.start(recorder.uri, over)
  await bench.pass()
  assert.equal(start.status, 200)
  return recorder
}

const both = ['caller received', 'caller sent']

for (const [how, rule] of Object.entries({ 'port 0': firstOnly, 'no m-line': oneLine })) {
  row(`SRC-39: a recorder with ${how} for the second stream gets the mix in the place of the first`, async (bench) => {
    const recorder = await begun(bench, rule)
    const session = recorder.session()
    const [reoffer] = session.reoffers
    assert.ok(reoffer)
    assert.deepEqual(mediaLines(reoffer), ['port sendonly 1', '0 - 2'])
    assert.deepEqual([open(bench), mixed(bench)], [['1'], both])
    assert.equal(recorder.sessions.length, 1)
    assert.deepEqual(
      bench.eventTypes.filter((type) => /streams-refused|mixed/.test(type)),
      ['recorder.streams-refused', 'recorder.mixed'],
    )
    assert.equal(bench.call.media.forks.size, 1, 'the separate streams are over')
  })
}

row('SRC-39: the m-line of the mix is the one that the recorder takes', async (bench) => {
  const recorder = await begun(bench, secondOnly)
  const [reoffer] = recorder.session().reoffers
  assert.deepEqual(reoffer && mediaLines(reoffer), ['0 - 1', 'port sendonly 2'])
  assert.deepEqual([open(bench), mixed(bench)], [['2'], both])
})

for (const status of [488, 606]) {
  row(`SRC-39: an INVITE refused with ${status} is sent again with the mix alone`, async (bench) => {
    const recorder = bench.recorder()
    bench.call.join()
    recorder.refuseFirst(status, [])
    const start = bench.start(recorder.uri)
    await bench.pass()
    assert.deepEqual([start.status, start.outcome?.results], [200, { [recorder.uri]: 'accepted' }])
    assert.deepEqual(mediaLines(recorder.session(1).first), ['port sendonly 1'])
    assert.deepEqual([open(bench), mixed(bench)], [['1'], both])
    assert.ok(bench.eventTypes.includes('recorder.mixed'))
  })
}

row(
  'SRC-39, META-29: everyone sends to the mix and hears it, and its document has no other stream in use',
  async (bench) => {
    const recorder = await begun(bench, firstOnly)
    const message = recorder.session().reoffers.at(-1)!
    const problems = documentProblems(message).filter((problem) => !problem.endsWith('has two senders'))
    assert.deepEqual(problems, [])
    const { streams = [], participantStreamAssocs = [] } = message.document ?? {}
    const mix = streams.find(({ label }) => label === '1')
    assert.ok(mix)
    const present = participantStreamAssocs.filter(({ disassociateTime }) => disassociateTime === undefined)
    assert.equal(present.length, 2)
    for (const { send, recv } of present) assert.deepEqual([send, recv], [[mix.streamId], [mix.streamId]])
  },
)

row('SRC-39: separate streams go on until the mix is taken', async (bench) => {
  const recorder = bench.recorder()
  bench.call.join()
  recorder.answer = firstOnly
  recorder.reofferRules.push('leave')
  bench.start(recorder.uri)
  await bench.pass()
  assert.equal(recorder.session().requests.length, 1)
  assert.deepEqual([open(bench), mixed(bench)], [['1'], []])
  const { ssrc } = [...bench.call.media.forks.values()][0]!.local
  const [pending] = recorder.session().requests
  pending?.respond(200, { body: recorder.answerBody(recorder.session().reoffers[0]!.sdp) })
  await bench.pass()
  assert.deepEqual([open(bench), mixed(bench)], [['1'], both])
  const forks = [...bench.call.media.forks.values()].map(({ local }) => local.ssrc)
  assert.deepEqual(forks, [ssrc], 'RTP-07: it is the same stream')
})

for (const how of ['the re-INVITE', 'its m-line']) {
  row(`SRC-39: a recorder that refuses ${how} of the mix too keeps what it had`, async (bench) => {
    const recorder = bench.recorder()
    bench.call.join()
    if (how === 'the re-INVITE') recorder.reofferRules.push(488)
    recorder.answer = (index, direction) => {
      const isMix = recorder.session().requests.length === 1
      return index === 0 && !isMix ? takeAll(index, direction) : { port: 0, direction }
    }
    bench.start(recorder.uri)
    await bench.pass(2_500)
    assert.deepEqual(mediaLines(recorder.session().reoffers.at(-1)!), ['port sendonly 1', 'port sendonly 2'])
    assert.deepEqual([open(bench), mixed(bench)], [['1'], []])
    assert.ok(!bench.eventTypes.includes('recorder.mixed'))
    const count = recorder.session().requests.length
    await bench.pass(120_000)
    assert.equal(recorder.session().requests.length, count, 'it is not asked again')
  })
}

row(
  'SRC-39: without the policy what the recorder takes is sent, and nothing else is offered',
  async (bench) => {
    const recorder = await begun(bench, firstOnly)
    assert.deepEqual([recorder.session().requests.length, open(bench)], [0, ['1']])
  },
  {},
)

row('SRC-39: a pause before the mix is taken holds for it, and so does one after', async (bench) => {
  const recorder = bench.recorder()
  bench.call.join()
  recorder.answer = firstOnly
  recorder.reofferRules.push('leave')
  bench.start(recorder.uri)
  await bench.pass()
  bench.pause()
  await bench.pass(1)
  assert.equal(await bench.audio(), 0)
  recorder.session().requests[0]?.respond(200, { body: recorder.answerBody(recorder.session().reoffers[0]!.sdp) })
  await bench.pass()
  assert.deepEqual(mediaLines(recorder.session().reoffers.at(-1)!), ['port inactive 1', '0 - 2'])
  assert.deepEqual([bench.state, open(bench), await bench.audio()], ['paused', [], 0])
  bench.resume()
  await bench.pass()
  assert.deepEqual([bench.state, open(bench)], ['recording', ['1']])
  const pause = bench.pause()
  await bench.pass()
  assert.deepEqual([pause.status, await bench.audio()], [200, 0])
})

row('SRC-39: the mask of a recording is that of the mix too', async (bench) => {
  await begun(bench, firstOnly, { maskDtmf: true })
  const [fork] = bench.call.media.forks.values()
  assert.deepEqual([mixed(bench), fork?.masked], [both, true])
})

row(
  'SRC-39: what was said before is sent of the mix, not of the voice that was taken first',
  async (bench) => {
    const recorder = bench.recorder()
    bench.call.join()
    recorder.answer = firstOnly
    recorder.reofferRules.push('leave')
    bench.start(recorder.uri)
    await bench.pass(1_500)
    assert.deepEqual(open(bench), [])
    recorder.session().requests[0]?.respond(200, { body: recorder.answerBody(recorder.session().reoffers[0]!.sdp) })
    await bench.pass()
    const [fork] = bench.call.media.forks.values()
    assert.deepEqual(mixed(bench), both)
    assert.ok(fork!.replayed > 70, `${fork!.replayed} packets of 1.5 s`)
  },
  { ...profiled(fallback), replayMs: 10_000 },
)

row(
  'SRC-39: a recorder that is slow about the mix is sent the voice that it took after two seconds, with what was said before',
  async (bench) => {
    const recorder = bench.recorder()
    bench.call.join()
    recorder.answer = firstOnly
    recorder.reofferRules.push('leave')
    bench.start(recorder.uri)
    await bench.pass(2_100)
    assert.deepEqual([open(bench), mixed(bench)], [['1'], []])
    const [fork] = bench.call.media.forks.values()
    assert.ok(fork!.replayed > 95, `${fork!.replayed} packets of 2 s`)
  },
  { ...profiled(fallback), replayMs: 10_000 },
)

row(
  'SRC-39: a mix that comes after a pause is sent nothing of before',
  async (bench) => {
    const recorder = bench.recorder()
    bench.call.join()
    recorder.answer = firstOnly
    recorder.onInvite = 'leave'
    bench.start(recorder.uri)
    await bench.pass(500)
    bench.pause()
    await bench.pass(500)
    recorder.accept()
    await bench.pass(1_000)
    bench.resume()
    await bench.pass(10)
    assert.deepEqual(
      [...bench.call.media.forks.values()].map(({ replayed }) => replayed),
      [0],
    )
  },
  { ...profiled(fallback), replayMs: 10_000 },
)

row("SRC-39: a recorder that takes another one's place is asked for separate streams first", async (bench) => {
  const [first, second] = [bench.recorder(11), bench.recorder(12)]
  bench.call.join()
  first.answer = firstOnly
  bench.start(`${first.uri}|${second.uri}`)
  await bench.pass()
  assert.deepEqual(mixed(bench), both)
  first.bye()
  await bench.pass(1_500)
  assert.deepEqual(mediaLines(second.session().first), ['port sendonly 1', 'port sendonly 2'])
  assert.deepEqual(open(bench), ['1', '2'])
})

row('SRC-38, SRC-39: half an answer and no mix: another recorder takes the place', async (bench) => {
  const [first, second] = [bench.recorder(11), bench.recorder(12)]
  bench.call.join()
  first.answer = oneLine
  first.reofferRules.push(488)
  bench.start(`${first.uri}|${second.uri}`)
  await bench.pass(1_500)
  assert.equal(first.session().end?.cause, 'remote-bye')
  assert.deepEqual(open(bench), ['1', '2'])
})

row('SRC-39: parties who come and go are in the mix', async (bench) => {
  const recorder = await begun(bench, firstOnly)
  const third = bench.call.join('third', 'sip:carol@desk.example')
  await bench.pass()
  assert.deepEqual(mixed(bench), ['caller received', 'callee received', 'third received'])
  assert.deepEqual(mediaLines(recorder.session().reoffers.at(-1)!), ['port sendonly 1', '0 - 2'])
  bench.call.leave(third)
  await bench.pass()
  assert.deepEqual(mixed(bench), both)
})

row('SRC-39: the third voice that finds no room makes it a mix', async (bench) => {
  const recorder = bench.recorder()
  bench.call.join()
  recorder.answer = (index, direction) => (index < 2 ? takeAll(index, direction) : { port: 0, direction })
  bench.start(recorder.uri)
  await bench.pass()
  assert.deepEqual(open(bench), ['1', '2'])
  bench.call.join('third', 'sip:carol@desk.example')
  await bench.pass(500)
  assert.deepEqual(mediaLines(recorder.session().reoffers.at(-1)!), ['port sendonly 1', '0 - 2', '0 - 3'])
  assert.deepEqual([open(bench), mixed(bench).length], [['1'], 3])
})

row(
  'SRC-39, SRC-42: a stream that the recorder takes away by an offer of its own is not brought back in a mix',
  async (bench) => {
    const recorder = await begun(bench, takeAll)
    await offered(bench, recorder, secondOnly)
    await bench.pass(1_000)
    assert.deepEqual([recorder.session().requests.length, open(bench)], [0, ['2']])
  },
)

row('SRC-39: only what can be mixed is offered mixed', async (bench) => {
  bench.call.changeEncodings(['G729/8000'])
  const recorder = await begun(bench, firstOnly)
  assert.deepEqual([recorder.session().requests.length, open(bench)], [0, ['1']])
})

row(
  'SRC-39: a call in a session with others has its mix beside their streams',
  async (bench) => {
    const recorder = await begun(bench, takeAll)
    const other = bench.anotherCall()
    other.join()
    recorder.answer = (index, direction) => (index === 3 ? { port: 0, direction } : takeAll(index, direction))
    const start = bench.client.start(other, {
      servers: recorder.uri,
      recordingId: 'rec-2',
      origin: 'info',
      noticePlayed: true,
    })
    await bench.pass(500)
    assert.equal((await start).status, 200)
    const lines = mediaLines(recorder.session().reoffers.at(-1)!)
    assert.match(lines.join(', '), /^port sendonly \S+-1, port sendonly \S+-2, port sendonly \S+-1, 0 - \S+-2$/)
    assert.equal(open(bench).length, 2)
  },
  profiled({ ...fallback, callsPerSession: 2 }),
)
