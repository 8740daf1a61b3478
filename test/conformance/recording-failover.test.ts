// Ordered failover at the start: who is asked, in which order, how long each may take, and what is told of it.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type RecordingBench, withBench } from '../harness/recording-bench.ts'

function bench(name: string, run: (bench: RecordingBench) => Promise<void>): void {
  test(name, () => withBench(run))
}

/** What was told of the move from one recorder to another, and after how many tenths of a second. */
function moves(b: RecordingBench): unknown[] {
  return b.events.flatMap((event) =>
    event.type === 'recorder.failed-over' ? [[event.from, event.to, Math.floor(event.afterMs / 100)]] : [],
  )
}

for (const status of [403, 404, 480, 486, 488, 500, 503, 600, 603]) {
  bench(`SRC-60: a recorder that refuses with ${status} is followed by the next, which gets the audio`, async (b) => {
    const [first, second] = [b.recorder(11), b.recorder(12)]
    first.onInvite = status
    const start = b.start(`${first.uri}|${second.uri}`)
    await b.pass()
    assert.equal(start.status, 200)
    assert.deepEqual(start.outcome?.results, { [first.uri]: `failed(${status})`, [second.uri]: 'accepted' })
    assert.equal(b.call.media.forks.size, 2)
    assert.equal(await b.audio(5), 10)
    assert.deepEqual(b.eventTypes.slice(0, 4), [
      'recorder.failed',
      'recorder.accepted',
      'recording.started',
      'recorder.failed-over',
    ])
  })
}

bench(
  'SRC-60, field 12: a recorder that is silent for 1.5 s is followed by the next; the event says how long it took',
  async (b) => {
    const [silent, second] = [b.scripted(21), b.recorder(12)]
    const start = b.start(`sip:${silent.ip};transport=tcp|${second.uri}`)
    await b.pass(1_600)
    assert.equal(start.status, 200)
    assert.deepEqual(moves(b), [[`sip:${silent.ip};transport=tcp`, second.uri, 15]])
    assert.equal(await b.audio(5), 10)
  },
)

bench('SRC-60: a recorder whose name is gone from DNS is followed by the next', async (b) => {
  const second = b.recorder(12)
  const start = b.start(`sip:gone.example|${second.uri}`)
  // The name fails without a message or a timer, by which the clock would go on in steps.
  await b.pass(0)
  await b.pass()
  assert.equal(start.status, 200)
  assert.equal(start.outcome?.results['sip:gone.example'], 'failed(503)')
})

bench('SRC-38, SRC-60: a recorder whose answer is broken is followed by the next', async (b) => {
  const [first, second] = [b.recorder(11), b.recorder(12)]
  first.answer = () => undefined
  const start = b.start(`${first.uri}|${second.uri}`)
  await b.pass()
  assert.equal(start.status, 200)
  assert.equal(first.session().end?.cause, 'remote-bye')
  assert.equal(second.session().end, undefined)
})

bench('a recorder that rings has its share of the deadline and no more', async (b) => {
  const [slow, second] = [b.recorder(11), b.recorder(12)]
  slow.onInvite = 'leave'
  const start = b.start(`${slow.uri}|${second.uri}`)
  await b.pass(2_400)
  assert.equal(start.status, 'pending')
  await b.pass(200)
  assert.equal(start.status, 200)
  assert.equal(slow.session().isCancelled, true)
  assert.deepEqual(moves(b), [[slow.uri, second.uri, 25]])
})

bench('field 14: a late 200 of a recorder that was given up is ACKed and BYEd', async (b) => {
  const [silent, second] = [b.scripted(21), b.recorder(12)]
  const start = b.start(`sip:${silent.ip};transport=tcp|${second.uri}`)
  await b.pass(1_600)
  const invite = silent.take('INVITE')
  silent.respond(invite, 200, { tag: 'late' })
  await b.pass()
  silent.take('ACK')
  silent.respond(silent.take('BYE'), 200)
  await b.pass()
  assert.equal(start.status, 200)
  assert.equal(await b.audio(5), 10, 'two streams, to one recorder')
})

bench('the third of three is reached within the deadline', async (b) => {
  const recorders = [b.recorder(11), b.recorder(12), b.recorder(13)]
  for (const slow of recorders.slice(0, 2)) slow.onInvite = 'leave'
  const start = b.start(recorders.map(({ uri }) => uri).join('|'))
  await b.pass(3_500)
  assert.equal(start.status, 200)
  assert.equal(start.outcome?.results[recorders[2]?.uri ?? ''], 'accepted')
})

bench('every recorder of an ordered list refused: 503, each with its result', async (b) => {
  const [first, second] = [b.recorder(11), b.recorder(12)]
  first.onInvite = 486
  second.onInvite = 503
  const start = b.start(`${first.uri}|${second.uri}`)
  await b.pass()
  assert.deepEqual([start.status, start.outcome?.text], [503, 'no recorder accepted the recording'])
  assert.deepEqual(start.outcome?.results, { [first.uri]: 'failed(486)', [second.uri]: 'failed(503)' })
  assert.equal(b.call.media.forks.size, 0)
})

bench('parallel and ordered lists together: each entry fails over by itself', async (b) => {
  const [a, standby, other] = [b.recorder(11), b.recorder(12), b.recorder(13)]
  a.onInvite = 503
  const start = b.start(`${a.uri}|${standby.uri},${other.uri}`)
  await b.pass()
  assert.equal(start.status, 200)
  assert.deepEqual([standby.sessions.length, other.sessions.length], [1, 1])
  assert.equal(b.call.media.forks.size, 4)
})

bench('an alternative that may not be recorded to is never dialled', async (b) => {
  const first = b.recorder(11)
  first.onInvite = 503
  const stranger = b.network.scriptedPeer('10.9.9.9')
  const start = b.start(`${first.uri}|sip:10.9.9.9`)
  await b.pass()
  assert.equal(start.status, 503)
  assert.equal(start.outcome?.results['sip:10.9.9.9'], 'failed(403)')
  assert.deepEqual(stranger.inbox, [])
})

bench('a pause during the failover holds for the recorder that comes', async (b) => {
  const [slow, second] = [b.recorder(11), b.recorder(12)]
  slow.onInvite = 'leave'
  b.start(`${slow.uri}|${second.uri}`)
  await b.pass(1_000)
  const pause = b.pause()
  await b.pass(2_000)
  assert.equal(pause.status, 200)
  assert.match(second.session().first.sdp, /a=inactive/)
  assert.equal(await b.audio(5), 0)
})

bench('a stop during the failover asks nobody else', async (b) => {
  const [slow, second] = [b.recorder(11), b.recorder(12)]
  slow.onInvite = 'leave'
  const start = b.start(`${slow.uri}|${second.uri}`)
  await b.pass(1_000)
  b.stop()
  await b.pass(10_000)
  assert.deepEqual([start.status, second.sessions.length], [487, 0])
})
