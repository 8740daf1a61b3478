// Streams follow the parties: rows SRC-28, SRC-29, SRC-33 to SRC-35, SRC-38, META-24, META-29, FLOW-06, FLOW-07, FLOW-18, FLOW-22.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { labelOf } from '#sdp'
import { flowsOf, tapsOf } from '../harness/party-flows.ts'
import { profiled } from '../harness/profiles.ts'
import { but, offered, openForks } from '../harness/recorder-offers.ts'
import { type RecordingBench, withBench } from '../harness/recording-bench.ts'
import { descriptionOf, documentProblems, mediaLines, type RecordingMessage } from '../harness/recording-message.ts'
import { type TestRecorder, takeAll } from '../harness/test-recorder.ts'

function row(
  name: string,
  run: (bench: RecordingBench) => Promise<void>,
  over?: Parameters<typeof withBench>[1],
): void {
  test(name, () => withBench(run, over))
}

function last(recorder: TestRecorder): RecordingMessage {
  const message = recorder.session().reoffers.at(-1)
  assert.ok(message)
  assert.deepEqual(documentProblems(message), [], message.documentText)
  return message
}

/** A recorded call of Alice and Bob, whom Carol joins. */
async function threeParties(
  bench: RecordingBench,
): Promise<{ recorder: TestRecorder; bob: Uint8Array; carol: Uint8Array }> {
  const bob = bench.call.join('bob', 'sip:bob@desk.example')
  const recorder = await bench.recording()
  const carol = bench.call.join('carol', 'sip:carol@desk.example')
  await bench.pass()
  return { recorder, bob, carol }
}

row('FLOW-07, SRC-35: a third party gets an m-line of its own, and each stream has one voice', async (bench) => {
  const { recorder } = await threeParties(bench)
  assert.deepEqual(mediaLines(last(recorder)), ['port sendonly 1', 'port sendonly 2', 'port sendonly 3'])
  assert.deepEqual(flowsOf(last(recorder).document), [
    '1: alice > bob+carol',
    '2: bob > alice+carol',
    '3: carol > alice+bob',
  ])
  assert.deepEqual(tapsOf(bench), ['caller received', 'bob received', 'carol received'])
  assert.deepEqual(openForks(bench), ['1', '2', '3'])
})

row('FLOW-07, SRC-34: the m-line of a third party that leaves goes to port 0, and its fork is gone', async (bench) => {
  const { recorder, carol } = await threeParties(bench)
  bench.call.leave(carol)
  await bench.pass()
  assert.deepEqual(mediaLines(last(recorder)), ['port sendonly 1', 'port sendonly 2', '0 - 3'])
  assert.deepEqual(flowsOf(last(recorder).document), ['1: alice > bob', '2: bob > alice', '3: - > -'])
  assert.deepEqual(tapsOf(bench), ['caller received', 'caller sent'])
})

row('FLOW-07: when two are left the far side is one stream again, whoever it is', async (bench) => {
  const { recorder, bob } = await threeParties(bench)
  bench.call.leave(bob)
  await bench.pass()
  assert.deepEqual(mediaLines(last(recorder)), ['port sendonly 1', 'port sendonly 2', '0 - 3'])
  assert.deepEqual(flowsOf(last(recorder).document), ['1: alice > carol', '2: carol > alice', '3: - > -'])
})

row(
  'META-22, SRC-51: a party that becomes the focus of a conference is told of as such, with what it says of itself',
  async (bench) => {
    const { recorder, bob } = await threeParties(bench)
    assert.ok(!last(recorder).documentText?.includes('<param'))
    bench.call.announce(bob, [
      { name: 'isfocus', value: 'true' },
      { name: 'description', value: 'A "desk" & more' },
    ])
    await bench.pass()
    const { document, documentText = '' } = last(recorder)
    assert.match(documentText, /<param pname="isfocus" pval="true"\s*\/>/)
    assert.equal(documentText.match(/<param /g)?.length, 2)
    const its = document?.participantSessionAssocs.find(({ params }) => params.length > 0)
    assert.deepEqual(its?.params[1], { name: 'description', value: 'A "desk" & more' })
  },
)

row('SRC-28, SRC-35: third parties come and go twenty times: 16 m-lines, and no label twice', async (bench) => {
  const { recorder, carol } = await threeParties(bench)
  bench.call.leave(carol)
  await bench.pass()
  const labels = new Map<string, string>()
  for (let turn = 0; turn < 20; turn++) {
    const party = bench.call.join(`agent-${turn}`, `sip:agent${turn}@desk.example`)
    await bench.pass()
    const { document, sdp } = last(recorder)
    assert.ok(sdp.split('m=audio').length - 1 <= 16)
    for (const { label = '', streamId } of document?.streams ?? []) {
      assert.equal(labels.get(label) ?? streamId, streamId, 'a label stays with its stream')
      labels.set(label, streamId)
    }
    bench.call.leave(party)
    await bench.pass()
  }
  assert.equal(mediaLines(last(recorder)).length, 16)
  assert.equal(labels.size, 23)
})

row(
  'FLOW-06, META-29: a mix takes in who joins and lets go of who leaves, on one m-line',
  async (bench) => {
    const { recorder, carol } = await threeParties(bench)
    assert.deepEqual(tapsOf(bench), ['caller received+bob received+carol received'])
    const { document } = recorder.session().reoffers.at(-1) ?? {}
    assert.deepEqual(flowsOf(document), ['1: alice+bob+carol > alice+bob+carol'])
    bench.call.leave(carol)
    await bench.pass()
    assert.deepEqual(tapsOf(bench), ['caller received+caller sent'])
    assert.equal(mediaLines(recorder.session().reoffers.at(-1)!).length, 1)
  },
  profiled({ media: { streams: 'mixed' } }),
)

row(
  'FLOW-18, SRC-14, SRC-15: a call that ends unanswered has no recording session',
  async (bench) => {
    const recorder = bench.recorder()
    const start = bench.start(recorder.uri, { origin: 'flow' })
    await bench.pass(20_000)
    bench.call.end()
    await bench.pass()
    assert.deepEqual([start.status, recorder.sessions.length], [487, 0])
  },
  { state: 'ringing' },
)

/** Gives parties of the call video, each on a leg of its own. */
function showFaces(bench: RecordingBench): void {
  const { parties } = bench.call.snapshot()
  const seen = parties.map((party) =>
    party.role === 'automaton' ? party : { ...party, videoLeg: `${party.leg}-video` },
  )
  for (const { videoLeg } of seen) if (videoLeg !== undefined) void bench.call.media.addLeg(videoLeg)
  bench.call.change({ parties: seen, videoEncodings: ['H264/90000'] }, { type: 'codec-changed' })
}

const fourLines = ['port sendonly 1', 'port sendonly 2', 'port sendonly 3', 'port sendonly 4']

row(
  'SRC-29, FLOW-22, META-24: a video call has four m-lines; one that is refused is still described',
  async (bench) => {
    bench.call.join('bob')
    showFaces(bench)
    const recorder = bench.recorder()
    recorder.answer = but(3, { port: 0 })
    bench.start(recorder.uri)
    await bench.pass()
    const { first } = recorder.session()
    assert.deepEqual(documentProblems(first), [])
    assert.deepEqual(mediaLines(first), fourLines)
    assert.deepEqual(
      descriptionOf(first).media.map(({ kind, formats }) => `${kind} ${formats[0]}`),
      ['audio 0', 'audio 0', 'video 96', 'video 96'],
    )
    assert.deepEqual(flowsOf(first.document), ['1: alice > bob', '2: bob > alice', '3: alice > bob', '4: bob > alice'])
    assert.deepEqual(tapsOf(bench), ['caller received', 'caller sent', 'caller-video received', 'bob-video received'])
    assert.deepEqual(openForks(bench), ['1', '2', '3'])
    bench.call.hold(bench.call.snapshot().parties[0]!.participantId, 'sendonly')
    await bench.pass()
    assert.equal(last(recorder).document?.streams.length, 4)
  },
)

row('FLOW-22: video that comes later is appended, video that goes leaves port 0', async (bench) => {
  bench.call.join('bob')
  const recorder = await bench.recording()
  showFaces(bench)
  await bench.pass()
  assert.deepEqual(mediaLines(last(recorder)), fourLines)
  const parties = bench.call.snapshot().parties.map(({ videoLeg: _gone, ...party }) => party)
  bench.call.change({ parties, videoEncodings: [] }, { type: 'codec-changed' })
  await bench.pass()
  assert.deepEqual(mediaLines(last(recorder)), ['port sendonly 1', 'port sendonly 2', '0 - 3', '0 - 4'])
})

row('field 18: audio never goes to a port for video, whatever the order of the answer', async (bench) => {
  bench.call.join('bob')
  showFaces(bench)
  const recorder = bench.recorder()
  recorder.slips = { reorder: ([first, second, third, fourth]) => [third!, first!, second!, fourth!] }
  bench.start(recorder.uri)
  await bench.pass()
  const ports = [...bench.call.media.forks.values()].map(({ remote }) => remote?.remote.rtp.port)
  assert.deepEqual(ports, [40_000, 40_002, 40_004, 40_006])
})

row(
  'a recorder without video is offered none',
  async (bench) => {
    bench.call.join('bob')
    showFaces(bench)
    assert.equal(mediaLines((await bench.recording()).session().first).length, 2)
  },
  profiled({ media: { video: false } }),
)

type Step =
  | 'join'
  | 'leave'
  | 'hold'
  | 'resume'
  | 'pause'
  | 'go-on'
  | 'refuse'
  | 'lack'
  | 'their-hold'
  | 'their-removal'
const steps: readonly Step[] = [
  'join',
  'join',
  'leave',
  'hold',
  'resume',
  'pause',
  'go-on',
  'refuse',
  'lack',
  'their-hold',
  'their-removal',
]

async function play(bench: RecordingBench, recorder: TestRecorder, step: Step, pick: number): Promise<void> {
  const { call } = bench
  const present = call.snapshot().parties.filter((party) => party.leftAtMs === undefined)
  const party = present[pick % present.length]!
  const { dialog, taken } = recorder.session()
  const theirs = (rule: typeof takeAll): void => {
    recorder.answer = rule
    void dialog?.reinvite({ body: recorder.answerBody(taken.at(-1)?.sdp ?? '') })
    recorder.answer = takeAll
  }
  if (step === 'join') call.join(`callee-${call.partyCount}`, `sip:agent${call.partyCount}@desk.example`)
  else if (step === 'leave' && party.role !== 'caller') call.leave(party.participantId)
  else if (step === 'hold') call.hold(party.participantId, 'sendonly')
  else if (step === 'resume') call.hold(party.participantId, 'none')
  else if (step === 'pause') bench.pause()
  else if (step === 'go-on') bench.resume()
  else if (step === 'refuse') recorder.reofferRules.push(488)
  else if (step === 'lack') recorder.answer = (index, to) => (index > pick ? undefined : takeAll(index, to))
  else if (step === 'their-hold') theirs((index) => ({ port: 40_000 + 2 * index, direction: 'inactive' }))
  else if (step === 'their-removal')
    theirs((index, to) => ({ ...takeAll(index, to)!, port: index === pick ? 0 : 40_000 }))
  await bench.pass(pick * 60)
}

test('field 4, SRC-33, SRC-26, SRC-30: whatever happens, an offer keeps m-lines, their order and labels, and only sends', async () => {
  const history = fc.array(fc.tuple(fc.constantFrom(...steps), fc.nat(5)), { maxLength: 14 })
  await fc.assert(
    fc.asyncProperty(history, (moves) =>
      withBench(async (bench) => {
        const recorder = await bench.recording()
        for (const [step, pick] of moves) await play(bench, recorder, step, pick)
        await bench.pass(3_000)
        const said: string[] = []
        for (const message of bench.sent(recorder.ip)) {
          if (message.sdp === '') continue
          const { media } = descriptionOf(message)
          assert.ok(media.length >= said.length, 'no m-line goes away')
          for (const [index, line] of media.entries()) {
            said[index] ??= labelOf(line) ?? 'none'
            assert.equal(labelOf(line), said[index])
          }
          assert.ok(
            mediaLines(message).every((line) => /^(port (sendonly|inactive)|0 -) \d+$/.test(line)),
            message.sdp,
          )
        }
      }),
    ),
    { numRuns: 25 },
  )
})

row('SRC-42: a stream that the recorder took away stays away when others come', async (bench) => {
  bench.call.join('bob')
  const recorder = await bench.recording()
  await offered(bench, recorder, but(0, { port: 0 }))
  bench.call.join('carol', 'sip:carol@desk.example')
  await bench.pass()
  assert.deepEqual(mediaLines(last(recorder)), ['0 - 1', 'port sendonly 2', 'port sendonly 3'])
})
