import assert from 'node:assert/strict'
import { test } from 'node:test'
import { emptyMetadata, type MetadataParticipant, type RecordingMetadata } from './metadata.ts'
import { callingParticipant } from './metadata-parties.ts'
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
