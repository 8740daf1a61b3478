// Several calls in one recording session at a time (RFC 7866 section 5.1): rows SRC-71, FLOW-09.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { writeSnapshotRequest } from '#siprec'
import type { FakeCall } from '../harness/fake-call.ts'
import { profiled } from '../harness/profiles.ts'
import { type RecordingBench, withBench } from '../harness/recording-bench.ts'
import { descriptionOf, documentProblems, mediaLines, type RecordingMessage } from '../harness/recording-message.ts'
import type { TestRecorder } from '../harness/test-recorder.ts'

const [A1, A2, B1, B2] = ['port sendonly 1-1', 'port sendonly 1-2', 'port sendonly 2-1', 'port sendonly 2-2'] as const

function row(
  name: string,
  run: (b: RecordingBench) => Promise<void>,
  change: Parameters<typeof profiled>[0] = {},
): void {
  test(name, () => withBench(run, profiled({ callsPerSession: 2, ...change })))
}

interface Scene {
  readonly recorder: TestRecorder
  readonly other: FakeCall
}

/** Has a call recorded at a recorder; settles with the status of the start. */
async function record(b: RecordingBench, call: FakeCall, servers: string): Promise<number | undefined> {
  let status: number | undefined
  void b.client.start(call, { servers, recordingId: 'r', origin: 'info', noticePlayed: true }).then((outcome) => {
    status = outcome.status
  })
  await b.pass(500)
  return status
}

/** Two calls in one session. */
async function two(b: RecordingBench, recorder = b.recorder()): Promise<Scene> {
  assert.equal(await record(b, b.call, recorder.uri), 200)
  const other = b.anotherCall()
  assert.equal(await record(b, other, recorder.uri), 200)
  return { recorder, other }
}

async function flows(b: RecordingBench, call: FakeCall): Promise<number> {
  const forks = [...call.media.forks.values()]
  const before = forks.reduce((sum, fork) => sum + fork.packets, 0)
  for (const fork of forks) call.media.flow(fork.id, 5)
  await b.pass(1)
  return forks.reduce((sum, fork) => sum + fork.packets, 0) - before
}

function last(recorder: TestRecorder, session = 0): RecordingMessage {
  const { first, reoffers } = recorder.session(session)
  return reoffers.at(-1) ?? first
}

function idOf(call: FakeCall): string {
  return Buffer.from(call.snapshot().sessionId).toString('base64')
}

/** Session ids of a document. */
function told({ document }: RecordingMessage): string[] {
  return (document?.sessions ?? []).map(({ sessionId }) => sessionId)
}

row(
  'SRC-71, FLOW-09: a second call adds streams and a session to the same dialog, each stream names its own, in one group',
  async (b) => {
    const { recorder, other } = await two(b)
    assert.equal(recorder.sessions.length, 1)
    const joined = last(recorder)
    assert.deepEqual(mediaLines(recorder.session().first), [A1, A2])
    assert.deepEqual(mediaLines(joined), [A1, A2, B1, B2])
    assert.deepEqual(documentProblems(joined), [])
    const { document } = joined
    assert.deepEqual(told(joined), [idOf(b.call), idOf(other)])
    assert.equal(document?.groups.length, 1)
    assert.deepEqual(
      document?.sessions.map(({ groupRef }) => groupRef === document.groups[0]?.groupId),
      [true, true],
    )
    assert.deepEqual(
      document?.streams.map(({ label, sessionId }) => [label, sessionId]),
      [
        ['1-1', idOf(b.call)],
        ['1-2', idOf(b.call)],
        ['2-1', idOf(other)],
        ['2-2', idOf(other)],
      ],
    )
    assert.deepEqual([await flows(b, b.call), await flows(b, other)], [10, 10])
    assert.equal(descriptionOf(joined).origin.sessionId, descriptionOf(recorder.session().first).origin.sessionId)
  },
)

row('SRC-71: the end of one call leaves the other untouched, and its m-lines go to the next call', async (b) => {
  const { recorder, other } = await two(b)
  b.call.end()
  await b.pass(500)
  const left = last(recorder)
  assert.deepEqual(mediaLines(left), ['0 - 1-1', '0 - 1-2', B1, B2])
  assert.deepEqual(documentProblems(left), [])
  const ended = left.document?.sessionRecordingAssocs.map(({ disassociateTime }) => disassociateTime !== undefined)
  assert.deepEqual(
    [told(left), ended],
    [
      [idOf(b.call), idOf(other)],
      [true, false],
    ],
  )
  assert.deepEqual([recorder.session().end, await flows(b, other)], [undefined, 10])
  const third = b.anotherCall()
  assert.equal(await record(b, third, recorder.uri), 200)
  assert.deepEqual(mediaLines(last(recorder)), ['port sendonly 3-1', 'port sendonly 3-2', B1, B2])
  assert.deepEqual([told(last(recorder)), recorder.sessions.length], [[idOf(other), idOf(third)], 1])
  other.end()
  await b.pass(500)
  assert.deepEqual([recorder.session().end, await flows(b, third)], [undefined, 10])
  third.end()
  await b.pass(3_000)
  assert.equal(recorder.session().end?.cause, 'remote-bye', 'the last one ends it')
})

row('SRC-71: a pause of one call is one of its streams only', async (b) => {
  const { recorder, other } = await two(b)
  b.pause()
  await b.pass()
  assert.deepEqual(mediaLines(last(recorder)), ['port inactive 1-1', 'port inactive 1-2', B1, B2])
  assert.deepEqual([b.state, b.client.stateOf(other.callId)], ['paused', 'recording'])
  assert.deepEqual([await flows(b, b.call), await flows(b, other)], [0, 10])
  other.join()
  await b.pass(500)
  assert.deepEqual(mediaLines(last(recorder)).slice(0, 2), ['port inactive 1-1', 'port inactive 1-2'])
  assert.equal(await flows(b, b.call), 0, 'an offer of the other call opens nothing')
  b.resume()
  await b.pass()
  assert.deepEqual(mediaLines(last(recorder)), [A1, A2, B1, B2])
  assert.deepEqual([await flows(b, b.call), await flows(b, other)], [10, 10])
})

row('SRC-71, SRC-63: the loss of the session re-homes both calls, into one session again', async (b) => {
  const { recorder, other } = await two(b)
  recorder.bye()
  await b.pass(1_000)
  assert.equal(recorder.sessions.length, 2)
  assert.deepEqual(mediaLines(last(recorder, 1)).toSorted(), [A1, A2, B1, B2])
  assert.deepEqual(told(last(recorder, 1)).toSorted(), [idOf(b.call), idOf(other)].toSorted())
  assert.deepEqual([b.state, b.client.stateOf(other.callId)], ['recording', 'recording'])
  assert.deepEqual([await flows(b, b.call), await flows(b, other)], [10, 10])
})

for (const [what, rule] of [
  ['refuses', 488],
  ['does not answer', 'leave'],
] as const) {
  row(
    `SRC-71: a recorder that ${what} the second call has it in a session of its own, and the first goes on`,
    async (b) => {
      const recorder = b.recorder()
      assert.equal(await record(b, b.call, recorder.uri), 200)
      recorder.reofferRules.push(rule)
      const other = b.anotherCall()
      await record(b, other, recorder.uri)
      await b.pass(3_000)
      assert.equal(b.client.stateOf(other.callId), 'recording')
      assert.equal(recorder.sessions.length, 2)
      assert.deepEqual([await flows(b, b.call), await flows(b, other)], [10, 10])
      assert.equal(recorder.session(0).end, undefined)
    },
  )
}

row('SRC-71: a session takes no more calls than the profile says', async (b) => {
  const { recorder } = await two(b)
  const third = b.anotherCall()
  assert.equal(await record(b, third, recorder.uri), 200)
  assert.deepEqual(
    [recorder.sessions.length, mediaLines(recorder.session(1).first)],
    [2, ['port sendonly 3-1', 'port sendonly 3-2']],
  )
})

row('SRC-71: calls that start at the same time are in one session', async (b) => {
  const recorder = b.recorder()
  const other = b.anotherCall()
  const start = b.start(recorder.uri)
  assert.equal(await record(b, other, recorder.uri), 200)
  assert.deepEqual([start.status, recorder.sessions.length], [200, 1])
  assert.deepEqual([await flows(b, b.call), await flows(b, other)], [10, 10])
})

row('SRC-71, SRC-57: a recorder that asks for a snapshot gets both calls', async (b) => {
  const { recorder, other } = await two(b)
  const body = { contentType: 'application/rs-metadata-request', content: writeSnapshotRequest('state lost') }
  void recorder.session().dialog?.request('UPDATE', { body: { ...body, contentType: 'application/rs-metadata+xml' } })
  await b.pass(500)
  assert.deepEqual([last(recorder).document?.dataMode, told(last(recorder))], ['complete', [idOf(b.call), idOf(other)]])
})

row(
  'SRC-71, SRC-70: a session that stays up between calls is taken over, joined, and kept again',
  async (b) => {
    const { recorder, other } = await two(b)
    b.call.end()
    other.end()
    await b.pass(1_000)
    assert.equal(recorder.session().end, undefined)
    const [third, fourth] = [b.anotherCall(), b.anotherCall()]
    assert.equal(await record(b, third, recorder.uri), 200)
    assert.equal(await record(b, fourth, recorder.uri), 200)
    assert.equal(recorder.sessions.length, 1)
    assert.deepEqual([await flows(b, third), await flows(b, fourth)], [10, 10])
    assert.deepEqual(documentProblems(last(recorder)), [])
  },
  { idleSessionMs: 60_000 },
)

row(
  'SRC-71: documents that tell what changed are valid, and tell of the second call',
  async (b) => {
    const { recorder, other } = await two(b)
    assert.ok(told(last(recorder)).includes(idOf(other)))
    assert.deepEqual(documentProblems(last(recorder)), [])
    b.call.end()
    await b.pass(500)
    other.join()
    await b.pass(500)
    assert.equal(last(recorder).document?.dataMode, 'complete', 'the first call is not in it any more')
    assert.deepEqual(told(last(recorder)), [idOf(other)])
  },
  { metadata: { updates: 'partial' } },
)

row(
  'SRC-71, FLOW-09: of two calls that are each recorded mixed, each mix has an m-line and a session of its own, and everyone in it',
  async (b) => {
    b.call.join()
    const { recorder, other } = await two(b)
    other.join()
    await b.pass(500)
    const message = last(recorder)
    assert.deepEqual(mediaLines(message), [A1, B1])
    assert.deepEqual(descriptionOf(message).media[0]?.formats, ['0', '8'])
    const { streams = [], participantStreamAssocs = [] } = message.document ?? {}
    assert.deepEqual(
      streams.map(({ sessionId }) => sessionId),
      [idOf(b.call), idOf(other)],
    )
    for (const { streamId } of streams) {
      const senders = participantStreamAssocs.filter(({ send }) => send.includes(streamId))
      assert.equal(senders.length, 2)
    }
    assert.deepEqual([await flows(b, b.call), await flows(b, other)], [5, 5])
  },
  { media: { streams: 'mixed' } },
)
