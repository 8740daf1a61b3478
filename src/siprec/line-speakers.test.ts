import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { lineSpeakers } from './line-speakers.ts'
import { emptyMetadata, type MetadataParticipant, type RecordingMetadata } from './metadata.ts'

function participant(participantId: string): MetadataParticipant {
  return { participantId, nameIds: [{ aor: `sip:${participantId}@x.example` }], extensions: [] }
}

function document(change: Partial<RecordingMetadata>): RecordingMetadata {
  const streams = [
    { streamId: 's1', label: '1', extensions: [] },
    { streamId: 's2', label: '2', extensions: [] },
  ]
  return { ...emptyMetadata('complete'), participants: [participant('a'), participant('b')], streams, ...change }
}

const FLOWS = [
  { participantId: 'a', send: ['s2'], recv: [], extensions: [] },
  { participantId: 'b', send: ['s1'], recv: [], extensions: [] },
]

test('META-20: labels and associations say who speaks, whatever the order', () => {
  assert.deepEqual(lineSpeakers(document({ participantStreamAssocs: FLOWS }), ['2', '1', '3']), [
    { label: '2', streamId: 's2', participantIds: ['a'], evidence: 'stated' },
    { label: '1', streamId: 's1', participantIds: ['b'], evidence: 'stated' },
    { label: '3', participantIds: [], evidence: 'unknown' },
  ])
})

test('L-08: without labels the lines are taken in the order of the streams', () => {
  const lines = lineSpeakers(document({ participantStreamAssocs: FLOWS }), ['', ''])
  assert.deepEqual(
    lines.map((line) => [line.participantIds, line.evidence]),
    [
      [['b'], 'inferred'],
      [['a'], 'inferred'],
    ],
  )
})

test('L-08: where the SDP has more lines than are kept, the order of streams says nothing, and labels all', () => {
  const speakers = (labels: string[]): (readonly string[])[] =>
    lineSpeakers(document({ participantStreamAssocs: FLOWS }), labels, { hasOtherLines: true }).map(
      (line) => line.participantIds,
    )
  assert.deepEqual(speakers(['', '']), [[], []])
  assert.deepEqual(speakers(['1', '2']), [['b'], ['a']])
})

test('L-16, L-19: without associations the parties are taken in order, and all of them for a single line', () => {
  const ids = (labels: string[]): (readonly string[])[] =>
    lineSpeakers(document({}), labels).map((line) => line.participantIds)
  assert.deepEqual(ids(['1', '2']), [['a'], ['b']])
  assert.deepEqual(ids(['1']), [[]], 'one of two described streams is not mixed')
  const mixed = document({ streams: [{ streamId: 's1', label: '1', extensions: [] }] })
  assert.deepEqual(lineSpeakers(mixed, ['1']), [
    { label: '1', streamId: 's1', participantIds: ['a', 'b'], evidence: 'inferred' },
  ])
})

test('a stream that nobody sends any more, while others are sent, is on hold', () => {
  const held = (flows: RecordingMetadata['participantStreamAssocs'], sentIds = new Set(['s1', 's2'])): boolean[] =>
    lineSpeakers(document({ participantStreamAssocs: flows }), ['1', '2'], { sentIds }).map(
      ({ isHeld }) => isHeld === true,
    )
  assert.deepEqual(held(FLOWS), [false, false])
  assert.deepEqual(held([FLOWS[0]!, { ...FLOWS[1]!, send: [], recv: ['s2'] }]), [true, false])
  assert.deepEqual(held([FLOWS[0]!, { ...FLOWS[1]!, disassociateTime: '2026-01-01T00:00:00Z' }]), [true, false])
  assert.deepEqual(held([]), [false, false])
  assert.deepEqual(held([FLOWS[0]!], new Set()), [false, false], 'of which nobody was ever said to send')
  assert.deepEqual(held([FLOWS[0]!, { ...FLOWS[1]!, send: [], recv: ['s2'] }], new Set()), [false, false])
})

test('a leaver gives way to who still speaks, and stays the speaker if nobody follows', () => {
  const left = { participantId: 'a', send: ['s1'], recv: [], disassociateTime: '2026-01-01T00:00:00Z', extensions: [] }
  const speakers = (...flows: (typeof left | (typeof FLOWS)[number])[]): readonly string[] =>
    lineSpeakers(document({ participantStreamAssocs: flows }), ['1'])[0]?.participantIds ?? []
  assert.deepEqual(speakers(left, FLOWS[1]!), ['b'])
  assert.deepEqual(speakers(left), ['a'])
})

/** A call of some parties, one line each, and what a client may leave out, repeat or shuffle of it. */
const damage = fc.record({
  parties: fc.integer({ min: 1, max: 4 }),
  shuffled: fc.infiniteStream(fc.integer({ min: 0, max: 3 })).map((each) => [...each.take(8)]),
  lostFlows: fc.uniqueArray(fc.integer({ min: 0, max: 3 })),
  lostStreams: fc.uniqueArray(fc.integer({ min: 0, max: 3 })),
  lostLabels: fc.uniqueArray(fc.integer({ min: 0, max: 3 })),
  lostParties: fc.uniqueArray(fc.integer({ min: 0, max: 3 })),
  unlabelledLines: fc.uniqueArray(fc.integer({ min: 0, max: 3 })),
  repeatedLabel: fc.boolean(),
})

test('evidence that is missing, repeated or out of order never makes a wrong speaker that is called stated', () => {
  fc.assert(
    fc.property(damage, (of) => {
      const all = [...Array(of.parties).keys()]
      // A label that another stream has too is seen; one that only the wrong stream has is a lie that nothing tells.
      const isRepeated = of.repeatedLabel && !of.lostLabels.includes(0) && !of.lostStreams.includes(0)
      const order = all.toSorted((a, b) => of.shuffled[a]! - of.shuffled[b]!)
      const metadata = document({
        participants: order.filter((at) => !of.lostParties.includes(at)).map((at) => participant(`p${at}`)),
        streams: order
          .filter((at) => !of.lostStreams.includes(at))
          .map((at) => ({
            streamId: `s${at}`,
            ...(!of.lostLabels.includes(at) && { label: isRepeated && at === 1 ? 'l0' : `l${at}` }),
            extensions: [],
          })),
        participantStreamAssocs: all
          .filter((at) => !of.lostFlows.includes(at))
          .map((at) => ({ participantId: `p${at}`, send: [`s${at}`], recv: [], extensions: [] })),
      })
      const labels = all.map((at) => (of.unlabelledLines.includes(at) ? '' : `l${at}`))
      for (const [at, line] of lineSpeakers(metadata, labels).entries()) {
        if (line.evidence === 'stated') assert.deepEqual(line.participantIds, [`p${at}`])
        else if (line.evidence !== 'inferred') assert.deepEqual(line.participantIds, [])
        if (line.evidence === 'inferred') assert.equal(line.participantIds.length, 1)
      }
    }),
    { seed: 7866, numRuns: 3000 },
  )
})

test('one party alone in two lines while another is in none is a conflict; of one party alone it is not', () => {
  const both = [{ participantId: 'a', send: ['s1', 's2'], recv: [], extensions: [] }]
  const evidence = (change: Partial<RecordingMetadata>, kinds?: string[]): string[] =>
    lineSpeakers(document({ participantStreamAssocs: both, ...change }), ['1', '2'], { ...(kinds && { kinds }) }).map(
      (line) => line.evidence,
    )
  assert.deepEqual(evidence({}), ['conflict', 'conflict'])
  assert.deepEqual(evidence({ participants: [participant('a')] }), ['stated', 'stated'])
  assert.deepEqual(evidence({}, ['audio', 'video']), ['stated', 'stated'])
})

test('who left the session by its association no longer speaks on a stream that another sends now', () => {
  const flows = [
    { participantId: 'a', send: ['s1'], recv: [], extensions: [] },
    { participantId: 'b', send: ['s1'], recv: [], extensions: [] },
  ]
  const left = {
    participantId: 'a',
    sessionId: 'c',
    disassociateTime: '2026-01-01T00:00:00Z',
    params: [],
    extensions: [],
  }
  const metadata = document({ participantStreamAssocs: flows, participantSessionAssocs: [left] })
  assert.deepEqual(lineSpeakers(metadata, ['1'])[0]?.participantIds, ['b'])
})
