import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fixture } from '../../test/harness/fixtures.ts'
import { lineSpeakers } from './line-speakers.ts'
import { emptyMetadata, type RecordingMetadata } from './metadata.ts'
import { applyMetadata } from './metadata-merge.ts'
import { parseMetadata } from './metadata-reader.ts'
import { validateMetadata } from './metadata-rules.ts'

function document(path: string): RecordingMetadata {
  const { metadata } = parseMetadata(fixture(`${path}.xml`))
  assert.ok(metadata)
  return metadata
}

function partial(change: Partial<RecordingMetadata>): RecordingMetadata {
  return { ...emptyMetadata('partial'), ...change }
}

const COMPLETE = document('metadata/call-complete')
const ALICE = COMPLETE.participants[0]!.participantId
const BOB = COMPLETE.participants[1]!.participantId

test('META-25: a complete document replaces the state', () => {
  assert.deepEqual(applyMetadata(document('rfc7865/complete'), COMPLETE), COMPLETE)
  assert.deepEqual(applyMetadata(undefined, COMPLETE), COMPLETE)
})

test('META-25: an empty partial changes nothing, and without a base the state stays partial', () => {
  assert.deepEqual(applyMetadata(COMPLETE, emptyMetadata('partial')), COMPLETE)
  assert.equal(applyMetadata(undefined, document('metadata/call-hold')).dataMode, 'partial')
})

test('META-18, META-26, AMB-17: a hold replaces the lists of send and receive, nothing else', () => {
  const state = applyMetadata(COMPLETE, document('metadata/call-hold'))
  assert.deepEqual(state.participantStreamAssocs, document('metadata/call-hold').participantStreamAssocs)
  assert.deepEqual({ ...state, participantStreamAssocs: [] }, { ...COMPLETE, participantStreamAssocs: [] })
  const silent = partial({ participantStreamAssocs: [{ participantId: ALICE, send: [], recv: [], extensions: [] }] })
  const both = applyMetadata(state, silent)
  assert.deepEqual(
    both.participantStreamAssocs.map((each) => each.send.length),
    [0, 1],
  )
  assert.deepEqual(
    applyMetadata(both, partial({ participantStreamAssocs: COMPLETE.participantStreamAssocs })),
    COMPLETE,
  )
})

test('META-27: a transfer adds party and stream, and ends the leaver', () => {
  const state = applyMetadata(COMPLETE, document('metadata/call-transfer'))
  assert.deepEqual(validateMetadata(state, ['1', '2', '3']), [])
  assert.equal(state.participants.length, 3)
  assert.equal(state.sessions.length, 1)
  assert.equal(state.participantSessionAssocs.length, 3)
  const leaver = state.participantSessionAssocs.find((each) => each.participantId === BOB)
  assert.equal(leaver?.disassociateTime, '2026-03-02T10:04:31.905Z')
  assert.deepEqual(lineSpeakers(state, ['3'])[0]?.participantIds, [state.participants[2]?.participantId])
})

test('META-17: a bare disassociate-time ends the open association of the pair', () => {
  const state = applyMetadata(document('rfc7865/complete'), document('rfc7865/partial'))
  assert.deepEqual(
    state.participantSessionAssocs.map((each) => [each.associateTime, each.disassociateTime]),
    [
      ['2010-12-16T23:41:07Z', '2010-12-16T23:41:07Z'],
      ['2010-12-16T23:41:07Z', undefined],
    ],
  )
})

test('META-17: rejoining adds a second association of the same pair', () => {
  const sessionId = COMPLETE.sessions[0]!.sessionId
  const association = { participantId: ALICE, sessionId, params: [], extensions: [] }
  const leave = partial({ participantSessionAssocs: [{ ...association, disassociateTime: '2026-03-02T10:01:00Z' }] })
  const rejoin = partial({ participantSessionAssocs: [{ ...association, associateTime: '2026-03-02T10:02:00Z' }] })
  const leaveAgain = partial({
    participantSessionAssocs: [{ ...association, disassociateTime: '2026-03-02T10:03:00Z' }],
  })
  const state = [leave, rejoin, leaveAgain].reduce(applyMetadata, COMPLETE)
  assert.deepEqual(
    state.participantSessionAssocs.filter((each) => each.participantId === ALICE).map((each) => each.disassociateTime),
    ['2026-03-02T10:01:00Z', '2026-03-02T10:03:00Z'],
  )
})

test('META-28: a session given without start-time and group keeps those stored', () => {
  const { sessionId, startTime, groupRef } = COMPLETE.sessions[0]!
  const stop = { sessionId, sipSessionIds: [], reasons: [], stopTime: '2026-03-02T11:00:00Z', extensions: [] }
  const session = applyMetadata(COMPLETE, partial({ sessions: [stop] })).sessions[0]
  assert.deepEqual([session?.startTime, session?.groupRef, session?.stopTime], [startTime, groupRef, stop.stopTime])
  assert.deepEqual(session?.sipSessionIds, [])
})

test('META-28: a participant in two sessions keeps one list of streams for each', () => {
  const second = { sessionId: 'second', sipSessionIds: [], reasons: [], extensions: [] }
  const stream = { streamId: 'extra', sessionId: 'second', label: '9', extensions: [] }
  const flow = { participantId: ALICE, send: ['extra'], recv: [], extensions: [] }
  const state = applyMetadata(
    COMPLETE,
    partial({ sessions: [second], streams: [stream], participantStreamAssocs: [flow] }),
  )
  assert.equal(state.participantStreamAssocs.filter((each) => each.participantId === ALICE).length, 2)
})
