// The rules of a start: policy, deadline, late recorders, lists, destinations, calls that are not answered yet.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type RecordingBench, withBench } from '../harness/recording-bench.ts'
import { mediaLines } from '../harness/recording-message.ts'

const paused = ['port inactive 1', 'port inactive 2']

function bench(
  name: string,
  run: (bench: RecordingBench) => Promise<void>,
  over?: Parameters<typeof withBench>[1],
): void {
  test(name, () => withBench(run, over))
}

bench('a start succeeds at the first acceptance, the others go on', async (b) => {
  const [quick, slow, busy] = [b.recorder(11), b.recorder(12), b.recorder(13)]
  slow.onInvite = 'leave'
  busy.onInvite = 486
  const start = b.start([quick.uri, slow.uri, busy.uri].join(','))
  await b.pass()
  assert.equal(start.status, 200)
  assert.equal(start.outcome?.results[slow.uri], 'pending')
  assert.equal(
    b.client.recordingsOf(b.call.callId)[0]?.sessions.find(({ uri }) => uri === busy.uri)?.result,
    'failed(486)',
  )
  assert.deepEqual(
    b.events.map(({ type, recorder }) => [type, recorder]),
    [
      ['recorder.accepted', quick.uri],
      ['recording.started', undefined],
      ['recorder.failed', busy.uri],
    ],
  )
})

bench('a recorder that accepts within 32 s joins by event and gets audio', async (b) => {
  const [quick, slow] = [b.recorder(11), b.recorder(12)]
  slow.onInvite = 'leave'
  b.start(`${quick.uri},${slow.uri}`)
  await b.pass(30_000)
  slow.accept()
  await b.pass()
  assert.deepEqual(b.events.at(-1)?.type, 'recorder.accepted')
  assert.equal([...b.call.media.forks.values()].filter((fork) => fork.open).length, 4)
})

bench('a recorder that has not accepted after 32 s is cancelled and reported as failed', async (b) => {
  const [quick, slow] = [b.recorder(11), b.recorder(12)]
  slow.onInvite = 'leave'
  b.start(`${quick.uri},${slow.uri}`)
  await b.pass(31_900)
  assert.equal(slow.session().isCancelled, false)
  await b.pass(200)
  assert.equal(slow.session().isCancelled, true)
  assert.equal(b.events.at(-1)?.type, 'recorder.failed')
  assert.equal(b.call.media.forks.size, 2, 'the forks of the other go on')
  assert.equal(b.state, 'recording')
})

bench('a recorder that accepts after a pause starts gated, is re-offered inactive, and gets no audio', async (b) => {
  const [quick, slow] = [b.recorder(11), b.recorder(12)]
  slow.onInvite = 'leave'
  b.start(`${quick.uri},${slow.uri}`)
  await b.pass()
  b.pause()
  await b.pass(1_000)
  slow.accept()
  await b.pass()
  assert.deepEqual(slow.session().reoffers.map(mediaLines), [paused])
  assert.equal(await b.audio(), 0)
})

bench('every recorder refused: 503, with a result for each, and the slot is free', async (b) => {
  const [one, two] = [b.recorder(11), b.recorder(12)]
  one.onInvite = 486
  two.onInvite = 603
  const start = b.start(`${one.uri},${two.uri}`)
  await b.pass()
  assert.equal(start.status, 503)
  assert.deepEqual(start.outcome?.results, { [one.uri]: 'failed(486)', [two.uri]: 'failed(603)' })
  assert.equal(b.state, 'none')
  assert.equal(b.call.media.forks.size, 0)
  assert.ok(b.log.messages().includes('startCallRecording answered 503'))
  assert.deepEqual(b.eventTypes.slice(-2), ['recording.failed', 'recording.closed'])
  one.onInvite = 'take'
  const again = b.start(one.uri)
  await b.pass()
  assert.equal(again.status, 200)
})

bench('a name that does not resolve: 503', async (b) => {
  const start = b.start('sip:nowhere.example')
  await b.pass()
  assert.deepEqual([start.status, start.outcome?.results], [503, { 'sip:nowhere.example': 'failed(503)' }])
})

bench('no final answer by the deadline: 503, and CANCEL since a provisional response came', async (b) => {
  const recorder = b.recorder()
  recorder.onInvite = 'leave'
  const start = b.start(recorder.uri)
  await b.pass(4_990)
  assert.equal(start.status, 'pending')
  await b.pass(20)
  assert.deepEqual([start.status, start.outcome?.text], [503, 'no recorder answered in time'])
  assert.deepEqual(start.outcome?.results, { [recorder.uri]: 'failed(408)' })
  assert.equal(recorder.session().isCancelled, true)
  assert.equal(b.state, 'none')
})

/** Four addresses behind one name, none of which says anything. */
function silentAddresses(b: RecordingBench): ReturnType<RecordingBench['scripted']>[] {
  const peers = [21, 22, 23, 24].map((host) => b.scripted(host))
  b.network.name(
    'silent.example',
    peers.map(({ ip }) => ({ transport: 'tcp', host: ip, port: 5060 })),
  )
  return peers
}

bench('an address that is silent for 1.5 s is given up for the next, so that failover fits the deadline', async (b) => {
  const [first, second] = silentAddresses(b)
  b.start('sip:silent.example')
  await b.pass(1_490)
  assert.deepEqual([first?.count('INVITE'), second?.count('INVITE')], [1, 0])
  await b.pass(20)
  assert.equal(second?.count('INVITE'), 1)
  assert.ok(b.log.messages().includes('recorder address failed'))
})

bench('silence up to the deadline: 503, CANCEL only at the first provisional response', async (b) => {
  const last = silentAddresses(b)[3]
  const start = b.start('sip:silent.example')
  await b.pass(5_100)
  assert.equal(start.status, 503)
  const invite = last?.take('INVITE')
  assert.ok(last && invite)
  assert.equal(last.count('CANCEL'), 0)
  last.respond(invite, 180, { tag: 'slow' })
  await b.pass()
  last.respond(last.take('CANCEL'), 200)
  last.respond(invite, 487, { tag: 'slow' })
  await b.pass()
  last.take('ACK')
})

bench('silence up to the deadline: a late 200 is ACKed and BYEd, and the slot is free', async (b) => {
  const last = silentAddresses(b)[3]
  b.start('sip:silent.example')
  await b.pass(5_100)
  const invite = last?.take('INVITE')
  assert.ok(last && invite)
  last.respond(invite, 200, { tag: 'slow' })
  await b.pass()
  last.take('ACK')
  last.respond(last.take('BYE'), 200)
  const recorder = b.recorder()
  const start = b.start(recorder.uri)
  await b.pass()
  assert.equal(start.status, 200)
})

bench('a mixed list needs one valid URI, and each invalid one has a 503 of its own', async (b) => {
  const recorder = b.recorder()
  const start = b.start(`https://a.example,${recorder.uri},10.0.0.5`)
  await b.pass()
  assert.equal(start.status, 200)
  assert.deepEqual(start.outcome?.results, {
    'https://a.example': 'failed(503)',
    [recorder.uri]: 'accepted',
    '10.0.0.5': 'failed(503)',
  })
})

for (const servers of ['wss://a.example', 'https://a.example', 'siprec.example.com', '10.0.0.5', 'tel:+15550100']) {
  bench(`a start towards ${servers}: 503`, async (b) => {
    const start = b.start(servers)
    await b.pass()
    assert.deepEqual([start.status, start.outcome?.results], [503, { [servers]: 'failed(503)' }])
    assert.deepEqual([b.state, b.call.media.forks.size], ['none', 0])
  })
}

for (const servers of ['', '  ', ',', 'undefined']) {
  bench(`a start towards "${servers}": 400 in the words of the page`, async (b) => {
    const start = b.start(servers)
    await b.pass()
    assert.deepEqual(
      [start.status, start.outcome?.text],
      [400, 'startCallRecording request is missing X-Srs-Url header'],
    )
    assert.ok(b.log.messages().includes('startCallRecording request is missing X-Srs-Url header'))
  })
}

bench('a destination that is not configured is never dialled', async (b) => {
  const recorder = b.recorder()
  const stranger = b.network.scriptedPeer('10.9.9.9')
  const refused = b.start('sip:10.9.9.9')
  await b.pass()
  assert.deepEqual([refused.status, refused.outcome?.results], [503, { 'sip:10.9.9.9': 'failed(403)' }])
  const start = b.start(`sip:10.9.9.9,${recorder.uri}`)
  await b.pass()
  assert.equal(start.status, 200)
  assert.equal(start.outcome?.results['sip:10.9.9.9'], 'failed(403)')
  assert.deepEqual(stranger.inbox, [])
})

bench('a start without a notice before it is logged', async (b) => {
  b.start(b.recorder().uri, { noticePlayed: false })
  await b.pass()
  assert.ok(b.log.messages().includes('recording.no-notice'))
})

bench(
  'a start by INFO on a call that is not answered: 400',
  async (b) => {
    const recorder = b.recorder()
    const start = b.start(recorder.uri, { origin: 'info' })
    await b.pass()
    assert.equal(start.status, 400)
    b.call.answer()
    await b.pass()
    assert.equal(recorder.sessions.length, 0)
  },
  { state: 'ringing' },
)

for (const origin of ['flow', 'rest'] as const) {
  bench(
    `a start by ${origin} is held until the call is answered, and offers what was agreed then`,
    async (b) => {
      const recorder = b.recorder()
      b.call.changeEncodings([])
      const start = b.start(recorder.uri, { origin })
      await b.pass(10_000)
      assert.deepEqual([start.status, b.state, recorder.sessions.length], ['pending', 'starting', 0])
      b.call.answer(['PCMA/8000'])
      await b.pass()
      assert.equal(start.status, 200)
      assert.match(recorder.session().first.sdp, /m=audio \d+ RTP\/AVP 8\r\n/)
      assert.equal(recorder.session().requests.length, 0, 'the INVITE had the document of the moment')
    },
    { state: 'ringing' },
  )
}

bench(
  'a held start that is stopped is answered 487 and never begins',
  async (b) => {
    const recorder = b.recorder()
    const start = b.start(recorder.uri, { origin: 'flow' })
    const stop = b.stop()
    await b.pass()
    assert.deepEqual([start.status, stop.status], [487, 200])
    b.call.answer()
    await b.pass()
    assert.equal(recorder.sessions.length, 0)
  },
  { state: 'ringing' },
)

bench(
  'a held start that is paused begins inactive',
  async (b) => {
    const recorder = b.recorder()
    b.start(recorder.uri, { origin: 'flow' })
    const pause = b.pause()
    await b.pass()
    assert.equal(pause.status, 200)
    b.call.answer()
    await b.pass()
    assert.deepEqual(mediaLines(recorder.session().first), paused)
    assert.equal(await b.audio(), 0)
  },
  { state: 'ringing' },
)
