// Partial documents: rows SRC-23, SRC-53 to SRC-58, META-18, META-25 to META-28, FLOW-02, FLOW-03, FLOW-10, FLOW-11.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { applyMetadata, buildMultipart, type RecordingMetadata, uuidBase64, writeSnapshotRequest } from '#siprec'
import { profiled } from '../harness/profiles.ts'
import { type RecordingBench, withBench } from '../harness/recording-bench.ts'
import { documentProblems, type RecordingMessage } from '../harness/recording-message.ts'
import type { TestRecorder } from '../harness/test-recorder.ts'

const partial = profiled({ metadata: { updates: 'partial' } })

function row(name: string, run: (bench: RecordingBench) => Promise<void>): void {
  test(name, () => withBench(run, partial))
}

/** What a document has something of. */
function parts(document: RecordingMetadata | undefined): string[] {
  return Object.entries(document ?? {})
    .filter(([name, value]) => name !== 'dataMode' && value.length > 0)
    .map(([name]) => name)
}

/** The last re-offer, which must be sound. */
function last(recorder: TestRecorder): RecordingMessage {
  const message = recorder.session().reoffers.at(-1)
  assert.ok(message)
  assert.deepEqual(documentProblems(message), [], message.documentText)
  return message
}

/** A recording of a caller and a callee. */
async function talking(bench: RecordingBench): Promise<{ recorder: TestRecorder; bob: Uint8Array }> {
  const bob = bench.call.join()
  await bench.pass()
  return { recorder: await bench.recording(), bob }
}

/** What a recorder knows that merges what it took. */
function known(recorder: TestRecorder): RecordingMetadata | undefined {
  const { taken } = recorder.session()
  return taken.reduce<RecordingMetadata | undefined>(
    (state, { document }) => (document === undefined ? state : applyMetadata(state, document)),
    undefined,
  )
}

async function requestSnapshot(recorder: TestRecorder, method: 'UPDATE' | 'INFO' = 'UPDATE'): Promise<void> {
  const body = {
    contentType: 'application/rs-metadata+xml',
    disposition: 'recording-session',
    content: writeSnapshotRequest('state lost'),
  }
  await recorder.session().dialog?.request(method, { body })
}

row('META-26, SRC-23, FLOW-02: a hold is a bare UPDATE with the changed associations alone', async (bench) => {
  const { recorder, bob } = await talking(bench)
  bench.call.hold(bob, 'sendonly')
  await bench.pass()
  const { label, sdp, message, document } = last(recorder)
  assert.deepEqual([label, sdp, document?.dataMode], ['UPDATE', '', 'partial'])
  assert.equal(message.headers.get('content-disposition'), 'recording-session')
  assert.deepEqual(message.headers.list('require'), ['siprec'])
  assert.deepEqual(parts(document), ['participantStreamAssocs'])
  const flows = document?.participantStreamAssocs.map(({ send, recv }) => [send.length, recv.length])
  assert.deepEqual(flows, [
    [0, 1],
    [1, 0],
  ])
})

row('META-25: what is changed is sent whole, with its times', async (bench) => {
  const { recorder, bob } = await talking(bench)
  bench.call.leave(bob)
  await bench.pass()
  const { document } = last(recorder)
  assert.deepEqual(parts(document), ['participantSessionAssocs', 'participantStreamAssocs'])
  const [gone] = document?.participantSessionAssocs ?? []
  assert.equal(gone?.participantId, uuidBase64(bob))
  assert.ok(gone?.associateTime !== undefined && gone.disassociateTime !== undefined)
})

row('META-27, FLOW-03: a transfer in the same session names the leaver, the joiner and the session', async (bench) => {
  const { recorder, bob } = await talking(bench)
  bench.call.leave(bob)
  bench.call.join('carol', 'sip:carol@desk.example')
  await bench.pass()
  const { document } = last(recorder)
  assert.equal(document?.dataMode, 'partial')
  assert.deepEqual(
    [document?.sessions.length, document?.participants.length, document?.participantSessionAssocs.length],
    [1, 1, 2],
  )
  assert.equal(document?.sessions[0]?.startTime !== undefined, true)
})

row('SRC-53: a change of codecs that changes no metadata carries no document', async (bench) => {
  const { recorder } = await talking(bench)
  bench.call.changeEncodings(['PCMA/8000'])
  await bench.pass()
  const { label, document } = recorder.session().reoffers.at(-1)!
  assert.deepEqual([label, document], ['INVITE', undefined])
})

row('SRC-58: after a refused update the next document is complete, with its offer', async (bench) => {
  const { recorder, bob } = await talking(bench)
  recorder.reofferRules.push(500)
  bench.call.hold(bob, 'sendonly')
  await bench.pass(3_000)
  const { label, document } = last(recorder)
  assert.deepEqual([label, document?.dataMode], ['INVITE', 'complete'])
  bench.call.hold(bob, 'none')
  await bench.pass()
  assert.equal(last(recorder).document?.dataMode, 'partial')
})

row('SRC-53: a recorder without UPDATE gets partial documents beside an offer', async (bench) => {
  const recorder = bench.recorder(11, { allow: ['INVITE', 'ACK', 'BYE', 'CANCEL'] })
  bench.start(recorder.uri)
  await bench.pass()
  bench.call.join()
  await bench.pass()
  const { label, sdp, document } = last(recorder)
  assert.deepEqual([label, sdp !== '', document?.dataMode], ['INVITE', true, 'partial'])
})

for (const method of ['UPDATE', 'INFO'] as const) {
  row(
    `SRC-55, SRC-56, FLOW-11: a snapshot asked for by ${method} is complete, with SDP of the same version`,
    async (bench) => {
      const { recorder, bob } = await talking(bench)
      bench.call.hold(bob, 'sendonly')
      await bench.pass()
      const version = (sdp: string): string | undefined => /^o=\S+ \S+ (\d+)/m.exec(sdp)?.[1]
      void requestSnapshot(recorder, method)
      await bench.pass()
      const { label, sdp, document } = last(recorder)
      assert.deepEqual([label, document?.dataMode], ['INVITE', 'complete'])
      assert.equal(version(sdp), version(recorder.session().first.sdp))
      bench.call.hold(bob, 'none')
      await bench.pass()
      assert.equal(last(recorder).document?.dataMode, 'partial', 'SRC-57: partials follow the snapshot')
    },
  )
}

row('SRC-68, AMB-05: a snapshot asked for while our offer runs follows when offers are free', async (bench) => {
  const { recorder, bob } = await talking(bench)
  recorder.reofferRules.push('leave')
  bench.pause()
  await bench.pass()
  void requestSnapshot(recorder)
  bench.call.hold(bob, 'sendonly')
  await bench.pass()
  const { first, requests } = recorder.session()
  assert.equal(requests.length, 1)
  requests[0]?.respond(200, { body: recorder.answerBody(first.sdp) })
  await bench.pass()
  assert.deepEqual([last(recorder).label, last(recorder).document?.dataMode], ['INVITE', 'complete'])
})

row('FLOW-10, SRC-69: the end is told in a partial document as well', async (bench) => {
  const { recorder } = await talking(bench)
  bench.call.end()
  await bench.pass()
  const { label, document } = last(recorder)
  assert.deepEqual([label, document?.dataMode], ['UPDATE', 'partial'])
  assert.deepEqual(parts(document), [
    'groups',
    'sessions',
    'sessionRecordingAssocs',
    'participantSessionAssocs',
    'participantStreamAssocs',
  ])
})

test('META-28, FLOW-04: a transfer with a new session: the old one ends, both are in one group', () =>
  withBench(async (bench) => {
    const { recorder, bob } = await talking(bench)
    await bench.pass(5_000)
    const { sessionId, startedAtMs, parties } = bench.call.snapshot()
    bench.call.leave(bob)
    bench.call.join('carol', 'sip:carol@desk.example')
    const endedAtMs = bench.clock.wallMs()
    const participantIds = parties.map((party) => party.participantId)
    bench.call.change(
      { sessionId: bench.ids.uuid(), earlierSessions: [{ sessionId, startedAtMs, endedAtMs, participantIds }] },
      { type: 'session-replaced' },
    )
    await bench.pass()
    const { document } = last(recorder)
    const at = new Date(endedAtMs).toISOString()
    assert.equal(document?.dataMode, 'partial')
    assert.deepEqual(
      document?.sessions.map(({ stopTime, startTime, groupRef }) => [stopTime, startTime, groupRef]),
      [
        [at, new Date(startedAtMs).toISOString(), uuidBase64(bench.call.snapshot().groupId)],
        [undefined, at, uuidBase64(bench.call.snapshot().groupId)],
      ],
    )
    assert.deepEqual(
      document?.sessionRecordingAssocs.map(({ associateTime, disassociateTime }) => [
        associateTime === at,
        disassociateTime,
      ]),
      [
        [false, at],
        [true, undefined],
      ],
    )
    const [, current] = document?.sessions ?? []
    const members = document?.participantSessionAssocs.filter((each) => each.sessionId === current?.sessionId)
    assert.equal(members?.length, 2, 'the caller and the one who took over')
    assert.ok(document?.streams.every((stream) => stream.sessionId === current?.sessionId))
  }, partial))

type Step = 'join' | 'leave' | 'hold' | 'resume' | 'pause' | 'go-on' | 'refuse' | 'snapshot' | 'codec' | 'replace'
const steps: readonly Step[] = [
  'join',
  'leave',
  'hold',
  'resume',
  'pause',
  'go-on',
  'refuse',
  'snapshot',
  'codec',
  'replace',
]

async function play(bench: RecordingBench, recorder: TestRecorder, step: Step, pick: number): Promise<void> {
  const { call } = bench
  const present = call.snapshot().parties.filter((party) => party.leftAtMs === undefined)
  const party = present[pick % present.length]
  if (step === 'join') call.join(`callee-${call.partyCount}`, `sip:agent${call.partyCount}@desk.example`)
  else if (step === 'leave' && party?.role !== 'caller') call.leave(party!.participantId)
  else if (step === 'hold') call.hold(party!.participantId, pick % 2 === 0 ? 'sendonly' : 'inactive')
  else if (step === 'resume') call.hold(party!.participantId, 'none')
  else if (step === 'pause') bench.pause()
  else if (step === 'go-on') bench.resume()
  else if (step === 'refuse') recorder.reofferRules.push(500)
  else if (step === 'snapshot') void requestSnapshot(recorder)
  else if (step === 'codec') call.changeEncodings([pick % 2 === 0 ? 'PCMA/8000' : 'PCMU/8000'])
  else if (step === 'replace') replaceSession(bench)
  await bench.pass(pick * 40)
}

function replaceSession({ call, clock, ids }: RecordingBench): void {
  const { sessionId, startedAtMs, parties, earlierSessions = [] } = call.snapshot()
  const endedAtMs = clock.wallMs()
  const fromMs = earlierSessions.at(-1)?.endedAtMs ?? startedAtMs
  const members = parties.filter(({ leftAtMs }) => leftAtMs === undefined || leftAtMs > fromMs)
  const participantIds = members.map((party) => party.participantId)
  const earlier = { sessionId, startedAtMs: fromMs, endedAtMs, participantIds }
  call.change({ sessionId: ids.uuid(), earlierSessions: [...earlierSessions, earlier] }, { type: 'session-replaced' })
}

test('META-25, SRC-57, META-04, field 15: over any history, what a recorder merged is what a snapshot then says', async () => {
  const history = fc.array(fc.tuple(fc.constantFrom(...steps), fc.nat(7)), { maxLength: 14 })
  await fc.assert(
    fc.asyncProperty(history, (moves) =>
      withBench(async (bench) => {
        const { recorder } = await talking(bench)
        for (const [step, pick] of moves) await play(bench, recorder, step, pick)
        recorder.reofferRules.length = 0
        // A change after the last refusal, since the client waits longer after each and gives up in the end.
        bench.call.join('callee-last', 'sip:last@desk.example')
        await bench.pass(70_000)
        const merged = known(recorder)
        for (const message of recorder.session().taken) {
          if (message.document !== undefined) assert.deepEqual(documentProblems(message), [], message.documentText)
        }
        void requestSnapshot(recorder)
        await bench.pass(5_000)
        const snapshot = recorder.session().taken.at(-1)?.document
        assert.equal(snapshot?.dataMode, 'complete')
        assert.deepEqual(merged, snapshot)
      }, partial),
    ),
    { numRuns: 30 },
  )
})

row('AMB-04: a snapshot asked for by re-INVITE is answered with an answer, and follows on its own', async (bench) => {
  const { recorder } = await talking(bench)
  const { dialog, first } = recorder.session()
  const { content } = recorder.answerBody(first.sdp)
  const parts = [
    { contentType: 'application/sdp', content },
    { contentType: 'application/rs-metadata', disposition: 'recording-session', content: writeSnapshotRequest() },
  ]
  const outcome = dialog?.reinvite({ body: buildMultipart(parts, bench.ids) })
  await bench.pass()
  assert.equal((await outcome)?.status, 200)
  assert.deepEqual([last(recorder).label, last(recorder).document?.dataMode], ['INVITE', 'complete'])
})
