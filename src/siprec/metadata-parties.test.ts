import assert from 'node:assert/strict'
import { test } from 'node:test'
import { emptyMetadata, type MetadataParticipant, type RecordingMetadata } from './metadata.ts'
import { callingParticipant, lineSpeakers } from './metadata-parties.ts'
import type { XmlElement } from './xml-element.ts'

function participant(
  participantId: string,
  aor = `sip:${participantId}@x.example`,
  extensions: XmlElement[] = [],
): MetadataParticipant {
  return { participantId, nameIds: [{ aor }], extensions }
}

function document(change: Partial<RecordingMetadata>): RecordingMetadata {
  const streams = [
    { streamId: 's1', label: '1', extensions: [] },
    { streamId: 's2', label: '2', extensions: [] },
  ]
  return { ...emptyMetadata('complete'), participants: [participant('a'), participant('b')], streams, ...change }
}

function element(namespace: string, name: string, ...children: (XmlElement | string)[]): XmlElement {
  return { namespace, name, attributes: [], children }
}

const FLOWS = [
  { participantId: 'a', send: ['s2'], recv: [], extensions: [] },
  { participantId: 'b', send: ['s1'], recv: [], extensions: [] },
]

test('META-20: labels and associations say who speaks, whatever the order', () => {
  assert.deepEqual(lineSpeakers(document({ participantStreamAssocs: FLOWS }), ['2', '1', '3']), [
    { label: '2', streamId: 's2', participantIds: ['a'], isInferred: false },
    { label: '1', streamId: 's1', participantIds: ['b'], isInferred: false },
    { label: '3', participantIds: [], isInferred: false },
  ])
})

test('L-08: without labels the lines are taken in the order of the streams', () => {
  const lines = lineSpeakers(document({ participantStreamAssocs: FLOWS }), ['', ''])
  assert.deepEqual(
    lines.map((line) => [line.participantIds, line.isInferred]),
    [
      [['b'], true],
      [['a'], true],
    ],
  )
})

test('L-16, L-19: without associations the parties are taken in order, and all of them for a single line', () => {
  const ids = (labels: string[]): (readonly string[])[] =>
    lineSpeakers(document({}), labels).map((line) => line.participantIds)
  assert.deepEqual(ids(['1', '2']), [['a'], ['b']])
  assert.deepEqual(ids(['1']), [['a', 'b']])
  assert.equal(lineSpeakers(document({}), ['1'])[0]?.isInferred, true)
})

test('a leaver gives way to who still speaks, and stays the speaker if nobody follows', () => {
  const left = { participantId: 'a', send: ['s1'], recv: [], disassociateTime: '2026-01-01T00:00:00Z', extensions: [] }
  const speakers = (...flows: (typeof left | (typeof FLOWS)[number])[]): readonly string[] =>
    lineSpeakers(document({ participantStreamAssocs: flows }), ['1'])[0]?.participantIds ?? []
  assert.deepEqual(speakers(left, FLOWS[1]!), ['b'])
  assert.deepEqual(speakers(left), ['a'])
})

test('L-18: the caller is the one so flagged, the one so addressed, else the first', () => {
  const role = element('urn:siprec-gateway:call:1', 'role', 'caller')
  assert.equal(
    callingParticipant(document({ participants: [participant('a'), participant('b', 'sip:b', [role])] })),
    'b',
  )
  const from = element('urn:v', 'callData', element('urn:v', 'fromhdr', '"B" <sip:+4930123456@x>;tag=1'))
  const participants = [participant('a', 'sip:4930999999@x'), participant('b', '23456@y')]
  assert.equal(callingParticipant(document({ participants, extensions: [from] })), 'a', 'too few digits in common')
  const national = [participant('a', 'sip:999'), participant('b', 'tel:030123456')]
  assert.equal(callingParticipant(document({ participants: national, extensions: [from] })), 'b')
  assert.equal(callingParticipant(document({})), 'a')
  assert.equal(callingParticipant(document({ participants: [] })), undefined)
})
