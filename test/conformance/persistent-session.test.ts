// Recording sessions that stay up between calls (RFC 7866 section 10, RFC 8068 section 3.4).

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RecordableCall } from '#call'
import { METADATA_DISPOSITION, writeSnapshotRequest } from '#siprec'
import { profiled } from '../harness/profiles.ts'
import { type RecordingBench, withBench } from '../harness/recording-bench.ts'
import { descriptionOf, documentProblems, mediaLines, type RecordingMessage } from '../harness/recording-message.ts'
import type { TestRecorder } from '../harness/test-recorder.ts'

const IDLE_MS = 120_000

function bench(
  name: string,
  run: (bench: RecordingBench) => Promise<void>,
  change: Parameters<typeof profiled>[0] = {},
): void {
  test(name, () => withBench(run, profiled({ idleSessionMs: IDLE_MS, ...change })))
}

async function record(b: RecordingBench, call: RecordableCall, recorder: TestRecorder): Promise<void> {
  const started = await Promise.race([
    b.client.start(call, { servers: recorder.uri, recordingId: 'rec', origin: 'info', noticePlayed: true }),
    b.pass(4_000).then(() => undefined),
  ])
  assert.equal(started?.status, 200)
}

/** Session ids of a document. */
function sessionsOf({ document }: RecordingMessage): string[] {
  return (document?.sessions ?? []).map(({ sessionId }) => sessionId)
}

function idOf(call: RecordableCall): string {
  return Buffer.from(call.snapshot().sessionId).toString('base64')
}

for (const allow of [
  ['INVITE', 'ACK', 'BYE', 'CANCEL', 'UPDATE'],
  ['INVITE', 'ACK', 'BYE', 'CANCEL'],
]) {
  bench(`FLOW-08, SRC-70: two calls one after another are in one session, ${allow.length} methods known`, async (b) => {
    const recorder = b.recorder(11, { allow })
    await record(b, b.call, recorder)
    await b.audio(5)
    b.call.end()
    await b.pass(500)
    const session = recorder.session()
    const before = session.reoffers
    const [last, empty] = before
    assert.ok(last && empty && before.length === 2)
    assert.deepEqual(mediaLines(last), ['0 - 1', '0 - 2'], 'no stream is left')
    assert.deepEqual(documentProblems(last), [])
    assert.notEqual(last.document?.sessions[0]?.stopTime, undefined)
    assert.notEqual(last.document?.sessionRecordingAssocs[0]?.disassociateTime, undefined)
    assert.deepEqual([empty.document?.dataMode, sessionsOf(empty)], ['complete', []], 'there is no call')
    assert.equal(session.end, undefined, 'the session is up')
    assert.deepEqual(await b.engine.census(), { calls: 0, legs: 0, forks: 0, ports: 0 })

    await b.pass(30_000)
    const next = b.anotherCall()
    await record(b, next, recorder)
    assert.equal(recorder.sessions.length, 1, 'no other INVITE')
    const first = session.reoffers[2]
    assert.ok(first)
    assert.deepEqual(mediaLines(first), ['port sendonly 1', 'port sendonly 2'])
    assert.deepEqual(documentProblems(first), [])
    assert.deepEqual([first.document?.dataMode, sessionsOf(first)], ['complete', [idOf(next)]])
    const versions = [session.first, ...session.reoffers].flatMap((message) =>
      message.sdp === '' ? [] : [descriptionOf(message).origin],
    )
    assert.equal(new Set(versions.map(({ sessionId }) => sessionId)).size, 1)
    const [fork = ''] = next.media.forks.keys()
    next.media.flow(fork, 3)
    assert.equal(next.media.forks.get(fork)?.packets, 3, 'the audio of the next call flows')
  })
}

bench('SRC-70: a session that no call is put into is ended after its time', async (b) => {
  const recorder = await b.recording()
  b.call.end()
  await b.pass(IDLE_MS - 1_000)
  assert.equal(recorder.session().end, undefined)
  assert.equal(b.client.census().sessions, 1)
  await b.pass(2_000)
  assert.equal(recorder.session().end?.cause, 'remote-bye')
  assert.equal(b.client.census().sessions, 0)
})

bench('SRC-70: calls at the same time have sessions of their own, and one of them is used again', async (b) => {
  const recorder = await b.recording()
  await record(b, b.anotherCall(), recorder)
  assert.equal(recorder.sessions.length, 2)
  b.call.end()
  await b.pass(500)
  await record(b, b.anotherCall(), recorder)
  assert.equal(recorder.sessions.length, 2)
})

bench('SRC-70: a session whose recorder refuses the next call is given up for another', async (b) => {
  const recorder = await b.recording()
  b.call.end()
  await b.pass(500)
  recorder.reofferRules.push(488)
  await record(b, b.anotherCall(), recorder)
  assert.equal(recorder.sessions.length, 2)
  assert.equal(recorder.session(0).end?.cause, 'remote-bye')
})

bench(
  'SRC-70: a session that does not answer for the next call is given up for another, in time for the start',
  async (b) => {
    const recorder = await b.recording()
    b.call.end()
    await b.pass(500)
    recorder.reofferRules.push('leave')
    await record(b, b.anotherCall(), recorder)
    assert.equal(recorder.sessions.length, 2)
  },
)

bench('SRC-70: a recorder may end a session that waits, and may ask what is in it', async (b) => {
  const recorder = await b.recording()
  b.call.end()
  await b.pass(500)
  const asked = await Promise.all([recorder.session().dialog?.reinvite({}), b.pass(100)])
  assert.equal(asked[0]?.status, 200)
  recorder.bye()
  await b.pass(100)
  assert.equal(b.client.census().sessions, 0)
  await record(b, b.anotherCall(), recorder)
  assert.equal(recorder.sessions.length, 2)
})

for (const allow of [
  ['INVITE', 'ACK', 'BYE', 'CANCEL', 'UPDATE'],
  ['INVITE', 'ACK', 'BYE', 'CANCEL'],
]) {
  bench(
    `SRC-55, SRC-70: a session that waits answers a snapshot request with a whole document without call, ${allow.length} methods known`,
    async (b) => {
      const recorder = b.recorder(11, { allow })
      await record(b, b.call, recorder)
      b.call.end()
      await b.pass(500)
      const session = recorder.session()
      const told = session.reoffers.length
      const content = writeSnapshotRequest('restarted')
      const body = { contentType: 'application/rs-metadata+xml', disposition: METADATA_DISPOSITION, content }
      const [asked] = await Promise.all([session.dialog?.request('UPDATE', { body }), b.pass(500)])
      assert.equal(asked?.status, 200)
      const [snapshot] = session.reoffers.slice(told)
      assert.ok(snapshot && session.reoffers.length === told + 1)
      assert.deepEqual([snapshot.document?.dataMode, sessionsOf(snapshot)], ['complete', []])
    },
  )
}

bench('SRC-70, RTP-20: a session that waits is asked every 25 s, and nobody asks once a call is in it', async (b) => {
  const recorder = await b.recording()
  b.call.end()
  await b.pass(56_000)
  const asked = (): number => b.sentLabels(recorder.ip).filter((label) => label === 'OPTIONS').length
  assert.deepEqual([asked(), recorder.session().end], [2, undefined])
  await record(b, b.anotherCall(), recorder)
  const before = asked()
  await b.pass(60_000)
  assert.equal(asked(), before)
})

for (const [what, spoke, sessions] of [
  ['that answered before and is silent now is given up, and the next call has another', true, 2],
  ['that never answers such questions is kept', false, 1],
] as const) {
  bench(`SRC-70: a session that waits at a recorder ${what}`, async (b) => {
    const recorder = await b.recording()
    b.call.end()
    await b.pass(500)
    if (spoke) await b.pass(26_000)
    recorder.ignoreQuestions()
    await b.pass(58_000)
    assert.equal(b.client.census().sessions, spoke ? 0 : 1)
    await record(b, b.anotherCall(), recorder)
    assert.equal(recorder.sessions.length, sessions)
  })
}

bench('SRC-34, SRC-35: a call with fewer streams leaves the m-lines of the one before at port 0', async (b) => {
  const recorder = await b.recording()
  b.call.join()
  b.call.join('third', 'sip:carol@desk.example')
  await b.pass(500)
  b.call.end()
  await b.pass(500)
  await record(b, b.anotherCall(), recorder)
  const first = recorder.session().reoffers.at(-1)
  assert.ok(first)
  assert.deepEqual(mediaLines(first), ['port sendonly 1', 'port sendonly 2', '0 - 3'])
})

bench('SRC-70: when the gateway ends, sessions that wait are ended, and those to come at once', async (b) => {
  const recorder = await b.recording()
  await record(b, b.anotherCall(), recorder)
  b.call.end()
  await b.pass(500)
  b.client.close()
  await b.pass(100)
  assert.equal(recorder.session(0).end?.cause, 'remote-bye')
})
