// Rows SRC-38 to SRC-42, FLOW-12: answers of a recorder, and offers of its own.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { but, offered, openForks, recordingWith } from '../harness/recorder-offers.ts'
import { type RecordingBench, withBench } from '../harness/recording-bench.ts'
import { descriptionOf, mediaLines, readRecordingMessage } from '../harness/recording-message.ts'
import { type AnswerRule, takeAll } from '../harness/test-recorder.ts'

const flowing = ['port sendonly 1', 'port sendonly 2']
const paused = ['port inactive 1', 'port inactive 2']

/** The gaps of the first recorder: why, and for how many ms, or `open`. */
function gaps(bench: RecordingBench): [string, number | 'open'][] {
  const found = bench.view?.ledger[0]?.gaps ?? []
  return found.map(({ reason, fromMs, toMs }) => [reason, toMs === undefined ? 'open' : toMs - fromMs])
}

/** What the log says was odd in what the recorder said. */
function problems(bench: RecordingBench): unknown[] {
  const odd = bench.log.lines.filter(({ message }) => message === 'recorder said odd things of a stream')
  return odd.map(({ fields }) => fields['problem'])
}

function row(name: string, run: (bench: RecordingBench) => Promise<void>): void {
  test(name, () => withBench(run))
}

row('SRC-38: a stream refused with port 0 gets nothing, the other goes on', async (bench) => {
  await recordingWith(bench, but(1, { port: 0 }))
  assert.deepEqual([bench.state, openForks(bench)], ['recording', ['1']])
})

row('SRC-38: a stream answered inactive gets nothing until the recorder offers otherwise', async (bench) => {
  const recorder = await recordingWith(bench, but(1, { direction: 'inactive' }))
  assert.deepEqual(openForks(bench), ['1'])
  await offered(bench, recorder, takeAll)
  assert.deepEqual(openForks(bench), ['1', '2'])
})

row('SRC-38: a stream answered inactive gets audio when a later answer takes it', async (bench) => {
  const recorder = await recordingWith(bench, but(1, { direction: 'inactive' }))
  recorder.answer = takeAll
  bench.call.join()
  await bench.pass()
  assert.deepEqual(openForks(bench), ['1', '2'])
})

row('SRC-38: an answer without codec in common refuses the stream', async (bench) => {
  await recordingWith(bench, but(0, { codecs: ['18 G729/8000'] }))
  assert.deepEqual(openForks(bench), ['2'])
})

for (const [name, rule] of [
  ['no m-lines', () => undefined],
  ['every stream refused', (_index, direction) => ({ port: 0, direction })],
] as [string, AnswerRule][]) {
  row(`SRC-38: an answer with ${name}: ACK, BYE, failed, and no fork is left`, async (bench) => {
    const recorder = bench.recorder()
    recorder.answer = rule
    const start = bench.start(recorder.uri)
    await bench.pass()
    assert.deepEqual([start.status, start.outcome?.results], [503, { [recorder.uri]: 'failed(488)' }])
    assert.deepEqual(bench.sentLabels(recorder.ip), ['INVITE', 'ACK', 'BYE'])
    assert.equal(bench.call.media.forks.size, 0)
  })
}

row('SRC-38: an answer with fewer m-lines ends the session when another recorder can take its place', async (bench) => {
  const [first, second] = [bench.recorder(11), bench.recorder(12)]
  first.answer = (index, to) => (index === 0 ? takeAll(index, to) : undefined)
  const start = bench.start(`${first.uri}|${second.uri}`)
  await bench.pass()
  assert.deepEqual(start.outcome?.results, { [first.uri]: 'failed(488)', [second.uri]: 'accepted' })
  assert.deepEqual(bench.sentLabels(first.ip), ['INVITE', 'ACK', 'BYE'])
  assert.equal(openForks(bench).length, 2)
})

row(
  'SRC-38, field 33: a stream whose m-line the answer lacks is dropped and told, the other goes on',
  async (bench) => {
    const recorder = await recordingWith(bench, (index, to) => (index === 0 ? takeAll(index, to) : undefined))
    assert.deepEqual([bench.state, openForks(bench)], ['recording', ['1']])
    const refused = bench.events.find((event) => event.type === 'recorder.streams-refused')
    assert.deepEqual(refused?.type === 'recorder.streams-refused' && refused.labels, ['2'])
    assert.deepEqual(problems(bench), ['m-line 2 is missing'])
    bench.call.join()
    await bench.pass()
    const [reoffer] = recorder.session().reoffers
    assert.deepEqual(reoffer && mediaLines(reoffer), ['port sendonly 1', '0 - 2'], 'SRC-33: its m-line stays')
  },
)

row(
  'AMB-14: field 33: labels that the answer lacks or gives otherwise change nothing, and the slip is named',
  async (bench) => {
    const recorder = bench.recorder()
    recorder.slips = { relabel: (label) => (label === '1' ? undefined : '1') }
    bench.start(recorder.uri)
    await bench.pass()
    assert.deepEqual(openForks(bench), ['1', '2'])
    const ports = [...bench.call.media.forks.values()].map(({ remote }) => remote?.remote.rtp.port)
    assert.deepEqual(ports, [40_000, 40_002], 'by position')
    assert.deepEqual(problems(bench), ['m-line 2 has another label'])
  },
)

for (const direction of ['sendrecv', 'sendonly']) {
  row(`field 33: an answer that says ${direction} gets the audio all the same`, async (bench) => {
    await recordingWith(bench, (index) => ({ port: 40_000 + 2 * index, direction }))
    assert.deepEqual(openForks(bench), ['1', '2'])
    assert.equal(problems(bench).length, direction === 'sendonly' ? 2 : 0)
  })
}

for (const [direction, ours] of [
  ['sendrecv', 'sendonly'],
  ['sendonly', 'inactive'],
] as const) {
  row(`SRC-40: a recorder that offers ${direction} is answered ${ours}`, async (bench) => {
    const recorder = await bench.recording()
    const answer = await offered(bench, recorder, (index) => ({ port: 40_000 + 2 * index, direction }))
    assert.deepEqual(mediaLines(answer), [`port ${ours} 1`, `port ${ours} 2`])
    assert.equal(openForks(bench).length, ours === 'sendonly' ? 2 : 0)
  })
}

const hold: AnswerRule = (index) => ({ port: 40_000 + 2 * index, direction: 'inactive' })

row('AMB-09, field 31: a recorder that pauses is obeyed, told of, and goes on when it says so', async (bench) => {
  const recorder = await bench.recording()
  assert.deepEqual(mediaLines(await offered(bench, recorder, hold)), paused)
  assert.equal(await bench.audio(), 0)
  assert.equal(bench.eventTypes.at(-1), 'recorder.paused-by-recorder')
  assert.deepEqual(mediaLines(await offered(bench, recorder, takeAll)), flowing)
  assert.equal(bench.eventTypes.at(-1), 'recorder.resumed-by-recorder')
  assert.equal(await bench.audio(3), 6)
})

row('AMB-09, field 31: a pause of ours outlasts the recorder that wants to go on', async (bench) => {
  const recorder = await bench.recording()
  await offered(bench, recorder, hold)
  bench.pause()
  await bench.pass()
  assert.deepEqual(mediaLines(await offered(bench, recorder, takeAll)), paused)
  assert.equal(await bench.audio(), 0)
  recorder.answer = hold
  bench.resume()
  await bench.pass()
  assert.equal(await bench.audio(), 0, 'the recorder still holds')
  assert.equal(bench.eventTypes.at(-1), 'recorder.paused-by-recorder')
})

row('a recorder that takes nothing from its first answer on has a gap in the ledger', async (bench) => {
  const recorder = await recordingWith(bench, hold)
  await bench.pass(30_000)
  assert.deepEqual(gaps(bench), [['paused by the recorder', 'open']])
  assert.ok((bench.view?.ledger[0]?.gapMs ?? 0) >= 30_000)
  await offered(bench, recorder, takeAll)
  assert.equal(gaps(bench).length, 1)
  assert.notEqual(gaps(bench)[0]?.[1], 'open')
})

row(
  'a recorder that answers a change with inactive has a gap in the ledger until it takes audio again',
  async (bench) => {
    const recorder = await bench.recording()
    recorder.answer = hold
    bench.call.join()
    await bench.pass(5_000)
    assert.deepEqual(gaps(bench), [['paused by the recorder', 'open']])
    await offered(bench, recorder, takeAll)
    const [[, ms] = []] = gaps(bench)
    assert.ok(typeof ms === 'number' && ms > 4_000 && ms < 6_000, `${ms}`)
  },
)

row('a pause of ours and one of the recorder are gaps of their own', async (bench) => {
  const recorder = await bench.recording()
  await offered(bench, recorder, hold)
  bench.pause()
  await bench.pass()
  recorder.answer = hold
  bench.resume()
  await bench.pass()
  assert.deepEqual(
    gaps(bench).map(([reason]) => reason),
    ['paused by the recorder', 'pause', 'paused by the recorder'],
  )
  assert.equal(gaps(bench).at(-1)?.[1], 'open')
})

row('a recorder that refuses one stream of two has a gap in the ledger until it takes both', async (bench) => {
  const recorder = await recordingWith(bench, but(1, { port: 0 }))
  await bench.pass(5_000)
  assert.deepEqual(gaps(bench), [['streams refused: 2', 'open']])
  bench.pause()
  await bench.pass()
  bench.resume()
  await bench.pass()
  assert.deepEqual(
    gaps(bench).map(([reason]) => reason),
    ['streams refused: 2', 'pause', 'streams refused: 2'],
  )
  recorder.answer = takeAll
  bench.call.join()
  await bench.pass()
  assert.equal(bench.eventTypes.at(-1), 'recorder.streams-taken')
  assert.notEqual(gaps(bench).at(-1)?.[1], 'open')
})

row('SRC-42: a recorder that removes every stream has ended the session', async (bench) => {
  const recorder = await bench.recording()
  await offered(bench, recorder, (_index, direction) => ({ port: 0, direction }))
  assert.ok(bench.eventTypes.includes('recorder.lost') && bench.eventTypes.includes('recording.lost'))
  assert.equal(recorder.session().end?.cause, 'remote-bye')
})

row('SRC-38: a 200 without SDP: ACK, BYE, failed', async (bench) => {
  const peer = bench.scripted()
  const start = bench.start(`sip:${peer.ip}`)
  await bench.pass()
  peer.respond(peer.take('INVITE'), 200, { tag: 'srs' })
  await bench.pass()
  assert.deepEqual([start.status, peer.labels()], [503, ['ACK', 'BYE']])
  peer.respond(peer.take('BYE'), 200)
  await bench.pass()
})

row('SRC-38: a re-offer whose answer refuses every stream stops the audio and leaves the dialog', async (bench) => {
  const recorder = await bench.recording()
  recorder.answer = (_index, direction) => ({ port: 0, direction })
  bench.call.join()
  await bench.pass()
  assert.deepEqual([openForks(bench), recorder.session().end], [[], undefined])
  recorder.answer = takeAll
  bench.call.changeEncodings(['PCMA/8000'])
  await bench.pass()
  assert.deepEqual(openForks(bench), ['1', '2'])
})

row('an answer within a multipart body is read', async (bench) => {
  const peer = bench.scripted()
  const start = bench.start(`sip:${peer.ip}`)
  await bench.pass()
  const media = (label: number): string => `m=audio ${6000 + 2 * label} RTP/AVP 0\r\na=recvonly\r\na=label:${label}\r\n`
  const sdp = `v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n${media(1)}${media(2)}`
  const body = `--b\r\nContent-Type: application/sdp\r\n\r\n${sdp}\r\n--b--\r\n`
  peer.respond(peer.take('INVITE'), 200, { tag: 'srs', contentType: 'multipart/mixed;boundary=b', body })
  await bench.pass()
  assert.equal(start.status, 200)
  assert.deepEqual(openForks(bench), ['1', '2'])
  assert.ok(bench.log.messages().includes('recorder does not say that it is one'))
  bench.call.end()
  await bench.pass(2_100)
  for (const label of ['INVITE', 'UPDATE']) if (peer.count(label) > 0) peer.respond(peer.take(label), 500)
  peer.respond(peer.take('BYE'), 200)
})

row(
  'SRC-40, FLOW-12: a recorder that was not ready offers recvonly and is answered sendonly with our labels',
  async (bench) => {
    const recorder = await recordingWith(bench, (index) => ({ port: 40_000 + 2 * index, direction: 'inactive' }))
    assert.deepEqual([bench.state, openForks(bench)], ['recording', []])
    const answer = await offered(bench, recorder, takeAll)
    assert.deepEqual([answer.label, mediaLines(answer)], ['200', flowing])
    assert.match(answer.message.headers.get('contact') ?? '', /;\+sip\.src$/)
    assert.deepEqual(openForks(bench), ['1', '2'])
  },
)

for (const how of ['reinvite', 'UPDATE'] as const) {
  row(
    `SRC-40, AMB-09: a recorder that offers inactive by ${how} is answered inactive and gets nothing`,
    async (bench) => {
      const recorder = await bench.recording()
      const answer = await offered(bench, recorder, but(0, { direction: 'inactive' }), how)
      assert.deepEqual(mediaLines(answer), ['port inactive 1', 'port sendonly 2'])
      assert.deepEqual(openForks(bench), ['2'])
    },
  )
}

row('SRC-40: a recorder that wants audio during a pause is answered inactive', async (bench) => {
  const recorder = await bench.paused()
  const answer = await offered(bench, recorder, takeAll)
  assert.deepEqual(mediaLines(answer), paused)
  assert.equal(await bench.audio(), 0)
})

row('SRC-40, jambonz defect 10: a recorder that moves its address is followed', async (bench) => {
  const recorder = await bench.recording()
  await offered(bench, recorder, but(1, { port: 50_000 }))
  assert.equal([...bench.call.media.forks.values()][1]?.remote?.remote.rtp.port, 50_000)
  assert.deepEqual(openForks(bench), ['1', '2'])
})

row('an answer to a recorder has only codecs of its offer, with its payload types', async (bench) => {
  const recorder = await bench.recording()
  const codecs = ['0 PCMU/8000', '8 PCMA/8000', '99 telephone-event/8000']
  const answer = await offered(bench, recorder, but(0, { codecs }))
  assert.deepEqual(descriptionOf(answer).media[0]?.formats, ['0', '99'])
})

row('SRC-41: a stream that the recorder adds is refused', async (bench) => {
  const recorder = await bench.recording()
  const { dialog, first } = recorder.session()
  const { content } = recorder.answerBody(first.sdp)
  const more = `${new TextDecoder().decode(content)}m=audio 40010 RTP/AVP 0\r\na=recvonly\r\na=label:9\r\n`
  const outcome = dialog?.reinvite({
    body: { contentType: 'application/sdp', content: new TextEncoder().encode(more) },
  })
  await bench.pass()
  const response = (await outcome)?.response
  assert.ok(response)
  assert.deepEqual(mediaLines(readRecordingMessage(response)), [...flowing, '0 - 9'])
})

row('SRC-42: a stream that the recorder removes stops, keeps its label, and the other goes on', async (bench) => {
  const recorder = await bench.recording()
  const answer = await offered(bench, recorder, but(0, { port: 0 }))
  assert.deepEqual(mediaLines(answer), ['0 - 1', 'port sendonly 2'])
  assert.deepEqual([bench.state, openForks(bench)], ['recording', ['2']])
})

row('a recorder that offers fewer m-lines than there are: 488, nothing changes', async (bench) => {
  const recorder = await bench.recording()
  const answer = await offered(bench, recorder, (index, to) => (index === 0 ? takeAll(index, to) : undefined))
  assert.equal(answer.label, '488')
  assert.deepEqual(openForks(bench), ['1', '2'])
})

row('AMB-15: an offerless re-INVITE of the recorder is answered with our offer', async (bench) => {
  const recorder = await bench.recording()
  void recorder.session().dialog?.reinvite({})
  await bench.pass()
  const answer = bench.sent(recorder.ip).findLast(({ label }) => label === '200')
  assert.ok(answer)
  assert.deepEqual(mediaLines(answer), flowing)
})

row('AMB-12: our answers to a recorder do not require siprec', async (bench) => {
  const recorder = await bench.recording()
  const outcome = recorder.session().dialog?.reinvite({})
  await bench.pass()
  const response = (await outcome)?.response
  assert.equal(response?.status, 200)
  assert.deepEqual(response?.headers.list('require'), [])
})
