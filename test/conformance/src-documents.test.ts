// What the documents of a recording session say along a call: rows META-13 to META-24, SRC-29, SRC-37, SRC-46, FLOW-01, -02, -10, -17, -21.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defaultProfile } from '#recording-client'
import { type RecordingMetadata, uuidBase64, writeSnapshotRequest } from '#siprec'
import { type RecordingBench, withBench } from '../harness/recording-bench.ts'
import { documentProblems, type RecordingMessage } from '../harness/recording-message.ts'

function row(
  name: string,
  run: (bench: RecordingBench) => Promise<void>,
  over?: Parameters<typeof withBench>[1],
): void {
  test(name, () => withBench(run, over))
}

/** Messages with a document that went to a recorder, each checked by schema, by sense and against its SDP. */
function documented(bench: RecordingBench, ip = '10.0.0.11'): RecordingMessage[] {
  const messages = bench.sent(ip).filter(({ documentText }) => documentText !== undefined)
  for (const message of messages) assert.deepEqual(documentProblems(message), [], message.documentText)
  return messages
}

function last(bench: RecordingBench): RecordingMetadata {
  const document = documented(bench).at(-1)?.document
  assert.ok(document)
  return document
}

/** The address of a participant. */
function who(document: RecordingMetadata, participantId: string | undefined): string {
  const participant = document.participants.find((each) => each.participantId === participantId)
  return participant?.nameIds[0]?.aor ?? '?'
}

/** `label: sender > receiver` for each stream, with `-` for nobody. */
function flows(document: RecordingMetadata): string[] {
  const present = document.participantStreamAssocs.filter((each) => each.disassociateTime === undefined)
  const names = (list: 'send' | 'recv', streamId: string): string =>
    present
      .filter((each) => each[list].includes(streamId))
      .map((each) => /sip:(\w+)/.exec(who(document, each.participantId))?.[1])
      .join('+') || '-'
  return document.streams.map(
    ({ label, streamId }) => `${label}: ${names('send', streamId)} > ${names('recv', streamId)}`,
  )
}

row('FLOW-21: a start before there is a callee names the caller and the automaton', async (bench) => {
  await bench.recording()
  const document = last(bench)
  assert.deepEqual(flows(document), ['1: alice > ivr', '2: ivr > alice'])
  assert.equal(document.participants.length, 2)
  assert.equal(document.participants[0]?.nameIds[0]?.name, 'Älice <&>')
})

row(
  'FLOW-01, META-17, META-24: the callee that answers a dial takes the place of the automaton, which stays listed',
  async (bench) => {
    const recorder = await bench.recording()
    await bench.pass(5_000)
    bench.call.join()
    await bench.pass()
    const document = last(bench)
    assert.equal(recorder.session().reoffers.at(-1)?.label, 'INVITE')
    assert.equal(document.dataMode, 'complete')
    assert.deepEqual(flows(document), ['1: alice > bob', '2: bob > alice'])
    const gone = document.participantSessionAssocs.filter((each) => each.disassociateTime !== undefined)
    assert.deepEqual(
      gone.map((each) => who(document, each.participantId)),
      ['sip:ivr@gw.example'],
    )
  },
)

row('META-24: a party that left stays listed with its time, and sends and receives nothing', async (bench) => {
  await bench.recording()
  const bob = bench.call.join()
  await bench.pass(1_000)
  bench.call.leave(bob)
  await bench.pass()
  const document = last(bench)
  const left = document.participantStreamAssocs.find((each) => each.participantId === uuidBase64(bob))
  assert.deepEqual([left?.send, left?.recv], [[], []])
  assert.equal(left?.disassociateTime, new Date(bench.clock.wallMs() - 250).toISOString())
  assert.deepEqual(flows(document), ['1: alice > -', '2: - > alice'])
})

row(
  'META-18, FLOW-02: a party that holds hears nothing, the held one says nothing; a resumption brings both back',
  async (bench) => {
    await bench.recording()
    const bob = bench.call.join()
    await bench.pass()
    bench.call.hold(bob, 'sendonly')
    await bench.pass()
    assert.deepEqual(flows(last(bench)), ['1: - > -', '2: bob > alice'])
    bench.call.hold(bob, 'inactive')
    await bench.pass()
    assert.deepEqual(flows(last(bench)), ['1: - > -', '2: - > alice'])
    bench.call.hold(bob, 'none')
    await bench.pass()
    assert.deepEqual(flows(last(bench)), ['1: alice > bob', '2: bob > alice'])
  },
)

row('SRC-46: while the caller holds, stream 2 is what the callee says, and the stream goes on', async (bench) => {
  const recorder = await bench.recording()
  bench.call.join()
  const caller = bench.call.snapshot().parties[0]?.participantId
  assert.ok(caller)
  const taps = (): string[] =>
    [...bench.call.media.forks.values()].map(({ tap }) => ('mix' in tap ? 'mix' : `${tap.leg} ${tap.point}`))
  bench.call.hold(caller, 'sendonly')
  await bench.pass()
  assert.deepEqual(taps(), ['caller received', 'callee received'])
  bench.call.hold(caller, 'none')
  await bench.pass()
  assert.deepEqual(taps(), ['caller received', 'caller sent'])
  assert.equal(recorder.session().end, undefined)
})

row('taps that change while the ports are bound are right when the INVITE goes out', async (bench) => {
  const recorder = bench.recorder()
  bench.call.join()
  const caller = bench.call.snapshot().parties[0]?.participantId
  assert.ok(caller)
  const bound: (() => void)[] = []
  bench.engine.onCommand = (command) =>
    command.name === 'addFork' ? new Promise((resolve) => bound.push(resolve)) : undefined
  bench.start(recorder.uri)
  bench.call.hold(caller, 'sendonly')
  bench.engine.onCommand = undefined
  for (const done of bound) done()
  await bench.pass()
  assert.deepEqual([...bench.call.media.forks.values()][1]?.tap, { leg: 'callee', point: 'received' })
})

row(
  'META-16, FLOW-17: the session is tied to the recording when the INVITE goes out, not when the call began',
  async (bench) => {
    await bench.pass(12_000)
    await bench.recording()
    const document = last(bench)
    const [association] = document.sessionRecordingAssocs
    assert.equal(association?.associateTime, '2026-01-05T09:00:12.000Z')
    assert.equal(document.sessions[0]?.startTime, '2026-01-05T09:00:00.000Z')
    assert.equal(association?.disassociateTime, undefined)
  },
)

row(
  'META-16: a held start is tied when it begins',
  async (bench) => {
    const recorder = bench.recorder()
    bench.start(recorder.uri, { origin: 'flow' })
    await bench.pass(7_000)
    bench.call.answer()
    await bench.pass()
    assert.equal(last(bench).sessionRecordingAssocs[0]?.associateTime, '2026-01-05T09:00:07.000Z')
  },
  { state: 'ringing' },
)

row(
  'FLOW-10, META-13, META-14: the document of the end has stop-time, reason and the time of everyone who was there',
  async (bench) => {
    await bench.recording()
    bench.call.join()
    await bench.pass(60_000)
    bench.call.end()
    await bench.pass()
    const document = last(bench)
    const endedAt = new Date(bench.call.snapshot().endedAtMs ?? 0).toISOString()
    const [session] = document.sessions
    assert.equal(session?.stopTime, endedAt)
    assert.deepEqual(session?.reasons, [{ protocol: 'Q.850', cause: 16, text: 'Normal call clearing' }])
    const assocs = [...document.participantSessionAssocs, ...document.participantStreamAssocs]
    assert.ok(assocs.every((each) => each.disassociateTime !== undefined))
    assert.equal(document.sessionRecordingAssocs[0]?.disassociateTime, endedAt)
    assert.deepEqual(flows(document), ['1: - > -', '2: - > -'])
  },
)

row('META-16: a stop while the call goes on unties the session, and the call has no stop-time', async (bench) => {
  await bench.recording()
  await bench.pass(1_000)
  bench.stop()
  await bench.pass()
  const document = last(bench)
  assert.notEqual(document.sessionRecordingAssocs[0]?.disassociateTime, undefined)
  assert.equal(document.sessions[0]?.stopTime, undefined)
})

row('SRC-37: no document goes out without the SDP that has its labels, and none in BYE', async (bench) => {
  const recorder = await bench.recording()
  const bob = bench.call.join()
  await bench.pass()
  bench.pause()
  bench.call.hold(bob, 'sendonly')
  await bench.pass()
  bench.resume()
  await bench.pass()
  bench.stop()
  await bench.pass()
  const messages = documented(bench)
  assert.ok(messages.length >= 4)
  for (const { label, sdp } of messages) {
    assert.ok(label === 'INVITE' || label === 'UPDATE')
    assert.notEqual(sdp, '')
  }
  assert.equal(recorder.session().end?.request?.body.length, 0)
})

row('META-07, META-08: ids do not change along the call', async (bench) => {
  await bench.recording()
  const bob = bench.call.join()
  await bench.pass()
  bench.call.hold(bob, 'sendonly')
  await bench.pass()
  bench.call.end()
  await bench.pass()
  const keys = documented(bench).map(({ document }) => [
    document?.sessions[0]?.sessionId,
    document?.groups[0]?.groupId,
    ...(document?.streams.map(({ streamId }) => streamId) ?? []),
    document?.participants[0]?.participantId,
  ])
  assert.ok(keys.length >= 4)
  for (const key of keys) assert.deepEqual(key, keys[0])
})

row('META-23: with the jambonz profile the extension data stands in its wrapper, else directly', async (bench) => {
  await bench.recording()
  const text = documented(bench)[0]?.documentText ?? ''
  assert.match(text, /callsid/)
  assert.doesNotMatch(text, /extensiondata/)
})

row(
  'META-23: the wrapper of the jambonz profile',
  async (bench) => {
    const recorder = await bench.recording()
    assert.match(recorder.session().first.documentText ?? '', /<extensiondata[\s\S]*callsid[\s\S]*<\/extensiondata>/)
  },
  { profileOf: () => ({ ...defaultProfile, metadata: { ...defaultProfile.metadata, jambonzWrapper: true } }) },
)

row(
  'SRC-54, META-21, META-34: INVITE, re-INVITE and UPDATE carry documents, whose streams name the one session, in the order of CSeq',
  async (bench) => {
    const recorder = await bench.recording()
    bench.call.join()
    await bench.pass()
    bench.call.end()
    await bench.pass()
    const told = bench.sent(recorder.ip).filter(({ document }) => document !== undefined)
    assert.deepEqual(
      told.map(({ label }) => label),
      ['INVITE', 'INVITE', 'UPDATE'],
    )
    const numbers = told.map(({ message }) => Number.parseInt(message.headers.get('cseq') ?? '', 10))
    assert.deepEqual(
      numbers,
      [...numbers].sort((a, b) => a - b),
    )
    for (const { document, documentText } of told) {
      assert.doesNotMatch(documentText ?? '', /sequence|version="(?!1\.0)/i)
      const [session] = document?.sessions ?? []
      assert.equal(document?.sessions.length, 1)
      for (const stream of document?.streams ?? []) assert.equal(stream.sessionId, session?.sessionId)
    }
  },
)

for (const contentType of ['application/rs-metadata+xml', 'application/rs-metadata']) {
  row(`AMB-02: what asks for a snapshot is told by its root, as ${contentType}`, async (bench) => {
    const recorder = await bench.recording()
    const body = { contentType, disposition: 'recording-session', content: writeSnapshotRequest() }
    const outcome = recorder.session().dialog?.request('UPDATE', { body })
    await bench.pass()
    assert.equal((await outcome)?.status, 200)
    assert.deepEqual(
      recorder.session().reoffers.map(({ document }) => document?.dataMode),
      ['complete'],
    )
  })
}
