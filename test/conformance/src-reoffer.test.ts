// Rows SRC-32 to SRC-36, SRC-45, SRC-51, SRC-55, SRC-62, SRC-67 to SRC-69: re-offers while a recording session lives, and its end.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { writeSnapshotRequest } from '#siprec'
import { but, offered, openForks, recordingWith } from '../harness/recorder-offers.ts'
import { type RecordingBench, withBench } from '../harness/recording-bench.ts'
import { descriptionOf, mediaLines, type RecordingMessage } from '../harness/recording-message.ts'

const flowing = ['port sendonly 1', 'port sendonly 2']
const paused = ['port inactive 1', 'port inactive 2']

function row(name: string, run: (bench: RecordingBench) => Promise<void>): void {
  test(name, () => withBench(run))
}

row('SRC-32: audio goes out with the payload type of the answer', async (bench) => {
  bench.call.changeEncodings(['OPUS/48000/2', 'TELEPHONE-EVENT/8000'])
  await recordingWith(bench, but(0, { codecs: ['111 opus/48000/2', '120 telephone-event/8000'] }))
  const [first, second] = [...bench.call.media.forks.values()]
  assert.deepEqual(
    first?.remote?.codecs.map(({ encoding, sendPayloadType }) => [encoding, sendPayloadType]),
    [
      ['OPUS/48000/2', 111],
      ['TELEPHONE-EVENT/8000', 120],
    ],
  )
  assert.equal(second?.remote?.codecs[0]?.sendPayloadType, 96)
})

row(
  'SRC-33: o= stays but for a version that rises by one when the text changes; m-lines keep number and order',
  async (bench) => {
    const recorder = await bench.recording()
    bench.pause()
    await bench.pass()
    bench.call.join()
    await bench.pass()
    bench.resume()
    await bench.pass()
    bench.stop()
    await bench.pass()
    const offers = bench.sent(recorder.ip).filter(({ label, sdp }) => label !== '200' && sdp !== '')
    const origins = offers.map((message) => descriptionOf(message).origin)
    assert.equal(
      new Set(origins.map(({ sessionId, username, address }) => `${username} ${sessionId} ${address}`)).size,
      1,
    )
    let last: { sdp: string; version: number } | undefined
    for (const message of offers) {
      const version = Number(descriptionOf(message).origin.sessionVersion)
      const text = message.sdp.replace(/^o=.*$/m, '')
      if (last !== undefined) assert.equal(version, text === last.sdp ? last.version : last.version + 1)
      last = { sdp: text, version }
      assert.deepEqual(
        mediaLines(message).map((line) => line.split(' ')[2]),
        ['1', '2'],
      )
    }
    assert.ok((last?.version ?? 0) >= 4)
  },
)

row(
  'SRC-36, peer defect 8: pause is inactive on every stream, resume sendonly, and no audio between',
  async (bench) => {
    const recorder = await bench.recording()
    assert.equal(await bench.audio(3), 6)
    bench.pause()
    assert.equal(await bench.audio(5), 0)
    await bench.pass()
    assert.equal(await bench.audio(5), 0)
    bench.resume()
    await bench.pass()
    assert.equal(await bench.audio(3), 6)
    assert.deepEqual(recorder.session().reoffers.map(mediaLines), [paused, flowing])
  },
)

row('SRC-45: a codec that comes with a change of the call gets a number of its own, and keeps it', async (bench) => {
  bench.call.changeEncodings(['OPUS/48000/2'])
  const recorder = await bench.recording()
  bench.call.changeEncodings(['ILBC/8000'])
  await bench.pass()
  bench.call.changeEncodings(['ILBC/8000', 'OPUS/48000/2'])
  await bench.pass()
  assert.deepEqual(
    [recorder.session().first, ...recorder.session().reoffers].map((offer) => descriptionOf(offer).media[0]?.formats),
    [['96', '0', '8'], ['97'], ['97', '96', '0', '8']],
  )
  assert.equal([...bench.call.media.forks.values()][0]?.remote?.codecs[0]?.encoding, 'ILBC/8000')
})

row('SRC-55: a snapshot request is answered 200, and a complete document follows on its own', async (bench) => {
  const recorder = await bench.recording()
  const content = writeSnapshotRequest()
  const body = { contentType: 'application/rs-metadata+xml', disposition: 'recording-session', content }
  const outcome = recorder.session().dialog?.request('UPDATE', { body })
  await bench.pass()
  assert.equal((await outcome)?.status, 200)
  const [sent, ...others] = recorder.session().reoffers
  assert.equal(others.length, 0)
  assert.deepEqual([sent?.label, sent?.document?.dataMode], ['INVITE', 'complete'])
  assert.equal(sent && descriptionOf(sent).origin.sessionVersion, '1', 'SRC-56: the same SDP has the same version')
})

row('SRC-62: 488 to a re-INVITE leaves the session as it was', async (bench) => {
  const recorder = await bench.recording()
  recorder.reofferRules.push(488)
  bench.call.join()
  await bench.pass()
  assert.equal(bench.state, 'recording')
  assert.deepEqual(openForks(bench), ['1', '2'])
  assert.equal(await bench.audio(2), 4)
})

for (const status of [481, 408]) {
  row(`SRC-62: ${status} to a re-INVITE ends the session: no audio more, and it is reported lost`, async (bench) => {
    const recorder = await bench.recording()
    recorder.reofferRules.push(status)
    recorder.onInvite = 503
    bench.call.join()
    await bench.pass()
    assert.equal(bench.call.media.forks.size, 0)
    const lost = bench.events.find((event) => event.type === 'recorder.lost')
    assert.deepEqual(lost?.type === 'recorder.lost' && lost.reason, `gone (${status})`)
  })
}

row('SRC-62: a re-INVITE that is never answered ends the session', async (bench) => {
  const recorder = await bench.recording()
  recorder.reofferRules.push('leave')
  recorder.onInvite = 503
  bench.call.join()
  await bench.pass(33_000)
  assert.ok(bench.eventTypes.includes('recorder.lost'))
  assert.equal(bench.call.media.forks.size, 0)
})

row(
  'SRC-67: 491 is retried after 2.1 to 4 s, since the Call-ID is ours, with the document of that moment',
  async (bench) => {
    const recorder = await bench.recording()
    recorder.reofferRules.push(491)
    const bob = bench.call.join()
    await bench.pass(2_000)
    assert.equal(recorder.session().requests.length, 1)
    bench.call.hold(bob, 'sendonly')
    await bench.pass(2_100)
    const retried = recorder.session().reoffers[1]
    const held = retried?.document?.participantStreamAssocs.some(({ recv }) => recv.length === 0)
    assert.equal(held, true)
  },
)

row(
  'SRC-67: while we wait after 491 the offer of the recorder is taken, and ours then has the next version',
  async (bench) => {
    const recorder = await bench.recording()
    recorder.reofferRules.push(491)
    bench.pause()
    await bench.pass(500)
    const answer = await offered(bench, recorder, but(0, { codecs: ['0 PCMU/8000'] }))
    assert.deepEqual([answer.label, mediaLines(answer)], ['200', paused])
    await bench.pass(4_100)
    const retried = recorder.session().reoffers.at(-1)
    assert.ok(retried)
    assert.deepEqual(mediaLines(retried), paused)
    const version = (message: RecordingMessage): number => Number(descriptionOf(message).origin.sessionVersion)
    assert.equal(version(retried), version(answer) + 1)
  },
)

row('SRC-67: offers that cross: the recorder is answered 491, and ours goes through', async (bench) => {
  const recorder = await bench.recording()
  const { dialog, first } = recorder.session()
  recorder.reofferRules.push('leave')
  bench.call.changeEncodings(['PCMA/8000'])
  const theirs = dialog?.reinvite({ body: recorder.answerBody(first.sdp) })
  await bench.pass()
  const answers = bench.sent(recorder.ip).filter(({ label }) => label === '491')
  assert.equal(answers.length, 1)
  const incoming = recorder.session().requests[0]
  incoming?.respond(200, { body: recorder.answerBody(first.sdp) })
  await bench.pass(5_000)
  assert.equal((await theirs)?.status, 200)
})

row('SRC-67: 500 with Retry-After is waited for', async (bench) => {
  const recorder = await bench.recording()
  recorder.reofferRules.push('leave')
  bench.call.changeEncodings(['PCMA/8000'])
  await bench.pass()
  recorder.session().requests[0]?.respond(500, { headers: [['Retry-After', '3']] })
  await bench.pass(2_900)
  assert.equal(recorder.session().requests.length, 1)
  await bench.pass(200)
  assert.equal(recorder.session().requests.length, 2)
})

row('SRC-51: ten changes within 100 ms make one document, which has the last of them', async (bench) => {
  const recorder = await bench.recording()
  const bob = bench.call.join()
  for (let changes = 0; changes < 9; changes++) {
    bench.call.hold(bob, changes % 2 === 0 ? 'sendonly' : 'none')
    await bench.pass(10)
  }
  await bench.pass(500)
  assert.equal(recorder.session().requests.length, 1)
  const document = recorder.session().reoffers[0]?.document
  assert.equal(
    document?.participantStreamAssocs.some(({ recv, send }) => recv.length === 0 && send.length === 1),
    true,
  )
})

row(
  'SRC-51: a change that comes while others wait for an answer is told with these, and not once more',
  async (bench) => {
    const recorder = await bench.recording()
    recorder.reofferRules.push('leave')
    const bob = bench.call.join()
    await bench.pass()
    bench.call.hold(bob, 'sendonly')
    await bench.pass(300)
    bench.call.hold(bob, 'none')
    await bench.pass(50)
    const session = recorder.session()
    session.requests[0]?.respond(200, { body: recorder.answerBody(session.first.sdp) })
    await bench.pass(1_000)
    assert.equal(session.requests.length, 2)
    bench.call.hold(bob, 'sendonly')
    await bench.pass(1_000)
    assert.equal(session.requests.length, 3)
  },
)

row('SRC-68: changes during a running re-INVITE wait for it, and go out as one', async (bench) => {
  const recorder = await bench.recording()
  recorder.reofferRules.push('leave')
  const bob = bench.call.join()
  await bench.pass()
  bench.call.hold(bob, 'sendonly')
  bench.pause()
  await bench.pass()
  assert.equal(recorder.session().requests.length, 1)
  recorder.session().requests[0]?.respond(200, { body: recorder.answerBody(recorder.session().first.sdp) })
  await bench.pass()
  assert.deepEqual(recorder.session().reoffers.slice(1).map(mediaLines), [paused])
  assert.ok(recorder.session().reoffers[1]?.document)
})

row('SRC-69, AMB-06: the end is an UPDATE with the last document, then a BYE without body', async (bench) => {
  const recorder = await bench.recording()
  bench.call.end()
  await bench.pass()
  const last = bench.sent(recorder.ip).filter(({ label }) => label === 'UPDATE' || label === 'BYE')
  assert.deepEqual(
    last.map(({ label, message, document }) => [label, message.body.length > 0, document !== undefined]),
    [
      ['UPDATE', true, true],
      ['BYE', false, false],
    ],
  )
})

row('SRC-69: a change right before the end is told by the last document alone', async (bench) => {
  const recorder = await bench.recording()
  bench.call.join()
  bench.call.end()
  await bench.pass(20)
  assert.deepEqual(bench.sentLabels(recorder.ip).slice(2), ['UPDATE', 'BYE'])
  assert.equal(recorder.session().reoffers[0]?.document?.participants.length, 3)
})

row('SRC-69: a recorder without UPDATE gets a re-INVITE instead', async (bench) => {
  const recorder = bench.recorder(11, { allow: ['INVITE', 'ACK', 'BYE', 'CANCEL'] })
  bench.start(recorder.uri)
  await bench.pass()
  bench.stop()
  await bench.pass()
  assert.deepEqual(bench.sentLabels(recorder.ip), ['INVITE', 'ACK', 'INVITE', 'ACK', 'BYE'])
})

for (const rule of [500, 488, 'leave'] as const) {
  row(
    `SRC-69: BYE goes out although the UPDATE is answered with ${rule === 'leave' ? 'silence' : rule}`,
    async (bench) => {
      const recorder = await bench.recording()
      recorder.reofferRules.push(rule)
      bench.stop()
      await bench.pass(2_100)
      assert.equal(recorder.session().end?.cause, 'remote-bye')
    },
  )
}

row(
  'peer defect 4, peer defect 5: BYE from the recorder: the loss is told, the forks are gone, the call is untouched',
  async (bench) => {
    const recorder = await bench.recording()
    const before = bench.call.media.commands.length
    recorder.decline()
    await bench.pass()
    assert.deepEqual(bench.eventTypes.slice(-3), ['recorder.lost', 'recording.lost', 'recording.closed'])
    assert.deepEqual(bench.call.media.commandNames().slice(before), ['removeFork', 'removeFork'])
    assert.deepEqual([bench.call.media.released, bench.call.snapshot().state], [false, 'answered'])
  },
)
